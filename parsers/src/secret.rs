//! Where secrets die: a token read on a line becomes a keyed fingerprint before it leaves the function that read it.
//!
//! Fingerprints join lines that showed the same token; they are never printed, and with a key that is drawn at
//! random for each run they tell nothing about the token to who sees a core dump of another run.

use std::hash::Hasher;

use siphasher::sip::SipHasher13;

/// The key of a run's fingerprints. Two parsers join by token only if they share it.
#[derive(Clone, Copy, Debug)]
pub struct FingerprintKey([u8; 16]);

/// What is left of a token: equal for equal tokens under one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(u64);

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
        Some(Fingerprint(self.hash(&token[..token.len().min(COMPARED_BYTES)])))
    }

    fn hash(&self, bytes: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.0);
        hasher.write(bytes);
        hasher.finish()
    }
}

/// Identity of a request id: the id itself is public (it is in response headers), only its length varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(u128);

impl RequestId {
    /// The identity of a request id as written. Upper and lower case are the same id.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let mut out = [0_u8; 16];
        for (half, key) in [(0_usize, [1_u8; 16]), (8, [2_u8; 16])] {
            let mut hasher = SipHasher13::new_with_key(&key);
            for byte in text {
                hasher.write_u8(byte.to_ascii_lowercase());
            }
            out[half..half + 8].copy_from_slice(&hasher.finish().to_le_bytes());
        }
        Self(u128::from_le_bytes(out))
    }
}
