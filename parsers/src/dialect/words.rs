//! What an app's own words mean. Every app words its lines differently or writes none, so this is a vocabulary of usual
//! words in any order, and nothing hangs on it alone.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Match, Regex, RegexSet};

use crate::record::Sense;
use crate::text;

/// Pattern and meaning, in one table so that they cannot drift apart.
const VOCABULARY: &[(&str, Sense)] = &[
    (r"(?i)expired|no longer valid|has run out|ran out", Sense::EXPIRED),
    (r"(?i)revoked|invalidated|logged in elsewhere|session limit", Sense::REVOKED),
    (
        r"(?i)(unknown|invalid|malformed|bad|unrecogni[sz]ed)[ _-]?\w*[ _-]?(token|credential|signature|jwt|jti|session)|(token|credential|session|jti)[ _-]?(is )?(not[ _-]?found|unknown|invalid)",
        Sense::UNKNOWN,
    ),
    (r"(?i)re-?used|reuse[ _-]?detected|already[ _-]?used|replay", Sense::REUSED),
    (
        r"(?i)(missing|no|without|blank|empty)[ _-]?(\w+[ _-])?(token|credential|authorization|bearer)|not[ _-]?authenticated",
        Sense::MISSING,
    ),
    (r"(?i)reject|refus|denied|unauthori[sz]ed|forbidden|\bfail|\b401\b", Sense::REFUSED),
    (
        r"undefined method|undefined local variable|NoMethodError|NameError|ArgumentError|TypeError|KeyError|StandardError|uninitialized constant|nil:NilClass|for nil\b|(?i:exception|backtrace)|\b[A-Z]\w+Error\b",
        Sense::FAULT,
    ),
    (
        r"(?i)password[ _-]?(was[ _-]|has[ _-]been[ _-])?(change|update|reset)|chang(ed|ing)[ _-](the[ _-])?password",
        Sense::PASSWORD,
    ),
    (r"(?i)log(ged)?[ _-]?out|sign(ed)?[ _-]?out|session (ended|destroyed|closed) by", Sense::SIGN_OUT),
    (
        r"(?i)no (stored|saved|persisted|cached) (session|token|credential|user)|no (\w+ )?(session|tokens?|credentials?) (stored|saved|found|in (secure )?storage)|nothing (stored|in (secure )?storage)",
        Sense::NO_SESSION,
    ),
    (r"(?i)socket|cable|realtime|\bws\b", Sense::SOCKET),
    (r"(?i)refresh|renew|rotat", Sense::REFRESH),
];

static PATTERNS: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(VOCABULARY.iter().map(|(pattern, _)| *pattern)).expect("the table is valid"));

/// The reasons for a refusal, as they stand in a row.
const REASONS: [(&str, Sense); 5] = [
    (r"expired|no longer valid|(?:has run|ran) out", Sense::EXPIRED),
    (r"revoked", Sense::REVOKED),
    (r"invalid|not[ _-]?valid|unknown|unrecogni[sz]ed|malformed|incorrect|wrong|bad|not[ _-]?found", Sense::UNKNOWN),
    (r"re-?used|already[ _-]?used", Sense::REUSED),
    (r"missing", Sense::MISSING),
];

/// `invalid or expired`, `unknown/revoked`, `is invalid, expired, revoked, …`: reasons of which one holds. (Two with a comma between may be
/// a reason and what came of it: `reused, revoked`.)
static EITHER: LazyLock<Regex> = LazyLock::new(|| {
    let reason = format!("(?:{})", REASONS.map(|(pattern, _)| pattern).join("|"));
    let or = format!(r"(?:(?:[ _-]\w+){{0,3}}?,?[ _-]or[ _-](?:\w+[ _-]){{0,4}}?|(?-i:Or)){reason}");
    Regex::new(&format!(r"(?i){reason}(?:(?:, ?{reason})*(?:{or})+|(?:, ?{reason}){{2,}}|(?: ?[/|] ?{reason})+)"))
        .expect("the table is valid")
});

static EACH: LazyLock<RegexSet> =
    LazyLock::new(|| RegexSet::new(REASONS.map(|(pattern, _)| format!("(?i){pattern}"))).expect("the table is valid"));

static USER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?i-u)\b(?:user|account|member|customer|uid|owner|current_user|sub)(?:[_ ]?id)?["']?\s*(?:=>|[=:#])\s*["']?([A-Za-z0-9@._+/-]+)|(?i-u)\b(?:user|account|member|customer)\s+([0-9]+|[0-9a-f]{8}-[0-9a-f-]{27})\b"#,
    )
    .expect("the pattern is valid")
});

static HINTED: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(HINTS)
        .expect("they are few")
});

/// The words that any meaning is made of; a line without them costs no regular expression.
const HINTS: &[&[u8]] = &[
    b"token",
    b"auth",
    b"session",
    b"expire",
    b"revok",
    b"reject",
    b"refus",
    b"denied",
    b"fail",
    b"error",
    b"undefined",
    b"password",
    b"log",
    b"sign",
    b"stored",
    b"storage",
    b"socket",
    b"cable",
    b"refresh",
    b"user",
    b"account",
    b"member",
    b"uid",
    b"customer",
    b"jwt",
    b"renew",
    b"credential",
    b"exception",
    b"401",
    b"owner",
    b"reuse",
    b"nothing",
];

fn of_words(text: &[u8]) -> Sense {
    PATTERNS.matches(text).iter().fold(Sense::default(), |sense, place| sense.with(VOCABULARY[place].1))
}

/// What a text means that gives a reason. Of several of which one holds it does not say which: something was refused, and what else it says.
fn decided(sense: Sense, text: &[u8]) -> Sense {
    let several = |found: &Match<'_>| EACH.matches(found.as_bytes()).iter().count() > 1;
    let Some(found) = EITHER.find(text).filter(several) else { return sense };
    of_words(&text[..found.start()]).with(of_words(&text[found.end()..])).with(Sense::REFUSED)
}

/// What a text of an app means, and whom it names.
pub(super) fn meaning(text: &[u8]) -> (Sense, Option<&[u8]>) {
    // A line this long is a dump (a body, a query), not a sentence.
    let text = &text[..text.len().min(600)];
    if !HINTED.is_match(text) {
        return (Sense::default(), None);
    }
    let mut sense = of_words(text);
    if sense.gives_reason() {
        sense = decided(sense, text);
    }
    let user = USER.captures(text).and_then(|found| found.get(1).or_else(|| found.get(2))).map(|found| {
        let mut word = found.as_bytes();
        while let [rest @ .., b'.' | b'/' | b'-' | b'_'] = word {
            word = rest;
        }
        word
    });
    (sense, user.filter(|user| text::is_user_id(user)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_words_are_understood_in_any_wording() {
        for (text, sense, user) in [
            ("[Auth] 401 token_expired user_id=163 GET /api/v1/x", Sense::EXPIRED, Some("163")),
            (
                "refresh token was already used by account: 9f0c2c1e-0000-4000-8000-000000000000",
                Sense::REUSED,
                Some("9f0c2c1e-0000-4000-8000-000000000000"),
            ),
            ("validation error: undefined method `tokens' for an instance of User", Sense::FAULT, None),
            ("no stored session", Sense::NO_SESSION, None),
            ("rejected reason=refresh_token_unknown", Sense::UNKNOWN, None),
            ("user 42 signed out", Sense::SIGN_OUT, Some("42")),
        ] {
            let (found, named) = meaning(text.as_bytes());
            let named = named.map(|user| String::from_utf8_lossy(user).into_owned());
            assert!(found.has(sense) && named.as_deref() == user, "{text}: {found:?} {named:?}");
        }
    }

    #[test]
    fn of_reasons_of_which_one_holds_none_is_taken() {
        for text in [
            "Unauthorized access: invalid or expired token (GET /api/v1/feed)",
            "The access token is invalid or has expired",
            "Token expired, revoked, or unknown",
            "invalid/expired token",
            "code=token_expired_or_revoked",
            "TokenInvalidOrExpired: bad_request",
            "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI used",
            "missing or invalid token",
        ] {
            assert_eq!(meaning(text.as_bytes()).0, Sense::REFUSED, "{text}");
        }
        for (text, sense) in [
            ("Invalid or expired refresh token", Sense::REFUSED.with(Sense::REFRESH)),
            ("invalid or expired token: token was revoked by an administrator", Sense::REFUSED.with(Sense::REVOKED)),
            ("token reused, revoked", Sense::REUSED.with(Sense::REVOKED)),
            ("token expired. Sign in or ask for a revoked one", Sense::EXPIRED.with(Sense::REVOKED)),
            ("token expired for organization 7, invalid", Sense::EXPIRED),
            ("unknown or malformed token", Sense::UNKNOWN),
        ] {
            assert_eq!(meaning(text.as_bytes()).0, sense, "{text}");
        }
    }

    #[test]
    fn other_talk_means_nothing() {
        assert_eq!(meaning(b"Rendered text template"), (Sense::default(), None));
    }
}
