//! What a cause may look at: an incident, the actor's timeline around it, and what is known of the service.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use why401_parsers::event::{Event, GroupedBy, Name, Names, TimeFrom};
use why401_parsers::record::{ClientSocket, Sense, Side};

use super::due::{Missed, missed};
use crate::incident::service::Restart;
use crate::incident::standstill::silent_after;
use crate::incident::{Incident, Trigger};
use crate::session::habit::Habit;
use crate::session::lifetime::Lifetime;
use crate::session::{Item, Kind, MINUTE, Refresh, SECOND, Timeline, during};

/// What is known beyond one actor.
#[derive(Debug)]
pub struct World<'a> {
    /// All events.
    pub events: &'a [Event],
    /// The texts of names.
    pub names: &'a Names,
    /// Restarts of the service.
    pub restarts: &'a [Restart],
    /// Lifetimes of access tokens, the best supported first.
    pub lifetimes: &'a [Lifetime],
    /// The age at which most clients refresh before they must.
    pub lead: Option<i64>,
    /// Addresses behind which several users were seen.
    pub shared: &'a [Name],
    /// A server's log is there.
    pub has_server: bool,
    /// Which answer belongs to which request is often known by the order of lines alone: no request ids, several requests at a time.
    pub mixed_up: bool,
    /// Clients' addresses are hidden behind a proxy's.
    pub hidden: bool,
    /// Server processes that refuse fresh credentials which others accept.
    pub odd_instances: &'a [u64],
    /// Somebody tried a refresh, anywhere in the logs: sessions are meant to outlive a sign-in.
    pub renews: bool,
    /// Nobody did, and still sessions go on after refusals: what refreshes writes its log elsewhere.
    pub renewed_unseen: bool,
    /// When refreshes failed of which nobody knows whose they were, in order of time, microseconds since 1970.
    pub nameless_failures: &'a [i64],
}

/// An incident with its surroundings.
#[derive(Debug)]
pub struct Case<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// The actor's timeline.
    pub timeline: &'a Timeline,
    /// Beyond the actor.
    pub world: &'a World<'a>,
    /// The error of the device's clock in seconds, ahead if positive, where it is known.
    pub skew: Option<i64>,
    /// Facts that several causes ask for.
    pub facts: Facts,
}

/// Facts about an incident that several causes ask for. Numbers are places on the timeline.
#[derive(Debug, Default)]
pub struct Facts {
    /// Calls answered 401.
    pub http: Vec<usize>,
    /// Endpoints that answered 401.
    pub routes: Vec<Name>,
    /// Sockets refused.
    pub sockets: Vec<usize>,
    /// Refreshes among the signs, and the ones that gave a credential between them and shortly after.
    pub refreshes: Vec<usize>,
    /// The newest credential before the first sign: the sign-in or refresh that gave it.
    pub credential: Option<usize>,
    /// Its age at the first sign, microseconds.
    pub age: Option<i64>,
    /// For how long at least the session had been alive before the first sign, where the credential's issue is not in the log.
    pub alive: Option<i64>,
    /// Calls that were accepted between first and last sign (or just after a single one), before any new credential, on
    /// endpoints that are not among the failing ones.
    pub accepted_beside: Vec<usize>,
    /// The failing endpoints (all of them) had accepted the actor before.
    pub routes_worked_before: bool,
    /// A socket was accepted between the signs, before any new credential.
    pub socket_beside: Option<usize>,
    /// The sign-out before the first sign, with no sign-in between.
    pub sign_out: Option<usize>,
    /// A revocation before the first sign, on any device, and whether on another one.
    pub revocation: Option<(usize, bool)>,
    /// The first refresh after the first sign that gave a credential, if one came within two minutes of the last sign.
    pub refreshed: Option<usize>,
    /// The first sign-in after the first sign, before any accepted call.
    pub signed_in: Option<usize>,
    /// How the refreshes of this device, anywhere in the log, came about.
    pub habit: Habit,
    /// What the words at the signs mean, all together.
    pub sense: Sense,
    /// The app's sign-out by itself among or just after the signs.
    pub forced_out: Option<usize>,
    /// The client's trouble with the network just before or during.
    pub network_down: Option<usize>,
    /// A restart of the service that began shortly before the first sign: its place in the world's list.
    pub restart: Option<usize>,
    /// The app came to the front just before the first sign, or its opening calls came together.
    pub resumed: Option<usize>,
    /// Storage trouble during or just before.
    pub storage: Option<usize>,
    /// Which of several requests was refused is known by the order of lines alone, for all of the refused ones.
    pub by_order: bool,
    /// It rests on something that did not happen, in a log that mixes up which request was answered how.
    pub unsure_absence: bool,
    /// That the refused calls are this actor's is a guess by a shared address, for all of them.
    pub guessed: bool,
    /// A later accepted call without a new credential between: the credential was good all along.
    pub accepted_later: Option<usize>,
    /// A call among or just after the signs that the client began and never ended, with silence after it.
    pub hanging: Option<usize>,
    /// Refreshes that gave a credential and were followed by the next refusal within two minutes.
    pub in_vain: Vec<usize>,
    /// The newest credential before the first sign is a sign-in from another address than the signs'.
    pub elsewhere: Option<usize>,
    /// A sign-in on another of the actor's devices just before the first sign.
    pub newer_device: Option<usize>,
    /// All refused calls were answered by an instance that refuses what the others accept.
    pub odd_instance: bool,
    /// The refresh of the newest credential was due while the device had no network.
    pub(crate) missed: Option<Missed>,
    /// A refresh just before a sign-in gave a token with which nothing was called.
    pub(crate) unused: Option<usize>,
    /// A refresh of somebody failed between the actor's last call and this sign-in.
    pub(crate) nameless_failure: bool,
}

/// Within this time (microseconds) after a refusal the calls begin that hang on it.
const STANDSTILL_REACH: i64 = MINUTE;

/// How long before a sign its reason may lie, microseconds.
const REASON_REACH: i64 = 30 * MINUTE;

/// Who signs in so soon (microseconds) after a refresh that nothing was called with could not use what it gave.
const UNUSED: i64 = 15 * MINUTE;

/// So many rounds of refresh and refusal are a loop: twice can be a call that was under way.
pub(super) const LOOP: usize = 3;

impl<'a> Case<'a> {
    /// Gathers the facts.
    #[must_use]
    pub fn new(incident: &'a Incident, timeline: &'a Timeline, world: &'a World<'a>, skew: Option<i64>) -> Self {
        let facts = gather(incident, timeline, world);
        Self { incident, timeline, world, skew, facts }
    }

    /// An item of the timeline.
    #[must_use]
    pub fn item(&self, place: usize) -> &Item {
        &self.timeline.items[place]
    }

    /// The first item of the incident's device within a time (microseconds) that is so.
    #[must_use]
    pub fn find(&self, within: RangeInclusive<i64>, is: impl Fn(&Kind) -> bool) -> Option<usize> {
        let ours = |place: &usize| self.item(*place).lane == self.incident.lane && is(&self.item(*place).kind);
        self.timeline.during(&within).find(ours)
    }

    /// The lifetime that this credential's age speaks of: the best supported one at or below the age, else the best.
    #[must_use]
    pub fn lifetime(&self) -> Option<Lifetime> {
        let age = self.facts.age;
        let lifetimes = self.world.lifetimes;
        age.and_then(|age| lifetimes.iter().filter(|l| l.access <= age + 2 * MINUTE).max_by_key(|l| l.access))
            .or_else(|| lifetimes.iter().min_by_key(|l| l.access))
            .copied()
    }

    /// Whether the credential was clearly younger than any lifetime when it was refused.
    #[must_use]
    pub fn young(&self) -> bool {
        match (self.facts.age, self.world.lifetimes.iter().map(|l| l.access).min()) {
            // A well supported lifetime is known to a minute or two.
            (Some(age), Some(shortest)) => {
                let sure = self.world.lifetimes.iter().any(|l| l.access == shortest && l.support >= 4);
                age < if sure { shortest - (shortest / 20).max(3 * MINUTE) } else { shortest * 8 / 10 }
            }
            // Nothing to compare with: the shortest access token in practice lives five minutes.
            (Some(age), None) => self.world.lead.map_or(age < 4 * MINUTE, |lead| age < lead * 8 / 10),
            _ => false,
        }
    }

    /// Whether the credential had reached a known lifetime when it was refused.
    #[must_use]
    pub fn ripe(&self) -> bool {
        match (self.facts.age, self.lifetime()) {
            (Some(age), Some(lifetime)) => age >= lifetime.access - 2 * MINUTE,
            _ => false,
        }
    }

    /// Whether each refresh gave a token and the next call was refused all the same, again and again.
    #[must_use]
    pub fn loops(&self) -> bool {
        self.facts.in_vain.len() >= LOOP
    }

    /// The first refresh around the incident that gave no credential.
    #[must_use]
    pub fn failed_refresh(&self) -> Option<usize> {
        let failed = |place: &usize| matches!(&self.item(*place).kind, Kind::Refresh(refresh) if !refresh.gave());
        self.facts.refreshes.iter().copied().find(failed)
    }

    /// Which request an item's answer belongs to is known by the order of lines alone.
    #[must_use]
    pub fn by_order(&self, place: usize) -> bool {
        by_order(self.item(place), self.world)
    }

    /// The refresh that gave the newest credential before the first sign, if it was one, and surely this actor's.
    #[must_use]
    pub fn renewed(&self) -> Option<usize> {
        let own = |place: &usize| matches!(self.item(*place).kind, Kind::Refresh(_)) && !self.item(*place).guessed;
        self.facts.credential.filter(own)
    }

    /// The first sign.
    #[must_use]
    pub fn first(&self) -> usize {
        self.incident.signs.first().copied().unwrap_or(0)
    }

    /// Whether the incident is a run of refusals (and not a lost socket, a storm, …).
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self.incident.trigger,
            Trigger::Unauthorized
                | Trigger::SocketRefused
                | Trigger::RefreshFailed
                | Trigger::ForcedOut
                | Trigger::Storage
        )
    }
}

/// Within this time (microseconds) of a reconnect an app that was opened again loads its page.
pub(super) const OPENING: i64 = 30 * SECOND;

/// So many endpoints together are an app's opening, not a poll, nor a network that returned.
pub(super) const OPENING_CALLS: usize = 3;

/// How many endpoints accepted a device within some time.
pub(super) fn endpoints_called(items: &[Item], lane: usize, within: RangeInclusive<i64>) -> usize {
    let routes: BTreeSet<Name> = items[during(items, &within)]
        .iter()
        .filter(|item| item.lane == lane)
        .filter_map(|item| if let Kind::Accepted { route } = item.kind { Some(route) } else { None })
        .collect();
    routes.len()
}

fn by_order(item: &Item, world: &World<'_>) -> bool {
    let request = item.event.and_then(|event| world.events[event].request());
    request.is_some_and(|request| request.side == Side::Server && request.grouped_by == GroupedBy::Order)
}

fn gather(incident: &Incident, timeline: &Timeline, world: &World<'_>) -> Facts {
    let items = &timeline.items;
    let mut facts = Facts::default();
    let (start, end) = (incident.start, incident.end);
    for sign in &incident.signs {
        let item = &items[*sign];
        facts.sense = facts.sense.with(item.sense);
        match &item.kind {
            Kind::Unauthorized { route, .. } => {
                facts.http.push(*sign);
                if !facts.routes.contains(route) {
                    facts.routes.push(*route);
                }
            }
            Kind::SocketRefused => facts.sockets.push(*sign),
            Kind::ForcedOut => facts.forced_out = facts.forced_out.or(Some(*sign)),
            Kind::Storage { .. } => facts.storage = facts.storage.or(Some(*sign)),
            _ => {}
        }
    }
    let lane = |item: &Item| item.lane == incident.lane;
    let first_sign = incident.signs.first().copied().unwrap_or(0);

    // Before.
    let mut worked: Vec<Name> = Vec::new();
    let mut first_seen = None;
    let until = items.partition_point(|item| item.time <= start);
    for (place, item) in items[..until].iter().enumerate() {
        if !lane(item) {
            if start - item.time <= REASON_REACH
                && item.time <= start
                && let Kind::Revoke = item.kind
            {
                facts.revocation = Some((place, true));
            }
            continue;
        }
        let before = item.time < start && place != first_sign;
        if before {
            match &item.kind {
                Kind::SignIn | Kind::Refresh(Refresh::Issued | Refresh::Swallowed(_))
                    if item.ended <= start + 5 * SECOND =>
                {
                    facts.credential = Some(place);
                    facts.sign_out = None;
                    if matches!(item.kind, Kind::SignIn) {
                        facts.revocation = None;
                    }
                    first_seen = first_seen.or(Some(item.time));
                }
                Kind::SignOut => facts.sign_out = Some(place),
                Kind::Accepted { route } => {
                    if !worked.contains(route) {
                        worked.push(*route);
                    }
                    first_seen = first_seen.or(Some(item.time));
                    // A polling loop that goes on after the sign-out may still be accepted for a moment.
                }
                Kind::SocketAccepted => first_seen = first_seen.or(Some(item.time)),
                Kind::Revoke | Kind::Removing if start - item.time <= REASON_REACH => {
                    facts.revocation = Some((place, false));
                }
                Kind::NetworkDown
                | Kind::NoAnswer(_)
                | Kind::Client(ClientSocket::ConnectFailed | ClientSocket::NoNetwork)
                    if start - item.time <= 5 * MINUTE =>
                {
                    facts.network_down = Some(place);
                }
                Kind::Resumed if start - item.time <= MINUTE => facts.resumed = Some(place),
                Kind::Storage { .. } if start - item.time <= 10 * MINUTE => facts.storage = Some(place),
                _ => {}
            }
        }
    }
    if facts.sign_out.is_some_and(|place| start - items[place].time > REASON_REACH) {
        facts.sign_out = None;
    }
    // Where only the order is known, nothing has an age.
    if items.get(first_sign).is_some_and(|item| item.timed != TimeFrom::Order) {
        facts.age = facts.credential.map(|place| start - items[place].ended.min(start));
        facts.alive = first_seen.map(|time| start - time);
    }
    let by_order = |sign: &usize| by_order(&items[*sign], world);
    facts.by_order = !facts.http.is_empty() && facts.sockets.is_empty() && facts.http.iter().all(by_order);
    // What did not happen before is known only where each answer is known to be its own request's.
    let around = start - 5 * MINUTE..=end + 5 * MINUTE;
    facts.unsure_absence = world.mixed_up
        && match incident.trigger {
            Trigger::SignInAgain => true,
            // Its own calls at that time, and whether a page was opened with it.
            Trigger::SocketLost => timeline.during(&around).any(|place| lane(&items[place]) && by_order(&place)),
            _ => false,
        };
    facts.guessed =
        !facts.http.is_empty() && facts.sockets.is_empty() && facts.http.iter().all(|sign| items[*sign].guessed);
    facts.routes_worked_before = !facts.routes.is_empty() && facts.routes.iter().all(|route| worked.contains(route));

    // Where only the order is known (and times are made up), what answers a refusal stands right below it.
    let by_order_only = items.get(first_sign).is_some_and(|item| item.timed == TimeFrom::Order);
    let at_once = if by_order_only { 8 * SECOND } else { MINUTE };

    // During and after.
    let horizon = end + 2 * MINUTE;
    let mut new_credential: Option<i64> = None;
    let from = items.partition_point(|item| item.time < start - 90 * SECOND);
    for (place, item) in (from..).zip(&items[from..]).filter(|(_, item)| lane(item)) {
        // Nothing that comes later changes what was well again.
        if item.time > end + 5 * MINUTE && (facts.accepted_later.is_some() || facts.signed_in.is_some()) {
            break;
        }
        let sign = incident.signs.binary_search(&place).is_ok();
        match &item.kind {
            Kind::Refresh(refresh) if sign || (item.time <= horizon) => {
                // One that ended before the first sign is what the actor had, unless it belongs to the same burst.
                if sign || item.ended >= start - 60 * SECOND {
                    facts.refreshes.push(place);
                }
                if refresh.gave() && item.ended >= start {
                    // Only a refresh that follows a refusal at once answers it; another one came by its own timer.
                    let answers = incident
                        .signs
                        .iter()
                        .map(|sign| items[*sign].time)
                        .any(|sign| (-2 * SECOND..=at_once).contains(&(item.time - sign)));
                    if answers {
                        facts.refreshed = facts.refreshed.or(Some(place));
                    }
                    new_credential = new_credential.or(Some(item.ended));
                }
            }
            Kind::SignIn if item.time >= start => {
                if facts.signed_in.is_none() && facts.accepted_later.is_none() {
                    facts.signed_in = Some(place);
                }
                new_credential = new_credential.or(Some(item.time));
            }
            Kind::Accepted { route } if item.time >= start && new_credential.is_none_or(|at| item.time < at) => {
                let until = if incident.signs.len() == 1 { end + 5 * MINUTE } else { end + MINUTE };
                if !facts.routes.contains(route) && item.time <= until {
                    facts.accepted_beside.push(place);
                }
                if item.time > end {
                    facts.accepted_later = facts.accepted_later.or(Some(place));
                }
            }
            Kind::SocketAccepted if item.time >= start && item.time <= end && new_credential.is_none() => {
                facts.socket_beside = facts.socket_beside.or(Some(place));
            }
            Kind::ForcedOut if (start..=horizon).contains(&item.time) => {
                facts.forced_out = facts.forced_out.or(Some(place));
            }
            Kind::NetworkDown
            | Kind::NoAnswer(_)
            | Kind::Client(ClientSocket::ConnectFailed | ClientSocket::NoNetwork)
                if (start..=end).contains(&item.time) =>
            {
                facts.network_down = facts.network_down.or(Some(place));
            }
            _ => {}
        }
    }
    // Calls that were under way when the burst began: accepted a moment before on the same opening say that HTTP worked.
    if facts.http.is_empty() && facts.accepted_beside.is_empty() {
        facts.accepted_beside = timeline
            .during(&(start - 20 * SECOND..=end + 5 * MINUTE))
            .filter(|place| {
                let item = &items[*place];
                lane(item)
                    && matches!(item.kind, Kind::Accepted { .. })
                    && new_credential.is_none_or(|at| item.time < at)
            })
            .collect();
    }
    // A fresh credential that other calls used a moment before was good when this call was refused.
    let fresh = facts.age.is_some_and(|age| world.lifetimes.first().is_some_and(|l| age < l.access * 8 / 10));
    let denied = facts.refreshes.iter().any(|place| matches!(items[*place].kind, Kind::Refresh(Refresh::Refused(_))));
    // Where all that the app's first page asks for is refused at once, what was accepted before says nothing of now.
    let few = facts.routes.len() < 3;
    if !facts.http.is_empty() && facts.accepted_beside.is_empty() && fresh && few && !denied {
        facts.accepted_beside = timeline
            .during(&(start - 3 * MINUTE..=start - 1))
            .filter(|place| {
                let item = &items[*place];
                lane(item)
                    && matches!(&item.kind, Kind::Accepted { route } if !facts.routes.contains(route))
                    && facts.credential.is_some_and(|credential| item.time > items[credential].ended)
            })
            .collect();
    }
    facts.hanging = (from..items.len())
        .take_while(|place| items[*place].time <= end + STANDSTILL_REACH)
        .filter(|place| lane(&items[*place]) && matches!(items[*place].kind, Kind::Unended))
        .find(|place| silent_after(items[place + 1..].iter().filter(|item| lane(item)), items[*place].time));
    facts.in_vain = in_vain(items, incident);
    let address = |place: usize| items[place].event.and_then(|event| world.events[event].address);
    let of_signs: Vec<Name> = facts.http.iter().chain(&facts.refreshes).filter_map(|sign| address(*sign)).collect();
    facts.elsewhere = facts.credential.filter(|place| {
        matches!(items[*place].kind, Kind::SignIn)
            && !of_signs.is_empty()
            && address(*place).is_some_and(|own| !of_signs.contains(&own))
    });
    facts.newer_device = (0..until)
        .rev()
        .take_while(|place| start - items[*place].time <= REASON_REACH)
        .find(|place| items[*place].lane != incident.lane && matches!(items[*place].kind, Kind::SignIn));
    let by_odd = |sign: &usize| {
        items[*sign].event.is_some_and(|event| world.odd_instances.contains(&world.events[event].process))
    };
    facts.odd_instance = !facts.http.is_empty() && facts.sockets.is_empty() && facts.http.iter().all(by_odd);
    facts.habit = timeline.habit(incident.lane);
    facts.missed = if by_order_only { None } else { missed(items, incident, &facts, world) };
    facts.unused = facts.credential.filter(|place| {
        let used = |kind: &Kind| matches!(kind, Kind::Accepted { .. } | Kind::SocketAccepted);
        incident.trigger == Trigger::SignInAgain
            && matches!(items[*place].kind, Kind::Refresh(_))
            && start - items[*place].ended <= UNUSED
            && !items[*place..until].iter().any(|item| lane(item) && used(&item.kind) && item.time < start)
    });
    facts.nameless_failure = incident.trigger == Trigger::SignInAgain && {
        let last = items[..until].iter().filter(|item| lane(item) && matches!(item.kind, Kind::Accepted { .. }));
        let last = last.map(|item| item.time).rfind(|time| *time < start).unwrap_or(start);
        world.nameless_failures.iter().any(|time| (last..=end).contains(time))
    };
    facts.restart =
        world.restarts.iter().position(|restart| (restart.start - MINUTE..=restart.end + 15 * MINUTE).contains(&start));
    facts
}

/// Refreshes around an incident that gave a credential which the next call was refused with.
fn in_vain(items: &[Item], incident: &Incident) -> Vec<usize> {
    let near = during(items, &(incident.start - MINUTE..=incident.end + MINUTE));
    let around: Vec<usize> = near.filter(|place| items[*place].lane == incident.lane).collect();
    let gave = |place: usize| matches!(&items[place].kind, Kind::Refresh(refresh) if refresh.gave());
    let refused_next = |at: usize| {
        let next = around[at + 1..].iter().copied().find(|place| {
            gave(*place) || matches!(items[*place].kind, Kind::Unauthorized { .. } | Kind::Accepted { .. })
        });
        // A call that was under way during the refresh was sent with the old token.
        next.is_some_and(|next| {
            matches!(items[next].kind, Kind::Unauthorized { .. }) && items[next].time > items[around[at]].ended
        })
    };
    (0..around.len()).filter(|at| gave(around[*at]) && refused_next(*at)).map(|at| around[at]).collect()
}

/// A length of time in words: `52 min`, `24 h`, `40 s`.
#[must_use]
pub fn span(micros: i64) -> String {
    let seconds = micros / SECOND;
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", (seconds + 30) / 60),
        7200..172_800 => {
            let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
            if minutes == 0 { format!("{hours} h") } else { format!("{hours} h {minutes} min") }
        }
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}
