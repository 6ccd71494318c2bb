//! Cuts a stream into chunks of whole entries. A line without an end never takes more than a fixed room: its head is kept, so
//! that it is counted as capped, and the rest is dropped.

use std::io::{self, Read};

use why401_parsers::line::{Framing, MAX_LINE};
use why401_parsers::writer::{HEAD, Manner};

/// A piece of a source that ends where an entry ends (or the source).
#[derive(Debug)]
pub(super) struct Chunk {
    /// The bytes.
    pub(super) bytes: Vec<u8>,
    /// In which manner the source is written.
    pub(super) manner: Manner,
    /// Bytes of over-long lines that were dropped in front of the end of this chunk.
    pub(super) dropped: u64,
}

/// Cuts a stream.
pub(super) struct Chunks<R> {
    text: Peeked<R>,
    size: usize,
    manner: Option<Manner>,
    /// Something was read, so the manner is settled.
    begun: bool,
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
        let (text, size) = (Peeked::new(text), size.max(1));
        Self { text, size, manner: None, begun: false, open_end: false, rest: Vec::new(), ended: false }
    }

    /// Goes on in a source whose manner is known, or that will go on after its end.
    pub(super) fn going_on(self, manner: Option<Manner>, open_end: bool) -> Self {
        Self { manner, open_end, ..self }
    }

    /// The next chunk; `None` at the end. After an error what was read before it is still given.
    pub(super) fn next(&mut self, spare: Spare<'_>) -> Option<(Chunk, Option<io::Error>)> {
        if self.ended {
            return None;
        }
        let manner = self.manner();
        let framing = manner.framing;
        let mut bytes = spare();
        let mut used = self.rest.len();
        bytes.resize(bytes.len().max(used), 0);
        bytes[..used].copy_from_slice(&self.rest);
        let mut dropped = 0;
        let mut looked = 0;
        loop {
            let failed = self.more(&mut bytes, used).err();
            if self.ended || failed.is_some() {
                self.ended = true;
                if self.open_end {
                    // An over-long line that was dropped has its end in these bytes, or it is not over and none is.
                    bytes.truncate(framing.last_cut(&bytes).unwrap_or(0));
                    dropped = if bytes.is_empty() { 0 } else { dropped };
                }
                return (!bytes.is_empty() || failed.is_some()).then_some((Chunk { bytes, manner, dropped }, failed));
            }
            // What was looked at has no cut in it.
            let from = if framing == Framing::Lines { looked } else { 0 };
            if let Some(cut) = framing.last_cut(&bytes[from..]).map(|cut| cut + from) {
                self.rest.clear();
                self.rest.extend_from_slice(&bytes[cut..]);
                bytes.truncate(cut);
                return Some((Chunk { bytes, manner, dropped }, None));
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

    /// In which manner the source is written: its head tells, however large the chunks are.
    fn manner(&mut self) -> Manner {
        if let (true, Some(manner)) = (self.begun, self.manner) {
            return manner;
        }
        self.begun = true;
        let head = self.text.peek();
        let framing = self.manner.map_or_else(|| Framing::detect(head), |manner| manner.framing);
        let manner = self.manner.unwrap_or_else(|| framing.into());
        // A line that is being written is looked at when it is whole.
        let whole = if self.open_end { framing.last_cut(head).unwrap_or(0) } else { head.len() };
        *self.manner.insert(manner.after(&head[..whole]))
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

/// A stream whose head is looked at before it is read.
struct Peeked<R> {
    text: R,
    head: Vec<u8>,
    /// So much of the head was read.
    at: usize,
    /// Why there is no more of it.
    failed: Option<io::Error>,
}

impl<R: Read> Peeked<R> {
    const fn new(text: R) -> Self {
        Self { text, head: Vec::new(), at: 0, failed: None }
    }

    /// The first bytes, as far as there are so many.
    fn peek(&mut self) -> &[u8] {
        self.failed = (&mut self.text).take(HEAD as u64).read_to_end(&mut self.head).err();
        &self.head
    }
}

impl<R: Read> Read for Peeked<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let rest = &self.head[self.at..];
        if !rest.is_empty() {
            let count = rest.len().min(to.len());
            to[..count].copy_from_slice(&rest[..count]);
            self.at += count;
            return Ok(count);
        }
        self.failed.take().map_or_else(|| self.text.read(to), Err)
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
                assert_eq!(chunk.manner.framing, Framing::Parts);
                assert!(chunk.bytes.len() <= size + 2 * KEPT, "{}", chunk.bytes.len());
                taken += chunk.bytes.len() as u64 + chunk.dropped;
                out.extend(chunk.manner.framing.entries(&chunk.bytes).map(|entry| (entry.lines, entry.capped)));
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
    fn who_writes_a_source_is_the_same_for_any_size_of_chunks() {
        let words = "[TokenManager] token refreshed\n".repeat(500);
        let started = "Started GET \"/a\" for 203.0.113.7 at 2026-11-16 06:03:52 +0000\n";
        for (end, client) in [("AppLifecycleState.resumed\n", true), (started, false), ("", false)] {
            let text = format!("{words}{end}{words}");
            for size in [1, 40, 1 << 12, 1 << 20] {
                let mut chunks = Chunks::new(text.as_bytes(), size);
                let mut taken = Vec::new();
                while let Some((chunk, _)) = chunks.next(&Vec::new) {
                    assert_eq!(chunk.manner.writer.is_client(), client, "size {size}");
                    taken.extend(chunk.bytes);
                }
                assert_eq!(taken, text.as_bytes());
            }
            // A source that is read while it grows is settled by what was there when it was read.
            let (mut manner, mut told) = (None, Vec::new());
            for part in [&words, end, &words] {
                let mut chunks = Chunks::new(part.as_bytes(), 1 << 12).going_on(manner, true);
                manner = chunks.next(&Vec::new).map(|(chunk, _)| chunk.manner).or(manner);
                told.push(manner.expect("something was read").writer.is_client());
            }
            assert_eq!(told, [false, client, client]);
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
