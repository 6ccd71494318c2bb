//! `journalctl -o short-iso`, `short-iso-precise`, `short-full` and `short-unix`, and the marks between boots:
//!
//! - `2026-11-16T06:03:52+0000 host puma[1234]: text`
//! - `Mon 2026-11-16 06:03:52 UTC host puma[1234]: text`
//! - `1763273032.068658 host puma[1234]: text`
//!
//! (`short` looks like RFC 3164: see `syslog-bsd`.) Source: systemd `src/shared/logs-show.c`.

use bumpalo::Bump;

use super::syslog_bsd::tag;
use super::{Envelope, Peeled};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct Journald;

impl Envelope for Journald {
    fn name(&self) -> &'static str {
        "journald"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52+0000 web1 puma[1234]: Started GET …",
            shows: "time with zone, host, process",
            hides: "level",
            source: "systemd src/shared/logs-show.c",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit() || matches!(first, b'-' | b'M' | b'T' | b'W' | b'F' | b'S')
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        const MARKS: &[&[u8]] =
            &[b"-- Logs begin at ", b"-- Journal begins at ", b"-- Boot ", b"-- Reboot --", b"-- No entries --"];
        if MARKS.iter().any(|mark| line.starts_with(mark)) {
            return Some(Peeled { inner: b"", ..Peeled::default() });
        }
        let day = line.first()?.is_ascii_uppercase() && line.get(3) == Some(&b' ');
        let text = if day { &line[4..] } else { line };
        let (stamp, rest) = match time::iso_end(text) {
            Some(end) => (time::iso(text)?.0, &text[end..]),
            None => {
                let end = text.iter().take(24).position(|b| *b == b' ')?;
                if text.get(10) != Some(&b'.') || end != 17 {
                    return None;
                }
                (time::epoch(&text[..end])?, &text[end..])
            }
        };
        let rest = rest.strip_prefix(b" ")?;
        let (host, rest) = rest.split_at(memchr::memchr(b' ', rest)?);
        // A host is one word, and a unit with its process follows; `INFO x: y` behind a time is something else.
        let unit = &rest[1..rest.iter().position(|b| *b == b':')?];
        if !unit.ends_with(b"]") || host.iter().any(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'-' | b'.' | b'_'))
        {
            return None;
        }
        let (process, inner) = tag(&rest[1..])?;
        Some(Peeled { inner, stamp: Some(stamp), process, instance: Some(host), ..Peeled::default() })
    }
}
