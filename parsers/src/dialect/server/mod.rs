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
use crate::tagging::IdTag;
use crate::text::{is_address, is_request_id, is_user_id, user_id};

/// A tag longer than this is text in brackets.
const LONGEST_TAG: usize = 255;

/// How many tags are taken; apps set two or three.
pub(crate) const MOST_TAGS: usize = 6;

/// Takes the tags off the front of a line: `[id] [user:42] [ActionCable] [42] text`.
///
/// Source: ActiveSupport `TaggedLogging::Formatter#tags_text`: each tag in brackets, a blank after each. What a tag means
/// is not written, so it is read off its shape.
pub(crate) fn take_tags(text: &[u8]) -> (Tags<'_>, &[u8]) {
    take_tags_by(text, None)
}

/// The same, where the source's head told which of them is the request's id.
pub(crate) fn take_tags_by(text: &[u8], known: Option<IdTag>) -> (Tags<'_>, &[u8]) {
    let mut tags = Tags::default();
    // How surely the tag that was taken for the request's id is one, and the tag.
    let mut id: Option<(Surely, &[u8])> = None;
    let rest = each_tag(text, |place, tag| {
        tags.any = true;
        let as_known = || known.map(|known| known.is(place, tag).then_some((Surely::Named, tag)));
        if tag == b"ActionCable" {
            tags.cable = true;
        } else if let Some((surely, word)) = as_known().unwrap_or_else(|| request_id(tag)).filter(|_| !tags.cable)
            && id.is_none_or(|(known, _)| known < surely)
        {
            // What was taken for one names a machine, a release, a device.
            tags.other = id.map_or(tags.other, |(_, tag)| Some(tag));
            (id, tags.request) = (Some((surely, tag)), Some(RequestId::new(word)));
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
    });
    (tags, rest)
}

/// Shows each tag off the front of a line, with its place, and gives what follows them.
pub(crate) fn each_tag<'a>(text: &'a [u8], mut see: impl FnMut(usize, &'a [u8])) -> &'a [u8] {
    let mut rest = text;
    for place in 0..MOST_TAGS {
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
        rest = after;
        see(place, tag);
    }
    rest
}

/// How surely a tag is the id of a request: a pod's name, a commit, a device look like one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Surely {
    /// Any word that can be one.
    Perhaps,
    /// 32 hexadecimal digits, with what Google's and Amazon's load balancers write around them.
    Hex,
    /// A UUID, as Rails makes them.
    Uuid,
    /// The tag says so: `request_id:…`.
    Named,
}

/// The request's id that a tag may be.
fn request_id(tag: &[u8]) -> Option<(Surely, &[u8])> {
    const KEYS: &[&[u8]] =
        &[b"request_id", b"request-id", b"requestid", b"request", b"req", b"req_id", b"rid", b"x-request-id"];
    /// `Self=1-…;Root=1-67891233-abcdef012345678912345678`. Source: AWS manual, "Request tracing for your Application Load Balancer".
    const ROOT: &[u8] = b"Root=1-";
    if let Some(at) = tag.iter().position(|b| matches!(b, b':' | b'=' | b'#'))
        && KEYS.iter().any(|key| tag[..at].eq_ignore_ascii_case(key))
    {
        let word = tag[at + 1..].trim_ascii();
        return (word.len() >= SHORTEST_NAMED_ID && word.iter().all(u8::is_ascii_graphic))
            .then_some((Surely::Named, word));
    }
    if let Some(root) = tag.split(|b| *b == b';').find(|part| part.starts_with(ROOT)) {
        return Some((Surely::Hex, root));
    }
    // `105445aa7843bc8bf206b12000100000/0;o=1`. Source: Google Cloud manual, "X-Cloud-Trace-Context". And `5e908487-…, 3.12.0`.
    let word = tag.iter().position(|b| matches!(b, b'/' | b',')).map_or(tag, |end| &tag[..end]);
    let is_hex = word.len() >= 30 && word.iter().all(u8::is_ascii_hexdigit);
    if RequestId::uuid(word).is_some() {
        return Some((Surely::Uuid, word));
    }
    (is_hex || is_request_id(tag)).then_some(if is_hex { (Surely::Hex, word) } else { (Surely::Perhaps, tag) })
}

/// What a tag calls an id is one from so many characters on.
const SHORTEST_NAMED_ID: usize = 6;

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
    fn of_several_tags_the_surest_is_the_requests_id() {
        let id = "5e908487-0000-4000-8000-000000000000";
        let request = |tags: &str| take_tags(format!("{tags} Started GET").as_bytes()).0.request;
        let expected = request(&format!("[{id}]"));
        assert!(expected.is_some());
        for before in
            ["api-6d4f9c7b8-x2x9p", "ip-10-0-3-17.ec2.internal", "9f0c2c1e4b7a9f0c2c1e4b7a9f0c2c1e4b7a9f0c", "3.12.0"]
        {
            assert_eq!(request(&format!("[{before}] [{id}]")), expected, "{before}");
            assert_eq!(request(&format!("[{id}] [{before}]")), expected, "{before}");
        }
        assert_eq!(request(&format!("[request_id:{id}]")), expected);
        assert_eq!(request(&format!("[0f0f0f0f-0000-4000-8000-000000000000] [req={id}]")), expected);
        let short = |id: &str| request(&format!("[req={id}]"));
        assert!(short("3342c462").is_some() && short("3342c462") != short("4831b5c2") && short("-").is_none());
        let traced = |span: &str| request(&format!("[105445aa7843bc8bf206b12000100000/{span};o=1]"));
        assert!(traced("1").is_some() && traced("1") == traced("2"));
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
