//! The request lines that Rails writes as text, 4.2 to 8.1 with any formatter and tags.
//!
//! Sources: rails/rails `railties/lib/rails/rack/logger.rb` (`Started`), `actionpack/lib/action_controller/log_subscriber.rb`
//! (the rest). Match the number of a status, never its words: they come from Rack and change.

use memchr::{memchr, memrchr};

use super::params;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, Completed, Side, Upgrade};
use crate::text::{digits, first_word, is_address, leading_number, split_at_last};
use crate::time::{self, Stamp};

/// See the module.
pub(crate) struct Rails;

impl Dialect for Rails {
    fn name(&self) -> &'static str {
        "rails"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"Started GET "/api/v1/feed" for 203.0.113.7 at 2026-11-16 06:03:52 +0000"#,
            shows: "method, path, address and time of requests, controller, parameters' names, the filter that answered, status",
            hides: "user (but by tags, SQL or the app's own lines), why a 401 was given, the token",
            source: "rails/rails railties/lib/rails/rack/logger.rb, actionpack/lib/action_controller/log_subscriber.rb, 4.2 to 8.1",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let text = line.text;
        match text.first()? {
            b'S' => {
                started(text).or_else(|| dull(text, &[b"Sent file ", b"Sent data ", b"Sent stream ", b"Streaming "]))
            }
            b'P' => {
                let rest = text.strip_prefix(b"Processing by ")?;
                Some(Body::Processing(first_word(rest)))
            }
            b'C' => completed(text).or_else(|| {
                dull(
                    text,
                    &[
                        b"Can't verify CSRF token",
                        b"Causes:",
                        b"Caused by:",
                        b"CACHE ",
                        b"Could not log ",
                        b"Cannot render console from ",
                    ],
                )
            }),
            b'F' => halted(text),
            b' ' => {
                if let Some(rest) = text.trim_ascii_start().strip_prefix(b"Parameters: ") {
                    return Some(Body::Parameters(params::read(rest, &context.key)));
                }
                dull(text.trim_ascii_start(), RENDERING)
            }
            b'R' => dull(text, &[b"Redirected to ", b"Rendered ", b"Rendering "]),
            b'U' => dull(text, &[b"Unpermitted parameter", b"User-Agent: "]),
            b'r' => text.starts_with(b"rescue_from handled ").then_some(Body::Dull),
            b'[' => text.starts_with(b"[ActionDispatch::HostAuthorization").then_some(Body::Dull),
            b'H' => text.starts_with(b"HTTP Origin header ").then_some(Body::Dull),
            b'D' => dull(text, &[b"DEPRECATION WARNING: "]),
            b'M' => dull(text, &[b"Migrating to "]),
            // Where a redirect was written (8.1, `verbose_redirect_logs`): no frame of an exception.
            0xe2 => dull(text, &["↳ ".as_bytes()]),
            _ => None,
        }
    }
}

const RENDERING: &[&[u8]] = &[b"Rendered ", b"Rendering ", "↳ ".as_bytes(), b"Current user: "];

fn dull<'a>(text: &[u8], beginnings: &[&[u8]]) -> Option<Body<'a>> {
    beginnings.iter().any(|beginning| text.starts_with(beginning)).then_some(Body::Dull)
}

/// `Started GET "/path?x=[FILTERED]" [WebSocket] for 203.0.113.7 at 2026-11-16 06:03:52 +0000`. The path is whatever the
/// client sent, so the end is searched from behind. An address may be missing or masked in a published log.
pub(crate) fn started(text: &[u8]) -> Option<Body<'_>> {
    started_at(text, |when| time::iso(when).map(|(stamp, _)| stamp), is_address)
}

/// The same. `stated` reads a time as [`time::iso`] does, `is_address` tells what [`is_address`] does.
pub(crate) fn started_at(
    text: &[u8],
    stated: impl FnOnce(&[u8]) -> Option<Stamp>,
    is_address: impl FnOnce(&[u8]) -> bool,
) -> Option<Body<'_>> {
    let rest = text.strip_prefix(b"Started ")?;
    let quote = memchr(b'"', &rest[..rest.len().min(LONGEST_METHOD + 2)])?;
    let (method, rest) = (rest[..quote].strip_suffix(b" ")?, &rest[quote + 1..]);
    if !method.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'-' | b'_')) {
        return None;
    }
    let (rest, at) = match rest.len().checked_sub(STARTED_AT) {
        // `Time#to_default_s` has a fixed length: ` at 2026-11-16 06:03:52 +0000`.
        Some(end) if rest[end..].starts_with(b" at ") => (&rest[..end], stated(&rest[end + 4..])),
        _ => {
            let (rest, when) = split_at_last(rest, b" at ")?;
            // Ruby up to 1.9 (Rails 3) wrote `Mon Nov 16 06:03:52 +0000 2026`.
            (rest, stated(when).or_else(|| time::c_time(when)))
        }
    };
    let one_word =
        memrchr(b' ', rest).and_then(|blank| Some((rest[..blank].strip_suffix(b" for")?, &rest[blank + 1..])));
    let (rest, address) = one_word
        .or_else(|| split_at_last(rest, b" for "))
        .or_else(|| Some((rest.strip_suffix(b" for")?, &rest[..0])))?;
    let (path, upgrade) = if let Some(path) = rest.strip_suffix(b"\" [WebSocket]") {
        (path, Upgrade::WebSocket)
    } else if let Some(rest) = rest.strip_suffix(b"[non-WebSocket]") {
        // ActionCable writes no blank before this one.
        (rest.strip_suffix(b" ").unwrap_or(rest).strip_suffix(b"\"")?, Upgrade::NonWebSocket)
    } else {
        (rest.strip_suffix(b"\"")?, Upgrade::None)
    };
    Some(Body::Started { method, path, upgrade, address: if is_address(address) { address } else { b"" }, at })
}

/// No method of HTTP or WebDAV is longer (`VERSION-CONTROL`).
const LONGEST_METHOD: usize = 20;

/// The length of ` at 2026-11-16 06:03:52 +0000`.
const STARTED_AT: usize = 29;

/// `Filter chain halted as :authenticate! rendered or redirected`
pub(crate) fn halted(text: &[u8]) -> Option<Body<'_>> {
    let rest = text.strip_prefix(b"Filter chain halted as ")?;
    let filter = split_at_last(rest, b" rendered or redirected").map_or(rest, |(filter, _)| filter);
    Some(Body::Halted(filter.strip_prefix(b":").unwrap_or(filter)))
}

/// `Completed 401 Unauthorized in 1ms (Views: 0.2ms | ActiveRecord: 0.0ms)`. An unknown status has no words (two blanks),
/// a status that Rails does not know is empty.
pub(crate) fn completed(text: &[u8]) -> Option<Body<'_>> {
    let (status, after) = status(text)?;
    Some(Body::Completed(Completed { status, duration: duration(after), action: None, exception: None }))
}

/// The status of a `Completed`, where it has one, and what follows it.
pub(crate) fn status(text: &[u8]) -> Option<(Option<u16>, &[u8])> {
    let rest = text.strip_prefix(b"Completed ")?;
    let status = digits(rest, 0, 3).and_then(|status| u16::try_from(status).ok());
    let after = if status.is_some() { &rest[3..] } else { rest };
    (status.is_some() || after.starts_with(b" ")).then_some((status, after))
}

/// The duration, in microseconds, in what follows the status of a `Completed`.
pub(crate) fn duration(after: &[u8]) -> Option<i64> {
    /// Eleven days in milliseconds: beyond that it is no duration of a request, and times could not hold it.
    const LONGEST: u64 = 1_000_000_000;
    let duration = find_in(after)?;
    let (value, digits) = leading_number(duration)?;
    let unit = &duration[digits..];
    i64::try_from(value).ok().filter(|_| unit.starts_with(b"ms") && value < LONGEST).map(|value| value * 1000)
}

/// What follows the first ` in `. The text before it is a few words.
fn find_in(text: &[u8]) -> Option<&[u8]> {
    text.windows(4).position(|window| window == b" in ").map(|at| &text[at + 4..])
}
