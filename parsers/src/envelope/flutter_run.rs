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

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        let inner = after(line, b"flutter:")?;
        let inner = inner.strip_prefix(b" ").unwrap_or(inner);
        Some(Peeled { inner: without_written_colours(inner, arena), client: true, program: true, ..Peeled::default() })
    }
}

/// iOS writes the escape character of a colour out: `\^[[38;5;12mtext\^[[0m`.
fn without_written_colours<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    const ESCAPE: &[u8] = b"\\^[[";
    let mut rest = text;
    let mut out = bumpalo::collections::Vec::new_in(arena);
    while let Some(at) = memchr::memmem::find(rest, ESCAPE) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + ESCAPE.len()..];
        let end = rest.iter().position(|b| (0x40..=0x7e).contains(b));
        rest = end.map_or(&[][..], |end| &rest[end + 1..]);
    }
    if rest.len() == text.len() {
        return text;
    }
    out.extend_from_slice(rest);
    out.into_bump_slice()
}
