//! Lines of one shape: what an app's own line means hangs on its words, not on the numbers in it.
//!
//! An app that logs `member=7711` with every request does so a million times, and finding out what a line means takes some
//! microseconds. So what was found out about a line is kept, by the line's shape: its text with every digit as `0`. Lines of one shape
//! are equally long, so whom they name stands in the same place.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::ops::Range;

use crate::dialect::Tags;
use crate::record::Sense;

/// What a line of the app means, and where in its text it names a user; or nothing at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    Dull,
    Note { sense: Sense, user: Option<Range<usize>> },
}

/// What is known of a shape: which dialect read it (by its place), and what it said.
#[derive(Clone, Debug)]
struct Known {
    /// That of one of its lines.
    text: Box<[u8]>,
    component: Option<Box<[u8]>>,
    severe: bool,
    framed: bool,
    dialect: usize,
    meaning: Meaning,
}

/// The same of lines that begin with the name of a part of the app.
#[derive(Clone, Debug)]
struct Component {
    /// One of the lines.
    text: Box<[u8]>,
    /// Where its words begin.
    words: usize,
    dialect: usize,
    meaning: Meaning,
}

/// A line's shape: the hash of its text with every digit as `0`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape(u64);

/// The shapes that were met.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    known: HashMap<u64, Known, Direct>,
    components: HashMap<u64, Component, Direct>,
    seed: foldhash::fast::RandomState,
}

/// So many shapes are kept, and then forgotten: apps have some dozen, and what is met a thousand times is soon met again.
const MOST: usize = 4096;

/// Longer lines are dumps, of which no two are alike.
const LONGEST: usize = 200;

/// A line whose frame and tags are off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bare<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) tags: Tags<'a>,
    pub(crate) severe: bool,
    pub(crate) framed: bool,
}

impl Shapes {
    /// A line's shape; `None` for lines that are not kept.
    pub(crate) fn of(&self, line: &Bare<'_>) -> Option<Shape> {
        self.key(line.text, line.tags.other.unwrap_or_default(), u8::from(line.severe) | u8::from(line.framed) << 1)
            .map(Shape)
    }

    #[inline(always)]
    fn key(&self, text: &[u8], component: &[u8], flags: u8) -> Option<u64> {
        if text.len() > LONGEST {
            return None;
        }
        let (mut hasher, mut four) = (self.seed.build_hasher(), false);
        for word in words(text) {
            four |= has_four(word);
            hasher.write_u64(flat(word));
        }
        // `401` is the one number that has a meaning (see `dialect::words`).
        if four && text.windows(3).any(|three| three == b"401") {
            return None;
        }
        hasher.write(component);
        hasher.write_u8(flags);
        Some(hasher.finish())
    }

    /// What is known of lines of this shape: the dialect's place and the meaning.
    pub(crate) fn get(&self, shape: Shape, line: &Bare<'_>) -> Option<(usize, &Meaning)> {
        let known = self.known.get(&shape.0)?;
        let same = are_alike(&known.text, line.text)
            && (known.component.as_deref(), known.severe, known.framed) == (line.tags.other, line.severe, line.framed);
        same.then_some((known.dialect, &known.meaning))
    }

    /// Keeps what was found out about a line.
    pub(crate) fn learn(&mut self, shape: Shape, line: &Bare<'_>, dialect: usize, meaning: Meaning) {
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let Bare { text, tags, severe, framed } = *line;
        let (text, component) = (text.into(), tags.other.map(Box::from));
        self.known.insert(shape.0, Known { text, component, severe, framed, dialect, meaning });
    }

    /// What is known of lines like this one, which begins with a tag of letters (`[gatekeeper] member=7711`), and its words.
    #[inline(always)]
    pub(crate) fn of_component<'t>(&self, line: &'t [u8]) -> Option<(usize, &Meaning, &'t [u8])> {
        let known = self.components.get(&self.key(line, b"", 0)?)?;
        are_alike(&known.text, line).then(|| (known.dialect, &known.meaning, &line[known.words..]))
    }

    /// Keeps what was found out about such a line. (As the tag has no digit, it is the same in all that are like it.)
    pub(crate) fn learn_component(&mut self, line: &[u8], words: usize, dialect: usize, meaning: Meaning) {
        let Some(key) = self.key(line, b"", 0) else { return };
        if self.components.len() >= MOST {
            self.components.clear();
        }
        self.components.insert(key, Component { text: line.into(), words, dialect, meaning });
    }
}

/// Whether two texts differ in digits only.
#[inline(always)]
fn are_alike(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && words(one).zip(words(other)).all(|(one, other)| flat(one) == flat(other))
}

/// A text, eight bytes at a time; what is missing in the last is zero.
#[inline(always)]
fn words(text: &[u8]) -> impl Iterator<Item = u64> {
    let (eights, rest) = text.as_chunks::<8>();
    let last = (!rest.is_empty()).then(|| rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
    eights.iter().map(|eight| u64::from_le_bytes(*eight)).chain(last)
}

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x80 * EACH;

/// Eight bytes with every digit as `0`.
#[inline(always)]
const fn flat(word: u64) -> u64 {
    // The high bit of each byte tells whether its other bits are so great at least.
    let digits = ((word | HIGH) - b'0' as u64 * EACH) & !((word | HIGH) - (b'9' + 1) as u64 * EACH) & !word & HIGH;
    word & !((digits >> 7) * 0x0f)
}

/// Whether there is a `4` among eight bytes.
#[inline(always)]
const fn has_four(word: u64) -> bool {
    let differs = word ^ (b'4' as u64 * EACH);
    differs.wrapping_sub(EACH) & !differs & HIGH != 0
}

/// Keys that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Direct;

impl std::hash::BuildHasher for Direct {
    type Hasher = Key;

    fn build_hasher(&self) -> Key {
        Key(0)
    }
}

/// See [`Direct`].
struct Key(u64);

impl std::hash::Hasher for Key {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_flat_and_nothing_else_is() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut eight = *b"a09z.:/\x7f";
                eight[place] = byte;
                let flattened = eight.map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
                assert_eq!(flat(u64::from_le_bytes(eight)), u64::from_le_bytes(flattened), "{eight:?}");
                assert_eq!(has_four(u64::from_le_bytes(eight)), eight.contains(&b'4'), "{eight:?}");
            }
        }
        assert!(are_alike(b"member=7711", b"member=0042") && !are_alike(b"member=771", b"member=0042"));
        assert!(!are_alike(b"member=7711", b"member=771x") && !are_alike(b"member=7711", b"nember=7711"));
    }
}
