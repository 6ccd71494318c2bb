//! What a watch says.

use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::diagnosis::Incident;

/// What changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// About an incident.
    Incident(Box<Event>),
    /// A source says nothing any more.
    Silent {
        /// Which.
        source: String,
        /// For how long.
        for_seconds: u64,
    },
    /// A silent source speaks again.
    Speaking {
        /// Which.
        source: String,
    },
    /// Something is wrong with an input.
    Message(String),
}

/// What became of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// It is there, and it is clear enough why.
    Opened,
    /// More is known of it.
    Updated,
    /// It is over.
    Closed,
}

/// An incident's news, as it is printed and sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What became of it.
    pub event: Stage,
    /// The same for all news of one incident, also in another watch of the same log.
    pub key: String,
    /// When it is said, RFC 3339.
    pub at: String,
    /// Why it is over: `recovered`, `quiet` (no sign of it any more), `retracted` (what came later shows that it was none).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The incident as it is known now.
    pub incident: Incident,
}

impl Event {
    pub(super) fn now(event: Stage, key: &str, reason: Option<&str>, incident: &Incident) -> Self {
        Self {
            event,
            key: key.to_owned(),
            at: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
            reason: reason.map(str::to_owned),
            incident: incident.clone(),
        }
    }
}
