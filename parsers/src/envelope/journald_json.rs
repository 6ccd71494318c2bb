//! `journalctl -o json`: every value is a string, but for a `MESSAGE` with colours or other bytes, which is an array of numbers.
//!
//! Source: systemd `src/shared/logs-show.c` (`output_json`), manual "Journal Export Formats".

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::Object;
use crate::json::elements;
use crate::text::contains;
use crate::text::leading_number;
use crate::time;

/// See the module.
pub(super) struct JournaldJson;

impl Envelope for JournaldJson {
    fn name(&self) -> &'static str {
        "journald-json"
    }

    fn about(&self) -> About {
        About {
            example: r#"{"__REALTIME_TIMESTAMP":"1763273032068658","_PID":"1234","PRIORITY":"6","MESSAGE":"Started GET …"}"#,
            shows: "time to the microsecond, host, process, level",
            hides: "messages that journald found too large (null); parts of long lines are joined where the file begins with a container's record",
            source: "systemd src/shared/logs-show.c (output_json)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'{'
    }

    fn fields(&self) -> &'static [&'static str] {
        &["MESSAGE"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if !contains(line, b"\"MESSAGE\"") || !contains(line, b"\"__REALTIME_TIMESTAMP\"") {
            return None;
        }
        let object = Object::read(line, arena)?;
        let stamp = object.first(&["_SOURCE_REALTIME_TIMESTAMP", "__REALTIME_TIMESTAMP"]).and_then(time::epoch);
        let number = |key: &str| object.text(key).and_then(leading_number).map(|(number, _)| number);
        let raw = object.raw("MESSAGE")?;
        let inner = if raw.starts_with(b"[") {
            let bytes = elements(raw).filter_map(|byte| u8::try_from(leading_number(byte)?.0).ok());
            &*arena.alloc_slice_fill_iter(bytes.collect::<Vec<u8>>())
        } else {
            object.text("MESSAGE").unwrap_or_default()
        };
        Some(Peeled {
            inner: message(inner),
            stamp,
            process: number("_PID").unwrap_or(0),
            instance: object.text("_HOSTNAME"),
            severe: number("PRIORITY").is_some_and(|priority| priority <= 3),
            ..Peeled::default()
        })
    }
}
