//! Syslog as RFC 5424 writes it, which is what Render's log streams send:
//! `<6>1 2026-11-21T22:31:53.199921Z host app process message-id - text`.
//!
//! Sources: RFC 5424 §6; Render's manual ("Log streams"). An octet count before the frame (RFC 6587) is skipped.

use bumpalo::Bump;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::opt;
use nom::sequence::{delimited, terminated};
use nom::{IResult, Parser};

use super::{Envelope, Peeled};
use crate::about::About;
use crate::text::leading_number;
use crate::time;

/// See the module.
pub(super) struct Syslog;

/// Host, application, process, message id.
type Header<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [u8], &'a [u8]);

fn word(input: &[u8]) -> IResult<&[u8], &[u8]> {
    terminated(take_while1(|b: u8| b != b' '), char(' ')).parse(input)
}

fn header(input: &[u8]) -> IResult<&[u8], (&[u8], Header<'_>)> {
    let count = opt(terminated(digit1, char(' ')));
    let priority = delimited(char('<'), digit1, tag(">1 "));
    let (rest, (_, priority)) = (count, priority).parse(input)?;
    let (rest, header) = (word, word, word, word, word).parse(rest)?;
    Ok((rest, (priority, header)))
}

/// What follows the structured data: `-`, or `[id key="value"]…` with `\]` escaped. Heroku's drains leave it out.
fn after_data(text: &[u8]) -> &[u8] {
    let mut rest = match text {
        [b'-', b' ', rest @ ..] => return rest,
        b"-" => return b"",
        _ => text,
    };
    while rest.starts_with(b"[") {
        let mut escaped = false;
        let end = rest.iter().position(|b| {
            let closes = *b == b']' && !escaped;
            escaped = *b == b'\\' && !escaped;
            closes
        });
        // A bracket that is no structured data (`[request-id] Started …`): leave the text as it is.
        let Some(end) = end.filter(|end| rest[..*end].contains(&b'=')) else { return text };
        rest = &rest[end + 1..];
    }
    rest.strip_prefix(b" ").unwrap_or(rest)
}

impl Envelope for Syslog {
    fn name(&self) -> &'static str {
        "syslog"
    }

    fn about(&self) -> About {
        About {
            example: "<6>1 2026-11-21T22:31:53.199921Z my-api srv-d3k8 72019 srv-d3k8 - Started GET …",
            shows: "time with zone, host or instance, process, level",
            hides: "nothing of its own; long lines may be cut by the sender",
            source: "RFC 5424 §6, RFC 6587 (octet counts); Render manual, Log Streams; Heroku Dev Center, Log Drains",
        }
    }

    fn begins(&self, first: u8) -> bool {
        matches!(first, b'<' | b'0'..=b'9')
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        if !matches!(line.first()?, b'<' | b'0'..=b'9') {
            return None;
        }
        let (rest, (priority, (stamp, host, _app, process, _id))) = header(line).ok()?;
        let (stamp, _) = time::iso(stamp)?;
        let severity = leading_number(priority).map_or(6, |(priority, _)| priority % 8);
        let inner = after_data(rest);
        Some(Peeled {
            inner: inner.strip_prefix(b"\xef\xbb\xbf").unwrap_or(inner),
            stamp: Some(stamp),
            process: leading_number(process).map_or(0, |(process, _)| process),
            instance: Some(if process == b"-" { host } else { process }),
            // Render's manual shows priority 0 on plain lines, so only 1 to 3 say something.
            severe: (1..=3).contains(&severity),
            ..Peeled::default()
        })
    }
}
