//! Headers and bodies of HTTP exchanges as client loggers print them: `key: value`, Dart maps, JSON.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::dialect::Context;
use crate::dialect::server::params;
use crate::record::{Body, Params};
use crate::release;
use crate::secret::RequestId;
use crate::text::{after, leading_number, unquoted};
use crate::time;

/// A header by its name, in any case of letters. `None` for headers that say nothing here.
pub(super) fn header<'a>(name: &[u8], value: &'a [u8], context: &Context<'a>) -> Option<Body<'a>> {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let value = value.trim_ascii();
    let value = value.strip_suffix(b",").unwrap_or(value);
    // Headers can come several times, so loggers print lists: `[3909dd16-…]`, `["3909dd16-…"]`.
    let value = value.strip_prefix(b"[").and_then(|value| value.strip_suffix(b"]")).unwrap_or(value);
    let value = unquoted(value.trim_ascii());
    if is(b"authorization") {
        let token = value.split(|b| *b == b' ').next_back().unwrap_or(value);
        return context.key.fingerprint(token).map(Body::Bearer);
    }
    if is(b"x-request-id") || is(b"request-id") || is(b"x-correlation-id") {
        return (value.len() >= 8).then(|| Body::RequestIdHeader(RequestId::new(value)));
    }
    if is(b"date") {
        return time::http_date(value).map(Body::ServerDate);
    }
    if let Some(release) = release::of_header(name, value) {
        return Some(Body::Release(release));
    }
    let lower = name.to_ascii_lowercase();
    let has = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    (has(b"device") && has(b"id") && !value.is_empty()).then_some(Body::Device(value))
}

static ISSUED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u)(?i)["']?\b(access_?token|auth_?token|id_?token|jwt|token)["']?\s*[:=]\s*["']?([A-Za-z0-9._~+/-]{8,}=*)"#)
        .expect("valid")
});

static EXPIRES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?-u)(?i)["']?\bexpires_?in["']?\s*[:=]\s*["']?(\d{1,9})"#).expect("valid"));

/// A piece of a body: a Dart map (`{email: a@b.example, password: x}`), JSON whole or a pair a line. `None` if no pair in it
/// means anything here.
pub(super) fn body<'a>(text: &'a [u8], context: &Context<'a>) -> Option<Body<'a>> {
    let expires_in = EXPIRES
        .captures(text)
        .and_then(|found| leading_number(found.get(1)?.as_bytes()))
        .and_then(|(seconds, _)| u32::try_from(seconds).ok());
    let issued = ISSUED.captures(text).and_then(|found| found.get(2));
    if let Some(token) = issued.and_then(|token| context.key.fingerprint(token.as_bytes())) {
        return Some(Body::Issued { refresh: false, token, expires_in });
    }
    let params = params::read(text, &context.key);
    if params.password || params.refresh_token || params.email.is_some() {
        return Some(Body::Sent(params));
    }
    expires_in.map(Body::ExpiresIn)
}

/// A key of a body whose value is not on its line.
pub(super) fn name_of_body<'a>(name: &[u8], context: &Context<'a>) -> Option<Body<'a>> {
    let mut params = Params::default();
    params::note(&mut params, &mut 0, name, b"", &context.key);
    (params.password || params.refresh_token).then_some(Body::Sent(params))
}

/// `name: value` with a plain name.
pub(super) fn pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(b':', text)?;
    let name = unquoted(text[..at].trim_ascii());
    let plain = !name.is_empty()
        && name.len() <= 64
        && name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    plain.then(|| (name, text[at + 1..].trim_ascii()))
}

/// Whether a text is an address of a request.
pub(super) fn is_url(text: &[u8]) -> bool {
    ["http://", "https://", "ws://", "wss://"].iter().any(|scheme| after(text, scheme.as_bytes()).is_some())
}
