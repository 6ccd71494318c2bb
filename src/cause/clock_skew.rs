//! Clock skew: the client's idea of when its token ends is wrong because its clock is.

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, SECOND};

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
            let refused = case.timeline.items.iter().position(|item| {
                item.lane == case.incident.lane
                    && matches!(item.kind, Kind::Unauthorized { .. } | Kind::SocketRefused)
                    && (case.incident.start - 60 * SECOND..=case.incident.end).contains(&item.time)
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
        let skew = skew?;
        let mut opinion = Opinion::new(Label::ClockSkew, "client");
        let first = Some(case.first());
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
