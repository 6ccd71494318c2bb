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
        let issued = facts.credential.map(|place| case.item(place).ended);
        let due = case.world.lead.zip(issued).map(|(lead, issued)| issued + lead);
        let fell = due.is_some_and(|due| (restart.start - 3 * MINUTE..=restart.end + 3 * MINUTE).contains(&due));
        let first = case.first();
        let woke = matches!(case.item(first).kind, Kind::SocketRefused) && case.incident.start >= restart.start;
        let once = facts.habit.reactive <= 1;
        opinion.add(fell && once, 3.2, "its next refresh was due while the server was restarting", facts.credential);
        opinion.add(
            woke && once && !fell && facts.refreshed.is_some(),
            5.0,
            "the restart made it open its socket again, and only then its token turned out to have run out",
            Some(first),
        );
        opinion.add(!once, -2.5, "this client runs into refusals at other times too", None);
        opinion.add(facts.habit.proactive > 0, 0.8, "this client refreshes ahead of time otherwise", facts.credential);
        opinion.add(facts.refreshed.is_some(), 0.8, "a refresh cured it", facts.refreshed);
        opinion.add(
            facts.signed_in.is_some() && facts.refreshed.is_none(),
            -3.0,
            "the user had to sign in again",
            facts.signed_in,
        );
        opinion.add(!fell && !woke, -2.5, "no refresh was due and no socket was opened again at that time", None);
        let newer = facts.credential.filter(|_| case.young());
        opinion.add(newer.is_some(), -3.0, "the credential was far from running out", newer);
        Some(opinion)
    }
}
