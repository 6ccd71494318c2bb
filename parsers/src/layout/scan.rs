//! Along a line of a known layout: from mark to mark, and over the values between them.

use crate::bundle;
use crate::dialect::server::lograge;
use crate::envelope;
use crate::json;

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * EACH;

/// How long the value of an object is that begins `text`; `None` where that needs a closer look.
#[inline(always)]
pub(super) fn of_object(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => {
            let length = quote(&text[1..])? + 2;
            // A word that a document of many begins with, or one of a frame's.
            let inside = &text[1..length - 1];
            (inside != envelope::MARK && !bundle::is_kind(inside)).then_some(length)
        }
        b'{' | b'[' => Some(json::value_end(text)),
        _ => {
            let length = text.iter().position(|b| matches!(b, b',' | b'}' | b']' | b'"') || b.is_ascii_whitespace())?;
            (length > 0 && text[length] != b'"').then_some(length)
        }
    }
}

/// How long the value of `key=value` is that begins `text`; `None` where that needs a closer look.
#[inline(always)]
pub(super) fn of_pair(text: &[u8]) -> Option<usize> {
    let odd = |word: u64| equal(word, b'"') | equal(word, b'{') | below(word, b' ' + 1);
    let length = first_of(text, odd).unwrap_or(text.len());
    if matches!(text.get(length), None | Some(b' ')) && text.first() != Some(&b'\'') {
        return Some(length);
    }
    lograge::value_length(text).filter(|length| text[..*length].iter().all(|b| *b >= b' '))
}

/// Where the string ends whose inside begins `text`: at its first quote, if no backslash stands before it.
#[inline(always)]
fn quote(text: &[u8]) -> Option<usize> {
    let at = first_of(text, |word| equal(word, b'"') | equal(word, b'\\'))?;
    (text[at] == b'"').then_some(at)
}

/// The first byte that is marked when eight are looked at together. (Of the marks, the lowest is right; one above it may be there for its sake.)
#[inline(always)]
fn first_of(text: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (eights, rest) = text.as_chunks::<8>();
    for (number, eight) in eights.iter().enumerate() {
        let found = marks(u64::from_le_bytes(*eight));
        if found != 0 {
            return Some(number * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let last = rest.iter().rev().fold(FILLED, |word, byte| word << 8 | u64::from(*byte));
    let found = marks(last);
    (found != 0).then(|| eights.len() * 8 + found.trailing_zeros() as usize / 8)
}

/// What stands behind the last byte: nothing that is looked for.
const FILLED: u64 = b'x' as u64 * EACH;

/// Marks the bytes that are the same as one.
#[inline(always)]
const fn equal(word: u64, byte: u8) -> u64 {
    below(word ^ (byte as u64 * EACH), 1)
}

/// Marks the bytes that are less than one.
#[inline(always)]
const fn below(word: u64, byte: u8) -> u64 {
    word.wrapping_sub(byte as u64 * EACH) & !word & HIGH
}

/// A text to be found again, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark<'a> {
    text: &'a [u8],
    /// Its first 16 bytes, and which bits of them count.
    head: u128,
    counts: u128,
}

impl<'a> Mark<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        let mut head = [0; 16];
        let length = text.len().min(16);
        head[..length].copy_from_slice(&text[..length]);
        let counts = if length == 16 { u128::MAX } else { (1 << (8 * length)) - 1 };
        Self { text, head: u128::from_le_bytes(head), counts }
    }

    pub(super) fn text(&self) -> &'a [u8] {
        self.text
    }

    /// What follows it, if `text` begins with it.
    #[inline(always)]
    pub(super) fn taken_off<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let Some(head) = text.first_chunk() else { return text.strip_prefix(self.text) };
        if (u128::from_le_bytes(*head) ^ self.head) & self.counts != 0 {
            return None;
        }
        if self.text.len() <= 16 { Some(&text[self.text.len()..]) } else { text.strip_prefix(self.text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_ends_at_its_quote_wherever_that_stands() {
        for length in 0..40 {
            let mut text = vec![b'x'; length + 20];
            text[length] = b'"';
            assert_eq!(quote(&text), Some(length));
            text[length + 1] = b'\\';
            assert_eq!(quote(&text), Some(length));
            text[length / 2] = b'\\';
            assert_eq!(quote(&text), None, "{length}");
            assert_eq!(quote(&text[..length]), None);
        }
        // What differs from a quote in its lowest bit, beside one.
        assert_eq!(quote(b"#\"######"), Some(1));
        assert_eq!(quote(b"]\"]]]]]]"), Some(1));
    }

    #[test]
    fn a_pair_ends_at_its_blank_unless_it_is_quoted() {
        for (text, length) in [
            (&b"GET path=/"[..], Some(3)),
            (b"GET", Some(3)),
            (b"", Some(0)),
            (b" path=/", Some(0)),
            (b"/a_path_that_is_long/and_ends status=200", Some(29)),
            (b"{\"a\"=>\"b c\"} x=1", Some(12)),
            (b"\"a b\" c", Some(5)),
            (b"'a b' c=1", Some(5)),
            (b"{\"a\"", None),
            (b"a\tb c", None),
            (b"\"a\tb\" c", None),
            ("/\u{e9}t\u{e9} c".as_bytes(), Some(6)),
        ] {
            assert_eq!(of_pair(text), length, "{}", String::from_utf8_lossy(text));
            if let Some(length) = length {
                assert_eq!(lograge::value_length(text), Some(length));
            }
        }
    }
}
