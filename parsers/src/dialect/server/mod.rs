//! What servers write.

pub(crate) mod access_log;
pub(crate) mod action_cable;
pub(crate) mod anycable;
pub(crate) mod apache_error;
pub(crate) mod app;
pub(crate) mod auth_library;
pub(crate) mod exception;
pub(crate) mod falcon;
pub(crate) mod heroku_router;
pub(crate) mod keys;
pub(crate) mod lograge;
pub(crate) mod lograge_ltsv;
pub(crate) mod lograge_places;
pub(crate) mod logstasher;
pub(crate) mod nginx_error;
pub(crate) mod otlp;
pub(crate) mod params;
pub(crate) mod platform;
pub(crate) mod puma;
pub(crate) mod rack_attack;
pub(crate) mod rails;
pub(crate) mod rails_events;
pub(crate) mod render_requests;
pub(crate) mod requests;
pub(crate) mod semantic;
pub(crate) mod sidekiq;
pub(crate) mod sql;

use memchr::memchr;

use super::Tags;
use crate::secret::RequestId;
use crate::text::{is_address, is_request_id, is_user_id, user_id};

/// A tag longer than this is text in brackets.
const LONGEST_TAG: usize = 255;

/// How many tags are taken; apps set two or three.
const MOST_TAGS: usize = 6;

/// Takes the tags off the front of a line: `[id] [user:42] [ActionCable] [42] text`.
///
/// Source: ActiveSupport `TaggedLogging::Formatter#tags_text`: each tag in brackets, a blank after each. What a tag means
/// is not written, so it is read off its shape.
pub(crate) fn take_tags(text: &[u8]) -> (Tags<'_>, &[u8]) {
    let mut tags = Tags::default();
    let mut rest = text;
    for _ in 0..MOST_TAGS {
        let Some(inside) = rest.strip_prefix(b"[") else { break };
        let Some(end) = memchr(b']', &inside[..inside.len().min(LONGEST_TAG + 1)]) else { break };
        let (tag, after) = (&inside[..end], &inside[end + 1..]);
        let after = match after {
            [b' ', after @ ..] => after,
            [] => after,
            _ => break,
        };
        if after.starts_with(b"* ") || after.starts_with(b"- ") || after.starts_with(b"Puma starting") {
            break; // `[4711] - Worker 0 booted`: Puma's own mark for its process, no tag
        }
        tags.any = true;
        rest = after;
        if tag == b"ActionCable" {
            tags.cable = true;
        } else if tags.request.is_none() && is_request_id(tag) && !tags.cable {
            tags.request = Some(RequestId::new(tag));
        } else if is_address(tag) {
            tags.address = Some(tag);
        } else if let Some(user) = user_of(tag, tags.cable) {
            tags.user = user;
        } else if let Some(id) = tag.strip_prefix(b"id:").or_else(|| tag.strip_prefix(b"id="))
            && id.iter().all(u8::is_ascii_digit)
        {
            // Anything has an `id`: a number is the user's where no other tag names one.
            tags.user = tags.user.or_else(|| Some(id).filter(|id| is_user_id(id)));
        } else {
            tags.other = Some(tag);
        }
    }
    (tags, rest)
}

/// The user whom a tag names: `user:42`, `User#42`, `uid=…`, or (after `[ActionCable]`) the bare id. The outer `None` means
/// that the tag speaks of no user, the inner one that it says there is none.
fn user_of(tag: &[u8], cable: bool) -> Option<Option<&[u8]>> {
    if let Some(at) = tag.iter().position(|b| matches!(b, b':' | b'=' | b'#')) {
        let (key, value) = (&tag[..at], tag[at + 1..].trim_ascii());
        let known: &[&[u8]] = &[
            b"user",
            b"user_id",
            b"uid",
            b"usr",
            b"u",
            b"current_user",
            b"sub",
            b"account",
            b"account_id",
            b"member",
            b"member_id",
            b"customer",
            b"customer_id",
        ];
        if known.iter().any(|known| key.eq_ignore_ascii_case(known)) {
            return Some(user_id(value));
        }
        return None;
    }
    (cable && is_user_id(tag)).then_some(Some(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_known_by_their_shape() {
        let (tags, rest) = take_tags(b"[5e908487-0000-4000-8000-000000000000] [user:42] [10.0.0.1] Started GET");
        assert!(tags.request.is_some());
        assert_eq!((tags.user, tags.address, rest), (Some(&b"42"[..]), Some(&b"10.0.0.1"[..]), &b"Started GET"[..]));
        let (tags, rest) = take_tags(b"[ActionCable] [121] Registered connection (x)");
        assert_eq!((tags.cable, tags.user, rest), (true, Some(&b"121"[..]), &b"Registered connection (x)"[..]));
        let (tags, _) = take_tags(b"[5e908487-0000-4000-8000-000000000000] [user:-] x");
        assert_eq!(tags.user, None);
    }

    #[test]
    fn a_tag_names_a_user_by_its_key() {
        for (tag, user) in [
            ("id:42", Some("42")),
            ("uid:42", Some("42")),
            ("sub:42", Some("42")),
            ("account:42", Some("42")),
            ("user:gid://app/User/42", Some("42")),
            ("User#42", Some("42")),
            ("account:acme", None),
            ("user:guest", None),
            ("user:", None),
            ("id:5e908487", None),
            ("id:0", None),
            ("member count", None),
        ] {
            let line = format!("[5e908487-0000-4000-8000-000000000000] [{tag}] x");
            let found = take_tags(line.as_bytes()).0.user.map(|user| String::from_utf8_lossy(user).into_owned());
            assert_eq!(found.as_deref(), user, "{tag}");
        }
        assert_eq!(take_tags(b"[user:42] [id:7] x").0.user, Some(&b"42"[..]));
    }

    #[test]
    fn text_in_brackets_is_not_eaten() {
        assert_eq!(take_tags(b"[GET]200 host/").1, b"[GET]200 host/");
        assert_eq!(take_tags(b"[4711] - Worker 0 (PID: 4712) booted").1, b"[4711] - Worker 0 (PID: 4712) booted");
    }
}
