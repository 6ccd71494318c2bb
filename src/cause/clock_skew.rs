//! Clock skew: the client's idea of when its token ends is wrong because its clock is.

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, MINUTE, SECOND};

/// See the module.
pub(super) struct ClockSkew;

impl Cause for ClockSkew {
    fn label(&self) -> Label {
        Label::ClockSkew
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "A clock is wrong, so that good tokens look spent or spent ones good.",
            kinds: &[
                (
                    "client",
                    "the device's clock: ahead, it refreshes without need; behind, it runs into a 401 each time a token ends",
                ),
                ("server", "one instance refuses what the others accept"),
            ],
            seen: "Refreshes follow one another much faster than any token runs out, all of them good; or the device's clock, set against \
                   the server's by request ids or `date` headers, is off by no multiple of a time zone.",
            against: "The offset is about zero, or a whole time zone; refusals cause the refreshes.",
            fix: "Count from when the token arrived (`expires_in`, a monotonic clock), never compare with a wall clock; allow a leeway; \
                  refresh on a 401 as well.",
            sources: &["RFC 7519 §4.1.4", "jwtk/jjwt#61", "auth0/docs#7172"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let facts = &case.facts;
        let skew = case.skew.filter(|skew| skew.abs() > 60);
        if case.incident.trigger == Trigger::RefreshStorm {
            let count = case.incident.signs.len();
            let first = Some(case.first());
            let mut opinion = Opinion::new(Label::ClockSkew, "client");
            let last = case.incident.signs.last().copied();
            let mean = (case.incident.end - case.incident.start) / i64::try_from(count.max(2) - 1).unwrap_or(1);
            opinion.add(
                true,
                1.8,
                format!("{count} refreshes in a row, one each {}, all of them good", span(mean)),
                first,
            );
            opinion.add(count >= 8, 1.0, "and so on for a long time", last);
            let refused = case.find(case.incident.start - 60 * SECOND..=case.incident.end, |kind| {
                matches!(kind, Kind::Unauthorized { .. } | Kind::SocketRefused)
            });
            opinion.add(refused.is_none(), 1.0, "nothing was refused in between: no token had run out", first);
            opinion.add(refused.is_some(), -1.0, "refusals stand between them", refused);
            if let Some(skew) = skew {
                opinion.add(skew > 0, 2.0, format!("the device's clock is {} ahead", span(skew * SECOND)), first);
            } else if !case.timeline.has_client {
                opinion
                    .missing
                    .push("the client's trace with `date` or `x-request-id` headers, to measure its clock".into());
            }
            return Some(opinion);
        }
        if !case.is_refusal() || facts.http.is_empty() {
            return None;
        }
        if facts.odd_instance {
            return Some(instance(case));
        }
        let late = due_too_late(case);
        if skew.is_none() && late.is_none() {
            return unseen(case);
        }
        let mut opinion = Opinion::new(Label::ClockSkew, "client");
        let first = Some(case.first());
        if let Some(skew) = skew {
            let side = if skew < 0 { "behind" } else { "ahead" };
            opinion.add(
                true,
                2.6,
                format!(
                    "the device's clock is {} or more {side}, by no multiple of a time zone",
                    span(skew.abs() * SECOND)
                ),
                first,
            );
        }
        if let Some((place, due)) = late {
            // The app subtracts its own "now" from the end that the server stated: nothing but a wrong clock gives such a number.
            let text = format!("the app meant to refresh in {}, after the token's end: its clock is behind", span(due));
            opinion.add(true, 3.4, text, Some(place));
        }
        opinion.add(
            facts.refreshed.is_some(),
            1.2,
            "the token had run out without the app noticing; a refresh cured it",
            facts.refreshed,
        );
        opinion.add(case.ripe(), 0.8, "it happened when the token reached its lifetime", facts.credential);
        opinion.add(case.young(), -2.0, "the credential was far from running out", facts.credential);
        opinion.add(facts.refreshed.is_none(), -2.0, "no refresh cured it", None);
        opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
        opinion.add(
            facts.revocation.is_some(),
            -2.0,
            "sessions were revoked just before",
            facts.revocation.map(|(p, _)| p),
        );
        Some(opinion)
    }
}

/// One instance refuses fresh credentials that the others accept: its clock is off, or its secret another.
fn instance(case: &Case<'_>) -> Opinion {
    let facts = &case.facts;
    let mut opinion = Opinion::new(Label::ClockSkew, "server");
    let text = "one instance of the server refused it, and refuses others' fresh credentials as well";
    opinion.add(true, 3.0, text, facts.http.first().copied());
    opinion.add(
        !facts.accepted_beside.is_empty(),
        1.0,
        "meanwhile other instances accepted the same user",
        facts.accepted_beside.first().copied(),
    );
    opinion.add(case.young(), 0.8, "the credential was far from running out", facts.credential);
    opinion.add(case.ripe(), -2.0, "the credential had reached its lifetime", facts.credential);
    opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
    opinion.missing.push("that instance's clock and configuration (NTP, the secret that signs tokens)".into());
    opinion
}

/// When the app last said, before the first sign, that it would refresh later than any token of this age lives.
fn due_too_late(case: &Case<'_>) -> Option<(usize, i64)> {
    /// Apps count from when the answer came, which a slow network delays.
    const SLACK: i64 = 2 * MINUTE;
    let lifetime = case.lifetime()?.access;
    let start = case.incident.start;
    let from = case.facts.credential.map_or(i64::MIN, |place| case.item(place).time);
    let items = case.timeline.items.iter().enumerate();
    let said = items.filter(|(_, item)| item.lane == case.incident.lane && (from..=start).contains(&item.time));
    let due =
        said.filter_map(|(place, item)| if let Kind::RefreshDue(due) = item.kind { Some((place, due)) } else { None });
    due.filter(|(_, due)| *due > lifetime + SLACK).max_by_key(|(_, due)| *due)
}

/// Without the device's trace its clock cannot be seen. Where the service's other clients refresh ahead of time and this one
/// always runs into the token's end, a clock that is behind is as good an explanation as an old version of the app.
fn unseen(case: &Case<'_>) -> Option<Opinion> {
    let facts = &case.facts;
    let others = case.world.lead.zip(case.lifetime()).is_some_and(|(lead, lifetime)| lead < lifetime.access);
    let failed = case.failed_refresh().is_some();
    if failed
        || case.timeline.has_client
        || !others
        || facts.habit.proactive > 0
        || facts.refreshed.is_none()
        || !case.ripe()
    {
        return None;
    }
    let mut opinion = Opinion::new(Label::ClockSkew, "client");
    opinion.add(true, 1.6, "a refresh cured it, as if the token had run out without the app noticing", facts.refreshed);
    opinion.add(true, 1.2, "it happened when the token reached its lifetime", facts.credential);
    opinion.add(
        true,
        1.0,
        "other clients of this service refresh ahead of time: this one's clock may be behind",
        Some(case.first()),
    );
    opinion.missing.push("the device's trace: its clock against the server's".into());
    Some(opinion)
}
