//! Server reset: the server ended a user's sockets, and they came back.

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, MINUTE, SECOND};

/// See the module.
pub(super) struct ServerReset;

impl Cause for ServerReset {
    fn label(&self) -> Label {
        Label::ServerReset
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The server ended all sockets of one user (`remote_connections.disconnect`), and they came back.",
            kinds: &[("remote_disconnect", "by the application's own hand")],
            seen: "`Removing connection` for the user, then a new connection that is accepted.",
            against: "A refusal follows: then the session was revoked.",
            fix: "Nothing is broken if the application meant it; otherwise look for who calls `disconnect`.",
            sources: &["rails/rails `actioncable/lib/action_cable/remote_connections.rb`"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        if case.incident.trigger != Trigger::SocketRemoved {
            return None;
        }
        let mut opinion = Opinion::new(Label::ServerReset, "remote_disconnect");
        opinion.add(true, 2.0, "the server removed the user's sockets", Some(case.first()));
        let after = span(case.incident.end - case.incident.start);
        opinion.add(true, 1.0, format!("a new one was accepted {after} later"), case.incident.recovery);
        // An app that ends all sessions at a password change removes the sockets too, and the device that changed it comes back.
        let start = case.incident.start;
        let mut just_before = case.timeline.during(&(start - MINUTE..=start + 5 * SECOND));
        let changed = just_before.find(|place| matches!(case.item(*place).kind, Kind::Revoke));
        opinion.add(changed.is_some(), -2.5, "the user had just changed the password: that is why", changed);
        Some(opinion)
    }
}
