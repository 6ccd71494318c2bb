//! Ruby's `Logger::Formatter`: `I, [2026-11-16T06:03:52.068658 #7872]  INFO -- : text`.
//!
//! Source: ruby/logger `lib/logger/formatter.rb`: `"%.1s, [%s #%d] %5s -- %s: %s\n"`. The time is the process's local
//! time without a zone; older versions write a blank before `#`. The name before the colon is mostly empty.

use bumpalo::Bump;

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::{leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct RubyLogger;

impl Envelope for RubyLogger {
    fn name(&self) -> &'static str {
        "ruby-logger"
    }

    fn about(&self) -> About {
        About {
            example: "I, [2026-11-16T06:03:52.068658 #7872]  INFO -- : [5e908487-…] Completed 401 Unauthorized in 1ms",
            shows: "time to the microsecond, process, level",
            hides: "zone (learnt from `Started` lines)",
            source: "ruby/logger lib/logger/formatter.rb",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'D' | b'I' | b'W' | b'E' | b'F' | b'A' | b'U')
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let [letter, b',', b' ', b'[', rest @ ..] = line else { return None };
        let (stamp, length) = time::iso(rest)?;
        let rest = rest[length..].trim_ascii_start().strip_prefix(b"#")?;
        let (process, digits) = leading_number(rest)?;
        let rest = rest[digits..].strip_prefix(b"]")?;
        let (head, after) = split_at_first(rest, b" -- ")?;
        if head.len() > 8 {
            return None;
        }
        let inner = match after {
            [b':', b' ', inner @ ..] => inner,
            [b':', inner @ ..] => inner,
            // A name before the colon: `-- puma: text`.
            _ => split_at_first(after, b": ")?.1,
        };
        let severe = matches!(letter, b'E' | b'F');
        Some(Peeled { inner, stamp: Some(stamp), process, severe, program: true, ..Peeled::default() })
    }
}
