//! Refresh failure: a refresh was tried and gave no usable credential, or answered well and hid an error.

use why401_parsers::event::TimeFrom;
use why401_parsers::record::Sense;

use super::case::{Case, LOOP, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, MINUTE, Refresh, SECOND};

/// See the module.
pub(super) struct RefreshFailure;

/// Two refreshes this close (microseconds) race for one single-use token: providers' leeways for it are 10 to 60 s (Supabase 10 s,
/// Okta 30 s, Cognito up to 60 s).
const RACE: i64 = 60 * SECOND;

/// Refreshes that race are sent at once; one that is sent so long (microseconds) after the other's answer is a try again.
const IN_TURN: i64 = 3 * SECOND;

/// An app that cannot read the answer signs out within seconds (microseconds).
const AT_ONCE: i64 = 10 * SECOND;

/// So long after its issue (microseconds) a refresh token may have run out; idle limits below a day are not in use on mobile.
const LONG_IDLE: i64 = 24 * 60 * MINUTE;

impl Cause for RefreshFailure {
    fn label(&self) -> Label {
        Label::RefreshFailure
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "A refresh was tried and gave no usable credential, or it answered well while an error was logged under it.",
            kinds: &[
                ("server_error", "the server failed: 5xx, mostly with an exception"),
                (
                    "swallowed",
                    "the answer was good and an error was rescued and logged: latent, it drops somebody one day",
                ),
                (
                    "reuse_race",
                    "several refreshes at once with one single-use token; the first wins, the others are refused",
                ),
                ("lost_response", "the server answered well, the client never got it, and the old token is dead"),
                (
                    "second_holder",
                    "two parts of one app hold a copy of the session; one's refresh kills the other's token",
                ),
                ("expired", "the refresh token had run out"),
                ("rejected", "the server does not know the refresh token"),
                ("loop", "each refresh is followed by a refusal and the next refresh"),
                ("unreachable", "the refresh never reached the server"),
                ("transient_as_terminal", "a passing fault (5xx, time-out) was taken for the end of the session"),
                ("deadlock", "the client waits for itself: a refusal, then silence while the app is in front"),
                ("unusable_response", "the client could not read the answer"),
            ],
            seen: "A refresh answers 4xx or 5xx or nothing among the refusals, or an exception stands under the id of one that answered 2xx.",
            against: "The refresh is clean and its credential is used; a revocation or sign-out explains the refusal.",
            fix: "Server: remove what is left of devise_token_auth (`user.tokens`) from the refresh, let errors there be 5xx and be seen, \
                  give rotated tokens a leeway of 10 to 60 s. Client: refresh in one place at a time, keep the session on 5xx and time-outs, \
                  sign out only on a clear refusal.",
            sources: &[
                "RFC 9700 §4.14",
                "cfug/dio#1814",
                "cfug/dio#2342",
                "doorkeeper-gem/doorkeeper#486",
                "supabase/auth#466",
            ],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        if case.incident.trigger == Trigger::HiddenError {
            return Some(swallowed(case));
        }
        if case.incident.trigger == Trigger::Standstill {
            return Some(deadlock(case, case.first()));
        }
        if case.loops() {
            return Some(in_vain(case));
        }
        if case.incident.trigger == Trigger::SignInAgain {
            let unused = case.facts.unused.map(|place| unused(case, place));
            return unused.or_else(|| case.facts.nameless_failure.then(|| nameless(case)));
        }
        if !case.is_refusal() {
            return None;
        }
        let failed: Vec<usize> = case
            .facts
            .refreshes
            .iter()
            .copied()
            .filter(|place| matches!(&case.item(*place).kind, Kind::Refresh(refresh) if !refresh.gave()))
            .collect();
        let Some(first) = failed.first().copied() else {
            return case.facts.hanging.map(|place| deadlock(case, place)).or_else(|| unusable(case));
        };
        let Kind::Refresh(refresh) = &case.item(first).kind else { return None };
        let mut opinion = match refresh {
            Refresh::Fault(status, fault) => {
                let mut opinion = Opinion::new(Label::RefreshFailure, "server_error");
                opinion.add(true, 3.0, format!("the refresh was answered {status}"), Some(first));
                if let Some(fault) = fault {
                    let text = describe(case, fault);
                    opinion.add(true, 1.0, format!("under it: {text}"), Some(first));
                }
                opinion
            }
            Refresh::Refused(status) => refused(case, first, *status, &failed),
            Refresh::Lost => {
                let mut opinion = Opinion::new(Label::RefreshFailure, "lost_response");
                opinion.add(true, 3.0, "the server gave a new token, and the client never got the answer", Some(first));
                opinion
            }
            Refresh::Unreadable => {
                let mut opinion = Opinion::new(Label::RefreshFailure, "unusable_response");
                let text = "the app says that it could not read the refresh's answer";
                opinion.add(true, 3.0, text, Some(first));
                let well = case
                    .facts
                    .refreshes
                    .iter()
                    .copied()
                    .find(|place| matches!(&case.item(*place).kind, Kind::Refresh(refresh) if refresh.gave()));
                opinion.add(well.is_some(), 1.0, "the refresh itself was answered well", well);
                opinion
            }
            Refresh::Unreachable(_) => {
                let kind = if case.facts.forced_out.is_some() { "transient_as_terminal" } else { "unreachable" };
                let mut opinion = Opinion::new(Label::RefreshFailure, kind);
                opinion.add(true, 1.5, "the refresh got no answer", Some(first));
                opinion
            }
            Refresh::Issued | Refresh::Swallowed(_) => return None,
        };
        let facts = &case.facts;
        let doubtful = failed.iter().all(|place| case.by_order(*place)) && !facts.by_order;
        let text = "the log has no request ids, and several requests were open: whether it was the refresh that failed is a guess";
        opinion.add(doubtful, -2.0, text, Some(first));
        opinion.add(facts.signed_in.is_some(), 0.5, "the user had to sign in again", facts.signed_in);
        opinion.add(facts.forced_out.is_some(), 0.5, "the app dropped to the signed-out state", facts.forced_out);
        opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
        Some(opinion)
    }
}

/// The server gave a token, nothing was called with it, and the user signed in again: the client never got it, or could not read it.
fn unused(case: &Case<'_>, refresh: usize) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::RefreshFailure, "unusable_response");
    let after = span(case.incident.start - case.item(refresh).ended);
    opinion.add(true, 1.6, "the refresh was answered well, and nothing was called with its token", Some(refresh));
    opinion.add(true, 1.2, format!("{after} later the user signed in again"), Some(case.first()));
    opinion.add(facts.storage.is_some(), -2.0, "the device's store failed", facts.storage);
    if !case.timeline.has_client {
        opinion.missing.push("the client's trace: was the answer lost, or could it not be read?".into());
    }
    opinion
}

/// Addresses are hidden: somebody's refresh failed, and then this user signed in again with no other reason.
fn nameless(case: &Case<'_>) -> Opinion {
    let mut opinion = Opinion::new(Label::RefreshFailure, "server_error");
    let text = "a refresh that names nobody failed between the last call and the sign-in";
    opinion.add(true, 1.6, text, Some(case.first()));
    opinion.add(case.facts.storage.is_some(), -2.0, "the device's store failed", case.facts.storage);
    opinion.missing.push("request tags with the user, or addresses of clients: whose refresh failed?".into());
    opinion
}

/// The client waits for its own queue: after a refusal it begins calls that never end, and nothing follows.
fn deadlock(case: &Case<'_>, hanging: usize) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::RefreshFailure, "deadlock");
    opinion.add(true, 1.6, "a call was begun and never ended, neither well nor badly", Some(hanging));
    let next = case.timeline.items[hanging + 1..]
        .iter()
        .find(|item| item.lane == case.incident.lane && !matches!(item.kind, Kind::Unended | Kind::RefreshDue(_)));
    let silence = next.map_or(0, |next| next.time - case.item(hanging).time);
    opinion.add(true, 1.4, format!("then nothing for {}, with the app in front and a network", span(silence)), None);
    opinion.add(!facts.http.is_empty(), 1.6, "it began with a refusal", facts.http.first().copied());
    opinion.add(facts.refreshed.is_some(), -3.0, "a refresh worked", facts.refreshed);
    opinion.add(facts.network_down.is_some(), -2.5, "the client had no network", facts.network_down);
    opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
    if !case.timeline.has_server {
        opinion.missing.push("the server's log: did these calls reach it?".into());
    }
    opinion
}

/// Each refresh gives a token, and the next call is refused all the same: the new token is not the one that is sent, or not good.
fn in_vain(case: &Case<'_>) -> Opinion {
    let rounds = &case.facts.in_vain;
    let mut opinion = Opinion::new(Label::RefreshFailure, "loop");
    let text = format!("{} times a refresh gave a token, and the next call was refused", rounds.len());
    opinion.add(true, 3.6, text, rounds.first().copied());
    opinion.add(rounds.len() > LOOP, 0.8, "and so on", rounds.last().copied());
    let beside = case.facts.accepted_beside.first().copied();
    opinion.add(beside.is_some(), -2.5, "other calls were accepted with it", beside);
    opinion.add(case.facts.odd_instance, -2.5, "one instance of the server refused what the others accept", None);
    opinion
}

/// The refresh answered well, and the app signed out at once: it could not read the answer.
fn unusable(case: &Case<'_>) -> Option<Opinion> {
    let facts = &case.facts;
    let out = facts.forced_out?;
    let left = case.item(out);
    let refresh = (0..out).rev().find(|place| {
        let item = case.item(*place);
        item.lane == case.incident.lane && matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave())
    })?;
    let after = left.time - case.item(refresh).ended;
    let between = &case.timeline.items[refresh + 1..out];
    let own = |kind: &Kind| matches!(kind, Kind::Unauthorized { .. } | Kind::SocketRefused | Kind::Accepted { .. });
    if !(-SECOND..=AT_ONCE).contains(&after)
        || facts.sign_out.is_some()
        || between.iter().any(|item| item.lane == case.incident.lane && own(&item.kind))
    {
        return None;
    }
    let mut opinion = Opinion::new(Label::RefreshFailure, "unusable_response");
    opinion.add(true, 1.6, "the refresh was answered well", Some(refresh));
    opinion.add(true, 2.0, format!("{} later the app dropped to the signed-out state", span(after.max(0))), Some(out));
    opinion.add(facts.storage.is_some(), -2.0, "the device's store failed", facts.storage);
    opinion.add(
        facts.revocation.is_some(),
        -2.0,
        "sessions were revoked just before",
        facts.revocation.map(|(p, _)| p),
    );
    opinion.missing.push("the exception with which the app took the refresh's answer".into());
    Some(opinion)
}

fn swallowed(case: &Case<'_>) -> Opinion {
    let mut opinion = Opinion::new(Label::RefreshFailure, "swallowed");
    let first = case.first();
    if let Kind::Refresh(Refresh::Swallowed(fault)) = &case.item(first).kind {
        let text = describe(case, fault);
        opinion.add(
            true,
            4.0,
            format!("the refresh answered well, and under its id an error was logged: {text}"),
            Some(first),
        );
    }
    let count = case.incident.signs.len();
    opinion.add(count > 1, 0.5, format!("{count} times"), case.incident.signs.last().copied());
    opinion
}

fn refused(case: &Case<'_>, first: usize, status: u16, failed: &[usize]) -> Opinion {
    let facts = &case.facts;
    let item = case.item(first);
    let won = facts.refreshes.iter().copied().find(|place| {
        let other = case.item(*place);
        // Where times are made up from the order, what belongs together stands within some lines.
        let near = if other.timed == TimeFrom::Order { 20 * SECOND } else { RACE };
        matches!(&other.kind, Kind::Refresh(refresh) if refresh.gave())
            && (other.timed != TimeFrom::Order || facts.sense.has(Sense::REUSED))
            && (other.time - item.time).abs() <= near
    });
    // Seen from its end: a refresh that gave a token a while ago, and now the same device's is refused as used before.
    let reused = facts.sense.has(Sense::REUSED);
    // What the app made of the answer: `AuthSessionExpired(reason: refresh_token_expired)`.
    let told = facts.forced_out.map(|place| case.item(place).sense).unwrap_or_default();
    let lost = won.filter(|place| {
        let other = case.item(*place);
        let used = |kind: &Kind| matches!(kind, Kind::Accepted { .. } | Kind::SocketAccepted);
        let between = case.timeline.items.iter().filter(|between| between.lane == item.lane);
        other.timed != TimeFrom::Order
            && item.time - other.ended > IN_TURN
            && !between.clone().any(|call| (other.ended..item.time).contains(&call.time) && used(&call.kind))
    });
    let kind = if lost.is_some() {
        "lost_response"
    } else if won.is_some() || (reused && failed.len() > 1) {
        "reuse_race"
    } else if reused {
        "second_holder"
    } else if item.sense.has(Sense::EXPIRED) {
        "expired"
    } else if item.sense.has(Sense::UNKNOWN) {
        "rejected"
    } else if told.has(Sense::EXPIRED) {
        "expired"
    } else if told.has(Sense::UNKNOWN) {
        "rejected"
    } else if held_twice(case, first) {
        "second_holder"
    } else if facts.age.is_some_and(|age| age > LONG_IDLE) || (facts.credential.is_none() && facts.http.is_empty()) {
        // Refused while the access token was still accepted: the server knew the session, so it was its age.
        "expired"
    } else {
        "rejected"
    };
    let mut opinion = Opinion::new(Label::RefreshFailure, kind);
    opinion.add(true, 2.2, format!("the refresh was refused with {status}"), Some(first));
    if let Some(won) = won {
        let apart = span((case.item(won).time - item.time).abs());
        let text = if lost.is_some() {
            format!("another refresh {apart} before got the new token, and nothing was called with it")
        } else {
            format!("another refresh of the same device, {apart} apart, got the new token")
        };
        opinion.add(true, 2.0, text, Some(won));
    }
    opinion.add(
        failed.len() > 1,
        0.7,
        format!("{} refreshes were refused in one burst", failed.len()),
        failed.last().copied(),
    );
    opinion.add(reused, 1.0, "the app's own words say that the token had been used before", Some(first));
    opinion.add(
        item.sense.has(Sense::EXPIRED) || item.sense.has(Sense::UNKNOWN),
        0.8,
        "the app's own words give the reason",
        Some(first),
    );
    opinion.add(
        facts.http.is_empty() && !item.sense.has(Sense::REVOKED),
        0.7,
        "nothing was refused before it: the client refreshed in time",
        Some(first),
    );
    if won.is_none() && !reused {
        opinion.add(
            facts.revocation.is_some(),
            -2.5,
            "sessions were revoked just before",
            facts.revocation.map(|(place, _)| place),
        );
        let revoked = item.sense.has(Sense::REVOKED) || told.has(Sense::REVOKED);
        opinion.add(revoked, -2.0, "the app's own words call the token revoked", Some(first));
        let early = case.young() && !facts.http.is_empty() && !item.sense.gives_reason();
        opinion.add(
            early,
            -1.2,
            "calls were refused long before the credential could have run out",
            facts.http.first().copied(),
        );
        if !item.sense.gives_reason() {
            opinion.missing.push(
                "why the server refused the refresh token: log the reason (expired, unknown, used before)".into(),
            );
        }
    }
    opinion
}

/// A refresh had given a token well before, nothing was refused since, another is refused now, and still the session goes on: the
/// refused one came from a second holder of a copy (a background isolate, an extension) that does not know of the rotation.
fn held_twice(case: &Case<'_>, refused: usize) -> bool {
    let facts = &case.facts;
    let before = facts.credential.is_some_and(|place| {
        matches!(case.item(place).kind, Kind::Refresh(_)) && case.item(refused).time - case.item(place).time > RACE
    });
    before && facts.http.is_empty() && facts.sockets.is_empty() && facts.accepted_later.is_some()
}

fn describe(case: &Case<'_>, fault: &why401_parsers::event::Fault) -> String {
    let names = case.world.names;
    let class = fault.class.map(|class| format!("{} ", names.text(class))).unwrap_or_default();
    let at =
        fault.frames.first().map(|(place, method)| format!(" at {} in {}", names.text(*place), names.text(*method)));
    format!("{class}{}{}", names.text(fault.message), at.unwrap_or_default())
}
