//! A time and nothing else that is known before the text: `docker logs -t`, `kubectl logs --timestamps`, CloudWatch's exports to S3,
//! `aws logs tail --format short`, Render's dashboard export, Railway, and hand-made formatters that write a level behind it
//! (`2026-11-16 06:03:52 INFO text`, `[2026-11-16 06:03:52] ERROR -- : text`, `2026-11-16T06:03:52Z | WARN | text`,
//! `[2026-11-16 06:03:52 #7872] INFO: text`).
//!
//! Sources: moby/moby `daemon/logger/jsonfilelog`; AWS manual, "Export log data to Amazon S3"; observed in public logs.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe};
use crate::about::About;
use crate::text::leading_number;
use crate::time;

/// See the module.
pub(super) struct Timestamp;

impl Envelope for Timestamp {
    fn name(&self) -> &'static str {
        "timestamp"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52.068658123Z Started GET …",
            shows: "time, level where a word for it follows",
            hides: "process; zone unless written",
            source: "docker and kubectl manuals (--timestamps); AWS manual, Export log data to Amazon S3",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit() || first == b'['
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let bracket = line.first() == Some(&b'[');
        let text = if bracket { &line[1..] } else { line };
        let end = time::iso_end(text)?;
        let rest = &text[end..];
        // `[2026-11-16 06:03:52 #7872]`: the process, as in Ruby's own frame.
        let process = if bracket { process(rest.trim_ascii_start()) } else { None };
        let (process, rest) = process.unwrap_or((0, rest));
        let rest = if bracket { rest.strip_prefix(b"]")? } else { rest };
        if !rest.is_empty() && !matches!(rest[0], b' ' | b'\t' | b',' | b'|') {
            return None;
        }
        let (level, inner) = level(rest.trim_ascii_start());
        // `[2026-11-16T07:15:23] text` without a level is an app's own time: see `app-time`.
        if bracket && level.is_empty() && process == 0 {
            return None;
        }
        let (stamp, _) = time::iso(text)?;
        let severe = is_severe(level);
        Some(Peeled { inner, stamp: Some(stamp), process, severe, program: process != 0, ..Peeled::default() })
    }
}

/// `#7872`, and the text behind it.
fn process(text: &[u8]) -> Option<(u64, &[u8])> {
    let text = text.strip_prefix(b"#")?;
    let (process, digits) = leading_number(text)?;
    Some((process, &text[digits..]))
}

/// A word for a level in front of the text, in any of the usual fences, and the text behind it. No word: all of the text.
fn level(text: &[u8]) -> (&[u8], &[u8]) {
    const LEVELS: &[&[u8]] = &[
        b"TRACE",
        b"DEBUG",
        b"INFO",
        b"NOTICE",
        b"WARN",
        b"WARNING",
        b"ERROR",
        b"FATAL",
        b"CRITICAL",
        b"UNKNOWN",
        b"ANY",
        b"DBG",
        b"INF",
        b"WRN",
        b"ERR",
        b"FTL",
    ];
    let fence = |b: &u8| matches!(b, b' ' | b'[' | b']' | b'(' | b')' | b'|' | b':' | b'-' | b',' | b'\t');
    let start = text.iter().take(4).position(|b| !fence(b)).unwrap_or(0);
    let length = text[start..].iter().take(9).take_while(|b| b.is_ascii_alphabetic()).count();
    let word = &text[start..start + length];
    if !LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
        || !text[start + length..].first().is_some_and(fence)
    {
        return (b"", text);
    }
    // What fences the word off goes with it, but no tag that follows: `INFO [5e908487-…] text`.
    let mut rest = &text[start + length..];
    rest = rest.strip_prefix(b"]").or_else(|| rest.strip_prefix(b")")).unwrap_or(rest);
    rest = rest.trim_ascii_start();
    for mark in [&b"-- : "[..], b"-- ", b"- ", b"| ", b": "] {
        if let Some(after) = rest.strip_prefix(mark) {
            rest = after;
            break;
        }
    }
    (word, rest)
}
