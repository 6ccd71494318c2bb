//! Request parameters as Rails prints them: Ruby's `inspect` of a hash, `{"a"=>"1"}` up to Ruby 3.3, `{"a" => "1"}` from 3.4 on.
//!
//! Values are mostly filtered; the *names* of the parameters still tell a sign-in from a refresh. A nested upload or a
//! model's `inspect` makes the text no well-formed hash, so pairs are searched, not parsed.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::record::Params;
use crate::secret::FingerprintKey;
use crate::text::{is_email, split_at_first, unquoted};

static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u)"?([A-Za-z_][A-Za-z0-9_]*)"?\s?(?:=>|:)\s?("(?:[^"\\]|\\.)*"|[^\s,{}\[\]]+)"#).expect("valid")
});

/// What a hash of parameters (Ruby's, Dart's or JSON) shows.
pub(crate) fn read<'a>(text: &'a [u8], key: &FingerprintKey) -> Params<'a> {
    let mut params = Params::default();
    let mut passwords = 0;
    if let Some((name, value)) = only_pair(text) {
        note(&mut params, &mut passwords, name, value, key);
        return params;
    }
    for pair in PAIR.captures_iter(text) {
        let (Some(name), Some(value)) = (pair.get(1), pair.get(2)) else { continue };
        let value = match value.as_bytes() {
            // An opened quote that nobody closes: the line was cut, and half a token would be another token.
            [b'"', rest @ ..] if rest.last() != Some(&b'"') => b"",
            value => unquoted(value),
        };
        note(&mut params, &mut passwords, name.as_bytes(), value, key);
    }
    params
}

/// The name and the value of `{"name":"value"}`, which is all that a socket's line has.
fn only_pair(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let inside = text.strip_prefix(b"{\"")?.strip_suffix(b"\"}")?;
    let (name, value) = split_at_first(inside, b"\":\"")?;
    let is_name = !name.is_empty()
        && !name[0].is_ascii_digit()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    (is_name && memchr::memchr2(b'"', b'\\', value).is_none()).then_some((name, value))
}

/// Takes one parameter into account.
pub(crate) fn note<'a>(
    params: &mut Params<'a>,
    passwords: &mut u32,
    name: &[u8],
    value: &'a [u8],
    key: &FingerprintKey,
) {
    let lower = name.to_ascii_lowercase();
    let is = |word: &[u8]| lower.windows(word.len()).any(|window| window == word);
    if is(b"passw") || is(b"passphrase") {
        params.password = true;
        *passwords += 1;
        // A confirmation alone is a registration.
        params.new_password |= is(b"new") || is(b"current") || is(b"old");
    } else if (is(b"refresh") && (is(b"token") || is(b"jti"))) || (lower == b"grant_type" && value == b"refresh_token")
    {
        params.refresh_token = true;
        if lower != b"grant_type" {
            params.token = key.fingerprint(value).or(params.token);
        }
    } else if is(b"email") || is(b"login") || is(b"username") || is(b"identifier") {
        if is_email(value) {
            params.email = Some(value);
        }
    } else if is(b"token") || is(b"jwt") || is(b"ticket") {
        params.token = key.fingerprint(value).or(params.token);
    } else if lower == b"operationname" || lower == b"operation_name" {
        params.operation = Some(value).filter(|name| is_operation(name)).or(params.operation);
    }
}

/// What a GraphQL operation may be called. Source: GraphQL specification, October 2021, section 2.1.9 (Names).
fn is_operation(name: &[u8]) -> bool {
    const LONGEST: usize = 80;
    (1..=LONGEST).contains(&name.len())
        && !name[0].is_ascii_digit()
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
        && name != b"null"
        && name != b"nil"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_is_read_as_the_pattern_reads_it() {
        for text in [
            r#"{"token":"abc"}"#,
            r#"{"token":""}"#,
            r#"{"a_1":"x=>y {z: 1}"}"#,
            r#"{"a":"b","c":"d"}"#,
            r#"{"1a":"b"}"#,
            r#"{"a":"b\"c"}"#,
            r#"{"":"b"}"#,
            r#"{"a-b":"c"}"#,
            "{\"a\":\"b\nc\"}",
            "{}",
        ] {
            let pairs: Vec<_> = PAIR.captures_iter(text.as_bytes()).map(|pair| pair.extract::<2>().1).collect();
            if let Some((name, value)) = only_pair(text.as_bytes()) {
                let quoted = [b"\"", value, b"\""].concat();
                assert_eq!(pairs, [[name, &quoted]], "{text}");
            } else {
                assert!(pairs.len() != 1 || !text.starts_with(r#"{"token"#), "{text}");
            }
        }
    }

    #[test]
    fn names_tell_a_sign_in_from_a_refresh_in_the_notation_of_either_ruby() {
        let key = FingerprintKey::new([0; 16]);
        let old = read(br#"{"email"=>"a@b.example", "password"=>"[FILTERED]", "auth"=>{"email"=>"[FILTERED]"}}"#, &key);
        assert_eq!((old.password, old.email, old.refresh_token), (true, Some(&b"a@b.example"[..]), false));
        let new = read(br#"{"refresh_token" => "[FILTERED]", "grant_type" => "refresh_token"}"#, &key);
        assert!(new.refresh_token && !new.password && new.token.is_none());
        assert!(read(br#"{"current_password"=>"[FILTERED]", "password"=>"[FILTERED]"}"#, &key).new_password);
        let operation = |text: &'static str| read(text.as_bytes(), &key).operation;
        let named =
            r#"{"operationName"=>"RenewToken", "variables"=>{"jti"=>"x"}, "graphql"=>{"operationName"=>"RenewToken"}}"#;
        assert_eq!(operation(named), Some(&b"RenewToken"[..]));
        assert_eq!(operation(r#"{"operationName"=>nil, "query"=>"{ me { id } }"}"#), None);
    }
}
