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

/// How near (microseconds) a user's act must be to a connection to speak for it.
const NEAR: i64 = 4 * 1_000_000;

/// How much better than the next the best candidate must be.
const MARGIN: f64 = 1.5;

/// Gives tokens' connections to the users who were active with them.
pub(super) fn owners_of_tokens(attempts: &mut [Attempt], events: &[Event]) {
    let mut by_token: BTreeMap<Fingerprint, Vec<usize>> = BTreeMap::new();
    for (place, attempt) in attempts.iter().enumerate() {
        if let Some(token) = attempt.token {
            by_token.entry(token).or_default().push(place);
        }
    }
    if by_token.is_empty() {
        return;
    }
    let acts: Vec<(i64, Name)> = acts(events);
    for places in by_token.values() {
        let named = places.iter().find_map(|place| attempts[*place].key);
        let owner = named.or_else(|| stands_out(places, attempts, &acts).map(Key::User));
        for place in places {
            attempts[*place].key = attempts[*place].key.or(owner);
        }
    }
}

/// Requests with a user, in order of time: by when they began.
fn acts(events: &[Event]) -> Vec<(i64, Name)> {
    events
        .iter()
        .filter(|event| event.request().is_some())
        .filter_map(|event| Some((event.time, event.user?)))
        .collect()
}

fn stands_out(places: &[usize], attempts: &[Attempt], acts: &[(i64, Name)]) -> Option<Name> {
    let mut scores: HashMap<Name, f64, RandomState> = HashMap::default();
    // (Its room is used again for each moment.)
    let mut best: HashMap<Name, f64, RandomState> = HashMap::default();
    for moment in places.iter().map(|place| attempts[*place].opened) {
        let from = acts.partition_point(|(time, _)| *time < moment - NEAR);
        let near = acts[from..].iter().take_while(|(time, _)| *time <= moment + NEAR);
        for (time, user) in near {
            #[allow(clippy::cast_precision_loss, reason = "a few seconds in microseconds")]
            let closeness = 1.0 - (time - moment).abs() as f64 / (NEAR as f64 * 1.25);
            let entry = best.entry(*user).or_default();
            *entry = entry.max(closeness) + 0.1;
        }
        // A moment at which many are active says little of each.
        #[allow(clippy::cast_precision_loss, reason = "a count of users")]
        let crowd = (best.len() as f64).sqrt();
        for (user, closeness) in best.drain() {
            *scores.entry(user).or_default() += closeness / crowd;
        }
    }
    let mut ranked: Vec<(f64, Name)> = scores.into_iter().map(|(user, score)| (score, user)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    match ranked.as_slice() {
        [(_, only)] => Some(*only),
        [(best, user), (next, _), ..] if *best >= next * MARGIN => Some(*user),
        _ => None,
    }
}
