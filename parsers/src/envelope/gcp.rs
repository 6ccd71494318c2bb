//! Google Cloud Logging entries, one a line or printed as an array: `textPayload`, or `jsonPayload` with a `message` or fields of its own.
//!
//! Source: Google Cloud, `LogEntry` reference. Entries beyond 256 KiB are split.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct Gcp;

impl Envelope for Gcp {
    fn name(&self) -> &'static str {
        "gcp"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"insertId":"x","logName":"projects/p/logs/stdout","severity":"INFO","textPayload":"Started GET …","timestamp":"2026-11-16T06:03:52.068658Z"}"#,
            shows: "time to the nanosecond, revision or pod, level",
            hides: "process",
            source: "Google Cloud, LogEntry reference",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["textPayload", "jsonPayload"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"insertId\"") || !contains(line, b"\"logName\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let stamp = object.text("timestamp").and_then(time::any);
        let inner = match object.text("textPayload") {
            Some(text) => message(text),
            None => {
                let payload = object.raw("jsonPayload")?;
                let inside = Object::read(payload, arena)?;
                // A payload that is only words is the words; one with fields of a request is read with them.
                let words = inside.first(&["message", "msg", "log"]).filter(|_| inside.raw("status").is_none());
                words.map_or(payload, message)
            }
        };
        Some(Peeled {
            inner,
            stamp,
            instance: object.first(&["resource.labels.pod_name", "resource.labels.revision_name", "labels.instanceId"]),
            severe: object.text("severity").is_some_and(is_severe),
            ..Peeled::default()
        })
    }
}
