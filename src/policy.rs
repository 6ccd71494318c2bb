//! What if: the observed sessions under other token lifetimes, leads and leeways.
//!
//! A drop is replayed by what it needed: a token that ran out needed a refresh ahead of its end (and a refresh token that still
//! lived), a refused second refresh needed a leeway, a stale socket a reconnection. What no such term touches stays. The cost is
//! what the same use of the app would take in refreshes. A replay assumes that clients do as the terms say, and that people use
//! the app as they did.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::actor::Key;
use crate::cause::Label;
use crate::diagnosis::Impact;
use crate::reading::Reading;
use crate::report::{Found, Judged, Placed, judge, place};
use crate::session::{Item, Kind, Refresh, SECOND, Timeline};
use crate::stats::Stages;

/// Terms to replay sessions under, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Terms {
    /// Life of an access token.
    pub access: i64,
    /// Life of a refresh token.
    pub refresh: i64,
    /// How long before an access token's end clients replace it, at the next use of the app at the latest; 0: only after a 401.
    pub lead: i64,
    /// For how long a rotated refresh token is still accepted.
    pub grace: i64,
    /// Sockets are opened anew, with the new token, after each refresh.
    pub reconnect: bool,
}

/// What the replay gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Policy {
    /// Observed: drops and hindrances by cause and kind.
    pub observed: Vec<Fate>,
    /// The terms and what they would have made of it; those asked for, or what practice offers.
    pub replays: Vec<Replay>,
    /// What to change, per platform; empty if nothing.
    pub suggestions: Vec<Suggestion>,
}

/// What becomes of the incidents of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fate {
    /// `cause/kind`.
    pub what: String,
    /// How many were observed.
    pub cases: usize,
    /// How many people they hit.
    pub people: usize,
    /// How many would not have happened.
    pub gone: usize,
    /// Why they go or stay.
    pub why: String,
}

/// One set of terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Replay {
    /// The terms.
    pub terms: Terms,
    /// By cause and kind.
    pub fates: Vec<Fate>,
    /// Incidents that would not have happened.
    pub gone: usize,
    /// Incidents that stay.
    pub staying: usize,
    /// Refreshes per person and day of use.
    pub refreshes_per_day: f64,
}

/// What to change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Suggestion {
    /// `mobile`, `web` or `unknown`.
    pub platform: String,
    /// The terms.
    pub terms: Terms,
    /// Why.
    pub why: String,
}

const MINUTES: i64 = 60;
const HOURS: i64 = 3600;
const DAYS: i64 = 86_400;

/// What practice offers mobile apps (see `why401 explain lifetime_expiry`): access 15 to 60 minutes, refresh 30 to 90 days, a lead
/// of some minutes, a leeway of 10 to 60 s; a day beside, for comparison.
const OFFERED: &[Terms] = &[
    Terms { access: 15 * MINUTES, refresh: 90 * DAYS, lead: 3 * MINUTES, grace: 30, reconnect: true },
    Terms { access: 30 * MINUTES, refresh: 90 * DAYS, lead: 5 * MINUTES, grace: 30, reconnect: true },
    Terms { access: HOURS, refresh: 30 * DAYS, lead: 8 * MINUTES, grace: 30, reconnect: true },
    Terms { access: HOURS, refresh: 90 * DAYS, lead: 8 * MINUTES, grace: 30, reconnect: true },
    Terms { access: 24 * HOURS, refresh: 90 * DAYS, lead: 8 * MINUTES, grace: 30, reconnect: true },
];

/// Replays what was read under the terms, or under what practice offers.
#[must_use]
pub fn policy(reading: Reading, asked: Option<Terms>) -> Policy {
    let placed = place(reading, &mut Stages::default());
    replayed(&placed, &judge(&placed), asked)
}

/// The same of sessions that were judged already.
pub(crate) fn replayed(placed: &Placed, found: &Found, asked: Option<Terms>) -> Policy {
    let cases: Vec<&Judged> = found.judged.iter().filter(|judged| judged.impact != Impact::Latent).collect();
    let replay = |terms: Terms| replay(placed, &cases, terms);
    let replays: Vec<Replay> =
        asked.map_or_else(|| OFFERED.iter().map(|terms| replay(*terms)).collect(), |terms| vec![replay(terms)]);
    let suggestions = suggestions(placed, &cases);
    let observed = fates(placed, &cases, None);
    Policy { observed, replays, suggestions }
}

fn replay(placed: &Placed, cases: &[&Judged], terms: Terms) -> Replay {
    let fates = fates(placed, cases, Some(terms));
    let gone = fates.iter().map(|fate| fate.gone).sum();
    Replay { terms, gone, staying: cases.len() - gone, refreshes_per_day: cost(placed, terms), fates }
}

fn fates(placed: &Placed, cases: &[&Judged], terms: Option<Terms>) -> Vec<Fate> {
    let mut by_kind: BTreeMap<String, (usize, usize, BTreeSet<Key>, String)> = BTreeMap::new();
    for judged in cases {
        let opinion = &judged.verdict.opinion;
        let what = if opinion.kind.is_empty() {
            opinion.label.to_string()
        } else {
            format!("{}/{}", opinion.label, opinion.kind)
        };
        let (goes, why) = terms.map_or((false, ""), |terms| fate(placed, judged, terms));
        let entry = by_kind.entry(what).or_default();
        entry.0 += 1;
        entry.1 += usize::from(goes);
        entry.2.insert(judged.key);
        // What stays is what the reader has to know the reason of.
        if entry.3.is_empty() || !goes {
            why.clone_into(&mut entry.3);
        }
    }
    by_kind
        .into_iter()
        .map(|(what, (cases, gone, people, why))| Fate { what, cases, people: people.len(), gone, why })
        .collect()
}

/// Whether an incident would not have happened under the terms, and why.
fn fate(placed: &Placed, judged: &Judged, terms: Terms) -> (bool, &'static str) {
    let timeline = &placed.timelines[&judged.key];
    let incident = &judged.incident;
    let opinion = &judged.verdict.opinion;
    match (opinion.label, opinion.kind) {
        (Label::LifetimeExpiry, _) => {
            if terms.lead <= 0 {
                return (false, "without a lead the token still runs out before anybody replaces it");
            }
            if idle(timeline, incident.lane, incident.start) > terms.refresh * SECOND {
                return (false, "the app was away for longer than the refresh token lives");
            }
            (true, "the app replaces its token before the end, or when it comes to the front, before other calls")
        }
        (Label::RefreshFailure, "expired") => match age(timeline, incident.lane, incident.start) {
            Some(age) if age <= terms.refresh * SECOND => (true, "the refresh token would have lived"),
            Some(_) => (false, "the session was older than the refresh token lives"),
            None => (false, "when the session began is not in the log"),
        },
        (Label::RefreshFailure, "reuse_race" | "lost_response") => match apart(timeline, judged) {
            Some(apart) if apart <= terms.grace * SECOND => (true, "the former refresh token is still accepted"),
            _ => (false, "the second refresh came after the leeway"),
        },
        (Label::StaleToken, "websocket") if terms.reconnect => (true, "the socket is opened anew with each new token"),
        (Label::StaleToken, _) => (false, "no lifetime mends a token that is read once and kept"),
        (Label::RefreshFailure, _) => (false, "the refresh itself fails, whenever it is tried"),
        (Label::ClockSkew, _) => (false, "an app that asks a wrong clock does so under any lifetime"),
        _ => (false, "not a matter of lifetimes"),
    }
}

fn lane(timeline: &Timeline, lane: usize) -> impl DoubleEndedIterator<Item = &Item> {
    timeline.items.iter().filter(move |item| item.lane == lane)
}

/// Whether an item shows the app in use.
fn used(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Accepted { .. } | Kind::Unauthorized { .. } | Kind::SocketAccepted | Kind::SignIn | Kind::Refresh(_)
    )
}

/// How long the app had been away at a time, microseconds.
fn idle(timeline: &Timeline, of: usize, at: i64) -> i64 {
    lane(timeline, of).rev().find(|item| item.time < at && used(&item.kind)).map_or(0, |item| at - item.time)
}

/// How old the session's refresh token was at a time, microseconds, if its issue is in the log.
fn age(timeline: &Timeline, of: usize, at: i64) -> Option<i64> {
    let gave = |item: &&Item| {
        item.time < at
            && (matches!(item.kind, Kind::SignIn) || matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave()))
    };
    lane(timeline, of).rev().find(gave).map(|item| at - item.time)
}

/// How far the refused refresh of an incident was from the one that had won, microseconds.
fn apart(timeline: &Timeline, judged: &Judged) -> Option<i64> {
    let refused = judged
        .incident
        .signs
        .iter()
        .map(|sign| &timeline.items[*sign])
        .find(|item| matches!(item.kind, Kind::Refresh(Refresh::Refused(_))))?;
    lane(timeline, judged.incident.lane)
        .filter(|item| matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave() || *refresh == Refresh::Lost))
        .map(|item| (item.time - refused.time).abs())
        .min()
}

/// Refreshes per person and day of use that the observed use would take.
fn cost(placed: &Placed, terms: Terms) -> f64 {
    let (mut refreshes, mut days) = (0_u64, 0.0_f64);
    for timeline in placed.timelines.values() {
        for of in 0..timeline.lanes {
            let times: Vec<i64> = lane(timeline, of).filter(|item| used(&item.kind)).map(|item| item.time).collect();
            let (Some(first), Some(last)) = (times.first(), times.last()) else { continue };
            let mut issued = *first;
            for time in &times {
                if time - issued >= (terms.access - terms.lead).max(MINUTES) * SECOND {
                    refreshes += 1;
                    issued = *time;
                }
            }
            // A log of an hour says nothing of a day; less than an hour of use counts as one.
            #[allow(clippy::cast_precision_loss, reason = "a length of time")]
            let hours = ((last - first) as f64 / (HOURS * SECOND) as f64).max(1.0);
            days += hours / 24.0;
        }
    }
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    let per_day = if days > 0.0 { refreshes as f64 / days } else { 0.0 };
    (per_day * 10.0).round() / 10.0
}

/// What to change for whom. Phones and browsers keep tokens differently safe, so that practice differs.
fn suggestions(placed: &Placed, cases: &[&Judged]) -> Vec<Suggestion> {
    let findings = placed.findings();
    let mut by_platform: BTreeMap<&str, Vec<&Judged>> = BTreeMap::new();
    for judged in cases {
        by_platform.entry(findings.class(judged.key)).or_default().push(judged);
    }
    let offered = |cases: &[&Judged]| OFFERED.iter().map(|terms| replay(placed, cases, *terms)).collect::<Vec<_>>();
    by_platform.iter().filter_map(|(platform, cases)| suggestion(platform, &offered(cases))).collect()
}

/// The offer that removes most and costs least, if it removes anything.
fn suggestion(platform: &str, offered: &[Replay]) -> Option<Suggestion> {
    let best = offered.iter().filter(|replay| replay.gone > 0).max_by(|a, b| {
        // A longer refresh life at the same cost is the safer one; an access token of a day is outside practice for mobile apps, one of
        // minutes for browsers.
        let usual = |replay: &Replay| match platform {
            "web" => replay.terms.access >= HOURS,
            _ => replay.terms.access <= HOURS,
        };
        (a.gone, usual(a))
            .cmp(&(b.gone, usual(b)))
            .then(b.refreshes_per_day.total_cmp(&a.refreshes_per_day))
            .then(a.terms.refresh.cmp(&b.terms.refresh))
    })?;
    let most = best.fates.iter().filter(|fate| fate.gone > 0).max_by_key(|fate| fate.gone)?;
    let why = format!(
        "{} of {} cases would not have happened, most of them {}: {}",
        best.gone,
        best.gone + best.staying,
        most.what,
        most.why
    );
    Some(Suggestion { platform: platform.to_owned(), terms: best.terms, why })
}
