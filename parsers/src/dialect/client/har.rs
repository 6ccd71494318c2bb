//! HAR 1.2: the entries of a browser's or a proxy's recording (Chrome, Charles, Proxyman), each a call with its answer.
//!
//! Chrome adds `_webSocketMessages` to a socket's entry; each is read by itself.
//!
//! Source: HAR 1.2 specification (w3c.github.io/web-performance/specs/HAR). Status 0 is no answer. Chrome leaves `Authorization` out since 2024.

use super::cable;
use crate::about::About;
use crate::dialect::server::params;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::{Object, elements};
use crate::record::{Body, Exchange, Params, Side};
use crate::release;
use crate::secret::RequestId;
use crate::text::{contains, digits, milliseconds};
use crate::time;

/// Its name.
pub(crate) const NAME: &str = "har";

/// See the module.
pub(crate) struct Har;

impl Dialect for Har {
    fn name(&self) -> &'static str {
        NAME
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: r#"{"startedDateTime":"2026-11-16T06:03:52.068Z","time":24.1,"request":{"method":"GET","url":"https://api.example.com/api/v1/feed","headers":[]},"response":{"status":401,"headers":[]}}"#,
            shows: "method, address, status, start and duration of every call, tokens sent (as fingerprints), `x-request-id`; ActionCable's welcome and disconnect where Chrome recorded the socket's messages",
            hides: "tokens where the recorder leaves them out; user",
            source: "HAR 1.2 specification",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        if line.text.first() != Some(&b'{') {
            return None;
        }
        if !contains(line.text, b"\"startedDateTime\"") {
            return contains(line.text, b"\"opcode\"").then(|| message(line.text, context)).flatten();
        }
        let entry = Object::read(line.text, context.arena)?;
        let Some((request, response)) = entry.object("request").zip(entry.object("response")) else {
            return Some(Body::Dull); // a page
        };
        let mut exchange = Exchange {
            method: request.text("method")?,
            uri: request.text("url")?,
            status: response.text("status").and_then(|s| digits(s, 0, 3)).and_then(|s| u16::try_from(s).ok()),
            duration: entry.text("time").and_then(milliseconds),
            id: None,
            bearer: None,
            params: Params::default(),
        };
        for (object, answer) in [(&request, false), (&response, true)] {
            let headers = elements(object.raw("headers").unwrap_or_default());
            for header in headers.filter_map(|header| Object::read(header, context.arena)) {
                let (Some(name), Some(value)) = (header.text("name"), header.text("value")) else { continue };
                if !answer && name.eq_ignore_ascii_case(b"authorization") {
                    let token = value.rsplit(|b| *b == b' ').next().unwrap_or(value);
                    exchange.bearer = context.key.fingerprint(token);
                } else if answer && name.eq_ignore_ascii_case(b"x-request-id") && value.len() >= 8 {
                    exchange.id = Some(RequestId::new(value));
                }
            }
        }
        if let Some(text) = request.at("postData.text") {
            exchange.params = params::read(text, &context.key);
        }
        Some(Body::Exchange(exchange))
    }

    fn fields<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Fields<'a> {
        let entry = Object::read(line.text, context.arena);
        let started = entry.as_ref().and_then(|entry| entry.first(&["startedDateTime", "time"]));
        let headers = entry.as_ref().and_then(|entry| entry.at("request.headers")).unwrap_or_default();
        let release = elements(headers)
            .filter_map(|header| Object::read(header, context.arena))
            .find_map(|header| release::of_header(header.text("name")?, header.text("value")?));
        Fields { stamp: started.and_then(time::any), releases: [release, None], ..Fields::default() }
    }
}

/// One of a call's WebSocket messages, as Chrome records them: ActionCable's frames say how the socket fares.
fn message<'a>(text: &'a [u8], context: &Context<'a>) -> Option<Body<'a>> {
    let message = Object::read(text, context.arena)?;
    if !message.has(&["type", "time", "opcode", "data"]) {
        return None;
    }
    let received = message.text("type") == Some(b"receive");
    Some(message.text("data").filter(|_| received).and_then(cable::frame).unwrap_or(Body::Dull))
}

/// The WebSocket messages of an entry.
pub(crate) fn messages<'a>(entry: &'a [u8], context: &Context<'a>) -> impl Iterator<Item = &'a [u8]> {
    let found = contains(entry, b"\"_webSocketMessages\"").then(|| Object::read(entry, context.arena)).flatten();
    elements(found.and_then(|entry| entry.raw("_webSocketMessages")).unwrap_or_default())
}
