//! The boxes that Dart's `logger` and talker draw around each message, and `logger`'s one-line printer:
//!
//! - `┌────…`, `│ 💡 text`, `├┄┄┄┄…`, `└────…`
//! - `[I]  text`, `[E] TIME: 2026-11-16T06:10:00.043123 text`
//!
//! Source: SourceHorizon/logger `lib/src/printers/pretty_printer.dart`, `simple_printer.dart`; Frezyx/talker
//! `packages/talker_logger/lib/src/formatter`. The level is an emoji or a colour only.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct LoggerBox;

impl Envelope for LoggerBox {
    fn name(&self) -> &'static str {
        "logger-box"
    }

    fn about(&self) -> About {
        About {
            example: "│ 💡 token refreshed",
            shows: "level, by its emoji",
            hides: "time unless switched on, process",
            source: "SourceHorizon/logger lib/src/printers; Frezyx/talker packages/talker_logger",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == 0xe2 || first == b'['
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let framed = |inner: &'a [u8], severe: bool| {
            Some(Peeled { inner, severe, client: true, program: true, ..Peeled::default() })
        };
        if let [b'[', level @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F' | b'V'), b']', b' ', rest @ ..] = line {
            let rest = after_blank(rest);
            let timed = rest.strip_prefix(b"TIME: ").and_then(|rest| Some((time::iso(rest)?, rest)));
            let Some(((stamp, length), rest)) = timed else { return framed(rest, matches!(level, b'E' | b'F')) };
            let peeled = framed(after_blank(&rest[length..]), matches!(level, b'E' | b'F'))?;
            return Some(Peeled { stamp: Some(stamp), ..peeled });
        }
        // Box characters share their first two bytes: ┌ ├ └ ─ ┄ and │.
        if !line.starts_with(&[0xe2, 0x94]) {
            return None;
        }
        let Some(rest) = line.strip_prefix("│".as_bytes()) else {
            let drawn = ["┌", "├", "└"].iter().any(|corner| line.starts_with(corner.as_bytes()));
            return drawn.then(|| framed(b"", false)).flatten();
        };
        let rest = after_blank(rest);
        for (emoji, severe) in LEVELS {
            if let Some(inner) = rest.strip_prefix(emoji.as_bytes()) {
                return framed(after_blank(inner), *severe);
            }
        }
        framed(rest, false)
    }
}

/// 2.x and 1.x; the variation selector of the warning sign may be missing.
const LEVELS: &[(&str, bool)] =
    &[("🐛", false), ("💡", false), ("⚠️", false), ("⚠", false), ("⛔", true), ("👾", true)];
