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
    text: Box<[u8]>,
    component: Option<&'a [u8]>,
    severe: bool,
    framed: bool,
    dialect: usize,
    meaning: Meaning,
}

/// A line's shape: its text with every digit as `0`, and the hash of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    text: [u8; LONGEST],
    length: usize,
    key: u64,
}

impl Shape {
    fn text(&self) -> &[u8] {
        &self.text[..self.length]
    }
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
    /// A line's shape; `None` for lines that are not kept.
    pub(crate) fn of(&self, line: &Bare<'_>) -> Option<Shape> {
        // `401` is the one number that has a meaning (see `dialect::words`).
        if line.text.len() > LONGEST
            || memchr::memchr_iter(b'4', line.text).any(|at| line.text[at..].starts_with(b"401"))
        {
            return None;
        }
        let mut shape = Shape { text: [0; LONGEST], length: line.text.len(), key: 0 };
        for (into, byte) in shape.text.iter_mut().zip(line.text) {
            *into = flat(*byte);
        }
        let mut hasher = self.seed.build_hasher();
        hasher.write(shape.text());
        hasher.write(line.tags.other.unwrap_or_default());
        hasher.write_u8(u8::from(line.severe) | u8::from(line.framed) << 1);
        shape.key = hasher.finish();
        Some(shape)
    }

    /// What is known of lines of this shape: the dialect's place and the meaning.
    pub(crate) fn get(&self, shape: &Shape, line: &Bare<'_>) -> Option<(usize, &Meaning)> {
        let known = self.known.get(&shape.key)?;
        let same = *known.text == *shape.text()
            && (known.component, known.severe, known.framed) == (line.tags.other, line.severe, line.framed);
        same.then_some((known.dialect, &known.meaning))
    }

    /// Keeps what was found out about a line.
    pub(crate) fn learn(&mut self, shape: &Shape, line: &Bare<'a>, dialect: usize, meaning: Meaning) {
        if self.known.len() < MOST {
            let Bare { tags, severe, framed, .. } = *line;
            let text = shape.text().into();
            self.known.insert(shape.key, Known { text, component: tags.other, severe, framed, dialect, meaning });
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
