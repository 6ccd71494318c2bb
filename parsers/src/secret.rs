//! Where secrets die: a token read on a line becomes a keyed fingerprint before it leaves the function that read it.
//!
//! Fingerprints join lines that showed the same token; they are never printed, and with a key that is drawn at
//! random for each run they tell nothing about the token to who sees a core dump of another run.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// The key of a run's fingerprints. Two parsers join by token only if they share it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct FingerprintKey([u8; 16]);

/// What is left of a token: equal for equal tokens under one key. (None is zero, so that an `Option` of it takes no more room.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(NonZeroU64);

/// Android and iOS cut a printed line at about a thousand characters, so a long token may end early
/// (flutter/flutter#22665); tokens are compared by at most this many leading bytes.
const COMPARED_BYTES: usize = 512;

/// Shorter values (`-`, `null`, `[FILTERED]` aside) are no tokens of any scheme in use.
const SHORTEST_TOKEN: usize = 8;

impl FingerprintKey {
    /// A key from 16 bytes, random for a run or kept by whoever needs joins over several runs.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The fingerprint of a token, or `None` where the value is filtered, empty or too short to be one.
    #[must_use]
    pub fn fingerprint(&self, token: &[u8]) -> Option<Fingerprint> {
        if token.len() < SHORTEST_TOKEN || token.starts_with(b"[FILTERED") || token.iter().all(|b| *b == b'*') {
            return None;
        }
        let hash = self.hash(&token[..token.len().min(COMPARED_BYTES)]);
        Some(Fingerprint(NonZeroU64::new(hash).unwrap_or(NonZeroU64::MIN)))
    }

    /// What tells a line from another, without its text.
    pub(crate) fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// Identity of a request id: the id itself is public (it is in response headers), only its length varies.
/// (In two halves, so that what holds it needs no more than eight bytes' alignment. None has zero as its lower half, so that an `Option`
/// of it takes no more room: 0 is taken for 1 there.)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "[u64; 2]", into = "[u64; 2]")]
pub struct RequestId {
    high: u64,
    low: NonZeroU64,
}

impl From<[u64; 2]> for RequestId {
    fn from([high, low]: [u64; 2]) -> Self {
        Self { high, low: NonZeroU64::new(low).unwrap_or(NonZeroU64::MIN) }
    }
}

impl From<RequestId> for [u64; 2] {
    fn from(RequestId { high, low }: RequestId) -> Self {
        [high, low.get()]
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = (*self).into();
        f.debug_tuple("RequestId").field(&(u128::from(high) << 64 | u128::from(low))).finish()
    }
}

impl Hash for RequestId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // One call: see [`ById`].
        state.write_u64(self.bits());
    }
}

impl RequestId {
    /// The identity of a request id as written. Upper and lower case are the same id.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        if let Some(id) = Self::uuid(text) {
            return id;
        }
        let mut hasher = SipHasher13::new_with_key(&[1; 16]);
        for byte in text {
            hasher.write_u8(byte.to_ascii_lowercase());
        }
        let high = hasher.finish();
        hasher.write_u8(0xff);
        [high, hasher.finish()].into()
    }

    /// The identity of a UUID in brackets, as Rails' tags are, at the beginning of a text.
    #[inline(always)] // see `uuid`
    pub(crate) fn tag(text: &[u8]) -> Option<Self> {
        let tag: &[u8; Self::TAG] = text.first_chunk().filter(|tag| (tag[0], tag[Self::TAG - 1]) == (b'[', b']'))?;
        Self::uuid(&tag[1..Self::TAG - 1])
    }

    /// How long that is, in bytes.
    pub(crate) const TAG: usize = 38;

    /// The identity of a UUID as written (Rails' own ids are such): its 128 bits. `None` for any other text.
    #[must_use]
    #[inline(always)] // part of the hot path: to hand it over in memory takes longer than to read it
    pub fn uuid(text: &[u8]) -> Option<Self> {
        let text: &[u8; 36] = text.try_into().ok()?;
        if (text[8], text[13], text[18], text[23]) != (b'-', b'-', b'-', b'-') {
            return None;
        }
        let half =
            |from: usize| text[from..].first_chunk::<4>().map_or(0, |digits| u64::from(u32::from_be_bytes(*digits)));
        let eight = |from: usize| text[from..].first_chunk().map_or(0, |digits| u64::from_be_bytes(*digits));
        let whole = |one: u64, other: u64| Some(u64::from(hexadecimal(one)?) << 32 | u64::from(hexadecimal(other)?));
        let high = whole(eight(0), half(9) << 32 | half(14))?;
        Some([high, whole(half(19) << 32 | half(24), eight(28))?].into())
    }

    /// Some of its bits, for tables keyed by it.
    #[must_use]
    pub(crate) const fn bits(self) -> u64 {
        let (high, low) = (self.high, self.low.get());
        // The version and variant of a UUID are the same in all; its other bits are random, or a time.
        (low ^ high).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

/// Eight hexadecimal digits, the first in the highest byte, as a number. All bytes at once: this is done for every line.
#[inline(always)]
fn hexadecimal(digits: u64) -> Option<u32> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    // The high bit of each byte tells whether it is so great at least. No byte borrows from its neighbour where all are below 0x80.
    let from = |bytes: u64, least: u8| (bytes | HIGH) - u64::from(least) * EACH;
    let lower = digits | (0x20 * EACH);
    let number = from(digits, b'0') & !from(digits, b'9' + 1) & HIGH;
    let letter = from(lower, b'a') & !from(lower, b'f' + 1) & HIGH;
    if digits & HIGH != 0 || number | letter != HIGH {
        return None;
    }
    let mut value = (digits & (0x0f * EACH)) + 9 * (letter >> 7);
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    u32::try_from((value | value >> 16) & 0xffff_ffff).ok()
}

/// Hashes request ids by their own bits: they are 128 random bits, or hashed already.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ById;

impl std::hash::BuildHasher for ById {
    type Hasher = Bits;

    fn build_hasher(&self) -> Bits {
        Bits(0)
    }
}

/// See [`ById`].
#[derive(Debug)]
pub(crate) struct Bits(u64);

impl Hasher for Bits {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_in_either_case_and_every_digit_counts() {
        let id = b"5e908487-aB00-4c00-8d00-0123456789eF";
        assert_eq!(RequestId::new(id), RequestId::new(&id.to_ascii_lowercase()));
        assert_eq!((size_of::<RequestId>(), size_of::<Option<RequestId>>()), (16, 16));
        assert_eq!(RequestId::uuid(id), Some([0x5e90_8487_ab00_4c00, 0x8d00_0123_4567_89ef].into()));
        for at in 0..id.len() {
            let mut other = *id;
            other[at] = if other[at] == b'1' { b'2' } else { b'1' };
            assert_ne!(RequestId::new(&other), RequestId::new(id), "byte {at}");
        }
        assert_eq!(RequestId::uuid(b"5e908487-aB00-4c00-8d00-0123456789eg"), None);
        assert_eq!(RequestId::new(b"req_01HXYZ"), RequestId::new(b"REQ_01hxyz"));
        assert_ne!(RequestId::new(b"req_01HXYZ"), RequestId::new(b"req_01HXYA"));
    }
}
