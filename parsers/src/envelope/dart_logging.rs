//! Dart's `logging` as its read-me prints it: `INFO: 2026-11-16 06:10:00.043123: text`. Local time, `Z` where it is UTC.
//!
//! Source: dart-lang/core `pkgs/logging/README.md`.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::time;

/// Its name.
pub(super) const NAME: &str = "dart-logging";

/// See the module.
pub(super) struct DartLogging;

impl Envelope for DartLogging {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            example: "WARNING: 2026-11-16 06:10:00.043123: token refresh failed: 401",
            shows: "time, level",
            hides: "zone, process",
            source: "dart-lang/core pkgs/logging/README.md",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_uppercase()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        const LEVELS: &[&[u8]] = &[b"FINEST", b"FINER", b"FINE", b"CONFIG", b"INFO", b"WARNING", b"SEVERE", b"SHOUT"];
        let level = &line[..line.iter().take(8).position(|b| *b == b':')?];
        if !LEVELS.contains(&level) {
            return None;
        }
        let rest = line[level.len() + 1..].strip_prefix(b" ")?;
        let (stamp, length) = time::iso(rest)?;
        let inner = after_blank(rest[length..].strip_prefix(b":")?);
        let severe = matches!(level, b"SEVERE" | b"SHOUT");
        Some(Peeled { inner, stamp: Some(stamp), severe, client: true, program: true, ..Peeled::default() })
    }
}
