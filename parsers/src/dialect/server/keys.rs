//! What fields are called that say whose a request is and when it was: one list for all who read a request from one line, and where such
//! fields stand among a line's own.

use super::lograge::address_of;
use crate::json;
use crate::secret::RequestId;
use crate::text::{is_address, user_id};
use crate::time::Stamp;

/// Fields for the user. What stands first is surest: an account may be many people's. `a.b` is the field of that name, or `b` inside `a`.
pub(super) const USERS: &[&str] = &[
    "user_id",
    "userId",
    "current_user_id",
    "currentUserId",
    "uid",
    "current_user",
    "currentUser",
    "user",
    "usr",
    "sub",
    "member_id",
    "memberId",
    "customer_id",
    "customerId",
    "account_id",
    "accountId",
    "account",
    "user.id",
    "usr.id",
    "enduser.id",
    "named_tags.user_id",
    "payload.user_id",
    "context.user_id",
    "custom.user_id",
];

/// Fields for the client's address.
pub(super) const ADDRESSES: &[&str] = &[
    "ip",
    "remote_ip",
    "remoteIp",
    "client_ip",
    "clientIp",
    "clientIP",
    "clientip",
    "ip_address",
    "ipAddress",
    "remote_addr",
    "remoteAddr",
    "remote_address",
    "remoteAddress",
    "ClientHost",
    "request.remote_ip",
    "req.remoteAddress",
    "named_tags.ip",
    "payload.ip",
    "client.address",
    "httpRequest.remoteIp",
    "fwd",
    "x_forwarded_for",
    "forwarded_for",
    "client",
];

/// Fields for the request id.
pub(super) const REQUESTS: &[&str] = &[
    "request_id",
    "requestId",
    "req_id",
    "reqId",
    "rid",
    "x_request_id",
    "http.request_id",
    "named_tags.request_id",
    "payload.request_id",
    "req.id",
    "request.id",
    "trace_id",
];

/// Fields for the time.
pub(super) const TIMES: &[&str] = &[
    "time",
    "timestamp",
    "@timestamp",
    "ts",
    "datetime",
    "logged_at",
    "event_time",
    "date",
    "StartUTC",
    "time_local",
    "time_iso8601",
    "at",
    "t",
];

/// Where fields of these names stand in lines of one layout, the surest first.
#[derive(Debug, Default)]
pub(crate) struct Places {
    user: Vec<Place>,
    address: Vec<Place>,
    request: Vec<Place>,
    time: Vec<Place>,
}

/// A field, or one inside it.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: usize,
    inside: Option<&'static str>,
}

/// Whose a line is, and when it was.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Whose<'a> {
    pub(crate) request: Option<RequestId>,
    pub(crate) user: Option<&'a [u8]>,
    /// What may be the client's address: whoever takes it has to look.
    pub(crate) address: Option<&'a [u8]>,
    pub(crate) stamp: Option<Stamp>,
}

impl Places {
    /// `find` gives the place of the field of a name.
    pub(crate) fn of(find: impl Fn(&str) -> Option<usize>) -> Self {
        let all = |names: &'static [&'static str]| -> Vec<Place> {
            let place = |name: &'static str| match find(name) {
                Some(at) => Some(Place { at, inside: None }),
                None => {
                    name.split_once('.').and_then(|(head, tail)| Some(Place { at: find(head)?, inside: Some(tail) }))
                }
            };
            names.iter().filter_map(|name| place(name)).collect()
        };
        let mut user = all(USERS);
        // Where a field for the user says that there is none, one of another name that is not empty (`account`) is somebody else's.
        if user.first().is_some_and(|first| first.inside.is_none()) {
            user.truncate(1);
        }
        Self { user, address: all(ADDRESSES), request: all(REQUESTS), time: all(TIMES) }
    }

    /// What the fields say. `text` gives the text at a place, `time` what it means as a time.
    #[inline(always)]
    pub(crate) fn whose<'a>(
        &self,
        text: impl Fn(usize) -> Option<&'a [u8]>,
        mut time: impl FnMut(&'a [u8]) -> Option<Stamp>,
    ) -> Whose<'a> {
        let text = |place: &Place| match (text(place.at)?, place.inside) {
            (text, None) => Some(text),
            (object, Some(name)) => json::inside(object, name),
        };
        Whose {
            request: self.request.iter().filter_map(text).find(|id| id.len() >= 8).map(RequestId::new),
            user: self.user.iter().filter_map(text).find_map(user_of),
            address: match &self.address[..] {
                [only] => text(only).map(address_of),
                several => several.iter().filter_map(text).map(address_of).find(|address| is_address(address)),
            },
            stamp: self.time.iter().filter_map(text).find_map(&mut time),
        }
    }
}

/// The user whom a field for one names: an id, or what has one (`{"id":42,"name":…}`).
pub(super) fn user_of(text: &[u8]) -> Option<&[u8]> {
    match text.first()? {
        b'{' => json::inside(text, "id").or_else(|| json::inside(text, "user_id")).and_then(user_id),
        _ => user_id(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    fn whose(pairs: &[(&str, &'static str)]) -> [Option<String>; 3] {
        let places = Places::of(|name| pairs.iter().position(|(key, _)| *key == name));
        let found = places.whose(|place| Some(pairs[place].1.as_bytes()), time::any);
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        [found.user.map(text), found.address.map(text), found.stamp.map(|stamp| stamp.micros().to_string())]
    }

    #[test]
    fn fields_are_known_under_any_usual_name() {
        for name in ["userId", "current_user", "account", "usr", "user.id", "usr.id", "sub"] {
            assert_eq!(whose(&[("path", "/"), (name, "42")])[0].as_deref(), Some("42"), "{name}");
        }
        for value in ["42", "User#42", "gid://app/User/42", r#"{"id":42,"name":"x"}"#, r#"{"name":"}","id":"42"}"#] {
            assert_eq!(whose(&[("user", value)])[0].as_deref(), Some("42"), "{value}");
        }
        assert_eq!(whose(&[("context", r#"{"locale":"en","user_id":42}"#)])[0].as_deref(), Some("42"));
        for name in ["client", "client_ip", "ip_address", "clientIp", "remoteAddr", "x_forwarded_for"] {
            assert_eq!(whose(&[(name, "203.0.113.7, 10.0.0.1")])[1].as_deref(), Some("203.0.113.7"), "{name}");
        }
        for (name, value) in [
            ("ts", "2026-11-16T06:03:52Z"),
            ("date", "2026-11-16T06:03:52+00:00"),
            ("at", "2026-11-16 06:03:52 +0000"),
            ("t", "1794809032"),
            ("datetime", "1794809032000"),
            ("time", "1794809032.000"),
        ] {
            assert_eq!(whose(&[(name, value)])[2].as_deref(), Some("1794809032000000"), "{name}");
        }
    }

    #[test]
    fn the_surest_field_is_taken_and_an_empty_one_says_that_there_is_nobody() {
        assert_eq!(whose(&[("account_id", "7"), ("user_id", "42")])[0].as_deref(), Some("42"));
        assert_eq!(whose(&[("account_id", "7"), ("user_id", "")])[0], None);
        assert_eq!(whose(&[("client", "ios"), ("ip", "203.0.113.7")])[1].as_deref(), Some("203.0.113.7"));
        assert_eq!(whose(&[("time", "413.2"), ("timestamp", "1794809032")])[2].as_deref(), Some("1794809032000000"));
    }
}
