//! Docker's json-file driver: `{"log":"text\n","stream":"stdout","time":"2026-11-16T06:03:52.068658123Z"}`. Lines beyond 16 KiB come in
//! parts, which [`crate::parts`] joins.
//!
//! Source: moby/moby `daemon/logger/jsonfilelog/jsonlog`.

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct DockerJson;

impl Envelope for DockerJson {
    fn name(&self) -> &'static str {
        "docker-json"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"log":"Started GET …\n","stream":"stdout","time":"2026-11-16T06:03:52.068658123Z"}"#,
            shows: "time to the nanosecond",
            hides: "process, level; lines beyond 16 KiB come in parts, which are joined where the file begins like this",
            source: "moby/moby daemon/logger/jsonfilelog/jsonlog",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["log"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"log\"") || !contains(line, b"\"stream\"") || !contains(line, b"\"time\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        if object.raw("date").is_some() || object.raw("kubernetes").is_some() {
            return None;
        }
        let stamp = time::any(object.text("time")?)?;
        Some(Peeled { inner: message(object.text("log")?), stamp: Some(stamp), ..Peeled::default() })
    }
}
