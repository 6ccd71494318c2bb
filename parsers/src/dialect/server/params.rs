//! Request parameters as Rails prints them: Ruby's `inspect` of a hash, `{"a"=>"1"}` up to Ruby 3.3, `{"a" => "1"}` from 3.4 on.
//!
//! Values are mostly filtered; the *names* of the parameters still tell a sign-in from a refresh. A nested upload or a
//! model's `inspect` makes the text no well-formed hash, so pairs are searched, not parsed.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::record::Params;
use crate::secret::FingerprintKey;
use crate::text::{is_email, unquoted};

static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?-u)"?([A-Za-z_][A-Za-z0-9_]*)"?\s?(?:=>|:)\s?("(?:[^"\\]|\\.)*"|[^\s,{}\[\]]+)"#).expect("valid")
});

/// What a hash of parameters (Ruby's, Dart's or JSON) shows.
pub(crate) fn read<'a>(text: &'a [u8], key: &FingerprintKey) -> Params<'a> {
    let mut params = Params::default();
    let mut passwords = 0;
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
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_a_sign_in_from_a_refresh_in_the_notation_of_either_ruby() {
        let key = FingerprintKey::new([0; 16]);
        let old = read(br#"{"email"=>"a@b.example", "password"=>"[FILTERED]", "auth"=>{"email"=>"[FILTERED]"}}"#, &key);
        assert_eq!((old.password, old.email, old.refresh_token), (true, Some(&b"a@b.example"[..]), false));
        let new = read(br#"{"refresh_token" => "[FILTERED]", "grant_type" => "refresh_token"}"#, &key);
        assert!(new.refresh_token && !new.password && new.token.is_none());
        assert!(read(br#"{"current_password"=>"[FILTERED]", "password"=>"[FILTERED]"}"#, &key).new_password);
    }
}
