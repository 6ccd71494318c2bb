//! pretty_dio_logger 1.0 to 1.4: boxes drawn with `╔╣ … ║`, 90 columns wide.
//!
//! Source: Milad-Akarie/pretty_dio_logger `lib/src/pretty_dio_logger.dart`. It still says `DioError` with dio 5. A bad status has no
//! method, a failure without an answer has no address. Long values are cut and go on in the next row.

use super::fields;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Block, Body, Side};
use crate::text::{after, digits, split_at_first};

/// See the module.
pub(crate) struct PrettyDio;

impl Dialect for PrettyDio {
    fn name(&self) -> &'static str {
        "pretty-dio"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn by_beginning(&self) -> bool {
        true
    }

    fn about(&self) -> About {
        About {
            example: "╔╣ DioError ║ Status: 401 Unauthorized ║ Time: 486 ms",
            shows: "method, address, status, headers where they are on",
            hides: "method of a failed call, address of a call without an answer",
            source: "Milad-Akarie/pretty_dio_logger lib/src/pretty_dio_logger.dart, 1.0 to 1.4",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        // All box characters begin with the same two bytes of UTF-8.
        let text = line.whole;
        if !text.starts_with(&[0xe2, 0x95]) {
            return None;
        }
        if let Some(rest) = after(text, "╔╣ ".as_bytes()) {
            return Some(head(rest));
        }
        if let Some(rest) = after(text, "╟ ".as_bytes()) {
            let Some((name, value)) = fields::pair(rest) else { return Some(Body::Dull) };
            if value.is_empty() {
                // The value did not fit and stands on the next row.
                return Some(fields::name_of_body(name, context).unwrap_or(Body::Dull));
            }
            return Some(
                fields::header(name, value, context).or_else(|| fields::body(rest, context)).unwrap_or(Body::Dull),
            );
        }
        if let Some(rest) = after(text, "║".as_bytes()) {
            let rest = rest.trim_ascii();
            if fields::is_url(rest) {
                return Some(Body::Uri(rest));
            }
            return Some(fields::body(rest, context).unwrap_or(Body::Dull));
        }
        Some(Body::Dull)
    }
}

/// `Request ║ GET `, `Response ║ POST ║ Status: 200 OK  ║ Time: 1312 ms`, `DioError ║ Status: 401 Unauthorized ║ …`,
/// `DioError ║ DioExceptionType.connectionError`.
fn head(text: &[u8]) -> Body<'_> {
    let bar = " ║".as_bytes();
    let (block, rest) = split_at_first(text, bar).unwrap_or((text, b""));
    let rest = rest.trim_ascii();
    let block = match block.trim_ascii() {
        b"Request" => Block::Request,
        b"Response" => Block::Response,
        b"DioError" | b"DioException" => Block::Error,
        _ => return Body::Dull,
    };
    let status =
        split_at_first(rest, b"Status: ").and_then(|(_, rest)| digits(rest, 0, 3)).and_then(|s| u16::try_from(s).ok());
    let word = split_at_first(rest, bar).map_or(rest, |(word, _)| word).trim_ascii();
    let method = (!word.is_empty() && word.iter().all(u8::is_ascii_uppercase)).then_some(word);
    Body::Call { block, method, uri: None, status }
}
