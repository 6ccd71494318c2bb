//! lograge: one line a request, written at its end, as `key=value` or as JSON.
//!
//! Source: roidrage/lograge `lib/lograge/log_subscribers/base.rb`, `formatters/*.rb`, `log_subscribers/action_cable.rb`. It
//! replaces ActionCable's logger too: a connection is `action=connect` and `action=disconnect` with status 200 even when it
//! was refused, and `params` is not filtered: the raw token stands there.

use super::keys::{Places, Whose};
use super::params;
use crate::about::About;
use crate::dialect::{Context, Dialect, Fields, Line};
use crate::json::Object;
use crate::record::{Body, Completed, Side};
use crate::release;
use crate::text::{contains, digits, is_address, milliseconds, unquoted};
use crate::time::{self, Stamp};

/// `key=value` lines; see the module.
pub(crate) struct LogrageKeyValue;

/// JSON lines; see the module.
pub(crate) struct LogrageJson;

/// Fields for the exception.
pub(super) const EXCEPTION_KEYS: &[&str] = &["exception", "error", "exception_object"];
impl Dialect for LogrageKeyValue {
    fn name(&self) -> &'static str {
        "lograge-key-value"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: "method=GET path=/api/v1/feed format=json controller=FeedController action=index status=401 duration=2.15",
            shows: "method, path, status, duration, controller; sockets by their token",
            hides: "time, request id, user and address unless added; a refused socket shows as status 200",
            source: "roidrage/lograge lib/lograge/formatters/key_value.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        if !line.text.starts_with(b"method=") || !contains(line.text, b" status=") {
            return None;
        }
        let pairs: Vec<_> = KeyValues::new(line.text).collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name.as_bytes()).map(|(_, value)| *value);
        body(get, context)
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        fields_of_pairs(&KeyValues::new(line.text).collect::<Vec<_>>())
    }
}

impl Dialect for LogrageJson {
    fn name(&self) -> &'static str {
        "lograge-json"
    }

    fn side(&self) -> Side {
        Side::Server
    }

    fn about(&self) -> About {
        About {
            example: r#"{"method":"GET","path":"/api/v1/feed","format":"json","controller":"FeedController","action":"index","status":401,"duration":2.15}"#,
            shows: "method, path, status, duration, controller; sockets by their token",
            hides: "time, request id, user and address unless added; a refused socket shows as status 200",
            source: "roidrage/lograge lib/lograge/formatters/json.rb, logstash.rb, graylog2.rb",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, context: &Context<'a>) -> Option<Body<'a>> {
        let object = line.object?;
        // Without a controller it is somebody else's object: see `json-requests`.
        object.raw("controller").filter(|_| object.has(&["status", "method"]))?;
        body(|name| object.text(name), context)
    }

    fn fields<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Fields<'a> {
        line.object.map_or_else(Fields::default, fields_of_object)
    }
}

/// What a line of pairs says of whose it is and when it was.
pub(super) fn fields_of_pairs<'a>(pairs: &[(&'a [u8], &'a [u8])]) -> Fields<'a> {
    let find = |name: &str| pairs.iter().position(|(key, _)| *key == name.as_bytes());
    let whose = Places::of(find).whose(|place| Some(pairs[place].1), stamp_of);
    fields_of(whose, |name| find(name).map(|place| pairs[place].1))
}

/// The same of an object.
fn fields_of_object<'a>(object: &Object<'a>) -> Fields<'a> {
    let whose = Places::of(|name| object.place(name)).whose(|place| object.text_at(place), stamp_of);
    // `"dd":{"version":"…"}`: Datadog's names are one object.
    fields_of(whose, |name| object.at(name))
}

/// A time in the notation of lograge's formatters, or in another one of loggers.
fn stamp_of(text: &[u8]) -> Option<Stamp> {
    time::iso(text).map(|(stamp, _)| stamp).or_else(|| time::any(text))
}

pub(super) fn fields_of<'a>(whose: Whose<'a>, get: impl Fn(&str) -> Option<&'a [u8]>) -> Fields<'a> {
    let Whose { request, user, address, stamp } = whose;
    let address = address.filter(|address| is_address(address));
    Fields { request, user, address, stamp, releases: release::of_fields(get) }
}

/// A chain of proxies: the first address is the client's.
pub(super) fn address_of(chain: &[u8]) -> &[u8] {
    chain.split(|b| *b == b',').next().unwrap_or_default().trim_ascii()
}

/// Whether a line is about a connection or a channel.
pub(super) fn is_of_cable(controller: &[u8], action: &[u8]) -> bool {
    is_connection(controller, action) || controller.ends_with(b"Channel")
}

fn is_connection(controller: &[u8], action: &[u8]) -> bool {
    controller.ends_with(b"Connection") && (action == b"connect" || action == b"disconnect")
}

pub(super) fn body<'a>(get: impl Fn(&str) -> Option<&'a [u8]>, context: &Context<'a>) -> Option<Body<'a>> {
    let controller = get("controller").unwrap_or_default();
    let action = get("action").unwrap_or_default();
    if is_connection(controller, action) {
        let params = params::read(get("params").unwrap_or_default(), &context.key);
        return Some(Body::Connection { opened: action == b"connect", token: params.token });
    }
    if controller.ends_with(b"Channel") {
        return Some(match action {
            b"subscribe" => Body::Channel(true),
            b"unsubscribe" => Body::Channel(false),
            _ => Body::Dull,
        });
    }
    let method = get("method").filter(|method| !method.is_empty())?;
    let name: &[u8] = if controller.is_empty() {
        b""
    } else {
        let mut name = bumpalo::collections::Vec::with_capacity_in(controller.len() + action.len() + 1, context.arena);
        name.extend_from_slice(controller);
        name.push(b'#');
        name.extend_from_slice(action);
        name.into_bump_slice()
    };
    let status = get("status").and_then(|status| digits(status, 0, 3)).and_then(|status| u16::try_from(status).ok());
    let duration = get("duration").and_then(milliseconds);
    let exception = EXCEPTION_KEYS.iter().find_map(|key| get(key)).filter(|text| !text.is_empty());
    let end = Completed { status, duration, action: (!name.is_empty()).then_some(name), exception };
    Some(Body::Request { method, path: get("path").unwrap_or_default(), end })
}

/// `key=…`
fn begins_with_key(text: &[u8]) -> bool {
    let key = text.iter().take_while(|b| b.is_ascii_lowercase() || **b == b'_').count();
    key > 0 && text.get(key) == Some(&b'=')
}

/// `key=value key2={"a"=>"b c"} key3=`: a value in braces or quotes runs to their end, others to the next blank.
pub(crate) struct KeyValues<'a> {
    rest: &'a [u8],
    /// A brace or quote without an end was met: all that follow are read as words, or a line made of them would be read over
    /// and over.
    unclosed: bool,
}

impl<'a> KeyValues<'a> {
    /// The pairs of a text.
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text, unclosed: false }
    }

    /// The pairs with their values as they stand.
    pub(crate) fn raw(mut self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        std::iter::from_fn(move || self.next_raw())
    }

    fn next_raw(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            let end = self.rest.iter().position(|b| matches!(b, b'=' | b' '))?;
            if self.rest[end] == b' ' {
                self.rest = &self.rest[end..];
                continue;
            }
            let (key, value) = (&self.rest[..end], &self.rest[end + 1..]);
            let length = if self.unclosed { None } else { value_length(value) };
            self.unclosed |= length.is_none();
            let length = length.unwrap_or_else(|| memchr::memchr(b' ', value).unwrap_or(value.len()));
            self.rest = &value[length..];
            return Some((key, &value[..length]));
        }
    }
}

impl<'a> Iterator for KeyValues<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        self.next_raw().map(|(key, value)| (key, unquoted(value)))
    }
}

/// How long a value is; `None` where a brace or quote in it has no end.
pub(crate) fn value_length(value: &[u8]) -> Option<usize> {
    if value.starts_with(b"'") {
        // `error='Class: message'` holds whatever the message does, quotes too: it ends where the next key begins.
        let ends = memchr::memmem::find_iter(value, b"' ").find(|at| begins_with_key(&value[at + 2..]));
        return Some(ends.map_or(value.len(), |at| at + 1));
    }
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in value.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth = depth.saturating_sub(1),
            b' ' if !quoted && depth == 0 => return Some(at),
            _ => {}
        }
    }
    (!quoted && depth == 0).then_some(value.len())
}
