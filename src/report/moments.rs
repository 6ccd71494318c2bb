//! The timeline of an incident in words: what a reader needs to see it happen.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::diagnosis::{Credential, Moment};
use crate::incident::Incident;
use crate::session::{Item, Kind, MINUTE, Refresh, SECOND, Timeline};

use super::credentials::Credentials;
use super::{Findings, rfc3339};

/// How many moments are kept: a screen.
const MOST: usize = 24;

/// An item that is shown, and how many like it in a row.
struct Shown<'t> {
    item: &'t Item,
    words: Words,
    /// The number of the credential that it presents.
    presented: Option<usize>,
    count: u64,
}

/// An item in words, its channel and its tone.
type Words = (Cow<'static, str>, &'static str, &'static str);

/// The moments around an incident: the credential before it, its signs, what ended it. Equal ones in a row become one.
pub(super) fn around(
    findings: &Findings<'_>,
    timeline: &Timeline,
    incident: &Incident,
    credentials: &Credentials,
) -> Vec<Moment> {
    let until =
        incident.recovery.map_or(incident.end, |place| timeline.items[place].time).max(incident.end) + 5 * SECOND;
    let credential = timeline.items.iter().rposition(|item| {
        item.lane == incident.lane
            && item.time < incident.start - 30 * SECOND
            && (matches!(item.kind, Kind::SignIn) || matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave()))
    });
    let from = incident.start - 2 * MINUTE;
    let mut all: Vec<Shown<'_>> = Vec::new();
    let near = timeline.during(&(from..=until));
    let named = credential.into_iter().chain(incident.recovery).chain(incident.signs.iter().copied());
    let places: BTreeSet<usize> = near.chain(named).collect();
    for place in places {
        let item = &timeline.items[place];
        let shown = Some(place) == credential
            || incident.signs.contains(&place)
            || Some(place) == incident.recovery
            || ((from..=until).contains(&item.time) && (item.lane == incident.lane || matters_elsewhere(&item.kind)));
        if !shown {
            continue;
        }
        let Some(words) = words(findings, item) else { continue };
        let presented = credentials.behind(item).filter(|_| item.lane == incident.lane);
        match all.last_mut().filter(|last| last.words.0 == words.0 && last.presented == presented) {
            Some(last) => last.count += 1,
            None => all.push(Shown { item, words, presented, count: 1 }),
        }
    }
    if all.len() > MOST {
        all.drain(MOST - MOST / 3..all.len() - MOST / 3);
    }
    // Many are of one credential.
    let mut last: Option<(usize, Credential)> = None;
    let mut credential = |number: usize| {
        let shown =
            last.take_if(|(known, _)| *known == number).map_or_else(|| credentials.shown(number), |(_, shown)| shown);
        last = Some((number, shown.clone()));
        shown
    };
    let moment = |Shown { item, words: (text, channel, tone), presented, count }| Moment {
        time: rfc3339(item.time),
        text,
        channel: channel.into(),
        tone: tone.into(),
        source: findings.source(item.source).unwrap_or_default(),
        line: item.line,
        count,
        credential: presented.map(&mut credential),
    };
    all.into_iter().map(moment).collect()
}

fn matters_elsewhere(kind: &Kind) -> bool {
    matches!(kind, Kind::Revoke | Kind::Removing | Kind::SignOut)
}

fn words(findings: &Findings<'_>, item: &Item) -> Option<Words> {
    let route = |name| findings.names.text(name);
    Some(match &item.kind {
        Kind::SignIn => ("signed in".into(), "http", "good"),
        Kind::FailedSignIn => ("sign-in refused".into(), "http", "bad"),
        Kind::Refresh(Refresh::Issued) => ("refresh: new token".into(), "http", "good"),
        Kind::Refresh(Refresh::Swallowed(_)) => ("refresh: new token, and a hidden error".into(), "http", "bad"),
        Kind::Refresh(Refresh::Refused(status)) => (format!("refresh refused ({status})").into(), "http", "bad"),
        Kind::Refresh(Refresh::Fault(status, _)) => (format!("refresh failed ({status})").into(), "http", "bad"),
        Kind::Refresh(Refresh::Lost) => ("refresh: the answer was lost".into(), "http", "bad"),
        Kind::Refresh(Refresh::Unreadable) => ("refresh: the answer could not be read".into(), "http", "bad"),
        Kind::Refresh(Refresh::Unreachable(_)) => ("refresh: no answer".into(), "http", "bad"),
        Kind::SignOut => ("signed out by the user".into(), "app", "neutral"),
        Kind::Revoke => ("password changed or sessions revoked".into(), "http", "neutral"),
        Kind::Accepted { .. } => ("calls accepted".into(), "http", "good"),
        Kind::Unauthorized { route: name, status } => (format!("{status} on {}", route(*name)).into(), "http", "bad"),
        Kind::NoAnswer(_) => ("call without an answer".into(), "http", "bad"),
        Kind::SocketAccepted => ("socket accepted".into(), "websocket", "good"),
        Kind::SocketRefused => ("socket refused".into(), "websocket", "bad"),
        Kind::SocketAnonymous { .. } => ("socket stands without its user".into(), "websocket", "bad"),
        Kind::Unended => ("call begun and never ended".into(), "http", "bad"),
        Kind::SocketClosed { by_restart: true, .. } => ("socket cut by a restart".into(), "websocket", "neutral"),
        Kind::SocketClosed { .. } => ("socket closed".into(), "websocket", "neutral"),
        Kind::Removing => ("sockets removed by the server".into(), "websocket", "neutral"),
        Kind::ForcedOut => ("app went to signed out".into(), "app", "bad"),
        Kind::SignedIn => ("app is signed in".into(), "app", "good"),
        Kind::Storage { .. } => ("the store of secrets failed".into(), "app", "bad"),
        Kind::NoSession => ("nothing stored on the device".into(), "app", "neutral"),
        Kind::Resumed => ("app came to the front".into(), "app", "neutral"),
        Kind::Paused => ("app was put away".into(), "app", "neutral"),
        Kind::AppStart => ("app started".into(), "app", "neutral"),
        Kind::NetworkDown => ("no network".into(), "app", "bad"),
        Kind::Client(_) | Kind::RefreshDue(_) => return None,
    })
}
