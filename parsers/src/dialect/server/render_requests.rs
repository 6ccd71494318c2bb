//! Render's request lines: `[GET]401 my-api.onrender.com/api/v1/profile clientIP="203.0.113.7" requestID="1a2b3c4d-5e6f-4a1b"
//! responseTimeMS=23 responseBytes=41 userAgent="…"`. Copies lose the method and the status; then the line is known and counts nothing.
//!
//! It is the proxy's own view: a request that the app logs as well counts once. `requestID` is Render's own, not Rails'. Source: Render
//! manual, "Logs in the Render Dashboard"; observed in public captures.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};
use crate::text::{contains, digits, is_address, leading_number, split_at_first};

use super::lograge::KeyValues;

/// See the module.
pub(crate) struct RenderRequests;

impl Dialect for RenderRequests {
    fn name(&self) -> &'static str {
        "render-requests"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"[GET]401 my-api.onrender.com/api/v1/profile clientIP="203.0.113.7" requestID="1a2b3c4d-5e6f-4a1b" responseTimeMS=23 responseBytes=41 userAgent="Dart/3.5 (dart:io)""#,
            shows: "method, path, status, duration and address of every request",
            hides: "user, Rails' request id (`requestID` is Render's own), why a status was given; copies from the dashboard lose method and status",
            source: "Render manual, Logs; observed in public captures",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let (head, fields) =
            split_at_first(line.text, b" clientIP=").or_else(|| split_at_first(line.text, b"clientIP="))?;
        if head.len() > 4096 || !contains(fields, b"responseTimeMS=") {
            return None;
        }
        let Some((method, rest)) = head.strip_prefix(b"[").and_then(|head| split_at_first(head, b"]")) else {
            return Some(Body::Dull);
        };
        let rest = rest.trim_ascii();
        let Some(status) = digits(rest, 0, 3).and_then(|status| u16::try_from(status).ok()) else {
            return Some(Body::Dull);
        };
        if method.is_empty() || !method.iter().all(u8::is_ascii_uppercase) {
            return Some(Body::Dull);
        }
        let target = rest[3..].trim_ascii();
        let path = memchr::memchr(b'/', target).map_or(&b"/"[..], |at| &target[at..]);
        let time =
            KeyValues::new(fields).find(|(key, _)| *key == b"responseTimeMS").and_then(|(_, ms)| leading_number(ms));
        let duration = time.and_then(|(ms, _)| i64::try_from(ms).ok()?.checked_mul(1000));
        let end = Completed { status: Some(status), duration, action: None, exception: None };
        Some(Body::Proxied { method, path, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let address = split_at_first(line.text, b"clientIP=\"").and_then(|(_, rest)| {
            let chain = &rest[..memchr::memchr(b'"', rest)?];
            chain.split(|b| *b == b',').next().map(<[u8]>::trim_ascii).filter(|address| is_address(address))
        });
        Fields { address, ..Fields::default() }
    }
}
