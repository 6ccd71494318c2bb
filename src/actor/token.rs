//! Whose a token is where nothing names its holder: lograge's JSON shows a socket by its token alone.
//!
//! A user's acts come together: an app that is opened loads its page and opens its socket within seconds, and a refresh or
//! sign-in is followed by a socket with the new token. Over a token's connections, the user who was always active just then
//! stands out; where nobody does, the socket stays nobody's.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;
use why401_parsers::event::{Event, Name};
use why401_parsers::secret::Fingerprint;

use super::Key;
use super::socket::Attempt;
use crate::spread::Crew;

/// How near (microseconds) a user's act must be to a connection to speak for it.
const NEAR: i64 = 4 * 1_000_000;

/// How much better than the next the best candidate must be.
const MARGIN: f64 = 1.5;

/// Gives tokens' connections to the users who were active with them.
pub(super) fn owners_of_tokens(attempts: &mut [Attempt], events: &[Event], crew: Crew) {
    let mut by_token: BTreeMap<Fingerprint, Vec<usize>> = BTreeMap::new();
    for (place, attempt) in attempts.iter().enumerate() {
        if let Some(token) = attempt.token {
            by_token.entry(token).or_default().push(place);
        }
    }
    if by_token.is_empty() {
        return;
    }
    let active = Active::of(events);
    let tokens: Vec<Vec<usize>> = by_token.into_values().collect();
    let seen: &[Attempt] = attempts;
    let owners = crew.split(tokens.len(), |part| {
        let mut table = Table::of(&active);
        let owner = |places: &Vec<usize>| {
            let named = places.iter().find_map(|place| seen[*place].key);
            let moments = places.iter().map(|place| seen[*place].opened);
            named.or_else(|| active.who_stands_out(moments, &mut table).map(Key::User))
        };
        tokens[part].iter().map(owner).collect::<Vec<_>>()
    });
    for (places, owner) in tokens.iter().zip(owners.into_iter().flatten()) {
        for place in places {
            attempts[*place].key = attempts[*place].key.or(owner);
        }
    }
}

/// Who was active when. Users have numbers here, so that a score is found without a look-up: there are many moments, with many active at each.
struct Active {
    users: Vec<Name>,
    /// Requests with a user, in order of time: by when they began.
    acts: Vec<(i64, usize)>,
}

/// Room for scores, used again for one token after the other.
struct Table {
    /// At one moment.
    now: Scores,
    /// At all moments of a token.
    all: Scores,
}

impl Table {
    fn of(active: &Active) -> Self {
        let none = || Scores { of: vec![0.0; active.users.len()], whose: Vec::new() };
        Self { now: none(), all: none() }
    }
}

impl Active {
    fn of(events: &[Event]) -> Self {
        let (mut users, mut acts) = (Vec::new(), Vec::new());
        let mut numbers: HashMap<Name, usize, RandomState> = HashMap::default();
        for event in events.iter().filter(|event| event.request().is_some()) {
            let Some(user) = event.user else { continue };
            let number = *numbers.entry(user).or_insert_with(|| {
                users.push(user);
                users.len() - 1
            });
            acts.push((event.time, number));
        }
        Self { users, acts }
    }

    fn who_stands_out(&self, moments: impl Iterator<Item = i64>, table: &mut Table) -> Option<Name> {
        let Table { now, all } = table;
        for moment in moments {
            let from = self.acts.partition_point(|(time, _)| *time < moment - NEAR);
            let near = self.acts[from..].iter().take_while(|(time, _)| *time <= moment + NEAR);
            for (time, user) in near {
                #[allow(clippy::cast_precision_loss, reason = "a few seconds in microseconds")]
                let closeness = 1.0 - (time - moment).abs() as f64 / (NEAR as f64 * 1.25);
                let best = now.of_user(*user);
                *best = best.max(closeness) + 0.1;
            }
            // A moment at which many are active says little of each.
            #[allow(clippy::cast_precision_loss, reason = "a count of users")]
            let crowd = (now.whose.len() as f64).sqrt();
            for (user, closeness) in now.take() {
                *all.of_user(user) += closeness / crowd;
            }
        }
        let (mut best, mut next) = (None, 0.0);
        for (user, score) in all.take() {
            match best {
                Some((_, most)) if score <= most => next = score.max(next),
                _ => next = best.replace((user, score)).map_or(0.0, |(_, before)| before),
            }
        }
        // (Nobody stands out beside one who is as good.)
        best.filter(|(_, most)| *most >= next * MARGIN).map(|(user, _)| self.users[user])
    }
}

/// Scores of users by number, above zero for those who have one.
struct Scores {
    of: Vec<f64>,
    /// Who has one.
    whose: Vec<usize>,
}

impl Scores {
    /// A user's score, to be raised above zero.
    fn of_user(&mut self, user: usize) -> &mut f64 {
        if self.of[user] == 0.0 {
            self.whose.push(user);
        }
        &mut self.of[user]
    }

    /// All scores; what is left is none.
    fn take(&mut self) -> impl Iterator<Item = (usize, f64)> {
        let Self { of, whose } = self;
        whose.drain(..).map(|user| (user, std::mem::take(&mut of[user])))
    }
}
