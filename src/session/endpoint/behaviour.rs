//! Which endpoint refreshes, told by what it does, where neither what requests carry nor words nor the configuration tell it: a log
//! without parameters of an app that calls its refresh `POST /v1/handshake/next`.
//!
//! A refresh that heals is what a client sends by itself as soon as a call was refused, and what the same call succeeds after. So for each
//! time that somebody's call was answered 401 and the same call then succeeded, without a sign-in, it is counted what had been written
//! (POST, PUT, PATCH) in between. Nothing else of an app is always there: a retry is the same call; what is posted each time that an app
//! is opened or a page is shown (analytics, a device, a heartbeat) is posted when nothing was refused, too; people who sign in type for
//! longer. A refresh that only ever comes before the credential runs out leaves no such trace, and is not told from a heartbeat: nothing is
//! inferred then. Nor where two endpoints do the same. Rather none than a wrong one: with none verdicts are less sure, and the
//! configuration can name it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;
use why401_parsers::event::{Event, Name, Names, Request, WRITES, is_unauthorized};

use super::{Role, Roles};
use crate::session::SECOND;

#[cfg(test)]
mod tests;

/// A client refreshes so soon (microseconds) after the answer that refused it: the labelled samples have a tenth of a second to two and a
/// half. The fastest of those who type a password need as long.
const SOON: i64 = 5 * SECOND;

/// Times that are stated in whole seconds are as much (microseconds) too early.
const COARSE: i64 = SECOND;

/// A call that succeeds later (microseconds) after it was refused says nothing of what healed it.
const HEALED: i64 = 60 * SECOND;

/// So many people must have been healed: one device with a habit of its own, or two behind one address, are no rule of the app.
const LEAST_PEOPLE: usize = 3;

/// And at so many addresses, where no line names a user: a device on its way has one at home, one on the train, one at work.
const LEAST_ADDRESSES: usize = 5;

/// And in so many of so many cases in which it may have healed, it must have been there. (Nine in ten in the samples; where devices
/// share an address, others' calls look like recoveries without it.)
const IN_MOST: (usize, usize) = (2, 3);

/// And so much oftener, at most, it may have been there in vain: what was refused was refused again, or somebody had to sign in. (Less often
/// than not in the samples, where a client that keeps an old token is refused on. What is posted about each refusal is in vain more than
/// four times as often as not, as many refusals are for good.)
const IN_VAIN: usize = 2;

/// While nothing is refused, no more than one in so many spells of calls may have it in their midst. With [`IN_MOST`] it is then at least
/// five times as frequent after a refusal as without one. (One in 50 at most in the samples, though most of their refreshes are early.)
const SELDOM_ELSE: usize = 8;

/// Who called nothing for so long (microseconds) opens the app with what he calls next. What is posted at each opening follows refusals
/// often, as tokens run out while an app is away: openings are looked at by themselves, too.
const AWAY: i64 = 300 * SECOND;

/// Words in the names of what an app tells of itself: it posts that a call was refused as faithfully as it refreshes.
const TELLS_OF_ITSELF: [&str; 12] = [
    "analytic",
    "beacon",
    "collect",
    "crash",
    "error",
    "event",
    "log",
    "logg",
    "metric",
    "report",
    "telemetry",
    "track",
];

/// Words in the names of what signs in without typing, by another's word or by a finger: after it calls succeed as soon as after a refresh.
const SIGNS_IN: [&str; 24] = [
    "acs",
    "apple",
    "biometric",
    "callback",
    "face",
    "facebook",
    "factor",
    "fingerprint",
    "google",
    "magic",
    "mfa",
    "oidc",
    "omniauth",
    "otp",
    "passcode",
    "passkey",
    "passwordless",
    "pin",
    "saml",
    "sso",
    "totp",
    "unlock",
    "verif",
    "webauthn",
];

/// What such words end in.
const ENDINGS: [&str; 13] = ["", "s", "es", "ed", "er", "ers", "ing", "ion", "ions", "or", "ication", "ications", "y"];

/// An endpoint that is taken for the refresh, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inferred {
    method: String,
    /// Its controller and action; its path where the log names none.
    route: String,
    /// What showed it; not kept where it was in an earlier part of the log.
    shown: Option<Shown>,
}

/// What shows that an endpoint refreshes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    /// So often somebody's call succeeded soon after it was refused, and it may have been the reason.
    recoveries: usize,
    /// So often it was there.
    there: usize,
    /// For so many people.
    people: usize,
}

/// An endpoint: its method and its action, or its path.
type Endpoint = (Name, Name);

/// A call.
struct Call {
    /// Whose it is: a user, or an address.
    key: Name,
    /// The user, where a line of the log says who it is.
    user: Option<Name>,
    endpoint: Endpoint,
    time: i64,
    ended: i64,
    /// Its method is one of those of a refresh.
    writes: bool,
}

/// What is known of somebody at a time.
#[derive(Default)]
struct Person {
    /// When the last call began.
    last: Option<i64>,
    /// When he opened the app, until a spell or trouble began.
    opened: Option<i64>,
    state: State,
}

/// How somebody fares.
#[derive(Default)]
enum State {
    /// Nothing is called.
    #[default]
    Quiet,
    /// Calls are answered well.
    Calm(Spell),
    /// Calls were refused.
    Trouble(Trouble),
}

/// Calls of some seconds, none refused, and what was written in their midst.
struct Spell {
    begun: i64,
    opening: bool,
    wrote: BTreeSet<Endpoint>,
}

/// Calls were refused.
struct Trouble {
    /// The end of the first answer that refused one.
    first: i64,
    /// The end of the last.
    last: i64,
    opening: bool,
    calls: BTreeSet<Endpoint>,
    /// What was written soon after, and when it was answered.
    soon: BTreeMap<Endpoint, i64>,
    /// What was written and refused itself, and when that was answered first.
    failed: BTreeMap<Endpoint, i64>,
    /// What was written later.
    later: BTreeSet<Endpoint>,
}

/// How often something was so, and how often of these while an app was opened.
#[derive(Clone, Copy, Debug, Default)]
struct Cases {
    all: usize,
    opening: usize,
}

/// What is counted of an endpoint.
#[derive(Default)]
struct Sum {
    there: Cases,
    users: BTreeSet<Name>,
    /// Where nobody knows who it was.
    addresses: BTreeSet<Name>,
    /// It came too late to be a client's own doing.
    later: usize,
    /// What was refused was refused again, or somebody had to sign in.
    in_vain: usize,
    /// It was refused itself, and may not have healed anything.
    refused: Cases,
    in_spells: Cases,
}

#[derive(Default)]
struct Tally {
    sums: BTreeMap<Endpoint, Sum>,
    recoveries: Cases,
    spells: Cases,
    /// Times may be so much too early.
    slack: i64,
}

/// Whether so much was refused that something may be found at all.
pub(crate) fn may_be_found<'e>(events: impl Iterator<Item = &'e Event>) -> bool {
    let refused = |event: &&Event| event.request().is_some_and(|request| request.status.is_some_and(is_unauthorized));
    events.filter(refused).nth(LEAST_PEOPLE - 1).is_some()
}

/// The endpoint that behaves as a refresh, if one and only one does. `events` are the servers', in order of time; `proxies` are addresses
/// that name nobody.
pub(crate) fn refresh<'e>(
    events: impl Iterator<Item = &'e Event> + Clone,
    roles: &Roles,
    names: &Names,
    proxies: &BTreeSet<Name>,
) -> Option<Inferred> {
    let user_at = users(events.clone());
    let writing = WRITES.map(|method| names.get(method));
    // A line is written at one end of its request; the other is so many milliseconds off.
    let whole = |time: i64| time % SECOND == 0;
    let coarse = events.clone().all(|event| whole(event.time) || event.ended.is_some_and(whole));
    let mut tally = Tally { slack: if coarse { COARSE } else { 0 }, ..Tally::default() };
    let mut people: HashMap<Name, Person, RandomState> = HashMap::default();
    for event in events {
        let Some(request) = event.request() else { continue };
        // Whose a call is: refusals and refreshes name no user, so the address does, unless several are behind it.
        let alone = |address: &Name| !proxies.contains(address) && user_at.get(address) != Some(&None);
        let address = event.address.filter(alone);
        let Some(key) = address.or(event.user) else { continue };
        let call = Call {
            key,
            user: address.map_or(event.user, |address| user_at.get(&address).copied().flatten()),
            endpoint: (request.method, request.action.unwrap_or(request.path)),
            time: event.time,
            ended: event.ended.unwrap_or(event.time),
            writes: writing.contains(&Some(request.method)),
        };
        let role = roles.of_all_but_doubtful(request);
        tally.step(people.entry(key).or_default(), &call, role, request.status.unwrap_or_default());
    }
    for person in people.into_values() {
        if let State::Calm(spell) = person.state {
            tally.end(spell);
        }
    }
    tally.found(names)
}

/// The user at each address; none where several are.
fn users<'e>(events: impl Iterator<Item = &'e Event>) -> HashMap<Name, Option<Name>, RandomState> {
    let mut users: HashMap<Name, Option<Name>, RandomState> = HashMap::default();
    for (user, address) in events.filter_map(|event| event.user.zip(event.address)) {
        users.entry(address).and_modify(|known| *known = known.filter(|known| *known == user)).or_insert(Some(user));
    }
    users
}

impl Tally {
    /// Takes somebody's next call.
    fn step(&mut self, person: &mut Person, call: &Call, role: Role, status: u16) {
        let well = (200..400).contains(&status);
        match (role, std::mem::take(&mut person.state)) {
            (Role::Other, state) => {
                if person.last.replace(call.time).is_none_or(|last| call.time - last > AWAY) {
                    person.opened = Some(call.time);
                }
                let state = self.at(state, call.time);
                person.state = self.called(state, &mut person.opened, call, status);
            }
            // With a new credential from elsewhere, or none, what was refused is over.
            (Role::SignIn | Role::SignOut | Role::Revoke, State::Trouble(trouble)) if well => self.given_up(trouble),
            (_, state) => person.state = state,
        }
    }

    /// What is left of a state at a time.
    fn at(&mut self, state: State, time: i64) -> State {
        match state {
            State::Calm(spell) if time - spell.begun > SOON => self.end(spell),
            State::Trouble(trouble) if time - trouble.last > HEALED => {}
            state => return state,
        }
        State::Quiet
    }

    fn called(&mut self, state: State, opened: &mut Option<i64>, call: &Call, status: u16) -> State {
        let well = (200..400).contains(&status);
        let mut opening = || opened.take().is_some_and(|opened| call.time - opened <= SOON);
        match state {
            State::Trouble(trouble) if is_unauthorized(status) => State::Trouble(self.refused(trouble, call)),
            State::Quiet | State::Calm(_) if is_unauthorized(status) => {
                State::Trouble(self.refused(Trouble::at(call.ended, opening()), call))
            }
            State::Trouble(trouble) if well => self.accepted(trouble, call),
            State::Calm(mut spell) if well && call.writes => {
                spell.wrote.insert(call.endpoint);
                State::Calm(spell)
            }
            State::Quiet if well && !call.writes => {
                State::Calm(Spell { begun: call.time, opening: opening(), wrote: BTreeSet::new() })
            }
            state => state,
        }
    }

    fn refused(&mut self, mut trouble: Trouble, call: &Call) -> Trouble {
        // What is refused when others were may be a refresh that is refused, or one that came second.
        if call.writes && !trouble.calls.is_empty() && !trouble.calls.contains(&call.endpoint) {
            trouble.failed.entry(call.endpoint).or_insert(call.ended);
            return trouble;
        }
        trouble.last = trouble.last.max(call.ended);
        trouble.calls.insert(call.endpoint);
        trouble.later.clear();
        trouble.soon.retain(|endpoint, answered| {
            let may_help = *answered >= call.time;
            if !may_help {
                self.in_vain(*endpoint);
            }
            may_help
        });
        trouble
    }

    /// A call was answered well while somebody is in trouble.
    fn accepted(&mut self, mut trouble: Trouble, call: &Call) -> State {
        // What was on its way when the first was refused says nothing.
        if call.time < trouble.first - self.slack {
            return State::Trouble(trouble);
        }
        // Something written that was refused is tried again as anything else. (Of two refreshes at once one is refused.)
        let failed = trouble.failed.get(&call.endpoint).is_some_and(|answered| *answered <= call.time);
        if failed || trouble.calls.contains(&call.endpoint) {
            self.recovered(trouble, call);
            return State::Quiet;
        }
        if call.writes && call.time - trouble.last <= SOON {
            trouble.soon.insert(call.endpoint, call.ended);
        } else if call.writes {
            trouble.later.insert(call.endpoint);
        }
        State::Trouble(trouble)
    }

    /// Somebody signed in, or out.
    fn given_up(&mut self, Trouble { soon, failed, .. }: Trouble) {
        // Where it was refused itself, that was why.
        soon.into_keys().filter(|endpoint| !failed.contains_key(endpoint)).for_each(|endpoint| self.in_vain(endpoint));
    }

    /// This was written, and did not help.
    fn in_vain(&mut self, endpoint: Endpoint) {
        self.sums.entry(endpoint).or_default().in_vain += 1;
    }

    /// A call that was refused has succeeded.
    fn recovered(&mut self, Trouble { opening, calls, soon, failed, later, .. }: Trouble, call: &Call) {
        // After something that came late it was that: somebody typed.
        if soon.is_empty() && !later.is_empty() {
            later.into_iter().for_each(|endpoint| self.sums.entry(endpoint).or_default().later += 1);
            return;
        }
        self.recoveries.note(opening);
        let failed = failed.into_keys().filter(|endpoint| !soon.contains_key(endpoint));
        for endpoint in calls.into_iter().chain(failed) {
            self.sums.entry(endpoint).or_default().refused.note(opening);
        }
        for endpoint in soon.into_keys() {
            let sum = self.sums.entry(endpoint).or_default();
            sum.there.note(opening);
            match call.user {
                Some(user) => sum.users.insert(user),
                None => sum.addresses.insert(call.key),
            };
        }
    }

    /// A spell is over.
    fn end(&mut self, Spell { opening, wrote, .. }: Spell) {
        self.spells.note(opening);
        for endpoint in wrote {
            self.sums.entry(endpoint).or_default().in_spells.note(opening);
        }
    }

    /// The one endpoint of which all is true that is true of a refresh.
    fn found(&self, names: &Names) -> Option<Inferred> {
        let mut found = self.sums.iter().filter(|((_, route), sum)| {
            sum.has_healed_people()
                && is_most(sum.there.all, self.may_have_been(sum).all)
                && sum.there.all > sum.later
                && sum.in_vain <= sum.there.all * IN_VAIN
                && self.is_seldom_else(sum)
                && !does_otherwise(names.text(*route))
        });
        let ((method, route), sum) = found.next()?;
        found.next().is_none().then(|| Inferred {
            method: names.text(*method).to_owned(),
            route: names.text(*route).to_owned(),
            shown: Some(Shown {
                recoveries: self.may_have_been(sum).all,
                there: sum.there.all,
                people: sum.users.len() + sum.addresses.len(),
            }),
        })
    }

    /// The recoveries of which an endpoint may have been the reason.
    fn may_have_been(&self, sum: &Sum) -> Cases {
        let Cases { all, opening } = self.recoveries;
        Cases { all: all - sum.refused.all, opening: opening - sum.refused.opening }
    }

    /// Whether an endpoint is seldom called while nothing is refused. As often as calls recovered, none must have been refused, or nobody
    /// can tell; and where those who open an app nearly always are refused, it must have been there at other times.
    fn is_seldom_else(&self, sum: &Sum) -> bool {
        let recoveries = self.may_have_been(sum);
        let others = sum.there.others();
        sum.in_spells.all * SELDOM_ELSE <= self.spells.all
            && sum.in_spells.opening * SELDOM_ELSE <= self.spells.opening
            && self.spells.all >= recoveries.all
            && (self.spells.opening >= recoveries.opening
                || others >= LEAST_PEOPLE && is_most(others, recoveries.others()))
    }
}

impl Sum {
    /// Whether it was there for so many that it is the app's doing.
    fn has_healed_people(&self) -> bool {
        let (users, addresses) = (self.users.len(), self.addresses.len());
        users >= LEAST_PEOPLE || users + addresses >= LEAST_ADDRESSES
    }
}

impl Cases {
    fn note(&mut self, opening: bool) {
        self.all += 1;
        self.opening += usize::from(opening);
    }

    /// Those while no app was opened.
    const fn others(self) -> usize {
        self.all - self.opening
    }
}

fn is_most(there: usize, cases: usize) -> bool {
    let (most, of) = IN_MOST;
    there * of >= cases * most
}

/// Whether an endpoint's name says that it does something else with which it may be taken for a refresh.
fn does_otherwise(route: &str) -> bool {
    words(route).iter().any(|word| {
        let ends = |stem: &&str| word.strip_prefix(*stem).is_some_and(|ending| ENDINGS.contains(&ending));
        TELLS_OF_ITSELF.iter().chain(&SIGNS_IN).any(ends)
    })
}

/// The words of a path, or of a controller and its action, in lower case: `saml`, `v`, `acs` of `SAMLController#v2_acs`.
fn words(route: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut before, mut rest) = (' ', route.chars().peekable());
    while let Some(letter) = rest.next() {
        let begins =
            letter.is_uppercase() && (!before.is_uppercase() || rest.peek().is_some_and(|next| next.is_lowercase()));
        if begins || !letter.is_alphabetic() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphabetic()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Trouble {
    fn at(time: i64, opening: bool) -> Self {
        Self {
            first: time,
            last: time,
            opening,
            calls: BTreeSet::new(),
            soon: BTreeMap::new(),
            failed: BTreeMap::new(),
            later: BTreeSet::new(),
        }
    }
}

impl Inferred {
    /// The same, for what comes after that part of the log that showed it.
    pub(crate) fn carried_on(self) -> Self {
        Self { shown: None, ..self }
    }

    /// Those of the requests that are to it.
    pub(super) fn of<'r>(
        &self,
        requests: impl Iterator<Item = &'r Request>,
        names: &Names,
    ) -> impl Iterator<Item = &'r Request> {
        let endpoint = names.get(&self.method).zip(names.get(&self.route));
        requests.filter(move |request| endpoint == Some((request.method, request.action.unwrap_or(request.path))))
    }

    /// What a reader should know of it. `path`: where it is, if it is in one place.
    pub(crate) fn in_words(&self, path: Option<&str>) -> String {
        let Self { method, route, shown } = self;
        let why = shown.map_or_else(
            || ", as found earlier in the log".to_owned(),
            |Shown { recoveries, there, people }| {
                format!(
                    ": of {recoveries} times that a call was answered 401 and soon succeeded again, with no sign-in in between, it was called within \
                     {} s of the 401 in {there}, for {people} people",
                    SOON / SECOND
                )
            },
        );
        format!(
            "{method} {} is taken for the refresh by what it does{why}. To confirm it, or to name another: `refresh` of [endpoints] in \
             why401.toml.",
            path.unwrap_or(route)
        )
    }
}
