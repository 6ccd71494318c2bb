//! Credential attack: somebody tries passwords or tokens. Found for addresses, never for actors.

use super::case::Case;
use super::{Cause, Doc, Label, Opinion};

/// See the module.
pub(crate) struct CredentialAttack;

impl Cause for CredentialAttack {
    fn label(&self) -> Label {
        Label::CredentialAttack
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "Somebody tries passwords or tokens from an address that never had a session. Nobody was signed out by it.",
            kinds: &[
                ("guessing", "sign-ins, over one account or many"),
                ("foreign_token", "calls, refreshes or sockets with tokens that nobody issued"),
            ],
            seen: "Many failures and not one success from an address, more than a person would make.",
            against: "A success on that address; a few mistyped passwords.",
            fix: "Limit the rate (Rack::Attack, Rails' `rate_limit`) by address and account; watch, do not sign anybody out.",
            sources: &["OWASP: Credential Stuffing Prevention", "rack/rack-attack"],
        }
    }

    fn judge(&self, _: &Case<'_>) -> Option<Opinion> {
        None
    }
}
