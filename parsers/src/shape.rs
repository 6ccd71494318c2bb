//! Lines of one shape: what an app's own line means hangs on its words, not on the numbers in it.
//!
//! An app that logs `member=7711` with every request does so a million times, and finding out what a line means takes some
//! microseconds. So what was found out about a line is kept for its chunk, by the line's shape: its text with every digit as `0`.
//! Lines of one shape are equally long, so whom they name stands in the same place.

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
struct Known<'a> {
    text: &'a [u8],
    component: Option<&'a [u8]>,
    severe: bool,
    framed: bool,
    dialect: usize,
    meaning: Meaning,
}

/// The shapes of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Shapes<'a> {
    known: HashMap<u64, Known<'a>, Direct>,
    seed: foldhash::fast::RandomState,
}

/// So many shapes are kept; apps have some dozen.
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

impl<'a> Shapes<'a> {
    /// The key of a line's shape; `None` for lines that are not kept.
    pub(crate) fn key(&self, line: &Bare<'_>) -> Option<u64> {
        // `401` is the one number that has a meaning (see `dialect::words`).
        if line.text.len() > LONGEST || memchr::memmem::find(line.text, b"401").is_some() {
            return None;
        }
        let mut hasher = self.seed.build_hasher();
        let mut block = [0_u8; 16];
        for part in line.text.chunks(block.len()) {
            for (into, byte) in block.iter_mut().zip(part) {
                *into = flat(*byte);
            }
            hasher.write(&block[..part.len()]);
        }
        hasher.write(line.tags.other.unwrap_or_default());
        hasher.write_u8(u8::from(line.severe) | u8::from(line.framed) << 1);
        Some(hasher.finish())
    }

    /// What is known of lines of this shape: the dialect's place and the meaning.
    pub(crate) fn get(&self, key: u64, line: &Bare<'_>) -> Option<(usize, &Meaning)> {
        let known = self.known.get(&key)?;
        let same = known.text.len() == line.text.len()
            && known.text.iter().zip(line.text).all(|(one, other)| flat(*one) == flat(*other))
            && (known.component, known.severe, known.framed) == (line.tags.other, line.severe, line.framed);
        same.then_some((known.dialect, &known.meaning))
    }

    /// Keeps what was found out about a line.
    pub(crate) fn learn(&mut self, key: u64, line: &Bare<'a>, dialect: usize, meaning: Meaning) {
        if self.known.len() < MOST {
            let Bare { text, tags, severe, framed } = *line;
            self.known.insert(key, Known { text, component: tags.other, severe, framed, dialect, meaning });
        }
    }
}

const fn flat(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte }
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
