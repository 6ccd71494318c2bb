//! A client's lines that are the same as the line before them: many apps print what their logger prints as well.

use memchr::memrchr;

use crate::line::Entry;
use crate::secret::FingerprintKey;

/// Those of a chunk that say something. Whether the one before is a copy itself, and what of it counts, is known in the order of lines
/// (see [`crate::assemble`]).
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Twice {
    /// The lines, within the chunk, from 0, that are the same as the line before them.
    lines: Vec<u32>,
    /// The chunk's first line, if it is such a client's, for the line before it is in another chunk.
    pub(crate) first: Option<u64>,
    /// And the last one.
    pub(crate) last: Option<u64>,
}

impl Twice {
    /// Takes note of a client's line that says something.
    pub(super) fn note(&mut self, chunk: &[u8], entry: &Entry<'_>, key: FingerprintKey) {
        let from = entry.bytes.as_ptr() as usize - chunk.as_ptr() as usize;
        let before = &chunk[..from];
        match before.strip_suffix(b"\n") {
            None => self.first = Some(key.hash(entry.bytes)),
            Some(before) => {
                let line = &before[memrchr(b'\n', before).map_or(0, |at| at + 1)..];
                if line.strip_suffix(b"\r").unwrap_or(line) == entry.bytes {
                    self.lines.push(entry.line);
                }
            }
        }
        if matches!(&chunk[from + entry.bytes.len()..], [] | b"\n" | b"\r\n") {
            self.last = Some(key.hash(entry.bytes));
        }
    }

    /// Whether a line of the chunk is the same as the line before it, where `last` is the last line of the chunk before.
    pub(crate) fn has(&self, line: u32, last: Option<u64>) -> bool {
        if line == 0 { self.first.is_some() && self.first == last } else { self.lines.binary_search(&line).is_ok() }
    }
}
