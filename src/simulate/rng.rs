//! Chance that can be repeated: the same seed gives the same logs, on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): eight lines, no dependency, good enough to make traffic look like people.
#[derive(Clone, Debug)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` up to, not including, `high`.
    pub(super) const fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low);
        if span <= 1 {
            return low;
        }
        low + (self.next() % span.unsigned_abs()).cast_signed()
    }

    /// True that often in a hundred.
    pub(super) const fn percent(&mut self, chance: i64) -> bool {
        self.between(0, 100) < chance
    }

    /// Waiting times of people: mostly short, sometimes long, `mean` on average, never more than five times that.
    pub(super) fn wait(&mut self, mean: i64) -> i64 {
        #[allow(clippy::cast_precision_loss, reason = "chance")]
        let unit = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "chance")]
        let wait = (-(1.0 - unit).ln() * mean as f64).min(mean as f64 * 5.0) as i64;
        wait.max(mean / 50)
    }

    pub(super) fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        let place = usize::try_from(self.next() % (list.len().max(1) as u64)).unwrap_or(0);
        list.get(place)
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | ((b >> 48) & 0x3fff),
            b & 0xffff_ffff_ffff
        )
    }

    /// An opaque token as `SecureRandom.urlsafe_base64(32)` makes them.
    pub(super) fn token(&mut self) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        (0..43).map(|_| char::from(LETTERS[usize::try_from(self.next() % 64).unwrap_or(0)])).collect()
    }
}
