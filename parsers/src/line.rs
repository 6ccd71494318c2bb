//! Framing: which bytes make a line, where a chunk may be cut, how long a line may be.

use memchr::{memchr, memrchr};
use serde::{Deserialize, Serialize};

use crate::parts;

/// The longest line that is read whole. Rails prints request parameters and SQL on one line, which reach some
/// hundred KiB in practice; beyond 1 MiB a line is no message but a dump, and only its head is looked at.
pub const MAX_LINE: usize = 1 << 20;

/// How the bytes of a source divide into entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Framing {
    /// One entry a line.
    Lines,
    /// Pretty-printed JSON objects set one against the other, `}{` on one line (`render logs -o json`).
    JsonObjects,
    /// A pretty-printed JSON document whose array of records stands at this indent (`aws logs filter-log-events`, `gcloud logging
    /// read --format=json`, HAR): an entry ends with each record's closing brace.
    JsonElements(u8),
    /// One entry a line, but for long lines that a container runtime wrote in parts: an entry ends where none is open.
    Parts,
}

impl Framing {
    /// The framing of a source, from its first bytes.
    #[must_use]
    pub fn detect(head: &[u8]) -> Self {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        if let Some(indent) = element_indent(head) {
            return Self::JsonElements(indent);
        }
        match head.strip_prefix(b"{").map(|rest| rest.strip_prefix(b"\r").unwrap_or(rest)) {
            Some(rest) if rest.starts_with(b"\n  \"") => Self::JsonObjects,
            _ if parts::detect(head) => Self::Parts,
            _ => Self::Lines,
        }
    }

    /// Where what is to be kept of an entry without an end is counted from: a line's beginning, where entries are made of lines.
    #[must_use]
    pub fn open_line(self, bytes: &[u8]) -> usize {
        if self == Self::Parts { memrchr(b'\n', bytes).map_or(0, |at| at + 1) } else { 0 }
    }

    /// The JSON of an entry: of a document's element without what stands around it.
    pub(crate) fn element(self, entry: &[u8]) -> &[u8] {
        let Self::JsonElements(indent) = self else { return entry };
        let mut at = 0;
        loop {
            let line = &entry[at..];
            if is_brace(line, indent, b'{') {
                let inside = line.trim_ascii();
                return inside.strip_suffix(b",").unwrap_or(inside);
            }
            match memchr(b'\n', line) {
                Some(end) => at += end + 1,
                // Before the first or after the last: no record, and nothing to read.
                None => return b"",
            }
        }
    }

    /// Where the last whole entry of `bytes` ends, so that what follows can wait for more. `None` if none ends here.
    #[must_use]
    pub fn last_cut(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Lines => memrchr(b'\n', bytes).map(|at| at + 1),
            Self::Parts => {
                let mut cut = 0;
                while let Some(end) = parts::entry_end(&bytes[cut..]) {
                    cut += end;
                }
                (cut > 0).then_some(cut)
            }
            Self::JsonElements(indent) => {
                let mut end = bytes.len();
                while let Some(at) = memrchr(b'\n', &bytes[..end]) {
                    let start = memrchr(b'\n', &bytes[..at]).map_or(0, |before| before + 1);
                    if is_brace(&bytes[start..=at], indent, b'}') {
                        return Some(at + 1);
                    }
                    end = at;
                }
                None
            }
            Self::JsonObjects => {
                let mut end = bytes.len();
                while let Some(at) = memrchr(b'\n', &bytes[..end]) {
                    // The object's own line end belongs to it, so enough must be there to see whether one follows.
                    if bytes[at + 1..].first() == Some(&b'}') && bytes.len() > at + 4 {
                        return Some(at + 1 + object_end_length(&bytes[at + 1..]));
                    }
                    end = at;
                }
                None
            }
        }
    }

    /// The entries of a chunk, each with the number of its first line (counted from 0 within the chunk).
    #[must_use]
    pub fn entries(self, bytes: &[u8]) -> Entries<'_> {
        Entries { framing: self, rest: bytes, line: 0 }
    }
}

/// One entry of a source.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its bytes, without the line end (`\n` or `\r\n`).
    pub bytes: &'a [u8],
    /// The number of its first line within the chunk, from 0.
    pub line: u32,
    /// How many line ends it covers: 1 for a line, more for a JSON object.
    pub lines: u32,
    /// It was longer than [`MAX_LINE`]; only the head is here (of parts that are not joined yet, all).
    pub capped: bool,
}

/// Iterator over the entries of a chunk.
#[derive(Debug)]
pub struct Entries<'a> {
    framing: Framing,
    rest: &'a [u8],
    line: u32,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    // (Part of the hot path: to hand an entry over in memory takes longer than to find it.)
    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.rest.is_empty() {
            return None;
        }
        Some(match self.framing {
            Framing::Lines => self.next_line(),
            Framing::Parts => self.next_of_several(parts::entry_end(self.rest).unwrap_or(self.rest.len())),
            Framing::JsonObjects => self.next_of_several(object_end(self.rest)),
            Framing::JsonElements(indent) => self.next_of_several(element_end(self.rest, indent)),
        })
    }
}

impl<'a> Entries<'a> {
    #[inline(always)]
    fn next_line(&mut self) -> Entry<'a> {
        // The last line of a source may lack its end.
        let end = memchr(b'\n', self.rest);
        let (whole, rest) = self.rest.split_at(end.map_or(self.rest.len(), |at| at + 1));
        self.rest = rest;
        let line = self.line;
        self.line = line.saturating_add(u32::from(end.is_some()));
        let (bytes, capped) = (trimmed(whole), whole.len() > MAX_LINE);
        Entry { bytes: if capped { &bytes[..bytes.len().min(MAX_LINE)] } else { bytes }, line, lines: 1, capped }
    }

    /// The next entry, which may have several lines and is so many bytes long.
    fn next_of_several(&mut self, length: usize) -> Entry<'a> {
        let (whole, rest) = self.rest.split_at(length);
        self.rest = rest;
        let ends = u32::try_from(memchr::memchr_iter(b'\n', whole).count()).unwrap_or(u32::MAX);
        // An object's last line is the first of the next one, in this chunk or in another, so it is not counted with it: the number of
        // lines is the same however the bytes are cut.
        let lines = ends + u32::from(self.framing != Framing::JsonObjects && !whole.ends_with(b"\n"));
        let entry = Entry { bytes: trimmed(whole), line: self.line, lines, capped: whole.len() > MAX_LINE };
        self.line = self.line.saturating_add(ends);
        if self.framing == Framing::Parts && lines > 1 {
            // Its lines are capped when they are joined.
            return entry;
        }
        Entry { bytes: &entry.bytes[..entry.bytes.len().min(MAX_LINE)], ..entry }
    }
}

#[inline(always)]
fn trimmed(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// The end of the first object: just after a `}` at the start of a line, and after its line end if one follows.
fn object_end(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr(b'\n', &bytes[at..]) {
        at += found + 1;
        if bytes.get(at) == Some(&b'}') {
            return at + object_end_length(&bytes[at..]);
        }
    }
    bytes.len()
}

/// Keys under which documents keep their records.
const RECORDS: &[&[u8]] =
    &[b"\"logs\": [", b"\"events\": [", b"\"data\": [", b"\"entries\": [", b"\"pages\": [", b"\"logEvents\": ["];

/// How far into a document its first record is looked for.
const FIRST_RECORD_WITHIN: usize = 4096;

/// The indent of the records of a pretty-printed document, if `head` begins one.
fn element_indent(head: &[u8]) -> Option<u8> {
    let head = &head[..head.len().min(FIRST_RECORD_WITHIN)];
    let after = match head.first()? {
        b'[' => 1,
        b'{' if head[1..].trim_ascii_start().starts_with(b"\"") && matches!(head.get(1), Some(b'\n' | b'\r')) => {
            RECORDS.iter().filter_map(|key| Some(memchr::memmem::find(head, key)? + key.len())).min()?
        }
        _ => return None,
    };
    let rest = &head[after..];
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n")?;
    let indent = rest.iter().take_while(|b| **b == b' ').count();
    let opens = rest.get(indent) == Some(&b'{') && matches!(rest.get(indent + 1), Some(b'\n' | b'\r'));
    opens.then(|| u8::try_from(indent).ok()).flatten().filter(|indent| *indent > 0)
}

/// Whether the first line of `text` is `indent` blanks, this brace and perhaps a comma.
fn is_brace(text: &[u8], indent: u8, brace: u8) -> bool {
    let indent = usize::from(indent);
    let Some((blanks, rest)) = text.split_at_checked(indent) else { return false };
    if rest.first() != Some(&brace) || blanks.iter().any(|b| *b != b' ') {
        return false;
    }
    let rest = rest[1..].strip_prefix(b",").unwrap_or(&rest[1..]);
    matches!(rest, [] | [b'\n', ..] | [b'\r', b'\n', ..])
}

/// The end of the first element: after the line of its closing brace.
fn element_end(bytes: &[u8], indent: u8) -> usize {
    let mut at = 0;
    while let Some(found) = memchr(b'\n', &bytes[at..]) {
        let end = at + found + 1;
        if is_brace(&bytes[at..end], indent, b'}') {
            return end;
        }
        at = end;
    }
    bytes.len()
}

/// The length of `}` with the line end that may follow it. One that begins the next `}`'s line stays with that: where an entry
/// ends must not hang on where it begins, or a cut would change it.
fn object_end_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'}', b'\n', b'}', ..] | [b'}', b'\r', b'\n', b'}', ..] => 1,
        [b'}', b'\n', ..] => 2,
        [b'}', b'\r', b'\n', ..] => 3,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_either_line_end_and_the_last_needs_none() {
        let got: Vec<_> = Framing::Lines.entries(b"a\r\n\nb").map(|e| (e.bytes.to_vec(), e.line, e.lines)).collect();
        assert_eq!(got, vec![(b"a".to_vec(), 0, 1), (b"".to_vec(), 1, 1), (b"b".to_vec(), 2, 1)]);
    }

    #[test]
    fn a_cut_falls_between_entries_even_where_braces_follow_each_other() {
        // Found by fuzzing `lines`.
        let text = b"n\n }\n}\n}}} [n\n \n}\n";
        let whole: Vec<_> = Framing::JsonObjects.entries(text).map(|entry| entry.bytes).collect();
        let (head, tail) = text.split_at(Framing::JsonObjects.last_cut(text).unwrap());
        let parts = Framing::JsonObjects.entries(head).chain(Framing::JsonObjects.entries(tail));
        assert_eq!(parts.map(|entry| entry.bytes).collect::<Vec<_>>(), whole);
    }

    #[test]
    fn objects_set_one_against_the_other_are_told_apart_and_every_line_is_counted_once() {
        let text = b"{\n  \"id\": \"1\"\n}{\n  \"id\": \"2\"\n}\n{\n  \"id\": \"3\"\n}";
        assert_eq!(Framing::detect(text), Framing::JsonObjects);
        let got: Vec<_> = Framing::JsonObjects.entries(text).map(|e| (e.line, e.lines)).collect();
        assert_eq!(got, vec![(0, 2), (2, 3), (5, 2)]);
        assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 7);
        assert_eq!(Framing::JsonObjects.last_cut(&text[..20]), Some(15));
    }
}
