//! Puma's own lines and the platform's around them: starts and stops of the server's processes.
//!
//! Sources: puma/puma `lib/puma/launcher.rb`, `runner.rb`, `cluster.rb`; in cluster mode each line begins with `[PID] `.
//! The lines are bare: whoever writes them, they have no frame.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Process, Side};
use crate::text::{contains, leading_number};

/// See the module.
pub(crate) struct Puma;

impl Dialect for Puma {
    fn name(&self) -> &'static str {
        "puma"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "Puma starting in cluster mode...",
            shows: "starts and stops of the server and its workers",
            hides: "time (an envelope has one), which connections ended with it",
            source: "puma/puma lib/puma/launcher.rb, runner.rb, cluster.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = without_process(line.text);
        match text.first()? {
            b'P' if text.starts_with(b"Puma starting in ") => Some(Body::Process(Process::Boot)),
            // Heroku's drains leave structured data out, so that Puma's own dash is taken for the sign that there is none.
            b'-' | b'G' if is_stopping(text.strip_prefix(b"- ").unwrap_or(text)) => {
                Some(Body::Process(Process::Stopping))
            }
            b'*' | b'-' | b'+' | b'=' | b'U' | b'!' | b'P' | b'E' | b'W' | b'G' | b'B' => {
                DULL.iter().any(|dull| text.starts_with(dull)).then_some(Body::Dull)
            }
            b'H' if text.starts_with(b"HTTP parse error, malformed request") => Some(Body::Dull),
            b'R' if text.starts_with(b"Rack app (\"") => Some(Body::Dull),
            _ => (text.starts_with(b"Version ") && contains(text, b"codename")).then_some(Body::Dull),
        }
    }
}

fn is_stopping(text: &[u8]) -> bool {
    text.starts_with(b"Gracefully stopping") || text.starts_with(b"Gracefully shutting down")
}

const DULL: &[&[u8]] = &[
    b"* ",
    b"- Worker ",
    b"- Goodbye!",
    b"- Starting phased worker restart",
    b"- Stopping ",
    b"- TERM sent to ",
    b"+ Changing to ",
    b"=> ",
    b"==> ",
    b"==>",
    b"=== puma startup",
    b"=== puma shutdown",
    b"Use Ctrl-C to stop",
    b"! ",
    b"Exiting",
    b"Goodbye!",
    b"Bundle complete",
    b"PID: ",
];

/// The text after `[4711] `, which Puma's cluster mode puts before each line.
fn without_process(text: &[u8]) -> &[u8] {
    let inner = || {
        let rest = text.strip_prefix(b"[")?;
        let (_, digits) = leading_number(rest)?;
        rest[digits..].strip_prefix(b"] ")
    };
    inner().unwrap_or(text)
}
