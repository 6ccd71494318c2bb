//! Stale token: a newer credential exists, and one channel goes on presenting an older one.
//!
//! The usual ways to it: a closure or a connection parameter that captured the first token (`() => 'wss://…?token=$token'`), an
//! HTTP client whose default header was set once, a socket that nobody tells of the refresh.

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, SECOND};

/// See the module.
pub(super) struct StaleToken;

impl Cause for StaleToken {
    fn label(&self) -> Label {
        Label::StaleToken
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "A newer credential exists, and one channel goes on presenting an older one.",
            kinds: &[
                ("websocket", "the socket reconnects with a token from before the last refresh"),
                (
                    "http",
                    "one HTTP client or family of endpoints keeps an old Authorization header beside another that works",
                ),
                ("anonymous_downgrade", "the socket comes back without the user it had"),
            ],
            seen: "Sockets are refused while calls over HTTP succeed (or one endpoint fails while others succeed), after a refresh \
                   or sign-in gave a newer credential.",
            against: "No credential is newer than the failing one; both channels fail; a refresh cures it at once.",
            fix: "Read the token at each connect, not once: pass a function instead of a value, look the token up in its store inside \
                  the interceptor, and reconnect the socket when a refresh has succeeded.",
            sources: &["rails/rails#33064", "zino-hofmann/graphql-flutter#1323", "enisdenjo/graphql-ws#344"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        if case.incident.trigger == Trigger::SocketAnonymous {
            return Some(anonymous(case));
        }
        if !case.is_refusal() {
            return None;
        }
        let facts = &case.facts;
        if !facts.sockets.is_empty() && facts.http.is_empty() {
            return Some(websocket(case));
        }
        (!facts.http.is_empty() && (!facts.accepted_beside.is_empty() || goes_on(case))).then(|| http(case))
    }
}

fn websocket(case: &Case<'_>) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::StaleToken, "websocket");
    let first = facts.sockets.first().copied();
    let count = facts.sockets.len();
    opinion.add(true, 0.5, format!("the socket was refused {}", times(count)), first);
    opinion.add(
        !facts.accepted_beside.is_empty(),
        2.2,
        format!("meanwhile {} accepted over HTTP: the session itself was good", calls(facts.accepted_beside.len())),
        facts.accepted_beside.first().copied(),
    );
    let refreshed = case.renewed();
    let newer = facts.credential.map(|place| span(case.incident.start - case.item(place).ended));
    opinion.add(
        refreshed.is_some(),
        1.8,
        format!("a refresh {} before gave a newer credential", newer.clone().unwrap_or_default()),
        refreshed,
    );
    opinion.add(
        facts.credential.is_some_and(|place| matches!(case.item(place).kind, Kind::SignIn)),
        0.3,
        format!("the newest credential is the sign-in {} before", newer.unwrap_or_default()),
        facts.credential,
    );
    opinion.add(count >= 3, 0.5, "the client keeps trying with the same result", facts.sockets.last().copied());
    opinion.add(
        facts.sense.has(why401_parsers::record::Sense::EXPIRED),
        0.4,
        "the app's own words call the socket's token expired",
        first,
    );
    opinion.add(facts.sign_out.is_some(), -2.5, "the user had signed out just before", facts.sign_out);
    opinion.add(
        facts.revocation.is_some(),
        -2.0,
        "sessions were revoked just before",
        facts.revocation.map(|(place, _)| place),
    );
    let around = case.incident.start - 60 * SECOND..=case.incident.end + 60 * SECOND;
    let accepted = case.find(around, |kind| matches!(kind, Kind::SocketAccepted));
    opinion.add(count <= 2 && accepted.is_some(), -4.5, "a socket was accepted within the same minute", accepted);
    let cured = facts.refreshed.filter(|place| case.item(*place).time - case.incident.end < 30 * SECOND);
    opinion.add(cured.is_some(), -1.2, "a refresh right after it cured it", cured);
    opinion.add(facts.accepted_beside.is_empty(), -1.0, "no call over HTTP shows that the session was good", None);
    if facts.credential.is_none() {
        opinion.missing.push("the log from before the refresh or sign-in that gave the newer token".into());
    }
    if !case.timeline.has_client {
        opinion.missing.push("the client's trace, to see which token the socket presented".into());
    }
    opinion
}

/// The app itself takes no notice: it neither refreshes nor signs out over several refusals of one endpoint. Where its trace
/// shows failures only, that is how the calls that went well look.
fn goes_on(case: &Case<'_>) -> bool {
    let facts = &case.facts;
    !case.timeline.has_server
        && facts.http.len() >= 3
        && facts.routes.len() == 1
        && facts.refreshed.is_none()
        && facts.forced_out.is_none()
        && facts.signed_in.is_none()
        && facts.sign_out.is_none()
}

fn http(case: &Case<'_>) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::StaleToken, "http");
    let first = facts.http.first().copied();
    let routes: Vec<&str> = facts.routes.iter().take(3).map(|route| case.world.names.text(*route)).collect();
    opinion.add(true, 1.0, format!("{} refused on {}", calls(facts.http.len()), routes.join(", ")), first);
    if facts.accepted_beside.is_empty() {
        opinion.add(true, 1.4, "the app neither refreshed nor signed out: to it the session was good", first);
    }
    opinion.add(
        !facts.accepted_beside.is_empty(),
        1.8,
        format!(
            "in between {} accepted on other endpoints, with no new credential",
            calls(facts.accepted_beside.len())
        ),
        facts.accepted_beside.first().copied(),
    );
    let refreshed = case.renewed();
    opinion.add(refreshed.is_some(), 1.2, "a refresh before gave a newer credential", refreshed);
    let text = "two people's calls from one address look just like one person's good and bad channel";
    opinion.add(facts.guessed, -1.5, text, first);
    opinion.add(facts.http.len() >= 3, 0.5, "and again", facts.http.last().copied());
    opinion.add(
        facts.signed_in.is_some() && facts.accepted_later.is_none() && facts.routes.len() > 1,
        -2.0,
        "the user signed in again: all of the session was gone, not one channel of it",
        facts.signed_in,
    );
    opinion.add(facts.http.len() == 1, -1.6, "one refused call alone may have any reason", first);
    let credentials = case.timeline.items[..case.first()]
        .iter()
        .filter(|item| item.lane == case.incident.lane)
        .filter(|item| matches!(&item.kind, Kind::SignIn) || matches!(&item.kind, Kind::Refresh(r) if r.gave()))
        .count();
    opinion.add(
        refreshed.is_none() && credentials < 2,
        -2.0,
        "no credential newer than the failing one is known",
        facts.credential,
    );
    opinion.add(!case.world.renews, -2.0, "nobody ever refreshes here, so nothing is newer than a sign-in", None);
    opinion.add(
        !facts.routes_worked_before && !facts.accepted_beside.is_empty(),
        -2.5,
        "this endpoint had not accepted the actor before: it may refuse for another reason",
        first,
    );
    opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
    opinion.add(
        facts.revocation.is_some(),
        -1.5,
        "sessions were revoked just before",
        facts.revocation.map(|(p, _)| p),
    );
    let refused = case.failed_refresh();
    opinion.add(refused.is_some(), -3.0, "the refresh was refused as well", refused);
    opinion.add(
        facts.sense.has(why401_parsers::record::Sense::MISSING),
        -2.5,
        "the app's own words say that no token was sent",
        first,
    );
    let cured = facts.refreshed.filter(|place| case.item(*place).time - case.incident.start < 60 * SECOND);
    opinion.add(cured.is_some(), -2.5, "a refresh right after it cured it", cured);
    let text = "all were refused by one instance of the server, which refuses what the others accept";
    opinion.add(facts.odd_instance, -3.5, text, first);
    opinion
}

/// The socket had a user and came back without one: the app lets it in as nobody, instead of refusing its old token.
fn anonymous(case: &Case<'_>) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::StaleToken, "anonymous_downgrade");
    let first = Some(case.first());
    let count = case.incident.signs.len();
    opinion.add(true, 0.6, "the socket had its user before, and came back without", first);
    opinion.add(count > 1, 0.9, format!("{} in a row", times(count)), case.incident.signs.last().copied());
    let untagged = case
        .incident
        .signs
        .iter()
        .copied()
        .find(|sign| matches!(case.item(*sign).kind, Kind::SocketAnonymous { untagged: true }));
    opinion.add(untagged.is_some(), 0.9, "its end carries no user's tag, as others' do", untagged);
    let refreshed = case.renewed();
    opinion.add(refreshed.is_some(), 1.4, "a refresh before gave a newer credential than the socket had", refreshed);
    let calls = case.find(case.incident.start + 1..=i64::MAX, |kind| matches!(kind, Kind::Accepted { .. }));
    opinion.add(calls.is_some(), 1.2, "calls over HTTP were accepted afterwards: the session itself was good", calls);
    opinion.add(calls.is_none(), -1.0, "no call over HTTP shows that the session was good", None);
    opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
    opinion.add(
        facts.revocation.is_some(),
        -2.0,
        "sessions were revoked just before",
        facts.revocation.map(|(p, _)| p),
    );
    opinion
}

fn times(count: usize) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

fn calls(count: usize) -> String {
    if count == 1 { "1 call was".into() } else { format!("{count} calls were") }
}
