//! Small questions asked of bytes: numbers, words, colours. Nothing here knows a log format.

use std::borrow::Cow;

use memchr::{memchr, memmem};

/// The text without ANSI escape sequences (`ESC[…m`, `ESC(B`). Borrowed when there are none.
#[must_use]
pub fn without_ansi(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr(0x1b, text).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(0x1b, rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.first() {
            Some(b'[') => {
                let end = rest[1..].iter().position(|b| (0x40..=0x7e).contains(b));
                rest = end.map_or(&[][..], |end| &rest[end + 2..]);
            }
            Some(b'(') => rest = rest.get(2..).unwrap_or_default(),
            _ => {}
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

/// `text` after `prefix`, if it begins with it.
#[must_use]
pub fn after<'a>(text: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    text.strip_prefix(prefix)
}

/// The part before the first `mark`, and the part after it.
#[must_use]
pub fn split_at_first<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// The part before the last `mark`, and the part after it.
#[must_use]
pub fn split_at_last<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memmem::rfind(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}

/// Whether `needle` stands anywhere in `text`.
#[must_use]
pub fn contains(text: &[u8], needle: &[u8]) -> bool {
    memmem::find(text, needle).is_some()
}

/// Whether `needle` (given in lower case) stands in `text` in any case of letters.
#[must_use]
pub fn contains_ignoring_case(text: &[u8], needle: &[u8]) -> bool {
    text.len() >= needle.len() && text.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

/// The decimal number at the start of `text`, and how many digits it has (at most 18).
#[must_use]
pub fn leading_number(text: &[u8]) -> Option<(u64, usize)> {
    let digits = text.iter().take(18).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let value = text[..digits].iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    Some((value, digits))
}

/// Milliseconds with a fraction (`24.1`, `24.1ms`) in microseconds.
#[must_use]
pub fn milliseconds(text: &[u8]) -> Option<i64> {
    /// Eleven days: beyond that it is no duration of a request.
    const LONGEST: f64 = 1e9;
    let text = text.strip_suffix(b"ms").unwrap_or(text).trim_ascii();
    let value: f64 = match decimal(text) {
        Some(value) => value,
        None => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    #[allow(clippy::cast_possible_truncation, reason = "what is out of bounds is not used")]
    let micros = (value * 1000.0) as i64;
    (0.0..LONGEST).contains(&value).then_some(micros)
}

/// `24.1` as `str::parse` reads it, which takes longer; `None` where it is not written so, or too long for it.
fn decimal(text: &[u8]) -> Option<f64> {
    /// Numbers of so many digits, and the powers of ten up to there, are exact, so that their quotient is rounded once.
    const MOST: usize = 15;
    const TENS: [f64; MOST] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14];
    let (mut number, mut point) = (0_u64, None);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => number = number.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')),
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    let whole = point.unwrap_or(text.len());
    let places = text.len() - point.map_or(text.len(), |point| point + 1);
    if text.len() > MOST || whole == 0 || point.is_some() && places == 0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "so few digits have none")]
    let value = number as f64 / TENS[places];
    Some(value)
}

/// Exactly `count` digits as a number.
#[must_use]
pub fn digits(text: &[u8], at: usize, count: usize) -> Option<u32> {
    let mut value = 0;
    for byte in text.get(at..at + count)? {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u32::from(byte - b'0');
    }
    Some(value)
}

/// The word at the start of `text`: up to a blank.
#[must_use]
pub fn first_word(text: &[u8]) -> &[u8] {
    memchr(b' ', text).map_or(text, |end| &text[..end])
}

/// `text` without the quotes around it.
#[must_use]
pub fn unquoted(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => text,
    }
}

/// Whether `word` has the shape of an IPv4 or IPv6 address.
#[must_use]
pub fn is_address(word: &[u8]) -> bool {
    if word.is_empty() || word.len() > 45 {
        return false;
    }
    std::str::from_utf8(word).is_ok_and(|word| word.parse::<std::net::IpAddr>().is_ok())
}

/// Whether `word` can be a request id: what Rails lets through is `[\w\-@]` up to 255; ids of every scheme in use
/// (UUID, ULID, 32 hex digits, KSUID) have 16 characters or more and a digit.
#[must_use]
pub fn is_request_id(word: &[u8]) -> bool {
    (16..=255).contains(&word.len())
        && word.iter().any(u8::is_ascii_digit)
        && word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@'))
}

/// Whether `word` can name a user: a number, a UUID or ULID, an e-mail.
#[must_use]
pub fn is_user_id(word: &[u8]) -> bool {
    if word.is_empty() || word.len() > 64 || is_null(word) {
        return false;
    }
    word.iter().all(u8::is_ascii_digit)
        || is_email(word)
        || (word.iter().any(u8::is_ascii_digit)
            && word.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b':')))
}

/// The user whom a value names: an id as it stands, or the one at the end of `User#42` or of a GlobalID (`gid://app/User/42`).
#[must_use]
pub fn user_id(word: &[u8]) -> Option<&[u8]> {
    let end =
        if word.starts_with(b"gid://") { memchr::memrchr(b'/', word) } else { memchr(b'#', word).filter(|at| *at > 0) };
    let id = end.map_or(word, |at| &word[at + 1..]);
    is_user_id(id).then_some(id)
}

/// Whether `word` has the shape of an e-mail address.
#[must_use]
pub fn is_email(word: &[u8]) -> bool {
    memchr(b'@', word).is_some_and(|at| at > 0 && memchr(b'.', &word[at..]).is_some())
        && word.iter().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'(' | b')' | b','))
}

/// The ways in which programs write "nobody".
#[must_use]
pub fn is_null(word: &[u8]) -> bool {
    matches!(word, b"" | b"-" | b"nil" | b"null" | b"none" | b"None" | b"NULL" | b"anonymous" | b"guest" | b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out_and_a_cut_sequence_ends_the_text() {
        assert_eq!(&*without_ansi(b"\x1b[1m\x1b[36mUser Load\x1b[0m x"), b"User Load x");
        assert_eq!(&*without_ansi(b"a\x1b[38;5;1"), b"a");
        assert!(matches!(without_ansi(b"plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn decimals_are_read_as_the_library_reads_them() {
        let mut number = 1_u64;
        for round in 0..20_000_usize {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let digits = (number >> 8).to_string();
            let mut text = digits[..1 + round % 14].to_owned();
            text.insert(1 + round / 14 % text.len(), '.');
            let parsed: f64 = text.parse().unwrap();
            assert_eq!(decimal(text.as_bytes()).unwrap_or(parsed).to_bits(), parsed.to_bits(), "{text}");
        }
        for odd in ["", ".", "5.", ".5", "-1", "1e3", "1.2.3", "inf", "1234567890123456", "1_0", " 1"] {
            assert_eq!(decimal(odd.as_bytes()), None, "{odd}");
        }
        assert_eq!(
            (milliseconds(b"49.33"), milliseconds(b"12"), milliseconds(b"0.1ms")),
            (Some(49330), Some(12000), Some(100))
        );
    }

    #[test]
    fn ids_of_users_and_requests_have_shapes() {
        assert!(is_user_id(b"42") && is_user_id(b"a@b.example") && is_user_id(b"5e908487-0000-4000-8000-000000000000"));
        for named in [&b"42"[..], b"User#42", b"gid://app/User/42"] {
            assert_eq!(user_id(named), Some(&b"42"[..]));
        }
        assert_eq!((user_id(b"#42"), user_id(b"User#"), user_id(b"gid://app/User/")), (None, None, None));
        assert!(!is_user_id(b"null") && !is_user_id(b"-") && !is_user_id(b"hello"));
        assert!(is_request_id(b"5e908487-0000-4000-8000-000000000000"));
        assert!(!is_request_id(b"ActionCable") && !is_request_id(b"Auth"));
    }
}
