//! `flutter run` on iOS, macOS and desktop: `flutter: text`. No time, no process. (On Android it prints logcat's brief form.)
//!
//! Source: flutter/flutter#96942, and observed.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::after;

/// See the module.
pub(super) struct FlutterRun;

impl Envelope for FlutterRun {
    fn name(&self) -> &'static str {
        "flutter-run"
    }

    fn about(&self) -> About {
        About {
            example: "flutter: *** Request ***",
            shows: "that a Flutter app wrote the line",
            hides: "time, process, level",
            source: "flutter/flutter#96942; observed",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'f'
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let inner = after(line, b"flutter:")?;
        let inner = inner.strip_prefix(b" ").unwrap_or(inner);
        Some(Peeled { inner, client: true, program: true, ..Peeled::default() })
    }
}
