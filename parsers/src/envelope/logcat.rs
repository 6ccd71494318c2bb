//! Android's `adb logcat` in all of its forms; `brief` is also what `flutter run` prints on Android.
//!
//! | `-v` | line |
//! | --- | --- |
//! | threadtime | `11-16 06:10:00.043  8081  8115 I flutter : text` |
//! | time | `11-16 06:10:00.043 I/flutter ( 8081): text` |
//! | brief | `I/flutter ( 8036): text` |
//! | tag | `I/flutter : text` |
//! | process | `I( 8081) text  (flutter)` |
//! | long | `[ 11-16 06:10:00.043  8081: 8115 I/flutter  ]`, the text on the lines below |
//! | epoch | `1763273400.043  8081  8115 I flutter : text` |
//!
//! Neither year nor zone; `-v year`, `-v zone`, `-v UTC` and `-v usec` add to them. The tag is padded, the numbers are
//! right-aligned. Android Studio's window writes `2026-11-16 06:10:00.043  8081-8115  flutter   com.example.app   I  text`, and wrote
//! `2026-11-16 06:10:00.043 8081-8115/com.example.app I/flutter: text` until 2022.
//! Sources: observed, and the forms in AOSP `liblog/logprint.cpp`.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::{contains, leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct Logcat;

impl Envelope for Logcat {
    fn name(&self) -> &'static str {
        "logcat"
    }

    fn about(&self) -> About {
        About {
            example: "11-16 06:10:00.043  8081  8115 I flutter : *** Request ***",
            shows: "time, process (a new one is a new start of the app), level",
            hides: "year and zone unless asked for; lines beyond some 1,000 characters are cut",
            source: "AOSP system/logging liblog/logprint.cpp; observed",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'S' | b'0'..=b'9' | b' ' | b'-' | b'[')
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        match line.first()? {
            b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'S' => {
                brief(line).or_else(|| process(line)).or_else(|| tag(line))
            }
            b'0'..=b'9' => dated(line),
            // The epoch is padded on the left.
            b' ' if line.trim_ascii_start().first().is_some_and(u8::is_ascii_digit) => dated(line.trim_ascii_start()),
            b'[' => {
                let head = line.strip_prefix(b"[ ")?.strip_suffix(b" ]")?;
                time::month_day(head).or_else(|| time::iso(head)).filter(|_| contains(head, b"/"))?;
                Some(Peeled { inner: b"", client: true, program: true, ..Peeled::default() })
            }
            b'-' if line.starts_with(b"--------- beginning of ") => {
                Some(Peeled { inner: b"", client: true, program: true, ..Peeled::default() })
            }
            _ => None,
        }
    }
}

/// What begins with a time.
fn dated(line: &[u8]) -> Option<Peeled<'_>> {
    let epoch = || {
        let length = line.iter().position(|b| *b == b' ').filter(|length| (12..=20).contains(length))?;
        (line[10] == b'.').then(|| Some((time::epoch(&line[..length])?, length)))?
    };
    let (stamp, length) = time::month_day(line).or_else(|| time::iso(line)).or_else(epoch)?;
    let rest = line[length..].strip_prefix(b" ")?.trim_ascii_start();
    let peeled = if rest.first()?.is_ascii_digit() { threadtime(rest).or_else(|| studio(rest))? } else { brief(rest)? };
    Some(Peeled { stamp: Some(stamp), ..peeled })
}

/// Android Studio's window: `8081-8115  flutter   com.example.app   I  text`, or `8081-8115/com.example.app I/flutter: text`.
fn studio(text: &[u8]) -> Option<Peeled<'_>> {
    let (process, digits) = leading_number(text)?;
    let rest = text[digits..].strip_prefix(b"-")?;
    let (_thread, digits) = leading_number(rest)?;
    let rest = &rest[digits..];
    if let Some(package) = rest.strip_prefix(b"/") {
        let (_, rest) = split_at_first(package, b" ")?;
        return Some(Peeled { process, ..tag(rest)? });
    }
    let rest = rest.strip_prefix(b" ")?.trim_ascii_start();
    // Tag and package are padded columns; the level stands alone between blanks.
    let at = rest.windows(4).position(|w| w[0] == b' ' && LEVELS.contains(&w[1]) && &w[2..] == b"  ")?;
    Some(line_of(&rest[at + 4..], process, rest[at + 1]))
}

/// `I( 8081) text  (flutter)`
fn process(text: &[u8]) -> Option<Peeled<'_>> {
    let [level, b'(', rest @ ..] = text else { return None };
    let (process, digits) = leading_number(rest.trim_ascii_start())?;
    let inner = rest.trim_ascii_start()[digits..].strip_prefix(b") ")?;
    let at = memchr::memmem::rfind(inner, b"  (").filter(|_| inner.ends_with(b")"))?;
    LEVELS.contains(level).then(|| line_of(&inner[..at], process, *level))
}

/// `I/flutter : text`
fn tag(text: &[u8]) -> Option<Peeled<'_>> {
    let [level, b'/', rest @ ..] = text else { return None };
    let (tag, inner) = split_at_first(rest, b": ")?;
    let plain = tag.len() <= 64 && !contains(tag, b"(") && !contains(tag.trim_ascii(), b"/");
    (LEVELS.contains(level) && plain).then(|| line_of(inner, 0, *level))
}

const LEVELS: &[u8] = b"VDIWEFS";

/// `8081  8115 I flutter : text`
fn threadtime(text: &[u8]) -> Option<Peeled<'_>> {
    let (process, digits) = leading_number(text)?;
    let rest = text[digits..].strip_prefix(b" ")?.trim_ascii_start();
    let (_thread, digits) = leading_number(rest)?;
    let [b' ', level, b' ', rest @ ..] = &rest[digits..] else { return None };
    if !LEVELS.contains(level) {
        return None;
    }
    let (_tag, inner) = split_at_first(rest, b": ").or_else(|| Some((rest.strip_suffix(b":")?, &rest[..0])))?;
    Some(line_of(inner, process, *level))
}

/// `I/flutter ( 8036): text`
fn brief(text: &[u8]) -> Option<Peeled<'_>> {
    let [level @ (b'V' | b'D' | b'I' | b'W' | b'E' | b'F'), b'/', rest @ ..] = text else { return None };
    let (tag, rest) = split_at_first(rest, b"(")?;
    if tag.len() > 64 {
        return None;
    }
    let rest = rest.trim_ascii_start();
    let (process, digits) = leading_number(rest)?;
    let inner = rest[digits..].strip_prefix(b"):")?;
    Some(line_of(inner.strip_prefix(b" ").unwrap_or(inner), process, *level))
}

fn line_of(inner: &[u8], process: u64, level: u8) -> Peeled<'_> {
    Peeled { inner, process, severe: matches!(level, b'E' | b'F'), client: true, program: true, ..Peeled::default() }
}
