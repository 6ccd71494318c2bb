//! What apps say of their own refreshes where no HTTP logger shows them: `token refreshed, expires in 3600s`, `token refresh
//! failed: 401`, `refreshing access token`. The words are each app's own, so this is a grammar of usual ones.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::dio::is_network_error;
use crate::about::About;
use crate::dialect::{Context, Dialect, Line};
use crate::record::{Body, ClientRefresh, NetFailure, Side};
use crate::text::{contains_ignoring_case, digits};

/// See the module.
pub(crate) struct RefreshWords;

static DONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(tokens?|session|credentials?) (was |were |has been |have been |successfully )*(refreshed|renewed|rotated)\b|\b(refresh|renewal)( \w+)? (ok|succeeded|success(ful|fully)?|completed?|done)\b|\b(refreshed|renewed) (the |an? )?(access |auth )?(token|session|credential)|\b(new|fresh) (access )?token (received|stored|saved|obtained|acquired)",
    )
    .expect("the pattern is valid")
});

static FAILED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(refresh|renewal|refreshing|renewing)( \w+){0,3}[ :_-]+(failed|failure|error|rejected|denied|refused|threw|timed out)\b|\b(failed|unable|could ?n[o']t|cannot|can't|error)( \w+)? (refresh|renew)|\b(error|exception|failure|failed) (during|while|in|on) (\w+ )?(refresh|renew|token refresh)",
    )
    .expect("the pattern is valid")
});

static STARTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(refreshing|renewing) (\w+ )*(token|session|credential)|\b(token|session) (refresh|renewal) (started|begins?|begun)\b",
    )
    .expect("the pattern is valid")
});

impl Dialect for RefreshWords {
    fn name(&self) -> &'static str {
        "refresh-words"
    }

    fn side(&self) -> Side {
        Side::Client
    }

    fn about(&self) -> About {
        About {
            example: "[TokenManager] token refresh failed: 401",
            shows: "that a refresh began, gave a token or failed, and the lifetime where it is said",
            hides: "words of other languages and unusual ones",
            source: "each app's own words",
        }
    }

    fn read<'a>(&self, line: &Line<'a>, _: &Context<'a>) -> Option<Body<'a>> {
        let text = line.whole;
        let about = || {
            contains_ignoring_case(text, b"refresh")
                || contains_ignoring_case(text, b"renew")
                || contains_ignoring_case(text, b"token ")
        };
        if !line.trace || text.len() > 400 || !about() {
            return None;
        }
        if FAILED.is_match(text) {
            return Some(Body::ClientRefresh(ClientRefresh::Failed { status: status(text), failure: failure(text) }));
        }
        let expires_in = expires_in(text);
        if DONE.is_match(text) {
            return Some(Body::ClientRefresh(ClientRefresh::Done { expires_in }));
        }
        if let Some(seconds) = expires_in {
            return Some(Body::ExpiresIn(seconds));
        }
        if let Some(seconds) = due_in(text) {
            return Some(Body::RefreshDue(seconds));
        }
        STARTED.is_match(text).then_some(Body::ClientRefresh(ClientRefresh::Started))
    }
}

// `proactive refresh in 51m58s`, `next token refresh scheduled in 3120 s`, `refresh due in 0:52:00.000000` (a Dart `Duration`).
static DUE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(?:refresh|renewal)(?:ing)?(?: \w+){0,3} (?:in|after) (?:(\d{1,4}):(\d{2}):(\d{2})|(?:(\d{1,5}) ?h(?:ours?)? ?)?(?:(\d{1,6}) ?m(?:in(?:utes?)?)? ?)?(?:(\d{1,8}) ?s)?)",
    )
    .expect("the pattern is valid")
});

/// In how many seconds the client means to refresh, where the words say.
fn due_in(text: &[u8]) -> Option<u32> {
    let found = DUE.captures(text)?;
    let number = |group: usize| -> Option<u32> { std::str::from_utf8(found.get(group)?.as_bytes()).ok()?.parse().ok() };
    let parts = [(1, 3600), (2, 60), (3, 1), (4, 3600), (5, 60), (6, 1)];
    let known: Vec<u32> = parts.iter().filter_map(|(group, unit)| number(*group)?.checked_mul(*unit)).collect();
    known.iter().try_fold(0_u32, |sum, part| sum.checked_add(*part)).filter(|_| !known.is_empty())
}

static EXPIRES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i-u)\b(?:token|session|credential)s? (?:\w+ ){0,3}(?:expires|valid|expiring)(?:[ _]?in| for)[ =:]+(\d{1,8}) ?(s|sec|seconds?|m|min|minutes?|h|hours?)?\b|refreshed, expires in (\d{1,8}) ?s")
        .expect("the pattern is valid")
});

/// How long the token lives, where the words say.
fn expires_in(text: &[u8]) -> Option<u32> {
    let found = EXPIRES.captures(text)?;
    let number = found.get(1).or_else(|| found.get(3))?;
    let seconds: u32 = std::str::from_utf8(number.as_bytes()).ok()?.parse().ok()?;
    let unit = match found.get(2).map(|unit| unit.as_bytes()[0].to_ascii_lowercase()) {
        Some(b'm') => 60,
        Some(b'h') => 3600,
        _ => 1,
    };
    seconds.checked_mul(unit)
}

/// The first number of three digits that can be a status.
fn status(text: &[u8]) -> Option<u16> {
    text.split(|b| !b.is_ascii_alphanumeric())
        .filter(|word| word.len() == 3)
        .find_map(|word| digits(word, 0, 3))
        .and_then(|status| u16::try_from(status).ok())
        .filter(|status| (400..600).contains(status))
}

fn failure(text: &[u8]) -> Option<NetFailure> {
    let has = |word: &[u8]| contains_ignoring_case(text, word);
    // Dart's own words for an answer of another shape than the code expects.
    let unreadable = [&b"is not a subtype of"[..], b"FormatException", b"null check operator", b"NoSuchMethodError"];
    if unreadable.iter().any(|word| has(word)) {
        Some(NetFailure::Unreadable)
    } else if has(b"timeout") || has(b"timed out") {
        Some(NetFailure::Timeout)
    } else if has(b"connection") || has(b"network") || has(b"offline") || is_network_error(text) {
        Some(NetFailure::Connection)
    } else if has(b"cancel") {
        Some(NetFailure::Cancelled)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::secret::FingerprintKey;

    fn read(text: &str) -> Option<ClientRefresh> {
        let arena = Bump::new();
        let line = Line { whole: text.as_bytes(), text: text.as_bytes(), trace: true, client: true, ..Line::default() };
        match RefreshWords.read(&line, &Context { arena: &arena, key: FingerprintKey::new([1; 16]), id_tag: None })? {
            Body::ClientRefresh(refresh) => Some(refresh),
            Body::RefreshDue(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_stated_lifetime_is_read_in_its_unit() {
        assert_eq!(expires_in(b"login ok, token expires in 3600s"), Some(3600));
        for (text, seconds) in [
            ("[AuthBloc] proactive refresh in 155m41s", Some(9341)),
            ("token refresh scheduled in 3120 s", Some(3120)),
            ("next refresh in 0:52:00.000000", Some(3120)),
            ("refresh due in 1h 5min", Some(3900)),
            ("refresh in progress", None),
        ] {
            assert_eq!(due_in(text.as_bytes()), seconds, "{text}");
        }
        assert_eq!(expires_in(b"access token valid for 15 min"), Some(900));
        assert_eq!(expires_in(b"session is valid for 2 hours"), Some(7200));
        assert_eq!(expires_in(b"proactive refresh in 51m58s"), None);
    }

    #[test]
    fn usual_words_for_a_refresh_are_understood() {
        let failed = |status, failure| Some(ClientRefresh::Failed { status, failure });
        for (text, meaning) in [
            ("[TokenManager] refreshing access token (proactive)", Some(ClientRefresh::Started)),
            ("[TokenManager] token refreshed, expires in 3600s", Some(ClientRefresh::Done { expires_in: Some(3600) })),
            ("Session renewed", Some(ClientRefresh::Done { expires_in: None })),
            ("refresh succeeded", Some(ClientRefresh::Done { expires_in: None })),
            ("[TokenManager] token refresh failed: 401", failed(Some(401), None)),
            ("could not refresh session: connectionError", failed(None, Some(NetFailure::Connection))),
            ("renewal failed after 30 s: timeout", failed(None, Some(NetFailure::Timeout))),
            (
                "Dio exception: unknown - Error during token refresh: type 'Null' is not a subtype of type 'String'",
                failed(None, Some(NetFailure::Unreadable)),
            ),
            ("[AuthBloc] proactive refresh in 51m58s", None),
            ("[TokenManager] no refresh token in secure storage", None),
            ("[ActionCable] reconnecting with new token", None),
        ] {
            assert_eq!(read(text), meaning, "{text}");
        }
    }
}
