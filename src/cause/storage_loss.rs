//! Storage loss: the client could not read what it had stored, or it was gone.

use why401_parsers::record::Sense;

use super::case::{Case, span};
use super::{Cause, Doc, Label, Opinion};
use crate::incident::Trigger;
use crate::session::{Kind, MINUTE};

/// See the module.
pub(super) struct StorageLoss;

/// Who signs in again within this time (microseconds) was not let in the first time, or pressed twice.
const RETRY: i64 = MINUTE;

impl Cause for StorageLoss {
    fn label(&self) -> Label {
        Label::StorageLoss
    }

    fn doc(&self) -> &'static Doc {
        &Doc {
            what: "The device could not read the stored credentials, or they were gone.",
            kinds: &[
                ("unreadable", "the key store refused: after a restore, an update, on some devices at random"),
                ("locked_device", "read while the iPhone was locked (-25308); the value is still there"),
                ("cleared", "a new install or cleared data: the app starts with nothing"),
            ],
            seen: "A storage exception, or calls without a token and a sign-in, with no refusal before and a credential that was still good.",
            against: "A sign-out or a 401 of a presented token came before.",
            fix: "Catch the exception, delete the unreadable key, sign in once (`resetOnError`, no backup of the encrypted file); on iOS use \
                  `first_unlock` accessibility, and never take a failed read for a sign-out.",
            sources: &["juliansteenbakker/flutter_secure_storage#210", "juliansteenbakker/flutter_secure_storage#743"],
        }
    }

    fn judge(&self, case: &Case<'_>) -> Option<Opinion> {
        let facts = &case.facts;
        let before = case.incident.start - 10 * MINUTE..=case.incident.end;
        let after_start = case.find(before, |kind| matches!(kind, Kind::NoSession));
        if case.incident.trigger == Trigger::SignInAgain {
            let mut opinion = Opinion::new(Label::StorageLoss, "cleared");
            opinion.add(
                true,
                1.6,
                "the user signed in again with no sign-out and no refusal before",
                Some(case.first()),
            );
            opinion.add(after_start.is_some(), 2.0, "the app started and found nothing stored", after_start);
            let by_sign_in = facts.credential.is_some_and(|place| matches!(case.item(place).kind, Kind::SignIn));
            let retried = by_sign_in && facts.age.is_some_and(|age| age < RETRY);
            opinion.add(
                retried,
                -2.5,
                "the user had signed in a moment before: a try again, not a loss",
                facts.credential,
            );
            if let Some(age) = facts.age {
                opinion.add(
                    case.young() || !case.ripe(),
                    0.6,
                    format!("the credential was {} old and still good", span(age)),
                    facts.credential,
                );
                opinion.add(case.ripe(), -1.5, "the credential had reached its lifetime", facts.credential);
            }
            opinion.add(facts.storage.is_some(), 2.0, "the store of secrets had failed", facts.storage);
            opinion.add(
                facts.unused.is_some() && after_start.is_none(),
                -2.5,
                "a refresh just before gave a token, and nothing was called with it",
                facts.unused,
            );
            opinion.add(
                facts.nameless_failure && after_start.is_none(),
                -2.5,
                "a refresh that names nobody failed between the last call and the sign-in",
                None,
            );
            opinion.add(
                !case.world.renews && after_start.is_none() && facts.storage.is_none(),
                -2.5,
                "nobody ever refreshes here: to sign in again is how sessions begin",
                Some(case.first()),
            );
            if !case.timeline.has_client {
                opinion
                    .missing
                    .push("the client's trace: a new install, a cleared store, or a sign-out without a call?".into());
            }
            return Some(opinion);
        }
        if !case.is_refusal() {
            return None;
        }
        // A refresh that ended before the first refusal is what the session had been, not an answer to it.
        let tried = facts.refreshes.iter().any(|place| case.item(*place).time >= case.incident.start);
        if facts.storage.is_none() && (tried || !facts.sockets.is_empty() || facts.http.is_empty()) {
            return None;
        }
        // A refusal alone says nothing of the device's store.
        if facts.storage.is_none() && facts.signed_in.is_none() && !facts.sense.has(Sense::MISSING) {
            return None;
        }
        let locked = facts.storage.is_some_and(|place| matches!(case.item(place).kind, Kind::Storage { locked: true }));
        let mut opinion = Opinion::new(Label::StorageLoss, if locked { "locked_device" } else { "unreadable" });
        opinion.add(facts.storage.is_some(), 3.2, "the device could not read its store of secrets", facts.storage);
        opinion.add(
            facts.sense.has(Sense::MISSING),
            2.2,
            "the app's own words say that no token was sent",
            Some(case.first()),
        );
        opinion.add(
            !tried && facts.signed_in.is_some(),
            0.8,
            "no refresh was tried; the user signed in again",
            facts.signed_in,
        );
        opinion.add(case.young(), 1.2, "the credential was far from running out", facts.credential);
        opinion.add(case.ripe(), -2.0, "the credential had reached its lifetime", facts.credential);
        opinion.add(
            facts.sense.has(Sense::EXPIRED) || facts.sense.has(Sense::REVOKED) || facts.sense.has(Sense::UNKNOWN),
            -3.0,
            "the app's own words say that a token was sent",
            Some(case.first()),
        );
        opinion.add(
            !facts.sockets.is_empty() && facts.storage.is_none(),
            -1.0,
            "the socket was refused too",
            facts.sockets.first().copied(),
        );
        opinion.add(facts.sign_out.is_some(), -3.0, "the user had signed out just before", facts.sign_out);
        opinion.add(
            facts.revocation.is_some(),
            -2.0,
            "sessions were revoked just before",
            facts.revocation.map(|(p, _)| p),
        );
        opinion.add(
            !facts.accepted_beside.is_empty(),
            -1.5,
            "other calls went on being accepted",
            facts.accepted_beside.first().copied(),
        );
        opinion.add(
            facts.accepted_later.is_some() && facts.storage.is_none(),
            -1.5,
            "later calls were accepted with no new credential",
            facts.accepted_later,
        );
        opinion.add(
            !case.world.renews && facts.storage.is_none(),
            -2.0,
            "nobody ever refreshes here: clients that send no token are common",
            Some(case.first()),
        );
        if facts.storage.is_none() {
            opinion.missing.push("the client's trace, to see whether its store failed".into());
        }
        Some(opinion)
    }
}
