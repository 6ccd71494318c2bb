//! OTLP/JSON spans, which servers and clients write alike: a server's span is a request that came, a client's one that went.
//!
//! Source: open-telemetry/opentelemetry-proto `opentelemetry/proto/trace/v1/trace.proto`; semantic conventions for HTTP, old names and new.
//! 64-bit numbers are strings. A 401 is no error of a server's span: only the number tells.

use crate::dialect::{Context, Fields, Line};
use crate::json::{Object, elements};
use crate::release;
use crate::secret::RequestId;
use crate::text::{digits, is_address, is_user_id, leading_number};
use crate::time;

/// Which end of a call a span shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Server,
    Client,
    /// Neither, or no call over HTTP.
    Other,
}

/// What a span says of a call.
pub(crate) struct Span<'a> {
    pub(crate) end: End,
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) status: Option<u16>,
    pub(crate) duration: Option<i64>,
    pub(crate) fields: Fields<'a>,
}

/// Reads a span.
pub(crate) fn span<'a>(line: &Line<'a>, context: &Context<'a>) -> Option<Span<'a>> {
    let span = line.object.filter(|span| span.has(&["spanId", "startTimeUnixNano"]))?;
    let attributes: Vec<(&[u8], &[u8])> = elements(span.raw("attributes").unwrap_or_default())
        .filter_map(|attribute| {
            let attribute = Object::read(attribute, context.arena)?;
            let value = attribute.object("value")?;
            Some((attribute.text("key")?, value.first(&["stringValue", "intValue", "doubleValue"])?))
        })
        .collect();
    let get = |names: &[&[u8]]| {
        names.iter().find_map(|name| attributes.iter().find(|(key, _)| key == name)).map(|(_, value)| *value)
    };
    let method = get(&[b"http.request.method", b"http.method"]);
    let path = get(&[b"url.path", b"http.target", b"url.full", b"http.url"]);
    let end = match (span.text("kind"), method.is_some() && path.is_some()) {
        (Some(b"2" | b"SPAN_KIND_SERVER"), true) => End::Server,
        (Some(b"3" | b"SPAN_KIND_CLIENT"), true) => End::Client,
        _ => End::Other,
    };
    let nanos =
        |key: &str| span.text(key).and_then(leading_number).and_then(|(nanos, _)| i64::try_from(nanos / 1000).ok());
    // A time has nineteen digits, one more than a number is read to.
    let micros = |key: &str| span.text(key).and_then(time::epoch).map(|stamp| stamp.micros()).or_else(|| nanos(key));
    let (begun, ended) = (micros("startTimeUnixNano"), micros("endTimeUnixNano"));
    let status = get(&[b"http.response.status_code", b"http.status_code"]);
    let address = get(&[b"client.address", b"http.client_ip", b"net.peer.ip", b"net.sock.peer.addr"]);
    // A trace's id is the same on both sides, which is what a request id is for.
    let trace = span.text("traceId").filter(|id| id.len() >= 16).map(RequestId::new);
    Some(Span {
        end,
        method: method.unwrap_or_default(),
        path: path.unwrap_or_default(),
        status: status.and_then(|status| digits(status, 0, 3)).and_then(|status| u16::try_from(status).ok()),
        duration: begun.zip(ended).map(|(begun, ended)| (ended - begun).max(0)),
        fields: Fields {
            request: trace,
            user: get(&[b"enduser.id", b"user.id"]).filter(|user| is_user_id(user)),
            address: address.filter(|address| is_address(address)),
            stamp: span.text("startTimeUnixNano").and_then(time::epoch),
            releases: [get(&[b"user_agent.original", b"http.user_agent"]).and_then(release::of_user_agent), None],
        },
    })
}
