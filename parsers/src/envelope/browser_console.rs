//! A browser's console as it is copied or saved: the place in the code before the text (`js_primitives.dart:28 text`,
//! `main.dart.js:1234 text`), which Chrome's "Save as…" also writes.
//!
//! Source: Chromium DevTools front end `panels/console/ConsoleViewMessage.ts`; observed.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::first_word;

/// See the module.
pub(super) struct BrowserConsole;

impl Envelope for BrowserConsole {
    fn name(&self) -> &'static str {
        "browser-console"
    }

    fn about(&self) -> About {
        About {
            example: "js_primitives.dart:28 *** Request ***",
            shows: "which script wrote the line",
            hides: "time, level",
            source: "Chromium DevTools panels/console/ConsoleViewMessage.ts",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_alphabetic()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let place = first_word(&line[..line.len().min(80)]);
        let at = memchr::memrchr(b':', place)?;
        let (file, number) = (&place[..at], &place[at + 1..]);
        let script = file.ends_with(b".dart") || file.ends_with(b".js") || file.ends_with(b".ts");
        if !script || number.is_empty() || !number.iter().all(u8::is_ascii_digit) || place.len() == line.len() {
            return None;
        }
        let inner = &line[place.len() + 1..];
        Some(Peeled { inner, client: true, program: true, ..Peeled::default() })
    }
}
