//! Chopper's `HttpLoggingInterceptor` and the OkHttp style that many hand-written loggers copy: `--> POST https://… (3-byte body)`,
//! `<-- 200 OK POST https://… (131ms, 6-byte body)`, `--> END POST`, `<-- END HTTP`.
//!
//! Source: lejard-h/chopper `chopper/lib/src/interceptors/http_logging_interceptor.dart`. Older versions have no address in the answer.

use super::fields::is_url;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Block, Body, Side};
use crate::text::digits;

/// See the module.
pub(crate) struct Chopper;

impl Dialect for Chopper {
    fn name(&self) -> &'static str {
        "chopper"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "<-- 401 Unauthorized GET https://api.example.com/api/v1/profile (131ms)",
            shows: "method, address and status of calls",
            hides: "time; the token where headers are off",
            source: "lejard-h/chopper lib/src/interceptors/http_logging_interceptor.dart",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        if text.starts_with(b"--> END ") || text.starts_with(b"<-- END ") {
            return Some(Body::Dull);
        }
        let words = || text[4..].split(|b| *b == b' ').filter(|word| !word.is_empty());
        if text.starts_with(b"--> ") {
            let (method, uri) = (words().next()?, words().nth(1)?);
            let plain = method.iter().all(u8::is_ascii_uppercase) && (is_url(uri) || uri.starts_with(b"/"));
            return plain.then_some(Body::Call {
                block: Block::Request,
                method: Some(method),
                uri: Some(uri),
                status: None,
            });
        }
        if !text.starts_with(b"<-- ") {
            return None;
        }
        let status = u16::try_from(digits(words().next()?, 0, 3)?).ok().filter(|status| (100..600).contains(status))?;
        let uri = words().find(|word| is_url(word) || word.starts_with(b"/"));
        let method = words().skip(1).take_while(|word| Some(*word) != uri).last().filter(|word| word.len() > 2);
        let method = method.filter(|word| uri.is_some() && word.iter().all(u8::is_ascii_uppercase));
        let block = if status >= 400 { Block::Error } else { Block::Response };
        Some(Body::Call { block, method, uri, status: Some(status) })
    }
}
