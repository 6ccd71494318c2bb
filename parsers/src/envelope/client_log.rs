//! What loggers put before an app's words on a client: a time, a level, or both in either order, and `dart:developer`'s `[log]`. Any
//! program may write so, and a server's tags look alike, so it is taken off where the line or its source is known to be a client's.
//!
//! | line | written by |
//! | --- | --- |
//! | `[06:10:00] text`, `06:10:00.043 text`, `2026-11-16 06:10:00.043 [I] text`, `11/16 06:10:00 D text` | apps' own printers |
//! | `[INFO] 2026-11-16 06:10:00.043: text`, `[INFO] Root: 2026-…: text`, `INFO \| text` | printers around Dart's `logging` |
//! | `2026-11-16T06:10:00.043123 I MyApp: text` | fimber and its like |
//! | `[info] \| 6:10:00 43ms \| text` | talker |
//! | `[log] text` | the `flutter` tool, for `dart:developer` |
//!
//! Sources: dart-lang/core `pkgs/logging`; Frezyx/talker `packages/talker/lib/src/models/talker_data.dart`; flutter/flutter#60837 and
//! Frezyx/talker#181 (`[log]`); observed.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe};
use crate::about::About;
use crate::time::{self, Stamp};

/// See the module.
pub(super) struct ClientLog;

impl Envelope for ClientLog {
    fn name(&self) -> &'static str {
        "client-log"
    }

    fn about(&self) -> About {
        About {
            example: "[info] | 6:10:00 43ms | [AuthInterceptor] 401 on GET /api/v1/profile",
            shows: "level; time, where it has a date",
            hides: "zone, process; whose the line is, unless other lines of the source tell",
            source: "dart-lang/core pkgs/logging; Frezyx/talker packages/talker; flutter/flutter#60837; observed",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'[' || first.is_ascii_digit() || first.is_ascii_uppercase()
    }

    fn of_clients_only(&self) -> bool {
        true
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let mut seen = Seen::default();
        let mut rest = line;
        for _ in 0..MOST_PIECES {
            let Some(after) = seen.piece(rest.trim_ascii_start()) else { break };
            rest = after;
        }
        // `[2026-11-16T07:15:23] text` without a level is an app's own time: see `app-time`.
        let app_time = seen.bracketed && !seen.levelled;
        if rest.len() == line.len() || app_time {
            return None;
        }
        Some(Peeled { inner: rest, stamp: seen.stamp, severe: seen.severe, program: true, ..Peeled::default() })
    }
}

/// A mark, a time and a level.
const MOST_PIECES: usize = 3;

/// What was taken off.
#[derive(Default)]
struct Seen {
    stamp: Option<Stamp>,
    timed: bool,
    /// The time has a date and stands in brackets.
    bracketed: bool,
    levelled: bool,
    severe: bool,
    marked: bool,
}

impl Seen {
    /// Takes the next piece off, with what fences it off: the text behind it.
    fn piece<'a>(&mut self, text: &'a [u8]) -> Option<&'a [u8]> {
        if !self.marked
            && let Some(rest) = text.strip_prefix(b"[log]")
        {
            self.marked = true;
            return behind_fence(rest);
        }
        if !self.timed
            && let Some((stamp, bracketed, rest)) = timed(text)
        {
            (self.timed, self.stamp, self.bracketed) = (true, stamp, bracketed);
            return Some(rest);
        }
        if self.levelled {
            return None;
        }
        let (level, rest) = level(text, self.timed)?;
        (self.levelled, self.severe) = (true, is_severe(level) || level.eq_ignore_ascii_case(b"exception"));
        if self.timed {
            return Some(rest);
        }
        // `[INFO] Root: 2026-…`: the logger's name.
        let name = rest.iter().take(LONGEST_NAME).position(|b| !b.is_ascii_alphanumeric() && !b"._".contains(b));
        let named = name.and_then(|end| rest[end..].strip_prefix(b": "));
        Some(named.filter(|text| timed(text).is_some()).unwrap_or(rest))
    }
}

/// Names of loggers are shorter.
const LONGEST_NAME: usize = 40;

/// A time at the start of a text, if it has a date; whether it is a whole one in brackets; and the text behind it.
fn timed(text: &[u8]) -> Option<(Option<Stamp>, bool, &[u8])> {
    let open = text.strip_prefix(b"[");
    let inside = open.unwrap_or(text);
    let dated = time::iso(inside).map(|found| (found, true)).or_else(|| Some((time::month_day(inside)?, false)));
    let (stamp, length, whole) = match dated {
        Some(((stamp, length), whole)) => (Some(stamp), length, whole),
        None => (None, clock(inside)?, false),
    };
    let rest = &inside[length..];
    let rest = if open.is_some() { rest.strip_prefix(b"]")? } else { rest };
    Some((stamp, whole && open.is_some(), behind_fence(rest)?))
}

/// The length of `06:10:00`, `6:10:00.043`, or `6:10:00 43ms` as talker writes it.
fn clock(text: &[u8]) -> Option<usize> {
    let digits = |from: usize| text[from.min(text.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let hour = digits(0);
    let shaped = matches!(hour, 1 | 2)
        && (text.get(hour), digits(hour + 1)) == (Some(&b':'), 2)
        && (text.get(hour + 3), digits(hour + 4)) == (Some(&b':'), 2);
    if !shaped {
        return None;
    }
    let end = hour + 6;
    let fraction = digits(end + 1);
    match text.get(end) {
        Some(b'.' | b',') if (1..=9).contains(&fraction) => Some(end + 1 + fraction),
        Some(b' ') if fraction > 0 && text[end + 1 + fraction..].starts_with(b"ms") => Some(end + 3 + fraction),
        _ => Some(end),
    }
}

/// A level at the start of a text, and the text behind it: a word in brackets or in capitals; behind a time a letter by itself, too.
fn level(text: &[u8], timed: bool) -> Option<(&[u8], &[u8])> {
    const WORDS: &[&[u8]] = &[
        b"TRACE",
        b"VERBOSE",
        b"FINEST",
        b"FINER",
        b"FINE",
        b"CONFIG",
        b"DEBUG",
        b"INFO",
        b"NOTICE",
        b"WARN",
        b"WARNING",
        b"ERROR",
        b"SEVERE",
        b"FATAL",
        b"SHOUT",
        b"CRITICAL",
        b"EXCEPTION",
        b"GOOD",
        b"WTF",
    ];
    let open = text.strip_prefix(b"[");
    let inside = open.unwrap_or(text);
    let length = inside.iter().take(10).take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, rest) = inside.split_at(length);
    let letter = timed && matches!(word, [b'T' | b'V' | b'D' | b'I' | b'W' | b'E' | b'F']);
    let known =
        WORDS.iter().any(|known| if open.is_some() { word.eq_ignore_ascii_case(known) } else { *known == word });
    if !known && !letter {
        return None;
    }
    let rest = if open.is_some() { rest.trim_ascii_start().strip_prefix(b"]")? } else { rest };
    // `FATAL EXCEPTION: main` begins with no level.
    let fenced = rest.trim_ascii_start().first().is_some_and(|b| b"|:-".contains(b));
    (timed || open.is_some() || fenced).then(|| Some((word, behind_fence(rest)?)))?
}

/// The text behind what fences a piece off from it, and one blank: a line of a header begins with another.
fn behind_fence(text: &[u8]) -> Option<&[u8]> {
    if text.is_empty() {
        return Some(text);
    }
    let blanks = text.iter().take_while(|b| **b == b' ').count();
    match &text[blanks..] {
        [b'|' | b'-', b' ', rest @ ..] | [b'|', rest @ ..] if blanks > 0 || text[0] == b'|' => Some(rest),
        [b':', b' ', rest @ ..] => Some(rest),
        [b':'] => Some(b""),
        _ => text.strip_prefix(b" ").or_else(|| text.strip_prefix(b"\t")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_loggers_put_before_the_words_is_taken_off_in_any_order() {
        let arena = Bump::new();
        for (line, inner, timed, severe) in [
            ("[06:10:00] *** Request ***", "*** Request ***", false, false),
            ("06:10:00.043  x-request-id: abc", " x-request-id: abc", false, false),
            ("2026-11-16 06:10:00.043 uri: https://a", "uri: https://a", true, false),
            ("2026-11-16 06:10:00.043 [E] text", "text", true, true),
            ("11/16 06:10:00 D text", "text", true, false),
            ("[INFO] 2026-11-16 06:10:00.043: text", "text", true, false),
            ("[SEVERE] Root.Auth: 2026-11-16 06:10:00.043: text", "text", true, true),
            ("INFO | text", "text", false, false),
            ("INFO  | 2026-11-16T06:10:00Z | text", "text", true, false),
            ("2026-11-16T06:10:00.043123 I MyApp: text", "MyApp: text", true, false),
            ("[info] | 6:10:00 43ms | [ActionCable] connected", "[ActionCable] connected", false, false),
            ("[error] | 16:10:00 43ms | text", "text", false, true),
            ("[log] text", "text", false, false),
            ("[log] [WARNING] text", "text", false, false),
            ("[06:10:00]", "", false, false),
        ] {
            let peeled = ClientLog.peel(line.as_bytes(), &arena).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(String::from_utf8_lossy(peeled.inner), inner, "{line}");
            assert_eq!((peeled.stamp.is_some(), peeled.severe), (timed, severe), "{line}");
        }
        for line in [
            "[ActionCable] connected",
            "[http-error] [GET] https://a",
            "Error: SocketException: x",
            "INFORMATION for all",
            "FATAL EXCEPTION: main",
            "I am here",
            "10:00 is the time",
            "[2026-11-16T07:15:23.521540] text",
            "[1, 2]",
        ] {
            assert!(ClientLog.peel(line.as_bytes(), &arena).is_none(), "{line}");
        }
    }
}
