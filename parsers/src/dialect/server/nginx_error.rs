//! nginx's error log: `2026/11/16 06:03:52 [error] 29#29: *1234 upstream prematurely closed connection while …, client: 203.0.113.7, …`.
//! Known, and dull: what it says of a request, the access log says with its status.
//!
//! Source: nginx `src/core/ngx_log.c`, `src/http/ngx_http_request.c`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Side};
use crate::text::{leading_number, split_at_first};

/// See the module.
pub(crate) struct NginxError;

impl Dialect for NginxError {
    fn name(&self) -> &'static str {
        "nginx-error"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "[error] 29#29: *1234 upstream timed out (110: Connection timed out) while reading upstream, client: 203.0.113.7",
            shows: "nothing that a verdict rests on; counted, so that it is not taken for unknown",
            hides: "status, user",
            source: "nginx src/core/ngx_log.c",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        // The level in brackets has gone with the time, or was taken for a tag.
        let text = line
            .text
            .strip_prefix(b"[")
            .and_then(|rest| split_at_first(rest, b"] "))
            .map_or(line.text, |(_, rest)| rest);
        is_nginx(text).then_some(Body::Dull)
    }
}

/// `29#29: text`
fn is_nginx(text: &[u8]) -> bool {
    let process = || {
        let (_, digits) = leading_number(text)?;
        let rest = text[digits..].strip_prefix(b"#")?;
        let (_, digits) = leading_number(rest)?;
        rest[digits..].strip_prefix(b": ")
    };
    process().is_some()
}
