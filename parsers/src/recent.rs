//! Short texts that were looked up lately, with their numbers: most of a log's names are people, addresses and methods, which come again
//! at once.

/// Texts up to this many bytes are kept: an address (IPv4), a method, most users' ids.
const LONGEST: usize = 16;

/// So many places: some thousand people with their addresses, in memory that stays near the processor.
const PLACES: usize = 1 << 13;

/// A table of short texts and their numbers. What falls on a place that is taken replaces what is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Vec<Place>);

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    text: Packed,
    number: u32,
}

/// A text of at most [`LONGEST`] bytes: its beginning, its end, its length. Together they hold all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Packed {
    head: u64,
    tail: u64,
    /// One more than that, so that an empty place is no text.
    length: u32,
}

impl Packed {
    fn of(text: &[u8]) -> Option<Self> {
        let length = u32::try_from(text.len()).ok().filter(|_| text.len() <= LONGEST)? + 1;
        let (head, tail) = if let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (text.first_chunk(), text.last_chunk()) {
            (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
        } else {
            (text.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)), 0)
        };
        Some(Self { head, tail, length })
    }

    /// Where it is kept.
    fn place(self) -> usize {
        const MIX: u64 = 0x9e37_79b9_7f4a_7c15;
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ u64::from(self.length)).wrapping_mul(MIX);
        #[allow(clippy::cast_possible_truncation, reason = "the highest bits, as many as there are places")]
        let place = (mixed >> (64 - PLACES.trailing_zeros())) as usize;
        place
    }
}

impl Recent {
    /// The number of a text that was put there.
    pub(crate) fn get(&self, text: &[u8]) -> Option<u32> {
        let packed = Packed::of(text)?;
        self.0.get(packed.place()).filter(|place| place.text == packed).map(|place| place.number)
    }

    /// Keeps a text's number, if it is short.
    pub(crate) fn put(&mut self, text: &[u8], number: u32) {
        let Some(packed) = Packed::of(text) else { return };
        if self.0.is_empty() {
            self.0.resize(PLACES, Place::default());
        }
        self.0[packed.place()] = Place { text: packed, number };
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        let mut recent = Recent::default();
        assert_eq!(recent.get(b""), None);
        let long = b"203.0.113.77/abc!";
        for length in 0..=long.len() {
            let text = &long[..length];
            recent.put(text, 7);
            assert_eq!(recent.get(text), (length <= LONGEST).then_some(7), "{length}");
            for place in 0..length {
                let mut other = text.to_vec();
                other[place] ^= 1;
                assert_eq!(recent.get(&other), None, "{length} {place}");
            }
            assert_eq!(recent.get(&[text, b"\0"].concat()), None);
        }
        recent.clear();
        assert_eq!(recent.get(b"203.0.113.7"), None);
    }
}
