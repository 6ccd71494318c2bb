//! Server restart: many sockets end with the process; what is refused just after is its wake.

use super::case::Case;
use super::{Cause, Doc, Label, Opinion};
use crate::session::{Kind, MINUTE};

/// See the module.
pub(crate) struct ServerRestart;

impl Cause for ServerRestart {
    fn label(&self) -> Label {
        Label::ServerRestart
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The server's process ended, and every socket with it. Nobody was signed out.",
            kinds: &[
                ("deploy", "it was told to stop and did so in order"),
                ("crash", "it was gone without a word"),
                ("knock_on", "a token ran out, or a refresh fell, while the server was away"),
            ],
            seen: "Start-up lines after the service had been serving; the sockets of many users end together and come back.",
            against: "A wave of 401s follows that the restart does not explain.",
            fix: "Reconnect with back-off and jitter; drain sockets on deploys; on a refused call after a restart refresh once.",
            sources: &["puma/puma#3323", "rails/rails#35103"],
        }
    }

    /// Only the wake: restarts themselves are found for the whole service.
    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let facts = &case.facts;
        if !case.is_refusal() || (facts.http.is_empty() && facts.sockets.is_empty()) {
            return None;
        }
        let restart = &case.world.restarts[facts.restart?];
        let mut opinion = Opinion::new(Label::ServerRestart, "knock_on");
        // The client refreshes ahead of time as a rule, and its next refresh was due while the server was away.
        let lead = case.world.lead?;
        let issued = facts.credential.map(|place| case.item(place).ended)?;
        let due = issued + lead;
        let habit = case.timeline.items.iter().filter(|item| {
            item.lane == case.incident.lane && matches!(&item.kind, Kind::Refresh(refresh) if refresh.gave())
        });
        let others = facts.reactive <= 1;
        let fell = (restart.start - 3 * MINUTE..=restart.end + 3 * MINUTE).contains(&due);
        opinion.add(fell && others, 3.2, "its next refresh was due while the server was restarting", facts.credential);
        opinion.add(facts.proactive > 0, 0.8, "this client refreshes ahead of time otherwise", habit.map(|_| 0).next().map(|_| facts.credential.unwrap_or(0)));
        opinion.add(facts.refreshed.is_some(), 0.8, "a refresh cured it", facts.refreshed);
        opinion.add(facts.signed_in.is_some(), -1.5, "the user had to sign in again", facts.signed_in);
        opinion.add(!fell, -2.0, "no refresh was due at that time", None);
        Some(opinion)
    }
}
