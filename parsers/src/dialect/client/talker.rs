//! talker, its dio, http and bloc loggers, and its history: `[http-request] | 6:10:00 43ms | [GET] https://…`, then `Status: 401`, `Time: 98 ms`,
//! `Data: …`, `Headers: …` on lines of their own. (The box around it is the envelope `logger-box`.)
//!
//! Source: Frezyx/talker `packages/talker_dio_logger/lib/src/talker_dio_logger_interceptor.dart`, `http_logs.dart`,
//! `packages/talker_bloc_logger/lib/src/bloc_logs.dart`. By default a success shows neither headers nor token, a failure shows its headers.

use super::fields;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Block, Body, Side};
use crate::text::{after, digits, split_at_first};

/// See the module.
pub(crate) struct Talker;

impl Dialect for Talker {
    fn name(&self) -> &'static str {
        "talker"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "[http-error] [GET] https://api.example.com/api/v1/profile",
            shows: "method, address and status of calls, `x-request-id` of failures, moves of blocs",
            hides: "time in the console (the history has the time of day without a date); tokens and headers of successes by default",
            source: "Frezyx/talker packages/talker_dio_logger, talker_bloc_logger",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        if let Some(rest) = text.strip_prefix(b"[") {
            let end = rest.iter().take(24).position(|b| *b == b']')?;
            let (title, rest) = (&rest[..end], rest[end + 1..].trim_ascii());
            // `| 6:10:00 43ms | `
            let rest =
                rest.strip_prefix(b"|").and_then(|rest| split_at_first(rest, b"|")).map_or(rest, |(_, rest)| rest);
            return entry(title, rest.trim_ascii());
        }
        if !line.trace {
            return None;
        }
        if let Some(status) = after(text, b"Status: ") {
            return digits(status, 0, 3).and_then(|status| u16::try_from(status).ok()).map(Body::Status);
        }
        if let Some(body) = after(text, b"Data: ") {
            return Some(fields::body(body, context).unwrap_or(Body::Dull));
        }
        let dull = [
            &b"Time: "[..],
            b"Message: ",
            b"Headers: ",
            b"Extra: ",
            b"CURRENT state: ",
            b"NEXT state: ",
            b"StackTrace: ",
        ];
        dull.iter().any(|start| text.starts_with(start)).then_some(Body::Dull)
    }
}

/// An entry by its title.
fn entry<'a>(title: &[u8], rest: &'a [u8]) -> Option<Body<'a>> {
    let block = match title {
        b"http-request" => Block::Request,
        b"http-response" => Block::Response,
        b"http-error" => Block::Error,
        _ => {
            let known = [&b"bloc-"[..], b"riverpod-", b"grpc-"].iter().any(|start| title.starts_with(start));
            return known.then_some(Body::Dull);
        }
    };
    let (method, uri) = split_at_first(rest.strip_prefix(b"[")?, b"] ")?;
    Some(Body::BlockOf { block, method: Some(method), uri })
}
