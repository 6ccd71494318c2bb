//! Apple's unified log as `log stream` and `log show` print it, in the styles `default`, `syslog`, `compact` and `ndjson`:
//!
//! - `2026-11-16 06:10:00.043123+0900 0x1a2b     Default     0x0                  512    0    Runner: (Flutter) flutter: text`
//! - `2026-11-16 06:10:00.043 Df Runner[512:1a2b] (Flutter) flutter: text`
//! - `{"timestamp":"2026-11-16 06:10:00.043123+0900","processID":512,"eventMessage":"flutter: text",…}`
//!
//! Source: Apple, manual page of `log(1)`.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe};
use crate::about::About;
use crate::json::Object;
use crate::text::{contains, leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct OsLog;

impl Envelope for OsLog {
    fn name(&self) -> &'static str {
        "os-log"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16 06:10:00.043123+0900 0x1a2b     Default     0x0                  512    0    Runner: (Flutter) flutter: *** Request ***",
            shows: "time with zone (not in `compact`), process, level",
            hides: "nothing of its own; other programs' lines are in between",
            source: "Apple, log(1)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit() || matches!(first, b'{' | b'T')
    }

    fn fields(&self) -> &'static [&'static str] {
        &["eventMessage"]
    }

    fn peel<'a>(&self, line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
        match line.first()? {
            b'{' => ndjson(line, arena),
            // `Timestamp                       Thread     Type        Activity             PID    TTL`
            b'T' => (line.starts_with(b"Timestamp  ") && contains(line, b"Activity")).then(|| Peeled {
                client: true,
                program: true,
                ..Peeled::default()
            }),
            _ => {
                let end = time::iso_end(line)?;
                let rest = line[end..].strip_prefix(b" ")?;
                let peeled = if rest.starts_with(b"0x") { columns(rest)? } else { compact(rest)? };
                let (stamp, _) = time::iso(line)?;
                Some(Peeled { stamp: Some(stamp), ..peeled })
            }
        }
    }
}

/// `0x1a2b     Default     0x0                  512    0    Runner: (Flutter) text`
fn columns(text: &[u8]) -> Option<Peeled<'_>> {
    let mut rest = text;
    let mut column = || {
        let word = crate::text::first_word(rest);
        rest = rest[word.len()..].trim_ascii_start();
        word
    };
    let (_thread, level, activity, process, _lifetime) = (column(), column(), column(), column(), column());
    if !activity.starts_with(b"0x") {
        return None;
    }
    let (process, _) = leading_number(process)?;
    let (_, inner) = split_at_first(rest, b": ")?;
    Some(of_app(inner, process, is_severe(level) || level == b"Fault"))
}

/// `Df Runner[512:1a2b] (Flutter) text`
fn compact(text: &[u8]) -> Option<Peeled<'_>> {
    let [level @ (b'D' | b'I' | b'E' | b'F' | b'A'), b'a'..=b'z' | b' ', b' ', rest @ ..] = text else { return None };
    let open = rest.iter().take(64).position(|b| *b == b'[').filter(|open| *open > 0)?;
    let (process, _) = leading_number(&rest[open + 1..])?;
    let (_, inner) = split_at_first(&rest[open..], b"] ")?;
    Some(of_app(inner, process, matches!(level, b'E' | b'F') && text[1] == b' '))
}

fn ndjson<'a>(line: &'a [u8], arena: &'a Bump) -> Option<Peeled<'a>> {
    if !contains(line, b"\"eventMessage\"") {
        return None;
    }
    let object = Object::read(line, arena)?;
    let process = object.text("processID").and_then(leading_number).map_or(0, |(process, _)| process);
    let severe = object.text("messageType").is_some_and(|level| is_severe(level) || level == b"Fault");
    let stamp = object.text("timestamp").and_then(time::any);
    Some(Peeled { stamp, ..of_app(object.text("eventMessage")?, process, severe) })
}

/// `(Flutter) flutter: text`: the library in front of the text goes.
fn of_app(inner: &[u8], process: u64, severe: bool) -> Peeled<'_> {
    let library =
        inner.strip_prefix(b"(").and_then(|rest| split_at_first(rest, b") ")).filter(|(name, _)| name.len() < 64);
    let inner = library.map_or(inner, |(_, rest)| rest);
    Peeled { inner, process, severe, client: true, program: true, ..Peeled::default() }
}
