//! Why: each cause looks at an incident and says what speaks for it and against it, with weights.
//!
//! One cause, one file: what it is, what must be seen, what speaks against it, how to fix it. A new cause is a new file and a
//! line in [`CAUSES`].

pub mod case;
mod clock_skew;
pub(crate) mod credential_attack;
mod due;
pub mod fix;
mod lifetime_expiry;
mod logout;
mod network_loss;
mod refresh_failure;
mod revoked;
pub mod score;
mod server_reset;
pub(crate) mod server_restart;
mod stale_token;
mod storage_loss;

use case::Case;

/// The label of a cause, as in the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// See [`crate::cause`]'s file of the same name, as for all labels.
    StaleToken,
    /// A refresh that did not give a usable credential.
    RefreshFailure,
    /// A credential that ran out.
    LifetimeExpiry,
    /// The server restarted.
    ServerRestart,
    /// The server ended a user's sockets.
    ServerReset,
    /// The network was gone.
    NetworkLoss,
    /// The user signed out.
    Logout,
    /// The session was revoked.
    Revoked,
    /// Somebody tries credentials.
    CredentialAttack,
    /// A clock is wrong.
    ClockSkew,
    /// The device lost what it had stored.
    StorageLoss,
    /// The evidence is not enough.
    Inconclusive,
}

impl Label {
    /// As written in reports and flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::StaleToken => "stale_token",
            Self::RefreshFailure => "refresh_failure",
            Self::LifetimeExpiry => "lifetime_expiry",
            Self::ServerRestart => "server_restart",
            Self::ServerReset => "server_reset",
            Self::NetworkLoss => "network_loss",
            Self::Logout => "logout",
            Self::Revoked => "revoked",
            Self::CredentialAttack => "credential_attack",
            Self::ClockSkew => "clock_skew",
            Self::StorageLoss => "storage_loss",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// In words, as the subject of a sentence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::StaleToken => "stale token",
            Self::RefreshFailure => "refresh failure",
            Self::LifetimeExpiry => "lifetime expiry",
            Self::ServerRestart => "server restart",
            Self::ServerReset => "sockets reset by the server",
            Self::NetworkLoss => "network loss",
            Self::Logout => "sign-out by the user",
            Self::Revoked => "session revoked",
            Self::CredentialAttack => "credential attack",
            Self::ClockSkew => "clock skew",
            Self::StorageLoss => "storage loss on the device",
            Self::Inconclusive => "not enough evidence",
        }
    }
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is said of a cause: `why401 explain`.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// What it is.
    pub what: &'static str,
    /// Its kinds, each with a line.
    pub kinds: &'static [(&'static str, &'static str)],
    /// How it is recognised.
    pub seen: &'static str,
    /// What speaks against it.
    pub against: &'static str,
    /// How to fix it.
    pub fix: &'static str,
    /// Where this is known from.
    pub sources: &'static [&'static str],
}

/// A piece of evidence: a weight, a reason, and the item that shows it.
#[derive(Clone, Debug)]
pub struct Reason {
    /// How much it says, in nats of log-odds; negative speaks against.
    pub weight: f64,
    /// In words.
    pub text: String,
    /// The place on the timeline that shows it, if one does.
    pub item: Option<usize>,
}

/// What a cause thinks of an incident.
#[derive(Clone, Debug)]
pub struct Opinion {
    /// Which cause.
    pub label: Label,
    /// Which kind of it.
    pub kind: &'static str,
    /// Why, for and against.
    pub reasons: Vec<Reason>,
    /// What would decide, and is not there.
    pub missing: Vec<String>,
}

impl Opinion {
    /// With nothing said yet.
    #[must_use]
    pub const fn new(label: Label, kind: &'static str) -> Self {
        Self { label, kind, reasons: Vec::new(), missing: Vec::new() }
    }

    /// Adds evidence where there is some.
    pub fn add(&mut self, condition: bool, weight: f64, text: impl Into<String>, item: Option<usize>) -> &mut Self {
        if condition {
            self.reasons.push(Reason { weight, text: text.into(), item });
        }
        self
    }

    /// The sum of the evidence.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.reasons.iter().map(|reason| reason.weight).sum()
    }
}

/// One cause.
pub trait Cause: Sync {
    /// Its label.
    fn label(&self) -> Label;
    /// What is said of it.
    fn doc(&self) -> &'static Doc;
    /// What it thinks of an incident; `None` if what must be seen is not there.
    fn judge(&self, case: &Case<'_>) -> Option<Opinion>;
}

/// All causes.
pub static CAUSES: &[&dyn Cause] = &[
    &stale_token::StaleToken,
    &refresh_failure::RefreshFailure,
    &lifetime_expiry::LifetimeExpiry,
    &server_restart::ServerRestart,
    &server_reset::ServerReset,
    &network_loss::NetworkLoss,
    &logout::Logout,
    &revoked::Revoked,
    &credential_attack::CredentialAttack,
    &clock_skew::ClockSkew,
    &storage_loss::StorageLoss,
];
