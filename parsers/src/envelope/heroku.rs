//! `heroku logs`: `2026-11-16T06:03:52.068658+00:00 app[web.1]: text`, `… heroku[router]: at=info method=GET …`.
//!
//! Source: Heroku Dev Center, "Logging" (log format). Lines beyond 10,000 bytes are split.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::time;

/// See the module.
pub(super) struct Heroku;

impl Envelope for Heroku {
    fn name(&self) -> &'static str {
        "heroku"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16T06:03:52.068658+00:00 app[web.1]: Completed 401 Unauthorized in 1ms",
            shows: "time with zone, dyno",
            hides: "level; lines beyond 10,000 bytes are split",
            source: "Heroku Dev Center, Logging",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let rest = line[end..].strip_prefix(b" ")?;
        let head = &rest[..rest.iter().take(80).position(|b| *b == b':')?];
        let (source, dyno) = head.strip_suffix(b"]")?.split_at(memchr::memchr(b'[', head)?);
        let plain = |text: &[u8]| {
            !text.is_empty() && text.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
        };
        if !plain(source) || !plain(&dyno[1..]) {
            return None;
        }
        let (stamp, _) = time::iso(line)?;
        Some(Peeled {
            inner: after_blank(&rest[head.len() + 1..]),
            stamp: Some(stamp),
            instance: Some(&dyno[1..]),
            ..Peeled::default()
        })
    }
}
