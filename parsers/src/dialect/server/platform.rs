//! What Heroku, Render, Fly, Kubernetes and Kamal write around a program's own lines: starts, stops, limits.
//!
//! Sources: Heroku Dev Center, "Heroku Error Codes" and "Dynos" (`State changed from …`); superfly/flyctl logs as observed; basecamp/kamal
//! `lib/kamal/cli/app.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Process, Side};
use crate::release;
use crate::text::split_at_first;

/// See the module.
pub(crate) struct Platform;

impl Dialect for Platform {
    fn name(&self) -> &'static str {
        "platform"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "State changed from up to starting",
            shows: "starts and stops of instances; Heroku's releases",
            hides: "which connections ended with them",
            source: "Heroku Dev Center, Dynos and Heroku Error Codes; basecamp/kamal lib/kamal/cli/app.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        if line.client {
            return None;
        }
        if let Some(release) = text.strip_prefix(b"Release v").and_then(|rest| split_at_first(rest, b" created by ")) {
            // With the `v`, as Heroku names it.
            return release::of_server(&text[b"Release ".len()..][..=release.0.len()]).map(Body::Release);
        }
        match text.first()? {
            b' ' | b'I' if is_kamal(text.trim_ascii_start()) => Some(Body::Dull),
            b'S' if text.starts_with(b"Stopping all processes with SIGTERM")
                || text.starts_with(b"Sending signal SIGTERM") =>
            {
                Some(Body::Process(Process::Stopping))
            }
            b'S' | b'P' | b'E' | b'C' | b'R' | b'U' | b'D' | b'B' | b's' | b'A' | b' ' | b'I' | b'M' | b'H' | b'L' => {
                DULL.iter().any(|dull| text.trim_ascii_start().starts_with(dull)).then_some(Body::Dull)
            }
            _ => None,
        }
    }
}

/// `INFO [1a2b3c4d] Running docker ps … on 203.0.113.9`
fn is_kamal(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"INFO [") else { return false };
    rest.len() > 10
        && rest[..8].iter().all(u8::is_ascii_hexdigit)
        && (rest[8..].starts_with(b"] Running ") || rest[8..].starts_with(b"] Finished in "))
}

const DULL: &[&[u8]] = &[
    b"State changed from ",
    // Of any dyno, a console too: what serves requests says itself that it starts.
    b"Starting process with command ",
    b"Process exited with status ",
    b"Process running mem=",
    b"Error R1",
    b"Error H",
    b"Error L1",
    b"Cycling",
    b"Restarting",
    b"Unidling",
    b"Idling",
    b"Deploy ",
    b"Deployed ",
    b"Release v",
    b"Build started",
    b"Build succeeded",
    b"Build failed",
    b"Build finished",
    b"Scaled to ",
    b"Set ",
    b"Attach ",
    b"source=",
    b"sample#",
    b"App Host: ",
    b"Main child exited",
    b"Machine ",
    b"Health check ",
    b"Preparing to run: ",
    b"Launching MMDS",
    b"Listening on ",
];
