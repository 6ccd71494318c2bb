//! Fluentd's file output: time, tag and record with tabs between: `2026-11-16T06:03:52+00:00<TAB>app.web<TAB>{"log":"text"}`.
//!
//! Source: fluent/fluentd `lib/fluent/plugin/formatter_out_file.rb`.

use bumpalo::Bump;

use super::{Envelope, Peeled, message};
use crate::about::About;
use crate::json::Object;
use crate::time;

/// See the module.
pub(super) struct Fluentd;

impl Envelope for Fluentd {
    fn name(&self) -> &'static str {
        "fluentd"
    }

    fn about(&self) -> About {
        About {
            example: r#"2026-11-16T06:03:52+00:00	app.web	{"log":"Started GET …","stream":"stdout"}"#,
            shows: "time with zone, tag",
            hides: "nothing of its own; parts of long lines are joined where the file begins with a container's record",
            source: "fluent/fluentd lib/fluent/plugin/formatter_out_file.rb",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].strip_prefix(b"\t")?;
        let tab = memchr::memchr(b'\t', rest)?;
        let record = rest[tab + 1..].trim_ascii();
        let object = Object::read(record, arena)?;
        let (stamp, _) = time::iso(line)?;
        let inner = object.first(&["log", "message", "msg"]).map_or(record, message);
        Some(Peeled { inner, stamp: Some(stamp), instance: Some(&rest[..tab]), ..Peeled::default() })
    }
}
