//! Chance without state: every draw is a function of who asks.
//!
//! An [`Identity`] is a seed, the content of a request and how often that very content was asked
//! before. Latency and faults draw from it by salt. The rule: no generator is advanced, so draws
//! do not depend on the order in which concurrent requests arrive.

/// How much of a latency comes from the content and how much from the occurrence; the squares sum
/// to one, so the mix of two unit normals is (to four digits) a unit normal.
const CONTENT_SHARE: f64 = 0.9;
const OCCURRENCE_SHARE: f64 = 0.436;

/// Names an independent source of chance within one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Salt {
    Whole = 1,
    FirstToken = 2,
    Speed = 3,
    Hang = 4,
    Error = 5,
    ErrorKind = 6,
    Truncate = 7,
    CutPoint = 8,
    Invalid = 9,
}

/// One request, as far as chance is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The simulator's seed, or the request's own.
    pub seed: u64,
    /// A hash of what was asked.
    pub content: u64,
    /// How many times that content was asked before.
    pub occurrence: u32,
}

impl Identity {
    /// A number from 0 up to, not including, 1.
    pub(crate) fn uniform(self, salt: Salt) -> f64 {
        unit(self.hash(salt, u64::from(self.occurrence) + 1))
    }

    /// A draw from the standard normal that is similar, not equal, for a repeated content.
    pub(crate) fn normal(self, salt: Salt) -> f64 {
        CONTENT_SHARE * gauss(self.hash(salt, 0))
            + OCCURRENCE_SHARE * gauss(self.hash(salt, u64::from(self.occurrence) + 1))
    }

    /// A stable number for names such as `chatcmpl-…`.
    pub(crate) fn name(self) -> u64 {
        mix(self.seed ^ mix(self.content ^ mix(u64::from(self.occurrence))))
    }

    /// `part` is 0 for what belongs to the content alone, else the occurrence plus one.
    fn hash(self, salt: Salt, part: u64) -> u64 {
        let salted = mix(self.seed).wrapping_add(mix(self.content ^ ((salt as u64) << 56)));
        mix(salted ^ mix(part.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }
}

/// Hashes the content of a request. Stable across platforms and versions, unlike std's hasher,
/// because a seed written down today must give the same run tomorrow.
#[derive(Debug, Clone)]
pub struct ContentHash(u64);

impl ContentHash {
    /// An empty content.
    #[must_use]
    pub fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds one field. Its length goes in too, so that `ab`,`c` and `a`,`bc` differ.
    #[must_use]
    pub fn with(mut self, field: &str) -> Self {
        let length = field.len() as u64;
        // FNV-1a over eight bytes at a time, with a rotation so that high bits reach low ones.
        let mut chunks = field.as_bytes().chunks_exact(8);
        for chunk in &mut chunks {
            let mut word = [0; 8];
            word.copy_from_slice(chunk);
            self.add(u64::from_le_bytes(word));
        }
        for byte in chunks.remainder() {
            self.add(u64::from(*byte));
        }
        self.add(length ^ 0xff51_afd7_ed55_8ccd);
        self
    }

    /// The hash of all fields so far.
    #[must_use]
    pub fn finish(&self) -> u64 {
        mix(self.0)
    }

    fn add(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

impl Default for ContentHash {
    fn default() -> Self {
        Self::new()
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every input bit reaches every output bit.
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The top 53 bits as a number from 0 up to, not including, 1.
#[allow(clippy::cast_precision_loss)] // 53 bits fit exactly
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// One standard normal from one hash, by Box and Muller's transform.
fn gauss(bits: u64) -> f64 {
    // One minus the unit is above zero, so the logarithm is finite.
    let radius = (-2.0 * (1.0 - unit(bits)).ln()).sqrt();
    radius * (std::f64::consts::TAU * unit(mix(bits))).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(count: u64) -> impl Iterator<Item = Identity> {
        (0..count).map(|n| Identity {
            seed: 7,
            content: ContentHash::new().with(&n.to_string()).finish(),
            occurrence: 0,
        })
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let draws: Vec<f64> = contents(20_000).map(|id| id.normal(Salt::Whole)).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.04, "variance {variance}");
    }

    #[test]
    fn uniform_draws_fill_the_unit_interval_evenly() {
        let mut tenths = [0_u32; 10];
        for id in contents(20_000) {
            let draw = id.uniform(Salt::Error);
            assert!((0.0..1.0).contains(&draw));
            tenths[(draw * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (1_800..2_200).contains(count)), "{tenths:?}");
    }

    #[test]
    fn a_repeated_content_draws_a_similar_but_not_equal_latency() {
        let (mut apart, mut products) = (0.0, 0.0);
        for first in contents(5_000) {
            let again = Identity { occurrence: 1, ..first };
            let (a, b) = (first.normal(Salt::Whole), again.normal(Salt::Whole));
            assert_ne!(a.to_bits(), b.to_bits());
            apart += (a - b).abs();
            products += a * b;
        }
        let correlation = products / 5_000.0;
        assert!((correlation - 0.81).abs() < 0.06, "correlation {correlation}");
        assert!(apart / 5_000.0 < 0.6);
    }

    #[test]
    fn salts_seeds_and_fields_are_independent() {
        let id = Identity { seed: 1, content: 2, occurrence: 0 };
        assert_ne!(id.uniform(Salt::Hang).to_bits(), id.uniform(Salt::Error).to_bits());
        let other = Identity { seed: 2, ..id };
        assert_ne!(id.uniform(Salt::Hang).to_bits(), other.uniform(Salt::Hang).to_bits());
        let joined = |a, b| ContentHash::new().with(a).with(b).finish();
        assert_ne!(joined("ab", "c"), joined("a", "bc"));
        assert_ne!(joined("", "abcdefgh"), joined("abcdefgh", ""));
    }
}
