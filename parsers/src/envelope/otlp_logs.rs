//! Log records in OTLP/JSON: `{"timeUnixNano":"1763273032068658000","severityText":"INFO","body":{"stringValue":"text"},…}`.
//!
//! Source: open-telemetry/opentelemetry-proto `opentelemetry/proto/logs/v1/logs.proto`.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe, message};
use crate::about::About;
use crate::json::Object;
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct OtlpLogs;

impl Envelope for OtlpLogs {
    fn name(&self) -> &'static str {
        "otlp-logs"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"timeUnixNano":"1763273032068658000","severityText":"INFO","body":{"stringValue":"Started GET …"}}"#,
            shows: "time to the nanosecond, level",
            hides: "process; what the resource's attributes say",
            source: "open-telemetry/opentelemetry-proto logs.proto",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["body", "body.stringValue"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"body\"") || !contains(line, b"UnixNano\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let inner = message(object.at("body.stringValue")?);
        let stamp = object.first(&["timeUnixNano", "observedTimeUnixNano"]).and_then(time::epoch);
        let severe = object.text("severityText").is_some_and(is_severe);
        Some(Peeled { inner, stamp, severe, ..Peeled::default() })
    }
}
