//! Counts as `grep` would make them, and where each 401 belongs.

use std::collections::HashSet;

use why401_parsers::event::{Socket, What};
use why401_parsers::record::Side;

use super::{Findings, Judged};
use crate::actor::{Key, role};
use crate::cause::Label;
use crate::diagnosis::{Summary, UnauthorizedBy};
use crate::incident::service::Attack;
use crate::session::endpoint::Role;

/// Counts over all sources. Server logs count where there are any; a client's copies of the same calls do not count again.
pub(super) fn summary(
    findings: &Findings<'_>,
    judged: &[Judged],
    attacks: &[Attack],
    in_flight: &[(Key, usize)],
) -> Summary {
    let mut summary = Summary::default();
    let side = if findings.identified.has_server { Side::Server } else { Side::Client };
    for event in findings.counted() {
        match &event.what {
            What::Request(request) if request.side == side => {
                let nameless =
                    findings.names.text(request.method).is_empty() && findings.names.text(request.path).is_empty();
                // The rest of a request whose beginning is not in the log: its answer counts, its beginning does not.
                summary.requests += u64::from(!nameless);
                summary.unauthorized += u64::from(request.status == Some(401));
                if role(event, findings.roles) == Some(Role::Refresh) {
                    summary.refreshes += 1;
                    let failed = request.status.is_some_and(|status| status >= 400) || request.failure.is_some();
                    summary.refresh_failures += u64::from(failed);
                }
            }
            What::Socket(socket) => match socket {
                Socket::Upgraded | Socket::Connect(_) => summary.cable_connects += 1,
                Socket::Refused => summary.cable_rejects += 1,
                Socket::UpgradeFailed => summary.cable_failed_upgrades += 1,
                Socket::Closed | Socket::Disconnect(_) => summary.cable_disconnects += 1,
                Socket::Opened
                | Socket::Accepted(_)
                | Socket::Removing(_)
                | Socket::Subscribed
                | Socket::Unsubscribed => {}
            },
            _ => {}
        }
    }
    summary.unauthorized_by = unauthorized_by(findings, judged, attacks, in_flight, side);
    summary
}

fn unauthorized_by(
    findings: &Findings<'_>,
    judged: &[Judged],
    attacks: &[Attack],
    in_flight: &[(Key, usize)],
    side: Side,
) -> UnauthorizedBy {
    let events_of = |key: &Key, places: &[usize]| -> Vec<usize> {
        let items = &findings.timelines[key].items;
        places.iter().filter_map(|place| items[*place].event).collect()
    };
    let mut of_incidents = HashSet::new();
    let mut after_sign_out = HashSet::new();
    for judged in judged {
        let set = if judged.verdict.opinion.label == Label::Logout { &mut after_sign_out } else { &mut of_incidents };
        set.extend(events_of(&judged.key, &judged.incident.signs));
    }
    let of_refresh: HashSet<usize> = in_flight.iter().flat_map(|(key, place)| events_of(key, &[*place])).collect();
    let attackers: HashSet<Key> = attacks.iter().map(|attack| Key::Address(attack.address)).collect();
    let mut by = UnauthorizedBy::default();
    let mut owner = vec![None; findings.identified.events.len()];
    for (key, actor) in &findings.identified.actors {
        for place in &actor.events {
            owner[*place] = Some(*key);
        }
    }
    for (place, event) in findings.identified.events.iter().enumerate().filter(|(_, event)| findings.scope.has(event)) {
        let Some(request) = event.request().filter(|request| request.side == side && request.status == Some(401))
        else {
            continue;
        };
        let key = owner[place];
        let twin_of = |set: &HashSet<usize>| set.contains(&place);
        let counter = if key.is_some_and(|key| attackers.contains(&key)) {
            &mut by.attack
        } else if findings.roles.of(request) == Role::SignIn {
            &mut by.failed_login
        } else if twin_of(&of_incidents) {
            &mut by.incident
        } else if twin_of(&after_sign_out) {
            &mut by.after_logout
        } else if twin_of(&of_refresh) {
            &mut by.in_flight
        } else if key.is_none_or(|key| matches!(key, Key::Address(_) | Key::Trace(_))) {
            &mut by.never_signed_in
        } else {
            &mut by.unexplained
        };
        *counter += 1;
    }
    by
}
