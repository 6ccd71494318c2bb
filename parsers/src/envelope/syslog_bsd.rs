//! Syslog as RFC 3164 has it, and as files and `journalctl` show it without a priority:
//! `<134>Nov 16 06:03:52 host puma[1234]: text`, `Nov 16 06:03:52 host puma[1234]: text`. No year, no zone.
//!
//! Sources: RFC 3164 §4.1; rsyslog's `RSYSLOG_TraditionalFileFormat`, which escapes control characters as `#033`;
//! systemd `src/shared/logs-show.c` (`short`, `short-precise`).

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::text::leading_number;
use crate::time;

/// See the module.
pub(super) struct SyslogBsd;

impl Envelope for SyslogBsd {
    fn name(&self) -> &'static str {
        "syslog-bsd"
    }

    fn about(&self) -> About {
        About {
            example: "Nov 16 06:03:52 web1 puma[1234]: [5e908487-…] Completed 401 Unauthorized in 1ms",
            shows: "time, host, process, level where a priority is written",
            hides: "year, zone",
            source: "RFC 3164 §4.1; systemd src/shared/logs-show.c (short, short-precise)",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first == b'<' || first.is_ascii_uppercase()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let (priority, rest) = match line.strip_prefix(b"<") {
            Some(rest) => {
                let (priority, digits) = leading_number(rest)?;
                (Some(priority), rest[digits..].strip_prefix(b">")?)
            }
            None => (None, line),
        };
        let (stamp, length) = time::month_name_day(rest)?;
        let rest = rest[length..].strip_prefix(b" ")?;
        let (host, rest) = rest.split_at(memchr::memchr(b' ', rest)?);
        let (process, inner) = tag(&rest[1..])?;
        Some(Peeled {
            inner,
            stamp: Some(stamp),
            process,
            instance: Some(host),
            severe: priority.is_some_and(|priority| (1..=3).contains(&(priority % 8))),
            ..Peeled::default()
        })
    }
}

/// `puma[1234]: text`: the process and the text. Also journald's `unit[pid]: `.
pub(super) fn tag(text: &[u8]) -> Option<(u64, &[u8])> {
    /// RFC 3164 allows 32 characters; systemd's units are longer.
    const LONGEST_TAG: usize = 96;
    let end = text.iter().take(LONGEST_TAG).position(|b| matches!(b, b':' | b' '))?;
    let name = &text[..end];
    let inner = text[end..].strip_prefix(b":")?;
    let process = name.strip_suffix(b"]").and_then(|name| {
        let at = memchr::memrchr(b'[', name)?;
        leading_number(&name[at + 1..])
    });
    Some((process.map_or(0, |(process, _)| process), after_blank(inner)))
}
