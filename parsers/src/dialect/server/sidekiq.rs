//! Sidekiq: a worker of jobs, no server of requests: known, and dull. `2026-11-16T06:03:52.068Z pid=7 tid=abc class=SyncJob jid=… INFO: start`
//! (6.0 and later), `… 7 TID-abc SyncWorker JID-… INFO: start` (before).
//!
//! Source: sidekiq/sidekiq `lib/sidekiq/logger.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{contains, split_at_first};

/// See the module.
pub(crate) struct Sidekiq;

impl Dialect for Sidekiq {
    fn name(&self) -> &'static str {
        "sidekiq"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "pid=7 tid=gnq8h class=SyncJob jid=1a2b3c INFO: start",
            shows: "nothing: jobs have no sessions; counted, so that it is not taken for unknown",
            hides: "requests, sessions",
            source: "sidekiq/sidekiq lib/sidekiq/logger.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        let now = text.starts_with(b"pid=") && contains(text, b" tid=");
        let before =
            text.first()?.is_ascii_digit() && split_at_first(text, b" TID-").is_some_and(|(pid, _)| pid.len() <= 8);
        (now || before).then_some(Body::Dull)
    }
}
