//! Android's `adb logcat`, forms `threadtime`, `time` and `brief` (the last is also what `flutter run` prints on Android).
//!
//! - threadtime: `11-16 06:10:00.043  8081  8115 I flutter : text`
//! - time: `11-16 06:10:00.043 I/flutter ( 8081): text`
//! - brief: `I/flutter ( 8036): text`
//!
//! Neither year nor zone; `-v year` and `-v zone` add them. The tag is padded, the numbers are right-aligned.
//! Sources: observed, and the forms in AOSP `liblog/logprint.cpp`.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::text::{leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct Logcat;

impl Envelope for Logcat {
    fn name(&self) -> &'static str {
        "logcat"
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        match line.first()? {
            b'V' | b'D' | b'I' | b'W' | b'E' | b'F' => brief(line),
            b'0'..=b'9' => {
                let (stamp, length) = time::month_day(line).or_else(|| time::iso(line))?;
                let rest = line[length..].strip_prefix(b" ")?.trim_ascii_start();
                let peeled = if rest.first()?.is_ascii_digit() { threadtime(rest)? } else { brief(rest)? };
                Some(Peeled { stamp: Some(stamp), ..peeled })
            }
            b'-' if line.starts_with(b"--------- beginning of ") => {
                Some(Peeled { inner: b"", client: true, program: true, ..Peeled::default() })
            }
            _ => None,
        }
    }
}

/// `8081  8115 I flutter : text`
fn threadtime(text: &[u8]) -> Option<Peeled<'_>> {
    let (process, digits) = leading_number(text)?;
    let rest = text[digits..].strip_prefix(b" ")?.trim_ascii_start();
    let (_thread, digits) = leading_number(rest)?;
    let [b' ', level, b' ', rest @ ..] = &rest[digits..] else { return None };
    if !matches!(level, b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'S') {
        return None;
    }
    let (tag, inner) = split_at_first(rest, b": ").or_else(|| Some((rest.strip_suffix(b":")?, &rest[..0])))?;
    Some(line_of(tag, inner, process, *level))
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
    Some(line_of(tag, inner.strip_prefix(b" ").unwrap_or(inner), process, *level))
}

fn line_of<'a>(tag: &[u8], inner: &'a [u8], process: u64, level: u8) -> Peeled<'a> {
    let _ = tag;
    Peeled { inner, process, severe: matches!(level, b'E' | b'F'), client: true, program: true, ..Peeled::default() }
}
