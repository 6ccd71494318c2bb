//! Which of the tags before Rails' lines is the id of a request, as far as a source's head tells: the one that is another for each request.
//!
//! An id of eight characters, of a length of the app's own, or a UUID beside a tenant's or a session's is not known by its shape. But each
//! request begins with an id that the one before had not, and of nothing else that tags hold (machines, releases, tenants, sessions, addresses)
//! that is so for long.

use bumpalo::Bump;
use serde::{Deserialize, Serialize};

use crate::dialect::server::{MOST_TAGS, each_tag, take_tags};
use crate::envelope;
use crate::line::Framing;
use crate::secret::RequestId;
use crate::text::{contains, is_address};

/// So many requests must have begun before anything is said.
const LEAST: u16 = 12;

/// An id is no shorter, and no more than the longest of Rails'.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=255;

/// What the beginnings of requests showed of their tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tagging {
    /// How many requests began.
    begun: u16,
    places: [Place; MOST_TAGS],
    /// In how many of them the tag's shape tells the id, and which one that is.
    known: [u16; MOST_TAGS],
}

/// What stood at one place among the tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// How often anything did, and the same as before.
    seen: u16,
    same: u16,
    last: Option<RequestId>,
    /// How many were numbers.
    numbers: u16,
    shortest: u8,
    longest: u8,
}

/// Which tag is the id where its shape does not tell: its place among the tags, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdTag {
    place: usize,
    lengths: (u8, u8),
}

impl IdTag {
    /// Whether a tag at this place may be it. (Lines that belong to no request have other tags there.)
    pub(crate) fn is(&self, place: usize, tag: &[u8]) -> bool {
        place == self.place
            && (usize::from(self.lengths.0)..=usize::from(self.lengths.1)).contains(&tag.len())
            && may_be(tag)
    }
}

/// Whether a word can be an id at all.
fn may_be(tag: &[u8]) -> bool {
    LENGTHS.contains(&tag.len())
        && tag.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'#'))
        && (tag.iter().any(u8::is_ascii_digit) || tag.iter().all(u8::is_ascii_hexdigit))
        && !is_address(tag)
}

impl Tagging {
    /// Looks at the next whole lines of a source's head.
    pub(crate) fn look(&mut self, lines: &[u8]) {
        for entry in Framing::Lines.entries(lines) {
            // The same request begins twice where it becomes a socket.
            if contains(entry.bytes, b"] Started ") && !contains(entry.bytes, b"ebSocket] for ") {
                let arena = Bump::new();
                self.note(envelope::unwrap(entry.bytes, &arena).text);
            }
        }
    }

    fn note(&mut self, text: &[u8]) {
        let (tags, rest) = take_tags(text);
        if !rest.starts_with(b"Started ") || tags.cable {
            return;
        }
        self.begun = self.begun.saturating_add(1);
        let Self { places, known, .. } = self;
        each_tag(text, |place, tag| {
            let one = &mut places[place];
            let length = u8::try_from(tag.len()).unwrap_or(u8::MAX);
            let before = one.last.replace(RequestId::new(tag));
            // A word that can be none is the same each time.
            let same = !may_be(tag) || one.last == before;
            one.same = one.same.saturating_add(u16::from(same));
            one.numbers = one.numbers.saturating_add(u16::from(tag.iter().all(u8::is_ascii_digit)));
            (one.shortest, one.longest) =
                if one.seen == 0 { (length, length) } else { (one.shortest.min(length), one.longest.max(length)) };
            one.seen = one.seen.saturating_add(1);
            let alone = take_tags(&[b"[", tag, b"] "].concat()).0.request;
            known[place] = known[place].saturating_add(u16::from(alone.is_some() && alone == tags.request));
        });
    }

    /// The tag that is the id, where its shape tells of none, or of another.
    pub(crate) fn id(&self) -> Option<IdTag> {
        // Of ids in hexadecimal a few are numbers; where most are, they are users'.
        let changes = |place: &&Place| place.seen == self.begun && place.same == 0 && place.numbers < place.seen / 4;
        if self.begun < LEAST {
            return None;
        }
        // What its shape tells may be right.
        let by_shape =
            self.known.iter().zip(&self.places).max_by_key(|(known, _)| **known).filter(|(known, _)| **known > 0);
        if by_shape.is_some_and(|(_, place)| changes(&place)) {
            return None;
        }
        let place = self.places.iter().position(|place| changes(&place))?;
        let Place { shortest, longest, .. } = self.places[place];
        Some(IdTag { place, lengths: (shortest, longest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(tags: impl Fn(usize) -> String) -> Option<IdTag> {
        let line = |n| {
            format!(
                "I, [2026-11-16T06:03:52.068658 #72]  INFO -- : {}Started GET \"/a\" for 10.0.0.1 at 2026\n",
                tags(n)
            )
        };
        let mut tagging = Tagging::default();
        tagging.look((0..40).map(line).collect::<String>().as_bytes());
        tagging.id()
    }

    #[test]
    fn the_tag_that_changes_with_each_request_is_its_id() {
        let id = |n: usize| format!("{:08x}-0000-4000-8000-000000000000", n * 7919);
        assert_eq!(learnt(|n| format!("[{}] ", id(n))), None, "its shape tells");
        assert_eq!(learnt(|n| format!("[{}] [{}] ", id(n), id(7))), None, "its shape tells");
        let behind =
            learnt(|n| format!("[{}] [{}] ", id(n / 3), id(n))).expect("a session's comes again, a request's does not");
        assert!(behind.is(1, id(0).as_bytes()) && !behind.is(0, id(0).as_bytes()) && !behind.is(1, b"Auth"));
        let short = learnt(|n| format!("[v3.12.0] [{:08x}] ", ((n + 1) * 0x9e37_79b1) & 0xffff_ffff))
            .expect("it is another each time");
        assert!(short.is(1, b"3342c462") && !short.is(1, b"Payments") && !short.is(1, b"4831b5c2aa"));
        assert_eq!(learnt(|_| "[3342c462] ".to_owned()), None, "a commit");
        assert_eq!(learnt(|n| format!("[2026-11-16T06:03:52.{n:06}] ")), None, "a time");
        assert_eq!(learnt(|n| format!("[10.0.0.{n}] ")), None, "an address");
        assert_eq!(learnt(|n| format!("[{}] ", n + 100_000)), None, "a user");
    }
}
