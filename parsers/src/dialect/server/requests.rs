//! A request as one JSON object, in whatever names the app or the proxy gives its fields: read by what they mean. What was taken for
//! what is a guess, which `why401 formats --test` shows.
//!
//! Covers nginx's and Apache's own JSON formats, Caddy, Traefik, kamal-proxy, pino-http, rails_semantic_logger's JSON, HTTP loggers of
//! other frameworks. Sources: Caddy manual, "log"; Traefik manual, "Access Logs"; basecamp/kamal-proxy
//! `internal/server/logging_middleware.go`; reidmorrison/semantic_logger `lib/semantic_logger/formatters/json.rb`.

use super::keys::{ADDRESSES, REQUESTS, TIMES, USERS, user_of};
use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Completed, Side};
use crate::release;
use crate::secret::RequestId;
use crate::text::{contains, digits, is_address, milliseconds};
use crate::time;

/// See the module.
pub(crate) struct Requests;

impl Dialect for Requests {
    fn name(&self) -> &'static str {
        "json-requests"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"{"ts":"2026-11-16T06:03:52.068Z","http_method":"GET","uri":"/api/v1/feed","status_code":401,"client_ip":"203.0.113.7","userId":42}"#,
            shows: "what its fields say, by usual names: method, path, status, duration, user, address, request id, time",
            hides: "what it has under names of its own (`[[pattern]]` teaches them)",
            source: "usual names of HTTP loggers; Caddy, Traefik, kamal-proxy and semantic_logger manuals and sources",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let object = candidate(line)?;
        let found = Found::of(object)?;
        let seconds =
            object.first(&["duration_ms", "responseTimeMs", "payload.duration"]).or_else(|| object.text("duration"));
        let end = Completed {
            status: Some(found.status),
            duration: seconds.and_then(milliseconds),
            action: None,
            exception: object.first(&["exception.name", "exception.class", "error.kind", "err.name"]),
        };
        let Found { method, path, proxy, .. } = found;
        Some(if proxy { Body::Proxied { method, path, end } } else { Body::Request { method, path, end } })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        candidate(line).map_or_else(Fields::default, |object| fields_of(object))
    }
}

const METHOD: &[&str] = &[
    "method",
    "http_method",
    "verb",
    "request_method",
    "requestMethod",
    "http.method",
    "http.request.method",
    "request.method",
    "req.method",
    "RequestMethod",
    "payload.method",
    "httpRequest.requestMethod",
    "http_verb",
    "httpMethod",
];
const PATH: &[&str] = &[
    "path",
    "uri",
    "url",
    "request_uri",
    "request_path",
    "fullpath",
    "requestPath",
    "http.target",
    "url.path",
    "http.url",
    "request.uri",
    "request.url",
    "request.path",
    "req.url",
    "RequestPath",
    "payload.path",
    "httpRequest.requestUrl",
    "http_path",
    "endpoint",
];
const STATUS: &[&str] = &[
    "status",
    "status_code",
    "statusCode",
    "http_status",
    "response_status",
    "code",
    "http.status_code",
    "http.response.status_code",
    "response.status",
    "response.status_code",
    "res.statusCode",
    "OriginStatus",
    "DownstreamStatus",
    "payload.status",
    "httpRequest.status",
    "http_status_code",
];
/// Fields that only proxies write.
const PROXY: &[&str] = &[
    "upstream_addr",
    "upstream_status",
    "upstream_response_time",
    "remote_addr",
    "body_bytes_sent",
    "http_user_agent",
    "RouterName",
    "DownstreamStatus",
    "request.remote_ip",
    "httpRequest.remoteIp",
];

/// A request's main fields.
struct Found<'a> {
    method: &'a [u8],
    path: &'a [u8],
    status: u16,
    proxy: bool,
}

impl<'a> Found<'a> {
    fn of(object: &Object<'a>) -> Option<Self> {
        let method = object.first(METHOD).filter(|method| is_method(method));
        let path = object.first(PATH);
        // nginx's `$request` whole: `GET /a HTTP/1.1`.
        let (method, path) = match (method, path) {
            (Some(method), Some(path)) => (method, path),
            _ => {
                let mut words = object.text("request")?.split(|b| *b == b' ');
                (words.next().filter(|method| is_method(method))?, words.next()?)
            }
        };
        let is_path = path.starts_with(b"/") || path.starts_with(b"http://") || path.starts_with(b"https://");
        let status = object.first(STATUS).filter(|status| status.len() == 3).and_then(|status| digits(status, 0, 3))?;
        let status = u16::try_from(status).ok().filter(|status| (100..600).contains(status) && is_path)?;
        let kamal = object.text("msg") == Some(b"Request") && object.raw("remote_addr").is_some();
        let proxy = kamal || PROXY.iter().any(|key| object.at(key).is_some());
        Some(Self { method, path, status, proxy })
    }
}

fn is_method(word: &[u8]) -> bool {
    const METHODS: &[&[u8]] = &[b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD", b"OPTIONS"];
    METHODS.iter().any(|method| word.eq_ignore_ascii_case(method))
}

/// Whether an object describes a whole request.
pub(crate) fn is_request(object: &Object<'_>) -> bool {
    Found::of(object).is_some()
}

fn candidate<'a>(line: &Line<'a>) -> Option<&'a Object<'a>> {
    line.object.filter(|_| contains(line.text, b"tatus") || contains(line.text, b"\"code\""))
}

/// Whose request an object describes, and when it was.
pub(super) fn fields_of<'a>(object: &Object<'a>) -> Fields<'a> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| object.at(key));
    let address = first(ADDRESSES).and_then(|chain| chain.split(|b| *b == b',').next()).map(|address| {
        let address = address.trim_ascii();
        // `203.0.113.7:54321`
        let port = memchr::memrchr(b':', address).filter(|at| memchr::memchr(b'.', &address[..*at]).is_some());
        port.map_or(address, |at| &address[..at])
    });
    Fields {
        request: first(REQUESTS).filter(|id| id.len() >= 8).map(RequestId::new),
        user: USERS.iter().filter_map(|key| object.at(key)).find_map(user_of),
        address: address.filter(|address| is_address(address)),
        stamp: TIMES.iter().filter_map(|key| object.at(key)).find_map(time::any),
        releases: release::of_fields(|key| object.at(key)),
    }
}
