//! Network loss: the socket ends and returns with nothing refused.

use why401_parsers::event::TimeFrom;
use why401_parsers::record::ClientSocket;

use super::case::{Case, OPENING, OPENING_CALLS, endpoints_called, span};
use super::due::Missed;
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Item, Kind, MINUTE, SECOND};

/// See the module.
pub(super) struct NetworkLoss;

/// A socket may come back so much later than the network (microseconds): reconnecting clients' back-off is capped at one to
/// five minutes, mostly at two.
const BACK_OFF: i64 = 150 * SECOND;

/// A line whose time is its neighbour's was written within so long of it (microseconds): an app in use calls every few minutes.
const BORROWED: i64 = 10 * MINUTE;

/// How far around a lost socket (microseconds) calls show that the log can tell whose they are.
const AROUND: i64 = 30 * MINUTE;

/// A socket that ends this soon (microseconds) after a refresh was reconnected on purpose.
const ON_PURPOSE: i64 = 15 * SECOND;

impl Cause for NetworkLoss {
    fn label(&self) -> Label {
        Label::NetworkLoss
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The network was gone for a while. Nothing was refused, nobody was signed out.",
            kinds: &[(
                "offline",
                "the device was offline; a refresh that was due meanwhile may be missed, and the token runs out later",
            )],
            seen: "One user's socket ends and comes back with the same credential; the client's trace shows socket errors or failed name look-ups.",
            against: "Others lost theirs at the same moment (a restart); a refusal followed; the app was put away and opened again.",
            fix: "Nothing to fix in authentication. Reconnect with back-off and jitter, keep the session while offline, and make up for a refresh that \
                  was due meanwhile as soon as the network is back.",
            sources: &["formats/auth-failures.md B9"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let (start, end) = (case.incident.start, case.incident.end);
        let items = &case.timeline.items;
        let lane = case.incident.lane;
        let within = |is: &dyn Fn(&Kind) -> bool, from: i64, to: i64| case.find(from..=to, is);
        let down = within(
            &|kind| {
                matches!(
                    kind,
                    Kind::NetworkDown
                        | Kind::NoAnswer(_)
                        | Kind::Client(ClientSocket::ConnectFailed | ClientSocket::NoNetwork)
                )
            },
            start - 10 * SECOND,
            end,
        );
        // A server that is starting up cannot be reached either. (When a line without a time was written is known to some minutes.)
        let down = down.filter(|place| {
            let Item { time, timed, .. } = items[*place];
            let slack = if timed == TimeFrom::Line { MINUTE } else { BORROWED };
            !case.world.restarts.iter().any(|restart| (restart.start - slack..=restart.end + slack).contains(&time))
        });
        let offline = within(
            &|kind| matches!(kind, Kind::NetworkDown | Kind::Client(ClientSocket::NoNetwork)),
            start - 10 * SECOND,
            end,
        );
        // Without the server's log a server that is down looks like a network that is gone, unless the device says which.
        let down = if case.timeline.has_server { down } else { offline };
        if case.incident.trigger != Trigger::SocketLost {
            // A refresh that fell into a hole of the network.
            let facts = &case.facts;
            if !case.is_refusal() {
                return None;
            }
            if let Some(missed) = facts.missed {
                return Some(refresh_missed(case, missed));
            }
            if facts.network_down.is_none() || !case.timeline.has_server && offline.is_none() {
                return None;
            }
            let mut opinion = Opinion::new(Label::NetworkLoss, "offline");
            opinion.add(true, 1.6, "the client had no network just before", facts.network_down);
            opinion.add(
                facts.refreshed.is_some() || facts.accepted_later.is_some(),
                1.2,
                "all was well once it was back",
                facts.refreshed.or(facts.accepted_later),
            );
            opinion.add(facts.signed_in.is_some(), -1.5, "the user had to sign in again", facts.signed_in);
            opinion.add(facts.restart.is_some(), -2.0, "the server restarted at that time", None);
            return Some(opinion);
        }
        let mut opinion = Opinion::new(Label::NetworkLoss, "offline");
        let first = Some(case.first());
        opinion.add(
            true,
            0.8,
            format!("the socket ended and was back after {}, nothing refused", span(end - start)),
            first,
        );
        opinion.add(down.is_some(), 3.0, "the client could not reach the network meanwhile", down);
        let opening = endpoints_called(items, lane, end - OPENING..=end + OPENING);
        let refresh = within(
            &|kind| matches!(kind, Kind::Refresh(refresh) if refresh.gave()),
            start - ON_PURPOSE,
            start + SECOND,
        );
        opinion.add(
            refresh.is_some() && down.is_none(),
            -2.0,
            "it ended right after a refresh: reconnected on purpose",
            refresh,
        );
        opinion.add(
            opening >= OPENING_CALLS && down.is_none(),
            -3.0,
            "the app loaded its page with it: it had been put away and was opened again",
            case.incident.recovery,
        );
        // Whose calls the log cannot tell (a shared address, no tags) has no opening calls whatever happened.
        let told_apart = items[case.timeline.during(&(start - AROUND..=end + AROUND))]
            .iter()
            .filter(|item| item.lane == lane && matches!(item.kind, Kind::Accepted { .. }))
            .count()
            >= OPENING_CALLS
            && !case.timeline.lane_of.iter().any(|(address, of)| *of == lane && case.world.shared.contains(address));
        opinion.add(
            opening < OPENING_CALLS && case.timeline.has_server && told_apart,
            1.0,
            "the socket came back by itself, not with the app's opening calls",
            case.incident.recovery,
        );
        let unreached = within(&|kind| matches!(kind, Kind::Client(ClientSocket::ConnectFailed)), start, end);
        opinion.add(
            unreached.is_some() && !case.timeline.has_server && offline.is_none(),
            -1.5,
            "the device had a network, and the server did not answer",
            unreached,
        );
        let restarted = case.world.restarts.iter().any(|restart| {
            (start - MINUTE..=end + MINUTE).contains(&restart.end) || (0..10 * MINUTE).contains(&(end - restart.end))
        });
        opinion.add(restarted, -3.0, "the server restarted meanwhile", None);
        // Where only the order is known, only what stands side by side belongs together.
        let beside = if case.item(case.first()).timed == TimeFrom::Order { 4 * SECOND } else { 60 * SECOND };
        let paused = within(&|kind| matches!(kind, Kind::Paused), start - beside, start + beside);
        opinion.add(paused.is_some(), -3.0, "the app had been put away", paused);
        let used = within(&|kind| matches!(kind, Kind::Accepted { .. }), start + 30 * SECOND, end - BACK_OFF);
        opinion.add(used.is_some(), -1.0, "calls over HTTP went on meanwhile", used);
        if !case.timeline.has_client {
            opinion.missing.push("the client's trace: was the network gone, or the app put away?".into());
        }
        Some(opinion)
    }
}

/// The token ran out because its refresh was due in a hole of the network, and nobody made up for it.
fn refresh_missed(case: &Case<'_>, missed: Missed) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::NetworkLoss, "offline");
    let before = span(case.incident.start - missed.due);
    let (weight, text) = if missed.told {
        (3.2, format!("the refresh was due {before} before, while the device had no network"))
    } else {
        (2.2, format!("the refresh was due {before} before, while the socket was gone; it came back by itself"))
    };
    opinion.add(true, weight, text, Some(missed.shown_by));
    let well = facts.refreshed.or(facts.accepted_later);
    opinion.add(well.is_some(), 1.2, "a refresh that worked followed the refusal", well);
    opinion.add(facts.signed_in.is_some(), -1.5, "the user had to sign in again", facts.signed_in);
    opinion.add(case.young(), -3.0, "the credential was far from running out", facts.credential);
    opinion.add(case.failed_refresh().is_some(), -2.5, "a refresh was tried and failed", case.failed_refresh());
    opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
    let revoked = facts.revocation.map(|(place, _)| place);
    opinion.add(revoked.is_some(), -2.0, "sessions were revoked just before", revoked);
    if !missed.told {
        opinion.missing.push("the client's trace: was the network gone, or the app put away?".into());
    }
    opinion
}
