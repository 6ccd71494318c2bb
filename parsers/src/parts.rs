//! Long lines that a container runtime wrote in parts: found, kept within one entry, and joined.
//!
//! | runtime | a part | the last part | source |
//! | --- | --- | --- | --- |
//! | CRI (containerd, CRI-O) | `<time> stdout P text` | `<time> stdout F text` | kubernetes `pkg/kubelet/kuberuntime/logs/logs.go` |
//! | Docker's json-file | a `log` of 16 KiB without a line end | a `log` with one | moby `daemon/logger/copier.go` |
//!
//! The two streams of a container take turns, so parts of one may stand between parts of the other. An entry of
//! [`crate::line::Framing::Parts`] goes from the first part to where neither stream has a part open, so no cut falls in between.

use bumpalo::Bump;
use bumpalo::collections::Vec as ArenaVec;
use memchr::memchr;
use memchr::memmem;

use crate::line::{Entry, Framing, MAX_LINE};
use crate::time;

/// `moby/daemon/logger/copier.go`, `defaultBufSize`: what is shorter ended by itself.
const DOCKER_PART: usize = 16 * 1024;

/// How a line of Docker's json-file begins.
const DOCKER: &[u8] = b"{\"log\":\"";

/// A line of a runtime that says of each whether it goes on.
struct Part {
    /// 0 for stdout, 1 for stderr.
    stream: usize,
    /// The next line of the stream continues it.
    goes_on: bool,
    /// It can continue the one before. (Before Kubernetes 1.8 lines had no mark.)
    marked: bool,
    /// Where its text stands in the line.
    from: usize,
    to: usize,
}

/// Whether a source that begins like this writes long lines in parts.
pub(crate) fn detect(head: &[u8]) -> bool {
    let line = &head[..memchr(b'\n', head).unwrap_or(head.len())];
    line.starts_with(DOCKER) || part(line).is_some()
}

fn part(line: &[u8]) -> Option<Part> {
    match line.first()? {
        b'{' => docker(line),
        b'0'..=b'9' => cri(line),
        _ => None,
    }
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

fn docker(line: &[u8]) -> Option<Part> {
    const STREAM: &[u8] = b"\",\"stream\":\"std";
    let to = memmem::rfind(line, STREAM)?;
    let text = line.get(DOCKER.len()..to).filter(|_| line.starts_with(DOCKER))?;
    let stream = usize::from(line.get(to + STREAM.len()) == Some(&b'e'));
    let escapes = text.strip_suffix(b"n").map_or(0, |text| text.iter().rev().take_while(|b| **b == b'\\').count());
    let goes_on = text.len() >= DOCKER_PART && escapes % 2 == 0;
    Some(Part { stream, goes_on, marked: true, from: DOCKER.len(), to })
}

/// Where the first entry ends, behind its line end: when no part is open, or too much was held.
pub(crate) fn entry_end(bytes: &[u8]) -> Option<usize> {
    let (mut open, mut at) = ([false; 2], 0);
    loop {
        let end = at + memchr(b'\n', &bytes[at..])? + 1;
        // What an over-long line ends with is not looked at: it may have been dropped.
        if end - at <= MAX_LINE
            && let Some(part) = part(&bytes[at..end])
        {
            open[part.stream] = part.goes_on;
        }
        if open == [false; 2] || end > MAX_LINE {
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
        /// What stands behind the text of its latest part.
        behind: &'a [u8],
    }
    let finish = |out: &mut Vec<Entry<'a>>, open: Open<'a>, capped: bool| {
        let Open { place, mut text, behind } = open;
        text.extend_from_slice(behind);
        let text: &'a [u8] = text.into_bump_slice();
        let capped = capped || text.len() > MAX_LINE;
        out[place] = Entry { bytes: &text[..text.len().min(MAX_LINE)], capped, ..out[place] };
    };
    let mut out: Vec<Entry<'a>> = Vec::new();
    let mut open: [Option<Open<'a>>; 2] = [None, None];
    for line in Framing::Lines.entries(entry.bytes) {
        let found = if line.capped { None } else { part(line.bytes) };
        let Some(Part { stream, goes_on, marked, from, to }) = found else {
            out.push(line);
            continue;
        };
        match open[stream].take() {
            Some(mut begun) if marked => {
                begun.text.extend_from_slice(&line.bytes[from..to]);
                begun.behind = &line.bytes[to..];
                out[begun.place].lines += line.lines;
                if goes_on {
                    open[stream] = Some(begun);
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
            open[stream] = Some(Open { place: out.len(), text, behind: &line.bytes[to..] });
        }
        out.push(line);
    }
    for begun in open.into_iter().flatten() {
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
