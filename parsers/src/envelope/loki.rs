//! Loki's own JSON: `logcli -o jsonl` (`{"labels":{…},"line":"text","timestamp":"…"}`) and the pairs of its query API
//! (`["1763273032068658123","text"]`).
//!
//! Source: grafana/loki `pkg/logcli/output/jsonl.go`; manual, "Loki HTTP API".

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::{Object, elements, text_of};
use crate::text::contains;
use crate::time;

/// See the module.
pub(super) struct Loki;

impl Envelope for Loki {
    fn name(&self) -> &'static str {
        "loki"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"labels":{"app":"web"},"line":"Started GET …","timestamp":"2026-11-16T06:03:52.068658123Z"}"#,
            shows: "time to the nanosecond, labels",
            hides: "process, level",
            source: "grafana/loki pkg/logcli/output/jsonl.go; Loki HTTP API",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'{' | b'[')
    }

    fn fields(&self) -> &'static [&'static str] {
        &["line"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if let [b'[', b'"', digits @ ..] = line {
            let digits = &digits[..digits.len().min(20)];
            if digits.len() < 20 || !digits[..19].iter().all(u8::is_ascii_digit) || digits[19] != b'"' {
                return None;
            }
            let mut pair = elements(line).filter_map(|text| text_of(text, arena));
            let stamp = time::epoch(pair.next()?);
            return Some(Peeled { inner: message(pair.next()?), stamp, ..Peeled::default() });
        }
        if !contains(line, b"\"line\"") || !contains(line, b"\"labels\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let stamp = object.text("timestamp").and_then(time::any);
        let instance = object.first(&["labels.pod", "labels.instance", "labels.host"]);
        Some(Peeled { inner: message(object.text("line")?), stamp, instance, ..Peeled::default() })
    }
}
