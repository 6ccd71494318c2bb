//! Exports as CSV, with the time in the first column and the message in the last: Datadog (`Date,Host,Service,Message`) and CloudWatch Logs
//! Insights (`@timestamp,@message`).
//!
//! Sources: Datadog manual, "Export logs"; AWS manual, "Export query results". Quotes are doubled (RFC 4180); a message of several lines
//! goes on in the next ones.

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct CsvExport;

/// The first lines of such files.
const HEADS: &[&[u8]] = &[
    b"Date,Host,Service,Message",
    b"Date,Host,Service,Content",
    b"@timestamp,@message",
    b"@timestamp,@message,@logStream,@log",
    b"@timestamp,@logStream,@message",
];

/// How many columns are looked at.
const MOST_COLUMNS: usize = 32;

impl Envelope for CsvExport {
    fn name(&self) -> &'static str {
        "csv-export"
    }

    fn about(&self) -> About {
        About {
            example: r#""2026-11-16T06:03:52.068Z","web1","api","Started GET …""#,
            shows: "time to the millisecond, what other columns hold",
            hides: "process, level",
            source: "Datadog manual, Export logs; AWS manual, Export query results",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'"' | b'D' | b'@') || first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        if HEADS.contains(&line) {
            return Some(Peeled::default());
        }
        let stated = line.strip_prefix(b"\"").unwrap_or(line);
        let end = time::iso_end(stated)?;
        let rest = if stated.len() == line.len() { &stated[end..] } else { stated[end..].strip_prefix(b"\"")? };
        let mut rest = rest.strip_prefix(b",")?;
        let mut last = &rest[..0];
        for _ in 0..MOST_COLUMNS {
            let length = column_length(rest);
            last = &rest[..length];
            match rest[length..].strip_prefix(b",") {
                Some(next) => rest = next,
                None => break,
            }
        }
        let (stamp, _) = time::iso(stated)?;
        // Both export UTC; Insights does not say so.
        Some(Peeled { inner: column(last, arena), stamp: Some(stamp.in_utc()), ..Peeled::default() })
    }
}

/// How far a column reaches: to the comma after it, or to the end.
fn column_length(text: &[u8]) -> usize {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return memchr::memchr(b',', text).unwrap_or(text.len());
    };
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'"', &quoted[at..]) {
        at += found + 1;
        if quoted.get(at) != Some(&b'"') {
            return at + 1;
        }
        at += 1;
    }
    text.len()
}

/// A column without its quotes.
fn column<'a>(text: &'a [u8], arena: &'a Bump) -> &'a [u8] {
    let Some(inner) = text.strip_prefix(b"\"") else { return text };
    let inner = inner.strip_suffix(b"\"").unwrap_or(inner);
    if memchr::memmem::find(inner, b"\"\"").is_none() {
        return inner;
    }
    let mut out = Vec::with_capacity_in(inner.len(), arena);
    let mut rest = inner;
    while let Some(at) = memchr::memmem::find(rest, b"\"\"") {
        out.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out.into_bump_slice()
}
