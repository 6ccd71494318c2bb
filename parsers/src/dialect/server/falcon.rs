//! Falcon, and whatever else logs with the `console` gem: `  0.1s     info: Falcon::Command::Serve [oid=0x…] [ec=0x…] [pid=…] [TIME]` and the
//! lines below it behind a bar.
//!
//! Source: socketry/console `lib/console/terminal/formatter`, socketry/falcon `lib/falcon/command/serve.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Process, Side};
use crate::text::{contains, leading_number};

/// See the module.
pub(crate) struct Falcon;

impl Dialect for Falcon {
    fn name(&self) -> &'static str {
        "falcon"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "  0.1s     info: Falcon::Command::Serve [oid=0x2b8] [ec=0x2c0] [pid=4711] [2026-11-16 06:03:52 +0000]",
            shows: "starts of the server",
            hides: "requests, unless Rails' own log is on",
            source: "socketry/console lib/console; socketry/falcon lib/falcon/command",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole.trim_ascii_start();
        let after = text.strip_prefix(b"| ").or_else(|| (text == b"|").then_some(b""));
        if let Some(rest) = after {
            let boots = contains(rest, b"Falcon v") && contains(rest, b"taking flight");
            return Some(if boots { Body::Process(Process::Boot) } else { Body::Dull });
        }
        let (_, digits) = leading_number(text)?;
        let rest = &text[digits..];
        let rest = rest
            .strip_prefix(b".")
            .map_or(rest, |fraction| &fraction[fraction.iter().take_while(|b| b.is_ascii_digit()).count()..]);
        let rest = [&b"ms"[..], b"s", b"m", b"h"].iter().find_map(|unit| rest.strip_prefix(*unit))?.trim_ascii_start();
        let levels = [&b"info: "[..], b"warn: ", b"error: ", b"debug: ", b"fatal: "];
        levels.iter().any(|level| rest.starts_with(level)).then_some(Body::Dull)
    }
}
