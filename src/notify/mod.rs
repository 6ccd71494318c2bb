//! What a watch finds, handed on: to a URL or to a command, by a thread of its own, so that a slow receiver never stops reading.
//!
//! A message is on the disk before it is sent (with a spool), and leaves it when the receiver has taken it. A receiver may get one
//! twice, when it dies or a watch is killed just then: it tells by the message's id, or by the incident's key.

#[cfg(feature = "notify")]
mod body;
mod exec;
mod form;
#[cfg(feature = "notify")]
mod http;
mod outbox;
mod spool;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use exec::Exec;
pub(crate) use form::whom;
pub use form::{Format, headline};
#[cfg(feature = "notify")]
pub use http::{Authority, Http};
pub use outbox::{Outbox, Patience};
pub use spool::Spool;

use crate::watch::Event;

/// Something to hand on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Message {
    /// Counts on from one to the next.
    pub number: u64,
    /// What happened.
    pub event: Event,
}

impl Message {
    /// The same whenever it is sent again.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}-{:?}-{}", self.event.key, self.event.event, self.event.at)
    }
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// It may be taken later.
    #[error("{why}")]
    Later {
        /// Why it was not taken now.
        why: String,
        /// For how long the receiver wants to be left alone, if it says.
        not_before: Option<Duration>,
    },
    /// It will never be.
    #[error("{0}")]
    Never(String),
}

impl Failure {
    /// It may be taken later, nobody says when.
    fn later(why: impl ToString) -> Self {
        Self::Later { why: why.to_string(), not_before: None }
    }
}

/// Somebody who takes messages.
pub trait Receiver: Send {
    /// Hands a message over, within a fixed time.
    ///
    /// # Errors
    /// Why it was not taken.
    fn take(&self, message: &Message) -> Result<(), Failure>;

    /// What it is called in words. It holds no secret.
    fn name(&self) -> &str;
}
