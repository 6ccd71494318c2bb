//! semantic_logger's text: `2026-11-16 06:03:52.068658 I [PID:THREAD] [tag] {request_id: abc} (2.150ms) Name -- message -- payload`.
//!
//! What is left is the message with its payload, behind its tags. Source: reidmorrison/semantic_logger
//! `lib/semantic_logger/formatters/default.rb`.

use bumpalo::Bump;

use super::{Envelope, Peeled, after_blank};
use crate::about::About;
use crate::secret::RequestId;
use crate::text::{is_address, is_user_id, leading_number, split_at_first};
use crate::time;

/// See the module.
pub(super) struct SemanticLogger;

impl Envelope for SemanticLogger {
    fn name(&self) -> &'static str {
        "semantic-logger"
    }

    fn about(&self) -> About {
        About {
            example: "2026-11-16 06:03:52.068658 I [7872:puma 001] {request_id: 5e908487-…} Api::FeedController -- Completed #index -- {:status=>401}",
            shows: "time to the microsecond, process and thread, level, named tags",
            hides: "zone",
            source: "reidmorrison/semantic_logger lib/semantic_logger/formatters/default.rb",
        }
    }

    fn begins(&self, first: u8) -> bool {
        first.is_ascii_digit()
    }

    fn peel<'a>(&self, line: &'a [u8], _: &'a Bump) -> Option<Peeled<'a>> {
        let end = time::iso_end(line)?;
        let [b' ', level @ (b'T' | b'D' | b'I' | b'W' | b'E' | b'F'), b' ', b'[', rest @ ..] = &line[end..] else {
            return None;
        };
        let (process, digits) = leading_number(rest)?;
        let thread = &rest[digits..rest.iter().take(128).position(|b| *b == b']')?];
        thread.strip_prefix(b":")?;
        let mut rest = after_blank(&rest[digits + thread.len() + 1..]);
        let (stamp, _) = time::iso(line)?;
        let mut peeled = Peeled {
            stamp: Some(stamp),
            process,
            severe: matches!(level, b'E' | b'F'),
            program: true,
            ..Peeled::default()
        };
        while let Some(inside) = rest.strip_prefix(b"[") {
            let (tag, after) = split_at_first(inside, b"] ")?;
            named(&mut peeled, b"", tag);
            rest = after;
        }
        if let Some(inside) = rest.strip_prefix(b"{")
            && let Some((tags, after)) = split_at_first(inside, b"} ")
        {
            for pair in tags.split(|b| *b == b',') {
                let (name, value) = split_at_first(pair, b": ").unwrap_or((b"", pair));
                named(&mut peeled, name.trim_ascii(), value.trim_ascii());
            }
            rest = after;
        }
        if rest.starts_with(b"(")
            && let Some((_, after)) = split_at_first(rest, b"ms) ").or_else(|| split_at_first(rest, b"s) "))
        {
            rest = after;
        }
        peeled.inner = match split_at_first(rest, b"-- ") {
            Some((name, message)) if name.len() <= 128 => message,
            _ => rest,
        };
        Some(peeled)
    }
}

/// Takes a tag into account, named or not.
fn named<'a>(peeled: &mut Peeled<'a>, name: &[u8], value: &'a [u8]) {
    let request = name == b"request_id" || (name.is_empty() && crate::text::is_request_id(value));
    if request && value.len() >= 8 {
        peeled.request = peeled.request.or(Some(RequestId::new(value)));
    } else if matches!(name, b"user" | b"user_id" | b"account_id" | b"current_user_id") && is_user_id(value) {
        peeled.user = Some(value);
    } else if is_address(value) {
        peeled.address = Some(value);
    }
}
