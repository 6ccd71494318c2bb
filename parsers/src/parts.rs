//! Long lines that a container runtime wrote in parts: found, kept within one entry, and joined.
//!
//! | runtime | a part | the last part | source |
//! | --- | --- | --- | --- |
//! | CRI (containerd, CRI-O) | `<time> stdout P text` | `<time> stdout F text` | kubernetes `pkg/kubelet/kuberuntime/logs/logs.go` |
//! | the same, parsed by Fluent Bit or Fluentd | `logtag` (or `_p`) is `P` | it is `F` | fluent-bit `conf/parsers.conf`; fluent-plugin-parser-cri |
//! | Docker's json-file | a `log` of 16 KiB without a line end | a `log` with one | moby `daemon/logger/copier.go` |
//! | Docker's fluentd driver | `partial_message` is `true` | `partial_last` is, or there is no mark | moby `daemon/logger/fluentd/fluentd.go` |
//! | Docker's journald driver | `CONTAINER_PARTIAL_MESSAGE` is `true` | there is none | moby `daemon/logger/journald/journald.go` |
//!
//! Each may stand in other envelopes: in any that leave the line's rest as it is, and in the message of a JSON object.
//!
//! The streams of containers take turns, so parts of one may stand between parts of the other. An entry of
//! [`crate::line::Framing::Parts`] goes from the first part to where no stream has a part open, so no cut falls in between.

use std::hash::Hasher as _;

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use memchr::memchr;
use memchr::memmem;
use siphasher::sip::SipHasher13;

use crate::envelope;
use crate::json::Object;
use crate::line::{Entry, Framing, MAX_LINE};
use crate::time;

/// `moby/daemon/logger/copier.go`, `defaultBufSize`: what is shorter ended by itself.
const DOCKER_PART: usize = 16 * 1024;

/// So many streams may have a part open at a time; lines of more containers are rarely in one file.
const MOST_OPEN: usize = 16;

/// How deep a runtime's line is looked for.
const MAX_DEPTH: usize = 4;

/// What Docker's json-file is made of, as it stands and in a text of JSON.
struct Docker {
    begins: &'static [u8],
    stream: &'static [u8],
    /// With so many backslashes a line end is written.
    backslashes: usize,
}

const BARE: Docker = Docker { begins: b"{\"log\":\"", stream: b"\",\"stream\":\"std", backslashes: 1 };
const ESCAPED: Docker = Docker { begins: b"{\\\"log\\\":\\\"", stream: b"\\\",\\\"stream\\\":\\\"std", backslashes: 2 };

/// A line of a runtime that says of each whether it goes on.
struct Part {
    /// Which stream of which container: 0 is stdout and 1 is stderr of the only one.
    stream: u64,
    /// The next line of the stream continues it.
    goes_on: bool,
    /// It can continue the one before. (Before Kubernetes 1.8 lines had no mark.)
    marked: bool,
    /// Where its text stands in the line.
    from: usize,
    to: usize,
}

impl Part {
    /// The same in a line that begins `before` bytes earlier, of a stream that other texts name too.
    fn within(self, before: usize, whose: u64) -> Self {
        Self { stream: self.stream ^ whose, from: self.from + before, to: self.to + before, ..self }
    }
}

/// Whether a source that begins like this writes long lines in parts.
pub(crate) fn detect(head: &[u8]) -> bool {
    let line = &head[..memchr(b'\n', head).unwrap_or(head.len())];
    line.starts_with(BARE.begins) || part(line).is_some()
}

fn part(line: &[u8]) -> Option<Part> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let arena = Bump::new();
    let (mut at, mut whose) = (0, 0);
    for _ in 0..MAX_DEPTH {
        let text = &line[at..];
        let found = match text.first()? {
            b'{' => docker(text, &BARE).or_else(|| object(text, &arena)),
            b'0'..=b'9' => cri(text).or_else(|| fluentd(text, &arena)),
            _ => None,
        };
        if let Some(part) = found {
            return Some(part.within(at, whose));
        }
        let peeled = envelope::peel_text(text, &arena)?;
        // What is not the line's own rest cannot be put together with others' rests.
        if peeled.inner.as_ptr_range().end != line.as_ptr_range().end {
            return None;
        }
        at = line.len() - peeled.inner.len();
        whose ^= peeled.instance.map_or(0, named);
    }
    None
}

/// A number for a name; the streams' own are 0 and 1.
fn named(name: &[u8]) -> u64 {
    let mut hasher = SipHasher13::new();
    hasher.write(name);
    hasher.finish() & !1
}

fn cri(line: &[u8]) -> Option<Part> {
    let end = time::iso_end(line)?;
    let rest = line[end..].strip_prefix(b" std")?;
    let (stream, rest) = match rest {
        [b'o', b'u', b't', b' ', rest @ ..] => (0, rest),
        [b'e', b'r', b'r', b' ', rest @ ..] => (1, rest),
        _ => return None,
    };
    let mark = match rest {
        [mark @ (b'F' | b'P')] | [mark @ (b'F' | b'P'), b' ', ..] => Some(*mark),
        _ => None,
    };
    let from = (line.len() - rest.len() + 2).min(line.len());
    Some(Part { stream, goes_on: mark == Some(b'P'), marked: mark.is_some(), from, to: line.len() })
}

fn docker(line: &[u8], docker: &Docker) -> Option<Part> {
    let from = docker.begins.len();
    let to = memmem::rfind(line, docker.stream)?;
    let text = line.get(from..to).filter(|_| line.starts_with(docker.begins))?;
    let stream = u64::from(line.get(to + docker.stream.len()) == Some(&b'e'));
    let escapes = text.strip_suffix(b"n").map_or(0, |text| text.iter().rev().take_while(|b| **b == b'\\').count());
    let goes_on = text.len() >= DOCKER_PART && (escapes / docker.backslashes).is_multiple_of(2);
    Some(Part { stream, goes_on, marked: true, from, to })
}

/// `<time><TAB><tag><TAB>{…}`
fn fluentd(line: &[u8], arena: &Bump) -> Option<Part> {
    let end = time::iso_end(line)?;
    let rest = line[end..].strip_prefix(b"\t")?;
    let tab = memchr(b'\t', rest)?;
    let record = rest[tab + 1..].trim_ascii_start();
    Some(object(record, arena)?.within(line.len() - record.len(), named(&rest[..tab])))
}

/// A JSON object with a message that is a runtime's line, or with a runtime's marks.
fn object(text: &[u8], arena: &Bump) -> Option<Part> {
    let object = Object::read(text, arena)?;
    let raw = ["log", "message", "MESSAGE", "msg", "line", "textPayload"].iter().find_map(|key| object.raw(key))?;
    let inside = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let before = inside.as_ptr() as usize - text.as_ptr() as usize;
    let container = ["container_id", "CONTAINER_ID_FULL", "CONTAINER_ID", "kubernetes.pod_name"];
    let whose = object.first(&container).map_or(0, named);
    if let Some(part) = cri(inside).or_else(|| docker(inside, &ESCAPED)) {
        return Some(part.within(before, whose));
    }
    let mark = object.first(&["logtag", "_p"]);
    let partial = object.first(&["partial_message", "CONTAINER_PARTIAL_MESSAGE"]);
    if mark.is_none() && partial.is_none() && whose == 0 {
        return None;
    }
    let last = object.first(&["partial_last", "CONTAINER_PARTIAL_LAST"]) == Some(b"true");
    let stream = u64::from(object.first(&["stream", "source"]) == Some(b"stderr"));
    let part = Part {
        stream: object.first(&["partial_id", "CONTAINER_PARTIAL_ID"]).map_or(stream ^ whose, named),
        goes_on: mark == Some(b"P") || (partial == Some(b"true") && !last),
        marked: true,
        from: 0,
        to: inside.len(),
    };
    Some(part.within(before, 0))
}

/// Where the first entry ends, behind its line end: when no part is open, or too much was held.
pub(crate) fn entry_end(bytes: &[u8]) -> Option<usize> {
    let (mut open, mut at) = (Vec::<u64>::new(), 0);
    loop {
        let end = at + memchr(b'\n', &bytes[at..])? + 1;
        // What an over-long line ends with is not looked at: it may have been dropped.
        if end - at <= MAX_LINE
            && let Some(part) = part(&bytes[at..end])
        {
            open.retain(|stream| *stream != part.stream);
            open.extend(part.goes_on.then_some(part.stream));
        }
        if open.is_empty() || open.len() > MOST_OPEN || end > MAX_LINE {
            return Some(end);
        }
        at = end;
    }
}

/// The lines of an entry, parts joined. `entry.capped`: it was ended because too much was held.
pub(crate) fn joined<'a>(entry: &Entry<'a>, arena: &'a Bump) -> Vec<Entry<'a>> {
    struct Open<'a> {
        /// Of the entry in the list.
        place: usize,
        text: ArenaVec<'a, u8>,
        /// What stands behind the text of its first part.
        behind: &'a [u8],
        stream: u64,
    }
    let finish = |out: &mut Vec<Entry<'a>>, open: Open<'a>, capped: bool| {
        let Open { place, mut text, behind, .. } = open;
        text.extend_from_slice(behind);
        let text: &'a [u8] = text.into_bump_slice();
        let capped = capped || text.len() > MAX_LINE;
        out[place] = Entry { bytes: &text[..text.len().min(MAX_LINE)], capped, ..out[place] };
    };
    let mut out: Vec<Entry<'a>> = Vec::new();
    let mut open: Vec<Open<'a>> = Vec::new();
    for line in Framing::Lines.entries(entry.bytes) {
        let found = if line.capped { None } else { part(line.bytes) };
        let Some(Part { stream, goes_on, marked, from, to }) = found else {
            out.push(line);
            continue;
        };
        let begun = open.iter().position(|begun| begun.stream == stream).map(|place| open.swap_remove(place));
        match begun {
            Some(mut begun) if marked => {
                begun.text.extend_from_slice(&line.bytes[from..to]);
                out[begun.place].lines += line.lines;
                if goes_on {
                    open.push(begun);
                } else {
                    finish(&mut out, begun, false);
                }
                continue;
            }
            Some(begun) => finish(&mut out, begun, false),
            None => {}
        }
        if goes_on {
            let mut text = ArenaVec::with_capacity_in(line.bytes.len() * 2, arena);
            text.extend_from_slice(&line.bytes[..to]);
            open.push(Open { place: out.len(), text, behind: &line.bytes[to..], stream });
        }
        out.push(line);
    }
    for begun in open {
        finish(&mut out, begun, entry.capped);
    }
    for line in &mut out {
        line.line = line.line.saturating_add(entry.line);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cri(stream: &str, mark: &str, text: &str) -> String {
        format!("2026-11-16T06:03:52.068658123Z {stream} {mark} {text}\n")
    }

    fn docker(text: &str) -> String {
        format!(
            "{{\"log\":{},\"stream\":\"stdout\",\"time\":\"2026-11-16T06:03:52.068658123Z\"}}\n",
            serde_json::to_string(text).unwrap()
        )
    }

    fn lines(text: &str) -> Vec<(String, u32, u32, bool)> {
        assert_eq!(Framing::detect(text.as_bytes()), Framing::Parts);
        let arena = Bump::new();
        let entries = Framing::Parts.entries(text.as_bytes());
        let lines = entries.flat_map(|entry| joined(&entry, &arena));
        lines.map(|e| (String::from_utf8_lossy(e.bytes).into_owned(), e.line, e.lines, e.capped)).collect()
    }

    #[test]
    fn parts_are_joined_stream_by_stream() {
        let text = [
            cri("stdout", "F", "one"),
            cri("stdout", "P", "two, "),
            cri("stderr", "P", "an err"),
            cri("stdout", "P", "still two, "),
            cri("stderr", "F", "or"),
            cri("stdout", "F", "and its end"),
            cri("stdout", "F", "three"),
        ]
        .concat();
        let got: Vec<_> =
            lines(&text).into_iter().map(|(text, line, lines, _)| (text[40..].to_owned(), line, lines)).collect();
        let expected = [("one", 0, 1), ("two, still two, and its end", 1, 3), ("an error", 2, 2), ("three", 6, 1)];
        assert_eq!(got, expected.map(|(text, line, lines)| (text.to_owned(), line, lines)));
    }

    #[test]
    fn records_of_sixteen_kib_without_a_line_end_go_on() {
        let long = "x".repeat(DOCKER_PART);
        let text = [docker(&long), docker("y\n"), docker("no end, but short"), docker("z\n")].concat();
        let got: Vec<_> = lines(&text).into_iter().map(|(text, line, lines, _)| (text, line, lines)).collect();
        assert_eq!(got.iter().map(|(_, line, lines)| (*line, *lines)).collect::<Vec<_>>(), [(0, 2), (2, 1), (3, 1)]);
        assert!(got[0].0 == docker(&format!("{long}y\n")).trim_end());
        // A backslash and an `n` are no line end.
        let text = [docker(&format!("{long}\\n")), docker("y\n")].concat();
        assert_eq!(lines(&text).len(), 1);
    }

    #[test]
    fn a_part_that_nothing_follows_holds_no_more_than_the_cap() {
        let piece = "x".repeat(DOCKER_PART);
        let mut text = cri("stderr", "P", "never ended");
        for _ in 0..100 {
            text.push_str(&cri("stdout", "F", &piece));
        }
        let got = lines(&text);
        assert_eq!((got.len(), got[0].3), (101, true), "only the part itself is capped");
        assert!(got[1..].iter().all(|(_, _, lines, capped)| *lines == 1 && !capped));

        let text: String = (0..100).map(|_| cri("stdout", "P", &piece)).collect();
        let got = lines(&text);
        assert!(got.len() == 2 && got[0].3 && got[0].0.len() == MAX_LINE, "{}", got.len());
        assert_eq!(got.iter().map(|(_, _, lines, _)| *lines).sum::<u32>(), 100);
    }
}
