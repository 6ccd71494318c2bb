//! An app's own `[2026-11-16T07:15:23.521540] text`: what people write in `logPrint:` and `debugPrint`. Local time, no zone,
//! three or six digits, fewer where they end in zeros (Dart's `toIso8601String`).

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// Its name.
pub(super) const NAME: &str = "app-time";

/// See the module.
pub(super) struct AppTime;

impl Envelope for AppTime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            example: "[2026-11-16T07:15:23.521540] [Auth] token refreshed",
            shows: "the app's own time of each line",
            hides: "zone, process",
            source: "convention of Flutter apps (Dart's toIso8601String); observed",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'['
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let rest = line.strip_prefix(b"[")?;
        let (stamp, length) = time::iso(rest)?;
        let inner = rest[length..].strip_prefix(b"]")?;
        let inner = inner.strip_prefix(b" ").unwrap_or(inner);
        Some(Peeled { inner, stamp: Some(stamp), program: true, ..Peeled::default() })
    }
}
