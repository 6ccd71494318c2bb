//! Lifetime expiry: the credential ran out, and a refresh came too late or never.

use why401_parsers::record::Sense;

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::session::{Kind, MINUTE, SECOND};

/// See the module.
pub(super) struct LifetimeExpiry;

impl Cause for LifetimeExpiry {
    fn label(&self) -> Label {
        Label::LifetimeExpiry
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The access token ran out before anybody replaced it.",
            kinds: &[
                (
                    "reactive_only",
                    "the client refreshes only after a 401: a burst of refusals each time the token is over",
                ),
                ("never_refreshed", "nobody tries a refresh: the first 401 is the end of the session"),
                ("late_proactive", "the client refreshes ahead of time, but later than the token's end"),
                ("resume_race", "after a sleep, calls go out before the refresh that the app starts beside them"),
                ("idle_starved", "only calls over HTTP drive the refresh, so a quiet app loses its socket"),
            ],
            seen: "401s begin when the credential's age passes the lifetime inferred from all users; a refresh cures it, or nobody tries one.",
            against: "The credential was well below the lifetime; a revocation or sign-out came just before; a newer credential existed.",
            fix: "Mobile: access tokens of 15 to 60 minutes with a refresh token of 30 to 90 days; refresh ahead of the end (at the \
                  latest when the app comes to the front, before other calls) and on a 401 once. Web: 1 to 24 hours.",
            sources: &[
                "RFC 9700 §2.2.2",
                "Okta: access token 60 min, refresh 90 days",
                "Firebase: ID token 1 h",
                "Supabase: 1 h",
            ],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        if !case.is_refusal() {
            return None;
        }
        let facts = &case.facts;
        if facts.http.is_empty() && facts.sockets.is_empty() {
            return None;
        }
        let failing = case.failed_refresh().is_some();
        let cured = facts.refreshed.filter(|place| case.item(*place).time - case.incident.end <= 2 * MINUTE);
        let first = Some(case.first());
        let late = own_refresh_too_late(case).filter(|_| cured.is_none() || unminded(case));
        let cured = cured.filter(|_| late.is_none());
        let slept = facts.resumed.is_some() || woke_up(case);
        let kind = if cured.is_some() && facts.http.is_empty() {
            "idle_starved"
        } else if late.is_some() {
            "late_proactive"
        } else if cured.is_none() {
            "never_refreshed"
        } else if facts.habit.proactive > facts.habit.reactive && slept {
            "resume_race"
        } else {
            "reactive_only"
        };
        let mut opinion = Opinion::new(Label::LifetimeExpiry, kind);
        let both = !facts.http.is_empty() && !facts.sockets.is_empty();
        opinion.add(both, 0.5, "both channels were refused", facts.sockets.first().copied());
        // An app that minds a refusal refreshes at once.
        let after = cured.map_or(0, |place| case.item(place).time - case.incident.start);
        let late_cure = after > 2 * MINUTE;
        opinion.add(
            cured.is_some() && !facts.http.is_empty(),
            if late_cure { 1.2 } else { 2.4 },
            format!("a refresh {} after the first refusal cured it", span(after)),
            cured,
        );
        opinion.add(cured.is_some() && facts.http.is_empty(), 0.8, "a refresh after it cured it", cured);
        if let Some(late) = late {
            let after = span(case.item(late).time - case.incident.start);
            opinion.add(
                true,
                2.2,
                format!("the app's own refresh came {after} after the first refusal, by its timer"),
                Some(late),
            );
        }
        let gone = facts.signed_in.filter(|_| cured.is_none() && late.is_none());
        opinion.add(gone.is_some(), 1.2, "no refresh was tried; the user signed in again", gone);
        opinion.add(
            cured.is_none() && late.is_none() && gone.is_none() && facts.refreshes.is_empty(),
            0.4,
            "no refresh was tried",
            first,
        );
        if let Some(lifetime) = case.lifetime() {
            let age = facts.age.map(span).unwrap_or_default();
            opinion.add(
                case.ripe(),
                1.6,
                format!("the credential was {age} old; credentials of this service live {}", span(lifetime.access)),
                facts.credential.or(first),
            );
        }
        opinion.add(
            case.lifetime().is_none() && cured.is_none() && !facts.sense.has(Sense::EXPIRED),
            -1.0,
            "no lifetime is known that it could have reached",
            facts.credential,
        );
        opinion.add(case.young(), -2.4, "the credential was far from running out", facts.credential);
        opinion.add(facts.sense.has(Sense::EXPIRED), 0.8, "the app's own words call the token expired", first);
        opinion.add(
            facts.sense.has(Sense::REVOKED) || facts.sense.has(Sense::MISSING),
            -2.0,
            "the app's own words give another reason",
            first,
        );
        if let Some(missed) = facts.missed {
            let weight = if missed.told { -3.0 } else { -1.8 };
            let text = "the app refreshes ahead of time; this once it was due while the network was gone";
            opinion.add(true, weight, text, Some(missed.shown_by));
        }
        opinion.add(case.loops(), -3.0, "each new token was refused at once", facts.in_vain.first().copied());
        opinion.add(facts.odd_instance, -2.5, "only one instance of the server refused it", first);
        opinion.add(failing, -3.0, "a refresh was tried and failed", facts.refreshes.first().copied());
        opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
        opinion.add(
            facts.revocation.is_some(),
            -2.0,
            "sessions were revoked just before",
            facts.revocation.map(|(p, _)| p),
        );
        opinion.add(
            !facts.accepted_beside.is_empty() && (cured.is_none() || late_cure),
            -2.5,
            "other calls went on being accepted",
            facts.accepted_beside.first().copied(),
        );
        opinion.add(facts.http.is_empty(), -1.5, "no call over HTTP was refused", facts.sockets.first().copied());
        opinion.add(
            facts.accepted_later.is_some() && cured.is_none() && late.is_none(),
            -1.5,
            "later calls were accepted with no new credential",
            facts.accepted_later,
        );
        if let Some(skew) = case.skew.filter(|skew| skew.abs() > 120) {
            opinion.add(true, -1.5, format!("the device's clock is off by {}", span(skew.abs() * SECOND)), None);
        }
        if cured.is_some() && !case.timeline.has_client && facts.habit.proactive == 0 && case.world.lead.is_some() {
            opinion.missing.push("the device's trace: a clock that is behind looks the same from the server".into());
        }
        if facts.credential.is_none() {
            opinion.missing.push("the log from when the token was issued, to know its age".into());
        }
        Some(opinion)
    }
}

/// The refresh that the app started by its own timer, after the token's end and without minding the refusals.
fn own_refresh_too_late(case: &Case<'_>) -> Option<usize> {
    /// An app that has not refreshed within this time (microseconds) of a refusal does not do so because of it.
    const UNMINDED: i64 = MINUTE;
    let refresh = case.incident.recovery?;
    let item = case.item(refresh);
    let gave = matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave());
    (gave && item.time - case.incident.start > UNMINDED && case.facts.signed_in.is_none() && case.ripe())
        .then_some(refresh)
}

/// Several calls were refused one after the other, and the app refreshed after none of them: what came at last came by its timer.
fn unminded(case: &Case<'_>) -> bool {
    /// An app that minds a refusal refreshes within so long (microseconds).
    const MINDS: i64 = 5 * SECOND;
    let times: Vec<i64> = case.facts.http.iter().map(|place| case.item(*place).time).collect();
    times.windows(2).filter(|pair| pair[1] - pair[0] > MINDS).count() >= 2 && case.facts.accepted_beside.is_empty()
}

/// The device had been silent for a good part of the token's life, and its first calls came together: it slept.
fn woke_up(case: &Case<'_>) -> bool {
    /// The opening calls of an app come within some seconds (microseconds).
    const TOGETHER: i64 = 5 * SECOND;
    let Some(lifetime) = case.lifetime() else { return false };
    let start = case.incident.start;
    let items = case.timeline.items.iter().filter(|item| item.lane == case.incident.lane);
    let before = items.filter(|item| item.time < start - TOGETHER).map(|item| item.time).next_back();
    case.facts.http.len() >= 2 && before.is_some_and(|last| start - last >= lifetime.access / 2)
}
