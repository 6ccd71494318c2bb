//! A Flutter app's own lines: calls on one line as hand-written interceptors print them, the way to the sign-in page, and
//! words that mean something. Any other text in a client's frame is understood as the app's.

use crate::about::About;
use crate::dialect::{Context, Dialect, Line, words};
use crate::record::{Block, Body, Side};
use crate::text::{contains_ignoring_case, digits};

use super::dio::is_network_error;
use super::fields::is_url;

/// See the module.
pub(crate) struct ClientApp;

impl Dialect for ClientApp {
    fn name(&self) -> &'static str {
        "client-app"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: "[Api] GET /api/v1/profile failed: 401",
            shows: "calls on one line, the way to the sign-in page, what usual words mean",
            hides: "words of other languages and unusual ones",
            source: "each app's own words",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        if !line.trace {
            return None;
        }
        let text = line.whole;
        // Files and methods of a stack are named after everything, and say nothing of what happens.
        if text.strip_prefix(b"#").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit)) {
            return Some(Body::Dull);
        }
        if let Some(call) = call(text) {
            return Some(call);
        }
        let has = |word: &[u8]| contains_ignoring_case(text, word);
        let to_login =
            [&b"/login"[..], b"/sign-in", b"/sign_in", b"/signin", b"/auth/login"].iter().any(|path| has(path));
        let moves =
            [&b"redirect"[..], b"going to", b"route", b"navigat", b"push", b"goto"].iter().any(|word| has(word));
        if to_login && moves {
            return Some(Body::LoginPage);
        }
        if is_network_error(text) {
            return Some(Body::NetworkDown);
        }
        // One frame of a stack, one row of a dump: nothing to understand.
        let (sense, user) = words::meaning(text);
        if sense.is_empty() && user.is_none() {
            return Some(Body::Dull);
        }
        Some(Body::Note { sense, user, text })
    }
}

const METHODS: &[&[u8]] = &[b"GET", b"POST", b"PUT", b"PATCH", b"DELETE", b"HEAD"];

/// `401 on GET /api/x`, `GET /api/x failed: 401`, `--> GET https://…`, `<-- 401 https://…`, `[http] POST /x -> 401`.
fn call(text: &[u8]) -> Option<Body<'_>> {
    if text.len() > 500 {
        return None;
    }
    let words: Vec<&[u8]> = text.split(|b| *b == b' ').filter(|word| !word.is_empty()).take(24).collect();
    let bare = |word: &'_ [u8]| -> usize { word.iter().take_while(|b| matches!(b, b'[' | b'(')).count() };
    let method_at = words.iter().position(|word| {
        let word = &word[bare(word)..];
        let word = word.strip_suffix(b"]").or_else(|| word.strip_suffix(b":")).unwrap_or(word);
        METHODS.contains(&word)
    });
    let uri = words.iter().copied().find(|word| (word.starts_with(b"/") && word.len() > 1) || is_url(word))?;
    let arrow_back = words.iter().any(|word| word.starts_with(b"<--") || *word == "←".as_bytes());
    let method = method_at.map(|place| {
        let word = &words[place][bare(words[place])..];
        word.strip_suffix(b"]").or_else(|| word.strip_suffix(b":")).unwrap_or(word)
    });
    if method.is_none() && !arrow_back {
        return None;
    }
    let uri = uri.strip_suffix(b":").or_else(|| uri.strip_suffix(b",")).unwrap_or(uri);
    let status = words.iter().find_map(|word| {
        let word = word.strip_prefix(b"[").or_else(|| word.strip_prefix(b"(")).unwrap_or(word);
        let trimmed = word.strip_suffix(b"]").or_else(|| word.strip_suffix(b")")).unwrap_or(word);
        let trimmed = trimmed.strip_suffix(b",").or_else(|| trimmed.strip_suffix(b":")).unwrap_or(trimmed);
        if trimmed.len() != 3 {
            return None;
        }
        digits(trimmed, 0, 3).and_then(|status| u16::try_from(status).ok()).filter(|status| (100..600).contains(status))
    });
    let failed =
        ["failed", "error", "timeout", "exception"].iter().any(|word| contains_ignoring_case(text, word.as_bytes()));
    let block = match status {
        Some(400..) => Block::Error,
        Some(_) => Block::Response,
        None if failed => Block::Error,
        None => Block::Request,
    };
    Some(Body::Call { block, method, uri: Some(uri), status })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_on_one_line_are_read_in_any_order_of_words() {
        for (text, block, method, uri, status) in [
            ("[Auth] 401 on GET /api/v1/feed?page=1", Block::Error, Some("GET"), "/api/v1/feed?page=1", Some(401)),
            ("[Api] GET /api/v1/profile failed: 401", Block::Error, Some("GET"), "/api/v1/profile", Some(401)),
            ("[Api] GET /api/v1/posts/3 failed: connectionError", Block::Error, Some("GET"), "/api/v1/posts/3", None),
            (
                "--> POST https://api.example.com/v2/door",
                Block::Request,
                Some("POST"),
                "https://api.example.com/v2/door",
                None,
            ),
            (
                "<-- 200 https://api.example.com/v2/door (131ms)",
                Block::Response,
                None,
                "https://api.example.com/v2/door",
                Some(200),
            ),
        ] {
            let Some(Body::Call { block: b, method: m, uri: u, status: s }) = call(text.as_bytes()) else {
                panic!("{text}")
            };
            assert_eq!(
                (b, m.map(|m| std::str::from_utf8(m).unwrap()), u, s),
                (block, method, Some(uri.as_bytes()), status),
                "{text}"
            );
        }
        assert_eq!(call(b"message on {\"channel\":\"ChatChannel\"}"), None);
    }
}
