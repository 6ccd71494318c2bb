//! Vector's JSON: `{"message":"text","timestamp":"…Z","host":"web1","source_type":"docker_logs",…}`.
//!
//! Source: vectordotdev/vector, manual "Log events" (`source_type` is on every event).

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct Vector;

impl Envelope for Vector {
    fn name(&self) -> &'static str {
        "vector"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"host":"web1","message":"Started GET …","source_type":"docker_logs","timestamp":"2026-11-16T06:03:52.068658Z"}"#,
            shows: "time, host, container or pod",
            hides: "process, level",
            source: "vectordotdev/vector manual, Log events",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["message"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"source_type\"") || !contains(line, b"\"message\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let stamp = object.text("timestamp").and_then(time::any);
        let instance = object.first(&["kubernetes.pod_name", "container_name", "host"]);
        Some(Peeled { inner: message(object.text("message")?), stamp, instance, ..Peeled::default() })
    }
}
