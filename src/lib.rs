//! Why were these people logged out? `why401` reads server logs and client traces, reconstructs each actor's session, and says
//! which cause explains every drop.
//!
//! ```text
//! source ─ lines ─▶ envelope ─▶ dialect ─▶ record ─▶ assemble ─▶ event
//!                                                                  │
//! report ◀─ diagnosis ◀─ classify ◀─ incident ◀─ detect ◀─ timeline ◀─ identify
//! ```
//!
//! The library needs no files:
//!
//! ```
//! use why401::{Config, Reading, diagnose};
//!
//! let log = b"I, [2026-11-16T06:03:52.068658 #72]  INFO -- : [5e908487-aaaa-4bbb-8ccc-0123456789ab] Started GET \"/api/feed\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000\n";
//! let mut reading = Reading::new(Config::default(), [7; 16]);
//! reading.read_bytes("production.log", log);
//! let diagnosis = diagnose(reading);
//! assert_eq!(diagnosis.summary.requests, 1);
//! ```

pub mod actor;
pub mod atomic;
pub mod batch;
pub mod cause;
pub mod command;
pub mod compare;
pub mod config;
pub mod diagnosis;
pub mod follow;
pub mod incident;
pub mod notify;
pub mod policy;
pub mod reading;
pub mod render;
mod report;
pub mod session;
pub mod simulate;
pub mod source;
mod spread;
pub mod state;
pub mod stats;
#[cfg(feature = "tables")]
pub mod tables;
pub mod threshold;
pub mod watch;

pub use config::Config;
pub use diagnosis::Diagnosis;
pub use reading::Reading;
pub use report::{diagnose, diagnose_timed, diagnose_with_policy, identity};
