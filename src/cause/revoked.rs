//! Revoked: somebody ended the session on purpose: a password change, an administrator, a limit of sessions.

use why401_parsers::record::Sense;

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::session::{Kind, Refresh};

/// See the module.
pub(super) struct Revoked;

impl Cause for Revoked {
    fn label(&self) -> Label {
        Label::Revoked
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The session was ended on purpose: a password change, an administrator, a limit of sessions per user.",
            kinds: &[
                ("password_change", "the password was changed, here or on another device"),
                ("session_limit", "a sign-in on another device ended this one: the app allows only so many sessions"),
                (
                    "admin_revocation",
                    "everything was refused at once, long before any credential ran out, and nothing in the log did it",
                ),
            ],
            seen: "From one moment on every channel is refused, the refresh too, at an age at which other credentials still work; \
                   a password change or a removal of the user's sockets stands before it.",
            against: "Only one channel is refused; the refresh still works; the user had signed out.",
            fix: "Nothing is broken: tell the user why (an error code of its own, a message on the sign-in page), and stop reconnecting.",
            sources: &["RFC 9700 §4.14", "rails/rails `remote_connections`"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        if !case.is_refusal() {
            return None;
        }
        let facts = &case.facts;
        let denied = facts
            .refreshes
            .iter()
            .copied()
            .find(|place| matches!(case.item(*place).kind, Kind::Refresh(Refresh::Refused(_))));
        let said = facts.sense.has(Sense::REVOKED) && !facts.sense.has(Sense::REUSED);
        if facts.http.is_empty() && facts.sockets.is_empty() && !(said && denied.is_some()) {
            return None;
        }
        let other_device = facts.newer_device.or(facts.elsewhere).filter(|_| facts.revocation.is_none());
        let kind = if facts.revocation.is_some() {
            "password_change"
        } else if other_device.is_some() {
            "session_limit"
        } else {
            "admin_revocation"
        };
        let mut opinion = Opinion::new(Label::Revoked, kind);
        if let Some((place, elsewhere)) = facts.revocation {
            let before = span(case.incident.start - case.item(place).time);
            let on = if elsewhere { " on another device" } else { "" };
            let what = if matches!(case.item(place).kind, Kind::Revoke) {
                "the password was changed (or sessions were revoked)"
            } else {
                "the server removed the user's sockets"
            };
            opinion.add(true, 2.6, format!("{what}{on} {before} before"), Some(place));
        }
        if let Some(place) = other_device {
            let before = span(case.incident.start - case.item(place).time);
            opinion.add(
                true,
                1.2,
                format!("the same user had signed in on another device {before} before"),
                Some(place),
            );
        }
        opinion.add(said, 2.2, "the app's own words call the token revoked", Some(case.first()));
        opinion.add(
            denied.is_some() && !facts.http.is_empty(),
            0.8,
            "calls and the refresh were refused alike",
            denied,
        );
        opinion.add(case.young(), 1.2, "the credential was far from running out", facts.credential);
        let wide = !facts.http.is_empty() && !facts.sockets.is_empty();
        opinion.add(wide, 0.5, "both channels were refused", facts.sockets.first().copied());
        opinion.add(
            !facts.accepted_beside.is_empty(),
            -2.2,
            "other calls of the same device went on being accepted",
            facts.accepted_beside.first().copied(),
        );
        opinion.add(facts.refreshed.is_some(), -2.5, "a refresh worked", facts.refreshed);
        opinion.add(facts.sense.has(Sense::REUSED), -2.0, "the app's own words speak of a token used twice", denied);
        opinion.add(
            facts.sense.has(Sense::EXPIRED),
            -1.5,
            "the app's own words call the token expired",
            Some(case.first()),
        );
        opinion.add(
            facts.sense.has(Sense::MISSING) || facts.sense.has(Sense::UNKNOWN),
            -1.0,
            "the app's own words give another reason",
            Some(case.first()),
        );
        opinion.add(facts.sign_out.is_some(), -2.5, "the user had signed out just before", facts.sign_out);
        opinion.add(denied.is_none() && facts.revocation.is_none(), -1.5, "no refresh was refused", None);
        Some(opinion)
    }
}
