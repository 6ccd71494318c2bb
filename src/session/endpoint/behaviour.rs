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
use why401_parsers::event::{Event, Name, Names, Request};

use super::{Role, Roles};
use crate::session::SECOND;

/// A client refreshes so soon (microseconds) after the answer that refused it: the labelled samples have a tenth of a second to two and a
/// half. The fastest of those who type a password need as long.
const SOON: i64 = 5 * SECOND;

/// Times that are stated in whole seconds are as much (microseconds) too early.
const COARSE: i64 = SECOND;

/// A call that succeeds later (microseconds) after it was refused says nothing of what healed it.
const HEALED: i64 = 60 * SECOND;

/// So many people must have been healed: one device with a habit of its own, or two behind one address, are no rule of the app.
const LEAST_PEOPLE: usize = 3;

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

/// Parts of the names of what an app tells of itself: it posts that a call was refused as faithfully as it refreshes.
const TELLS_OF_ITSELF: [&str; 11] =
    ["analytic", "beacon", "collect", "crash", "error", "event", "log", "metric", "report", "telemetr", "track"];

/// An endpoint that is taken for the refresh, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Inferred {
    method: String,
    /// Its controller and action; its path where the log names none.
    route: String,
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
    who: Name,
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
    spell: Option<Spell>,
    trouble: Option<Trouble>,
}

/// Calls of some seconds, none refused, and what was written in their midst.
struct Spell {
    begun: i64,
    opening: bool,
    wrote: BTreeSet<Endpoint>,
}

/// Calls were refused.
struct Trouble {
    /// The end of the first and of the last answer that refused one.
    refused: (i64, i64),
    calls: BTreeSet<Endpoint>,
    /// What was written soon after, and when it was answered.
    soon: BTreeMap<Endpoint, i64>,
    /// What was written and refused itself.
    failed: BTreeSet<Endpoint>,
    /// What was written later.
    later: BTreeSet<Endpoint>,
}

/// What is counted of an endpoint.
#[derive(Default)]
struct Sum {
    there: usize,
    people: BTreeSet<Name>,
    /// It came too late to be a client's own doing.
    later: usize,
    /// What was refused was refused again, or somebody had to sign in.
    in_vain: usize,
    /// It was refused itself, and may not have healed anything.
    refused: usize,
    in_spells: usize,
    in_openings: usize,
}

#[derive(Default)]
struct Tally {
    sums: BTreeMap<Endpoint, Sum>,
    recoveries: usize,
    spells: usize,
    openings: usize,
}

/// The endpoint that behaves as a refresh, if one and only one does. `events` are a server's, in order of time; `proxies` are addresses
/// that name nobody.
pub(crate) fn refresh(events: &[&Event], roles: &Roles, names: &Names, proxies: &BTreeSet<Name>) -> Option<Inferred> {
    let user_at = users(events);
    let mut tally = Tally::default();
    let mut people: HashMap<Name, Person, RandomState> = HashMap::default();
    for event in events {
        let Some(request) = event.request() else { continue };
        // Whose a call is: refusals and refreshes name no user, so the address does, unless several are behind it.
        let alone = |address: &Name| !proxies.contains(address) && user_at.get(address) != Some(&None);
        let Some(key) = event.address.filter(alone).or(event.user) else { continue };
        let person = people.entry(key).or_default();
        let call = Call {
            who: user_at.get(&key).copied().flatten().unwrap_or(key),
            endpoint: (request.method, request.action.unwrap_or(request.path)),
            time: event.time,
            ended: event.ended.unwrap_or(event.time),
            writes: may_be(names.text(request.method)),
        };
        tally.step(person, &call, roles.of(request), request.status.unwrap_or_default());
    }
    people.into_values().filter_map(|person| person.spell).for_each(|spell| tally.end(spell));
    tally.found(names)
}

/// The user at each address; none where several are.
fn users(events: &[&Event]) -> HashMap<Name, Option<Name>, RandomState> {
    let mut users: HashMap<Name, Option<Name>, RandomState> = HashMap::default();
    for (user, address) in events.iter().filter_map(|event| event.user.zip(event.address)) {
        users.entry(address).and_modify(|known| *known = known.filter(|known| *known == user)).or_insert(Some(user));
    }
    users
}

/// What may be a refresh.
fn may_be(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH")
}

impl Tally {
    /// Takes somebody's next call.
    fn step(&mut self, person: &mut Person, call: &Call, role: Role, status: u16) {
        let well = (200..400).contains(&status);
        match role {
            Role::Other => {}
            // With a new credential from elsewhere, or none, what was refused is over.
            Role::SignIn | Role::SignOut | Role::Revoke if well => return self.given_up(person.trouble.take()),
            _ => return,
        }
        let opening = person.last.replace(call.time).is_none_or(|last| call.time - last > AWAY);
        if let Some(spell) = person.spell.take_if(|spell| call.time - spell.begun > SOON) {
            self.end(spell);
        }
        person.trouble.take_if(|trouble| call.time - trouble.refused.1 > HEALED);
        if status == 401 {
            person.spell = None;
            self.refused(person.trouble.get_or_insert_with(|| Trouble::at(call.ended)), call);
        } else if well && person.trouble.is_some() {
            self.accepted(&mut person.trouble, call);
        } else if well && call.writes {
            person.spell.iter_mut().for_each(|spell| _ = spell.wrote.insert(call.endpoint));
        } else if well {
            person.spell.get_or_insert_with(|| Spell { begun: call.time, opening, wrote: BTreeSet::new() });
        }
    }

    fn refused(&mut self, trouble: &mut Trouble, call: &Call) {
        // What is refused when others were may be a refresh that is refused, or one that came second.
        if call.writes && !trouble.calls.is_empty() && !trouble.calls.contains(&call.endpoint) {
            trouble.failed.insert(call.endpoint);
            return;
        }
        trouble.refused.1 = trouble.refused.1.max(call.ended);
        trouble.calls.insert(call.endpoint);
        trouble.later.clear();
        trouble.soon.retain(|endpoint, answered| {
            let may_help = *answered >= call.time;
            if !may_help {
                self.in_vain(*endpoint);
            }
            may_help
        });
    }

    /// A call was answered well while somebody is in trouble.
    fn accepted(&mut self, troubled: &mut Option<Trouble>, call: &Call) {
        // What was on its way when the first was refused says nothing.
        let Some(trouble) = troubled.as_mut().filter(|trouble| call.time >= trouble.refused.0 - COARSE) else { return };
        if trouble.calls.contains(&call.endpoint) {
            troubled.take().into_iter().for_each(|trouble| self.recovered(trouble, call.who));
        } else if call.writes && call.time - trouble.refused.1 <= SOON {
            trouble.soon.insert(call.endpoint, call.ended);
        } else if call.writes {
            trouble.later.insert(call.endpoint);
        }
    }

    /// Somebody signed in, or out.
    fn given_up(&mut self, trouble: Option<Trouble>) {
        if let Some(Trouble { soon, failed, .. }) = trouble {
            // Where it was refused itself, that was why.
            soon.into_keys().filter(|endpoint| !failed.contains(endpoint)).for_each(|endpoint| self.in_vain(endpoint));
        }
    }

    /// This was written, and did not help.
    fn in_vain(&mut self, endpoint: Endpoint) {
        self.sums.entry(endpoint).or_default().in_vain += 1;
    }

    /// A call that was refused has succeeded.
    fn recovered(&mut self, trouble: Trouble, who: Name) {
        let Trouble { calls, soon, later, .. } = trouble;
        // After something that came late it was that: somebody typed.
        if soon.is_empty() && !later.is_empty() {
            later.into_iter().for_each(|endpoint| self.sums.entry(endpoint).or_default().later += 1);
            return;
        }
        self.recoveries += 1;
        for endpoint in calls {
            self.sums.entry(endpoint).or_default().refused += 1;
        }
        for endpoint in soon.into_keys() {
            let sum = self.sums.entry(endpoint).or_default();
            sum.there += 1;
            sum.people.insert(who);
        }
    }

    /// A spell is over.
    fn end(&mut self, spell: Spell) {
        self.spells += 1;
        self.openings += usize::from(spell.opening);
        for endpoint in spell.wrote {
            let sum = self.sums.entry(endpoint).or_default();
            sum.in_spells += 1;
            sum.in_openings += usize::from(spell.opening);
        }
    }

    /// The one endpoint of which all is true that is true of a refresh.
    fn found(&self, names: &Names) -> Option<Inferred> {
        let recoveries = |sum: &Sum| self.recoveries - sum.refused;
        let mut found = self.sums.iter().filter(|((method, route), sum)| {
            let (most, of) = IN_MOST;
            sum.people.len() >= LEAST_PEOPLE
                && sum.there * of >= recoveries(sum) * most
                && sum.there > sum.later
                && sum.in_vain <= sum.there * IN_VAIN
                && sum.in_spells * SELDOM_ELSE <= self.spells
                && sum.in_openings * SELDOM_ELSE <= self.openings
                && may_be(names.text(*method))
                && !tells_of_itself(names.text(*route))
        });
        let ((method, route), sum) = found.next()?;
        found.next().is_none().then(|| Inferred {
            method: names.text(*method).to_owned(),
            route: names.text(*route).to_owned(),
            recoveries: recoveries(sum),
            there: sum.there,
            people: sum.people.len(),
        })
    }
}

fn tells_of_itself(route: &str) -> bool {
    let route = route.to_ascii_lowercase();
    TELLS_OF_ITSELF.iter().any(|word| route.contains(word))
}

impl Trouble {
    fn at(time: i64) -> Self {
        Self {
            refused: (time, time),
            calls: BTreeSet::new(),
            soon: BTreeMap::new(),
            failed: BTreeSet::new(),
            later: BTreeSet::new(),
        }
    }
}

impl Inferred {
    /// Whether a request is to it.
    pub(super) fn is(&self, request: &Request, names: &Names) -> bool {
        names.text(request.method) == self.method && names.text(request.action.unwrap_or(request.path)) == self.route
    }

    /// What a reader should know of it. `path`: where it is, if it is in one place.
    pub(crate) fn in_words(&self, path: Option<&str>) -> String {
        let Self { method, route, recoveries, there, people } = self;
        format!(
            "{method} {} is taken for the refresh by what it does: of {recoveries} times that a call was answered 401 and soon succeeded again, with \
             no sign-in in between, it was called within {} s of the 401 in {there}, for {people} people. `refresh` of [endpoints] in \
             why401.toml says so, or names another.",
            path.unwrap_or(route),
            SOON / SECOND
        )
    }
}
