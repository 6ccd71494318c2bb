//! `idevicesyslog` and Xcode's device log: `Sep 23 16:04:17 phone Runner(Flutter)[6188] <Notice>: flutter: text`. Newer tools leave the
//! host out and write microseconds.
//!
//! Sources: flutter/flutter#6028, #4225; libimobiledevice `tools/idevicesyslog.c`.

use bumpalo::Bump;

use super::{Envelope, Peeled, is_severe};
use crate::about::About;
use crate::text::{contains, leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct DeviceSyslog;

impl Envelope for DeviceSyslog {
    fn name(&self) -> &'static str {
        "idevicesyslog"
    }

    fn about(&self) -> About {
        About {
            example: "Sep 23 16:04:17 phone Runner(Flutter)[6188] <Notice>: flutter: *** Request ***",
            shows: "time, process, level",
            hides: "year, zone; lines of other programs are in between",
            source: "libimobiledevice tools/idevicesyslog.c; flutter/flutter#6028, #4225",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_uppercase()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let (stamp, length) = time::month_name_day(line)?;
        let rest = line[length..].strip_prefix(b" ")?;
        let (head, inner) = split_at_first(rest, b">: ").or_else(|| Some((rest.strip_suffix(b">:")?, &rest[..0])))?;
        let (head, level) = split_at_first(head, b" <")?;
        if head.len() > 200 || level.len() > 12 {
            return None;
        }
        let at = memchr::memrchr(b'[', head)?;
        let (process, _) = leading_number(&head[at + 1..])?;
        // Every program of the phone writes here; only an app's lines are an app's words.
        let app = contains(&head[..at], b"(Flutter)") || inner.starts_with(b"flutter: ");
        let severe = is_severe(level);
        Some(Peeled { inner, stamp: Some(stamp), process, severe, client: true, program: app, ..Peeled::default() })
    }
}
