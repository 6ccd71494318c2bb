//! The second half: incidents noticed on timelines, and what explains them.

use std::collections::{BTreeMap, BTreeSet};

use why401_parsers::event::{Event, GroupedBy, Name};
use why401_parsers::record::Side;

use super::Judged;
use super::credentials::life;
use super::lives::MOBILE_ACCESS;
use super::place::Placed;
use crate::actor::{Identified, Key};
use crate::cause::case::{Case, World, span};
use crate::cause::{Label, score};
use crate::diagnosis::{Contribution, Impact};
use crate::incident::service::{Attack, Restart};
use crate::incident::{self, Trigger};
use crate::session::lifetime::Lifetime;
use crate::session::{Item, Kind, MINUTE, Refresh, SECOND, Timeline};

/// What was found, before it is written down.
pub(crate) struct Found {
    pub(crate) restarts: Vec<Restart>,
    pub(crate) attacks: Vec<Attack>,
    /// Incidents of single actors.
    pub(crate) judged: Vec<Judged>,
    /// Refusals that were under way while a refresh replaced the credential.
    pub(crate) in_flight: Vec<(Key, usize)>,
}

/// Notices and explains.
pub(crate) fn judge(placed: &Placed) -> Found {
    let Placed { names, identified, timelines, lifetimes, .. } = placed;
    let crew = placed.crew;
    let ((restarts, mut attacks), (mixed_up, hidden)) = crew.both(
        || (incident::service::restarts(identified), incident::service::attacks(timelines)),
        || (mixed_up(identified), hidden(identified)),
    );
    // Where users are at home, what is refused may be theirs.
    attacks.retain(|attack| !identified.shared_addresses.contains(&attack.address));
    let odd = incident::instance::odd_instances(identified, timelines, lifetimes, crew);
    let renews = timelines.values().any(|timeline| timeline.items.iter().any(|i| matches!(i.kind, Kind::Refresh(_))));
    let nameless_failures = nameless_failures(identified, timelines);
    let world = World {
        events: &identified.events,
        names,
        restarts: &restarts,
        lifetimes,
        lead: placed.lead,
        shared: &identified.shared_addresses,
        has_server: identified.has_server,
        mixed_up,
        hidden,
        odd_instances: &odd,
        renews,
        renewed_unseen: !renews && timelines.values().filter(|timeline| cured_unseen(timeline)).nth(1).is_some(),
        nameless_failures: &nameless_failures,
    };
    let attackers: BTreeSet<Key> = attacks.iter().map(|attack| Key::Address(attack.address)).collect();
    let others: Vec<(&Key, &Timeline)> = timelines.iter().filter(|(key, _)| !attackers.contains(key)).collect();
    let of_each = crew.each(&others, |(key, timeline)| of_actor(placed, &world, **key, timeline));
    let mut judged = Vec::new();
    let mut in_flight: Vec<(Key, usize)> = Vec::new();
    for (of_actor, harmless) in of_each {
        judged.extend(of_actor);
        in_flight.extend(harmless);
    }
    contributions(&mut judged, lifetimes);
    Found { restarts, attacks, judged, in_flight }
}

/// One actor's incidents, and his refusals that were under way while a refresh replaced the credential.
fn of_actor(placed: &Placed, world: &World<'_>, key: Key, timeline: &Timeline) -> (Vec<Judged>, Vec<(Key, usize)>) {
    let identified = &placed.identified;
    let skew = skew_of(identified, key);
    let (mut judged, mut in_flight) = (Vec::new(), Vec::new());
    for incident in incident::detect(timeline, placed.config.window.0) {
        if !had_session(timeline, &incident) || hidden_behind_proxy(identified, key, timeline, &incident) {
            continue;
        }
        let case = Case::new(&incident, timeline, world, skew);
        if harmless(&case) {
            in_flight.extend(incident.signs.iter().map(|sign| (key, *sign)));
            continue;
        }
        let verdict = score::verdict(&case);
        if !worth_saying(&case, &verdict) {
            continue;
        }
        let impact = impact(&case, &verdict);
        let lifetime = life(&case, placed, key);
        judged.push(Judged { key, incident, verdict, impact, contributing: Vec::new(), lifetime });
    }
    (judged, in_flight)
}

/// Whether of fifty answers more than one is tied to its request by the order of lines alone.
fn mixed_up(identified: &Identified) -> bool {
    let answered = identified.events.iter().filter_map(Event::request);
    let answered = answered.filter(|request| request.side == Side::Server && request.status.is_some());
    let by_order = answered.clone().filter(|request| request.grouped_by == GroupedBy::Order).count();
    50 * by_order > answered.count()
}

/// Whether most requests carry a proxy's address instead of their client's.
fn hidden(identified: &Identified) -> bool {
    let server = |event: &&Event| event.request().is_some_and(|request| request.side == Side::Server);
    let of_proxy = |event: &&Event| event.address.is_some_and(|address| identified.proxies.contains(&address));
    let requests = identified.events.iter().filter(server);
    !identified.proxies.is_empty() && 2 * requests.clone().filter(of_proxy).count() > requests.count()
}

/// Whether an endpoint that refused the actor accepts it again soon after, with no new credential in the log.
fn cured_unseen(timeline: &Timeline) -> bool {
    let mut refused: Vec<(Name, usize, i64)> = Vec::new();
    for item in &timeline.items {
        match item.kind {
            Kind::SignIn | Kind::Refresh(_) => refused.clear(),
            Kind::Unauthorized { route, .. } => refused.push((route, item.lane, item.time)),
            Kind::Accepted { route } => {
                let same = |(failed, lane, time): &(Name, usize, i64)| {
                    (*failed, *lane) == (route, item.lane) && item.time - time <= 2 * MINUTE
                };
                if refused.iter().any(same) {
                    return true;
                }
            }
            _ => {}
        }
    }
    false
}

/// Times of failed refreshes that came from a proxy's address and name nobody.
fn nameless_failures(identified: &Identified, timelines: &BTreeMap<Key, Timeline>) -> Vec<i64> {
    let proxies = timelines
        .iter()
        .filter(|(key, _)| matches!(key, Key::Address(address) if identified.proxies.contains(address)));
    let failed = |item: &&Item| matches!(&item.kind, Kind::Refresh(refresh) if !refresh.gave());
    let mut times: Vec<i64> =
        proxies.flat_map(|(_, timeline)| &timeline.items).filter(failed).map(|item| item.time).collect();
    times.sort_unstable();
    times
}

/// The error of the actor's device's clock, where a trace shows it.
fn skew_of(identified: &Identified, key: Key) -> Option<i64> {
    let actor = identified.actors.get(&key)?;
    actor.traces.iter().find_map(|trace| identified.clocks.get(trace)?.skew_seconds)
}

/// Whether the actor had anything to lose: something was accepted before, or it is a known user whose log begins in mid-session.
fn had_session(timeline: &Timeline, incident: &incident::Incident) -> bool {
    // What cannot be read had been written.
    let stored = |sign: &usize| matches!(timeline.items[*sign].kind, Kind::Storage { .. });
    incident.signs.iter().any(stored)
        || timeline.items.iter().any(|item| {
            item.time <= incident.end
                && match &item.kind {
                    Kind::SignIn | Kind::SocketAccepted | Kind::SignedIn | Kind::Accepted { .. } | Kind::Removing => {
                        true
                    }
                    Kind::Refresh(refresh) => refresh.gave(),
                    _ => false,
                }
        })
}

/// Behind a proxy's address nobody knows who did what; only what the server itself did wrong can be said.
fn hidden_behind_proxy(identified: &Identified, key: Key, timeline: &Timeline, incident: &incident::Incident) -> bool {
    let server_fault =
        |sign: &usize| matches!(&timeline.items[*sign].kind, Kind::Refresh(Refresh::Fault(..) | Refresh::Swallowed(_)));
    matches!(key, Key::Address(address) if identified.proxies.contains(&address))
        && !incident.signs.iter().any(server_fault)
}

/// Calls under way while a refresh was replacing the credential: refused, and all well right after it.
fn harmless(case: &Case<'_>) -> bool {
    let facts = &case.facts;
    if case.incident.trigger != Trigger::Unauthorized || !facts.sockets.is_empty() || facts.forced_out.is_some() {
        return false;
    }
    facts.refreshes.iter().any(|place| {
        let refresh = case.item(*place);
        matches!(&refresh.kind, Kind::Refresh(refresh) if refresh.gave())
            && (refresh.time, refresh.line) < (case.incident.start, case.item(case.first()).line)
            && case.incident.end <= refresh.ended + 2 * SECOND
    })
}

/// Some triggers are only worth a word when a cause explains them: a socket that came back, a sign-in that nobody missed.
fn worth_saying(case: &Case<'_>, verdict: &score::Verdict) -> bool {
    match case.incident.trigger {
        Trigger::SocketLost
        | Trigger::SignInAgain
        | Trigger::RefreshStorm
        | Trigger::SocketRemoved
        | Trigger::SocketAnonymous
        | Trigger::Standstill => verdict.opinion.label != Label::Inconclusive,
        _ => true,
    }
}

fn impact(case: &Case<'_>, verdict: &score::Verdict) -> Impact {
    if case.incident.trigger == Trigger::HiddenError {
        return Impact::Latent;
    }
    let facts = &case.facts;
    let signed_out = facts.signed_in.is_some() || facts.forced_out.is_some();
    match verdict.opinion.label {
        Label::Logout | Label::NetworkLoss | Label::ServerReset | Label::ServerRestart => Impact::Degraded,
        Label::ClockSkew if case.incident.trigger == Trigger::RefreshStorm => Impact::Degraded,
        _ if signed_out || case.incident.trigger == Trigger::SignInAgain => Impact::Dropped,
        _ if case.incident.recovery.is_some() && facts.refreshed.is_some() => Impact::Degraded,
        Label::StaleToken => Impact::Degraded,
        _ => Impact::Dropped,
    }
}

/// What else had a part: a hidden error of the same actor, a lifetime outside practice.
fn contributions(judged: &mut [Judged], lifetimes: &[Lifetime]) {
    let hidden: BTreeSet<Key> = judged
        .iter()
        .filter(|judged| judged.incident.trigger == Trigger::HiddenError)
        .map(|judged| judged.key)
        .collect();
    let odd = lifetimes.iter().find(|lifetime| lifetime.access / SECOND > MOBILE_ACCESS.1 * 2);
    for judged in judged.iter_mut().filter(|judged| judged.incident.trigger != Trigger::HiddenError) {
        let label = judged.verdict.opinion.label;
        if matches!(label, Label::StaleToken | Label::LifetimeExpiry | Label::RefreshFailure | Label::Inconclusive)
            && hidden.contains(&judged.key)
        {
            judged.contributing.push(Contribution {
                cause: Label::RefreshFailure,
                kind: "swallowed".into(),
                text: "the refresh of this user hides an error".into(),
            });
        }
        if let Some(odd) = odd.filter(|_| label == Label::StaleToken) {
            judged.contributing.push(Contribution {
                cause: Label::LifetimeExpiry,
                kind: "reactive_only".into(),
                text: format!("access tokens live {}, far beyond practice for mobile", span(odd.access)),
            });
        }
    }
}
