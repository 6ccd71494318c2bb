//! What drawings need: counts over time, ages of credentials, the credential behind a moment.

use serde::{Deserialize, Serialize};

/// Counts over the whole window, in bins of equal length. Each list has one count a bin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Series {
    /// When the first bin begins, RFC 3339; null if nothing has a time.
    pub from: Option<String>,
    /// How long a bin is.
    pub bin_seconds: i64,
    /// HTTP requests begun.
    pub requests: Vec<u64>,
    /// Answers with status 401.
    pub unauthorized: Vec<u64>,
    /// Refreshes that gave a credential.
    pub refreshed: Vec<u64>,
    /// Refreshes that gave none.
    pub refresh_failures: Vec<u64>,
    /// WebSocket upgrades that succeeded.
    pub cable_connects: Vec<u64>,
    /// WebSockets that the app refused.
    pub cable_rejects: Vec<u64>,
    /// Restarts of the server.
    pub restarts: Vec<Restart>,
}

/// A restart of the server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Restart {
    /// When it began, RFC 3339.
    pub time: String,
    /// It stopped in order, as for a deploy.
    pub orderly: bool,
}

/// How old people's newest credential was when something was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct AgeBin {
    /// From this age on, in seconds.
    pub from_seconds: i64,
    /// Up to this age.
    pub until_seconds: i64,
    /// Credentials whose first 401 came at such an age.
    pub refused: u64,
    /// Credentials whose first refused socket came at such an age. A socket that is refused long before a credential's end
    /// presents another one.
    pub sockets_refused: u64,
    /// Credentials that were never refused, by the age at their last accepted use.
    pub accepted: u64,
}

/// A credential, as far as logs show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Credential {
    /// Its number among those of the device, from 1; 0 is one from before the log.
    pub number: u64,
    /// When it was issued, RFC 3339; null if the log does not show it.
    pub issued: Option<String>,
    /// When it runs out, by the lifetime that was inferred; null where none is known.
    pub expires: Option<String>,
}
