//! Logs whose newest line comes first, as the lists of Datadog, Kibana, CloudWatch Logs Insights and others are exported: what follows a
//! line happened before it. Requests are put together in the order of time, so such a text is turned round before it is read.

use bumpalo::Bump;

use crate::detect::parse_chunk;
use crate::line::Framing;
use crate::secret::FingerprintKey;
use crate::time::Stamp;

/// So many lines at most are looked at.
const LOOKED_AT: usize = 200;
/// So many steps between times tell, and one in so many may go the other way: what several threads wrote stands a little out of order.
const LEAST_STEPS: usize = 8;
const MOSTLY: usize = 4;
/// Some lines have no time; of so many one has.
const EDGE: usize = 8;

/// Whether times fall from line to line in a text that begins so.
#[must_use]
pub fn is_newest_first(head: &[u8]) -> bool {
    if Framing::detect(head) != Framing::Lines {
        return false;
    }
    let whole = &head[..memchr::memrchr(b'\n', head).map_or(0, |at| at + 1)];
    let lines = || whole.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    // Two lines tell for nearly all logs that the oldest comes first.
    let (first, last) = (lines().take(EDGE).find_map(time_of), lines().rev().take(EDGE).find_map(time_of));
    if first.zip(last).is_none_or(|(first, last)| !last.is_before(first, 0)) {
        return false;
    }
    let times: Vec<Stamp> = lines().take(LOOKED_AT).filter_map(time_of).collect();
    let fallen = times.windows(2).filter(|pair| pair[1].is_before(pair[0], 0)).count();
    let risen = times.windows(2).filter(|pair| pair[0].is_before(pair[1], 0)).count();
    fallen + risen >= LEAST_STEPS && fallen >= MOSTLY * risen
}

fn time_of(line: &[u8]) -> Option<Stamp> {
    // No token is looked at, so any key does.
    parse_chunk(line, Framing::Lines, FingerprintKey::new([0; 16]), &Bump::new()).last
}

/// The lines of a text the other way round, each with a line end, and how many they are: line `n` of it was line `count + 1 - n`.
#[must_use]
pub fn turned(text: &[u8]) -> (Vec<u8>, u64) {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut out = Vec::with_capacity(text.len() + 1);
    let mut count = 0;
    let lines = text.strip_suffix(b"\n").unwrap_or(text).rsplit(|b| *b == b'\n');
    for line in lines.take_while(|_| !text.is_empty()) {
        out.extend_from_slice(line);
        out.push(b'\n');
        count += 1;
    }
    (out, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(times: impl Iterator<Item = u32>) -> Vec<u8> {
        let line = |second| {
            format!("I, [2026-11-16T06:{:02}:{:02}.068658 #72]  INFO -- : words\n\tno time\n", second / 60, second % 60)
        };
        times.map(line).collect::<String>().into_bytes()
    }

    #[test]
    fn falling_times_are_newest_first() {
        assert!(is_newest_first(&log((0..60).rev())));
        assert!(!is_newest_first(&log(0..60)) && !is_newest_first(&log(std::iter::repeat_n(7, 60))));
        // A little out of order, one way and the other.
        let shaken = |second: u32| if second % 7 == 3 { second + 2 } else { second };
        assert!(is_newest_first(&log((0..60).rev().map(shaken))) && !is_newest_first(&log((0..60).map(shaken))));
        // A clock that was set back once, a few lines.
        assert!(!is_newest_first(&log((30..60).chain(0..29))) && !is_newest_first(&log((0..4).rev())));
        assert!(!is_newest_first(b"") && !is_newest_first(b"no end"));
    }

    #[test]
    fn lines_are_turned_whole() {
        assert_eq!(turned(b"a\r\nb\n\nc"), (b"c\n\nb\na\r\n".to_vec(), 4));
        assert_eq!(turned(b"a\n"), (b"a\n".to_vec(), 1));
        assert_eq!(turned(b""), (Vec::new(), 0));
        let text = log(0..9);
        assert_eq!(turned(&turned(&text).0).0, text);
    }
}
