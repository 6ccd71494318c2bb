//! Access logs in the common and combined forms, of nginx, Apache, Rack's `CommonLogger` and Puma's `log_requests`:
//! `203.0.113.7 - - [16/Nov/2026:06:03:52 +0000] "GET /a HTTP/1.1" 401 12 "-" "Dart/3.5 (dart:io)"`, with any fields after these.
//!
//! It is the proxy's own view: a request that the app logs as well counts once. nginx writes the end of a request, Apache its start.
//! Sources: nginx `ngx_http_log_module`; Apache `mod_log_config`; rack/rack `lib/rack/common_logger.rb`.

use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::record::{Body, Completed, Side};
use crate::release;
use crate::secret::RequestId;
use crate::text::{digits, first_word, is_address, is_request_id, is_user_id, unquoted};
use crate::time;

/// See the module.
pub(crate) struct AccessLog;

impl Dialect for AccessLog {
    fn name(&self) -> &'static str {
        "access-log"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"203.0.113.7 - - [16/Nov/2026:06:03:52 +0000] "GET /api/v1/feed HTTP/1.1" 401 12 "-" "Dart/3.5 (dart:io)""#,
            shows: "method, path, status and address of every request, time with zone; a request id where the format was given one",
            hides: "user (but for basic authentication), why a status was given",
            source: "nginx ngx_http_log_module; Apache mod_log_config; rack lib/rack/common_logger.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let parts = Parts::of(line.text)?;
        let mut words = parts.request.split(|b| *b == b' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let known = !method.is_empty() && method.len() <= 20 && method.iter().all(u8::is_ascii_uppercase);
        // What is no HTTP (a TLS handshake on the wrong port) was answered too, and counts as what it was answered with.
        let (method, path) = if known { (method, path) } else { (&b"-"[..], &b""[..]) };
        let end = Completed { status: Some(parts.status), duration: parts.duration, action: None, exception: None };
        Some(Body::Proxied { method, path, end })
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        let Some(parts) = Parts::of(line.text) else { return Fields::default() };
        let mut words = parts.head.split(|b| *b == b' ').filter(|word| !word.is_empty());
        // A virtual host may stand first.
        let address = words.by_ref().take(2).find(|word| is_address(word));
        let user = words.next_back().filter(|user| is_user_id(user) && !is_address(user));
        let last = parts.rest.rsplit(|b| matches!(b, b' ' | b'"')).find(|word| !word.is_empty()).map(unquoted);
        let hex = |word: &&[u8]| word.len() >= 20 && word.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
        Fields {
            request: last.filter(hex).filter(|word| is_request_id(word)).map(RequestId::new),
            user,
            address,
            stamp: time::access_log(parts.time).map(|(stamp, _)| stamp),
            // `"referer" "agent"`
            releases: [parts.rest.split(|b| *b == b'"').nth(3).and_then(release::of_user_agent), None],
        }
    }
}

/// The parts of a line.
struct Parts<'a> {
    head: &'a [u8],
    time: &'a [u8],
    request: &'a [u8],
    status: u16,
    duration: Option<i64>,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(text: &'a [u8]) -> Option<Self> {
        /// A virtual host, addresses, a user: what stands before the time.
        const LONGEST_HEAD: usize = 400;
        let open = memchr::memmem::find(&text[..text.len().min(LONGEST_HEAD)], b" [")?;
        let (head, rest) = (&text[..open], &text[open + 2..]);
        let (_, length) = time::access_log(rest)?;
        let (time, rest) = rest.split_at(length);
        let rest = rest.strip_prefix(b"] \"")?;
        let end = request_end(rest)?;
        let (request, rest) = (&rest[..end], rest[end + 1..].strip_prefix(b" ")?);
        let status =
            u16::try_from(digits(rest, 0, 3)?).ok().filter(|_| !rest.get(3).is_some_and(u8::is_ascii_digit))?;
        let rest = rest[3..].trim_ascii();
        let bytes = first_word(rest);
        if bytes != b"-" && !bytes.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let rest = rest[bytes.len()..].trim_ascii();
        // `CommonLogger` and Puma write the seconds behind the bytes.
        let seconds =
            std::str::from_utf8(rest).ok().filter(|text| text.contains('.')).and_then(|text| text.parse::<f64>().ok());
        #[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
        let duration = seconds.filter(|seconds| (0.0..1e6).contains(seconds)).map(|seconds| (seconds * 1e6) as i64);
        Some(Self { head, time, request, status, duration, rest })
    }
}

/// The closing quote: nginx writes a quote inside as `\x22`, Apache as `\"`.
fn request_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
