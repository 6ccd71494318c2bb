//! Streaming parsers of `why401`: bytes of server logs and client traces in, events out.
//!
//! ```text
//! chunk ─ line ─▶ envelope ─▶ dialect ─▶ record ─▶ assemble ─▶ event
//! ```
//!
//! What this crate promises:
//!
//! * **No I/O, no threads, no clock.** Bytes come from the caller; times without a zone or year stay so.
//! * **A line is read by itself.** [`detect::parse_chunk`] keeps nothing between lines, so a source may be cut into chunks
//!   anywhere between lines, and parsed in any order on any thread. What its head tells of all of it is a [`writer::Manner`].
//! * **Secrets die here.** A token leaves as a [`secret::Fingerprint`], never as text.
//! * **No panic is reachable from input**, and every line is accounted for in a [`detect::Balance`].

pub mod about;
pub mod assemble;
mod bundle;
pub mod detect;
pub mod dialect;
pub mod envelope;
pub mod event;
mod gather;
mod json;
mod layout;
pub mod line;
pub mod newest_first;
mod parts;
pub mod pattern;
mod quick;
mod recent;
pub mod record;
mod release;
pub mod secret;
mod shape;
pub mod tagging;
pub mod text;
pub mod time;
pub mod writer;
