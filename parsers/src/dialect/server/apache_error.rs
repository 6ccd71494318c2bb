//! Apache's error log: `[Mon Nov 16 06:03:52.068658 2026] [proxy:error] [pid 12:tid 34] [client 203.0.113.7:5678] text`. Known, and dull.
//!
//! Source: Apache `server/log.c` (`ErrorLogFormat` as built in).

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::time;

/// See the module.
pub(crate) struct ApacheError;

impl Dialect for ApacheError {
    fn name(&self) -> &'static str {
        "apache-error"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "[Mon Nov 16 06:03:52.068658 2026] [proxy:error] [pid 12:tid 34] [client 203.0.113.7:5678] AH01102: error reading status line",
            shows: "nothing that a verdict rests on; counted, so that it is not taken for unknown",
            hides: "status, user",
            source: "Apache server/log.c",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let inside = line.whole.strip_prefix(b"[")?;
        let end = inside.iter().take(40).position(|b| *b == b']')?;
        (time::c_time(&inside[..end]).is_some() && inside[end + 1..].starts_with(b" [")).then_some(Body::Dull)
    }
}
