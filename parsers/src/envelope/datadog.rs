//! Datadog's log search API (`data[].attributes`) and archives (`_id`, `date`, `message`).
//!
//! Source: Datadog API reference, "Search logs"; manual, "Log Archives".

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct Datadog;

impl Envelope for Datadog {
    fn name(&self) -> &'static str {
        "datadog"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"_id":"a1","date":"2026-11-16T06:03:52.068Z","service":"api","host":"web1","status":"info","message":"Started GET …"}"#,
            shows: "time to the millisecond, host, level",
            hides: "process",
            source: "Datadog API reference, Search logs; Datadog manual, Log Archives",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["message", "attributes"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"status\"") || !contains(line, b"\"message\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let inside = object.object("attributes");
        let (entry, stamp) = if object.text("type") == Some(b"log") {
            let entry = inside?;
            let stamp = entry.text("timestamp").and_then(time::any);
            (entry, stamp)
        } else if object.has(&["_id", "date", "message"]) {
            let stamp = object.text("date").and_then(time::any);
            (object, stamp)
        } else {
            return None;
        };
        Some(Peeled {
            inner: message(entry.text("message")?),
            stamp: Some(stamp?),
            instance: entry.text("host"),
            severe: entry.text("status").is_some_and(is_severe),
            ..Peeled::default()
        })
    }
}
