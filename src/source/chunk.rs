//! Cuts a stream into chunks of whole entries. A line without an end never takes more than a fixed room: its head is kept, so
//! that it is counted as capped, and the rest is dropped.

use std::io::{self, Read};

use why401_parsers::line::{Framing, MAX_LINE};

/// A piece of a source that ends where an entry ends (or the source).
#[derive(Debug)]
pub(super) struct Chunk {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// How they divide into entries.
    pub(super) framing: Framing,
    /// Bytes of over-long lines that were dropped in front of the end of this chunk.
    pub(super) dropped: u64,
}

/// Cuts a stream.
pub(super) struct Chunks<R> {
    text: R,
    size: usize,
    framing: Option<Framing>,
    /// More will be written: an entry that has no end yet is left.
    open_end: bool,
    /// What was read and not handed on: the beginning of an entry.
    rest: Vec<u8>,
    ended: bool,
}

/// A buffer for the next chunk, with anything in it: one that was used before costs neither new memory nor zeros.
pub(super) type Spare<'s> = &'s dyn Fn() -> Vec<u8>;

/// How many bytes of an over-long line are kept: one more than is looked at, which marks it as such.
const KEPT: usize = MAX_LINE + 1;

impl<R: Read> Chunks<R> {
    pub(super) fn new(text: R, size: usize) -> Self {
        Self { text, size: size.max(1), framing: None, open_end: false, rest: Vec::new(), ended: false }
    }

    /// Goes on in a source whose framing is known, or that will go on after its end.
    pub(super) fn going_on(self, framing: Option<Framing>, open_end: bool) -> Self {
        Self { framing, open_end, ..self }
    }

    /// The next chunk; `None` at the end. After an error what was read before it is still given.
    pub(super) fn next(&mut self, spare: Spare<'_>) -> Option<(Chunk, Option<io::Error>)> {
        if self.ended {
            return None;
        }
        let mut bytes = spare();
        let mut used = self.rest.len();
        bytes.resize(bytes.len().max(used), 0);
        bytes[..used].copy_from_slice(&self.rest);
        let mut dropped = 0;
        let mut looked = 0;
        loop {
            let failed = self.more(&mut bytes, used).err();
            let framing = *self.framing.get_or_insert_with(|| Framing::detect(&bytes));
            if self.ended || failed.is_some() {
                self.ended = true;
                if self.open_end {
                    // An over-long line that was dropped has its end in these bytes, or it is not over and none is.
                    bytes.truncate(framing.last_cut(&bytes).unwrap_or(0));
                    dropped = if bytes.is_empty() { 0 } else { dropped };
                }
                return (!bytes.is_empty() || failed.is_some()).then_some((Chunk { bytes, framing, dropped }, failed));
            }
            // What was looked at has no cut in it.
            let from = if framing == Framing::Lines { looked } else { 0 };
            if let Some(cut) = framing.last_cut(&bytes[from..]).map(|cut| cut + from) {
                self.rest.clear();
                self.rest.extend_from_slice(&bytes[cut..]);
                bytes.truncate(cut);
                return Some((Chunk { bytes, framing, dropped }, None));
            }
            let kept = framing.open_line(&bytes) + KEPT;
            if bytes.len() > kept {
                dropped += (bytes.len() - kept) as u64;
                bytes.truncate(kept);
                dropped += self.skip_line(&mut bytes);
            }
            looked = bytes.len();
            used = looked;
        }
    }

    /// Reads up to one more chunk's size behind the bytes that are used.
    fn more(&mut self, bytes: &mut Vec<u8>, used: usize) -> io::Result<()> {
        let (mut filled, goal) = (used, used + self.size);
        bytes.resize(bytes.len().max(goal), 0);
        let result = loop {
            match self.text.read(&mut bytes[filled..goal]) {
                Ok(0) => break Ok(()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        bytes.truncate(filled);
        self.ended = result.is_ok() && filled == used;
        result
    }

    /// Drops the rest of an over-long line; its end, if there is one, and what follows it are appended. Returns how much was dropped.
    fn skip_line(&mut self, bytes: &mut Vec<u8>) -> u64 {
        let mut dropped = 0;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match self.text.read(&mut buffer) {
                // An error comes again with the next read.
                Ok(0) | Err(_) => return dropped,
                Ok(count) => match memchr::memchr(b'\n', &buffer[..count]) {
                    Some(end) => {
                        bytes.extend_from_slice(&buffer[end..count]);
                        return dropped + end as u64;
                    }
                    None => dropped += count as u64,
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], size: usize) -> (Vec<Vec<u8>>, u64) {
        let mut chunks = Chunks::new(text, size);
        let (mut out, mut dropped) = (Vec::new(), 0);
        while let Some((chunk, failed)) = chunks.next(&Vec::new) {
            assert!(failed.is_none());
            dropped += chunk.dropped;
            out.push(chunk.bytes);
        }
        (out, dropped)
    }

    #[test]
    fn chunks_end_at_line_ends_and_lose_nothing() {
        let text = b"one\ntwo\n\nthree and a half\nfour";
        for size in 1..40 {
            let (chunks, dropped) = cut(text, size);
            assert_eq!((chunks.concat().as_slice(), dropped), (&text[..], 0), "size {size}");
            for chunk in &chunks[..chunks.len() - 1] {
                assert!(chunk.ends_with(b"\n"), "size {size}: {chunk:?}");
            }
        }
    }

    #[test]
    fn parts_of_a_line_stay_together_and_over_long_ones_hold_no_more_than_the_cap() {
        let line = |mark: char, length: usize| {
            format!("2026-11-16T06:03:52.068658123Z stdout {mark} {}\n", "x".repeat(length))
        };
        let text = [
            line('P', 20),
            line('P', 20_000),
            line('F', 3),
            line('F', 9),
            // More than is held: ended where the cap is passed.
            (0..100).map(|_| line('P', 16_384)).collect(),
            line('P', 3 * MAX_LINE),
            line('F', 4),
        ]
        .concat();
        let entries = |size: usize| {
            let mut chunks = Chunks::new(text.as_bytes(), size);
            let (mut out, mut taken) = (Vec::new(), 0);
            while let Some((chunk, _)) = chunks.next(&Vec::new) {
                assert_eq!(chunk.framing, Framing::Parts);
                assert!(chunk.bytes.len() <= size + 2 * KEPT, "{}", chunk.bytes.len());
                taken += chunk.bytes.len() as u64 + chunk.dropped;
                out.extend(chunk.framing.entries(&chunk.bytes).map(|entry| (entry.lines, entry.capped)));
            }
            assert_eq!(taken, text.len() as u64, "size {size}");
            out
        };
        let whole = entries(1 << 23);
        assert_eq!(whole[..2], [(3, false), (1, false)]);
        assert_eq!(whole.iter().map(|(lines, _)| lines).sum::<u32>(), 106);
        for size in [1000, 1 << 14, 100_000, 1 << 20] {
            assert_eq!(entries(size), whole, "size {size}");
        }
    }

    #[test]
    fn an_open_end_leaves_the_line_that_is_being_written() {
        for (text, whole) in [("one\ntwo", "one\n"), ("one\n", "one\n"), ("one", ""), ("", "")] {
            let mut chunks = Chunks::new(text.as_bytes(), 4).going_on(None, true);
            let mut taken = Vec::new();
            while let Some((chunk, _)) = chunks.next(&Vec::new) {
                taken.extend(chunk.bytes);
            }
            assert_eq!(taken, whole.as_bytes(), "{text:?}");
        }
    }

    #[test]
    fn a_line_without_end_keeps_its_head_only_and_its_neighbours_whole() {
        let long = vec![b'x'; 3 * MAX_LINE];
        let text = [b"before\n", long.as_slice(), b"\nafter\n"].concat();
        for size in [1 << 14, 1 << 20, 1 << 23] {
            let (chunks, dropped) = cut(&text, size);
            let whole = chunks.concat();
            let lines: Vec<&[u8]> = whole.split(|b| *b == b'\n').collect();
            assert_eq!(lines.len(), 4, "size {size}");
            assert_eq!((lines[0], lines[2]), (&b"before"[..], &b"after"[..]));
            assert!(lines[1].len() > MAX_LINE && (whole.len() as u64 + dropped) == text.len() as u64);
        }
    }
}
