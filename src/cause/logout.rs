//! Sign-out: the user left, and something goes on calling.

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};

/// See the module.
pub(super) struct Logout;

impl Cause for Logout {
    fn label(&self) -> Label {
        Label::Logout
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The user signed out; what is refused afterwards are calls that nobody stopped.",
            kinds: &[("straggler", "a poll, a timer or a socket went on after the sign-out")],
            seen: "A sign-out that worked stands before the refusals, with no sign-in between.",
            against: "Calls succeed again without a sign-in.",
            fix: "Stop timers, polls and sockets when the user signs out, and cancel the calls under way. Nobody was dropped.",
            sources: &["formats/auth-failures.md (c)"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let facts = &case.facts;
        let sign_out = facts.sign_out?;
        if !case.is_refusal() {
            return None;
        }
        let mut opinion = Opinion::new(Label::Logout, "straggler");
        let before = span(case.incident.start - case.item(sign_out).time);
        opinion.add(true, 4.0, format!("the user had signed out {before} before"), Some(sign_out));
        opinion.add(
            facts.accepted_later.is_some(),
            -3.0,
            "calls succeeded again without a sign-in",
            facts.accepted_later,
        );
        opinion.add(facts.refreshed.is_some(), -1.5, "a refresh succeeded afterwards", facts.refreshed);
        Some(opinion)
    }
}
