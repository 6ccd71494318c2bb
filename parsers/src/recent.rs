//! Texts that were looked up lately, with their numbers: most of a log's names are people, addresses, methods, paths and actions, which come
//! again at once.

/// Texts up to this many bytes are kept in two words: an address (IPv4), a method, most users' ids.
const SHORT: usize = 16;
/// And up to this many in six: most paths, controllers' actions, users' ids that are UUIDs.
const LONG: usize = 48;

/// A table of texts and their numbers. What falls on a place that is taken replaces what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent {
    short: Table<Short>,
    long: Table<Long>,
}

/// A text in some words that hold all of it: its beginning and its end (which may overlap), and its length.
trait Packed: Copy + Default + PartialEq {
    /// So many places at first: they stay near the processor …
    const LEAST: usize;
    /// … and so many at most, where more texts come than there are places.
    const MOST: usize;

    /// A number that tells texts apart mostly, in its highest bits.
    fn mixed(&self) -> u64;
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// At most [`SHORT`] bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Short {
    head: u64,
    tail: u64,
    /// One more than that, so that an empty place is no text.
    length: u32,
}

impl Short {
    #[allow(clippy::cast_possible_truncation, reason = "at most 16")]
    fn of(text: &[u8]) -> Self {
        let (head, tail) = if let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) {
            (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
        } else {
            (text.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), 0)
        };
        Self { head, tail, length: text.len() as u32 + 1 }
    }
}

impl Packed for Short {
    const LEAST: usize = 1 << 12;
    const MOST: usize = 1 << 14;

    fn mixed(&self) -> u64 {
        (self.head ^ self.tail.rotate_left(29) ^ u64::from(self.length)).wrapping_mul(MIX)
    }
}

/// More than [`SHORT`] bytes, and at most [`LONG`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Long {
    head: [u64; 2],
    /// Of texts that head and tail do not cover.
    middle: [u64; 2],
    tail: [u64; 2],
    length: u32,
}

impl Long {
    #[allow(clippy::cast_possible_truncation, reason = "at most 48")]
    fn of(text: &[u8]) -> Option<Self> {
        let words = |bytes: &[u8; SHORT]| {
            let (one, other) = bytes.split_at(SHORT / 2);
            [one, other].map(|half| half.first_chunk().map_or(0, |half| u64::from_le_bytes(*half)))
        };
        let (head, tail) = (text.first_chunk()?, text.last_chunk()?);
        let middle = if text.len() > 2 * SHORT { text[SHORT..].first_chunk().map_or([0; 2], words) } else { [0; 2] };
        Some(Self { head: words(head), middle, tail: words(tail), length: text.len() as u32 })
    }
}

impl Packed for Long {
    const LEAST: usize = 1 << 10;
    const MOST: usize = 1 << 12;

    fn mixed(&self) -> u64 {
        // Paths begin alike and mostly differ at their end.
        let Self { head: [a, b], middle: [c, d], tail: [e, f], length } = *self;
        let (one, other) = (a ^ c.rotate_left(23) ^ e.rotate_left(41), b ^ d.rotate_left(31) ^ f.rotate_left(11));
        (one.wrapping_mul(MIX) ^ other ^ u64::from(length)).wrapping_mul(MIX)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Place<P> {
    text: P,
    number: u32,
}

#[derive(Clone, Debug)]
struct Table<P> {
    /// A power of two, or none yet.
    places: Vec<Place<P>>,
    /// How many texts fell on others' places since there are so many.
    crowded: usize,
}

impl<P> Default for Table<P> {
    fn default() -> Self {
        Self { places: Vec::new(), crowded: 0 }
    }
}

impl<P: Packed> Table<P> {
    /// Where a text is kept.
    fn place(&self, text: &P) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "the highest bits, fewer than there are places")]
        let place = (text.mixed() >> 32) as usize & self.places.len().wrapping_sub(1);
        place
    }

    fn get(&self, text: &P) -> Option<u32> {
        self.places.get(self.place(text)).filter(|place| place.text == *text).map(|place| place.number)
    }

    fn put(&mut self, text: P, number: u32) {
        if self.places.is_empty() {
            self.places.resize(P::LEAST, Place::default());
        }
        let place = self.place(&text);
        let before = std::mem::replace(&mut self.places[place], Place { text, number }).text;
        self.crowded += usize::from(before != P::default() && before != text);
        if self.crowded > self.places.len() && self.places.len() < P::MOST {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let empty = vec![Place::default(); self.places.len() * 2];
        let places = std::mem::replace(&mut self.places, empty);
        self.crowded = 0;
        for one in places.into_iter().filter(|one| one.text != P::default()) {
            let place = self.place(&one.text);
            self.places[place] = one;
        }
    }
}

impl Recent {
    /// The number of a text that was put there.
    pub(crate) fn get(&self, text: &[u8]) -> Option<u32> {
        if text.len() <= SHORT {
            return self.short.get(&Short::of(text));
        }
        Long::of(text).filter(|_| text.len() <= LONG).and_then(|text| self.long.get(&text))
    }

    /// Keeps a text's number, if it is not too long.
    pub(crate) fn put(&mut self, text: &[u8], number: u32) {
        if text.len() <= SHORT {
            self.short.put(Short::of(text), number);
        } else if let Some(text) = Long::of(text).filter(|_| text.len() <= LONG) {
            self.long.put(text, number);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut recent = Recent::default();
        assert_eq!(recent.get(b""), None);
        let long = b"/api/v1/households/203/members/9f0c2c1e-0000-4000";
        assert_eq!(long.len(), LONG + 1);
        for length in 0..=long.len() {
            let text = &long[..length];
            recent.put(text, 7);
            assert_eq!(recent.get(text), (length <= LONG).then_some(7), "{length}");
            for place in 0..length {
                let mut other = text.to_vec();
                other[place] ^= 1;
                assert_eq!(recent.get(&other), None, "{length} {place}");
            }
            assert_eq!(recent.get(&[text, b"\0"].concat()), None);
        }
        recent.clear();
        assert_eq!(recent.get(b"/api"), None);
    }

    #[test]
    fn where_many_come_there_is_room_for_them() {
        let mut recent = Recent::default();
        let texts = || (0..20_000_u32).map(|number| (format!("10.{}.{}", number / 256, number % 256), number));
        let known =
            |recent: &Recent| texts().filter(|(text, number)| recent.get(text.as_bytes()) == Some(*number)).count();
        for _ in 0..4 {
            texts().for_each(|(text, number)| recent.put(text.as_bytes(), number));
        }
        let kept = known(&recent);
        assert!(kept > 2 * Short::LEAST, "{kept}");
    }
}
