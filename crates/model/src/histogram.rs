//! Times as counts in fixed buckets, each a quarter longer than the one before: sums of them can be
//! added up, and say of any share of the times about how long they were.
//!
//! Rule: the bounds never change, since counts are stored.

use crate::Micros;

/// Counts of times from 10 ms to about 7 minutes; the first and the last bucket are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Histogram {
    /// How many times fell into each.
    pub counts: [u64; Histogram::BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: [0; Self::BUCKETS] }
    }
}

impl Histogram {
    /// How many buckets there are.
    pub const BUCKETS: usize = 48;
    /// A quantile is the middle of its bucket: the time itself is within this share of it.
    pub const ERROR: f64 = 0.123;
    /// The upper bound of the first bucket.
    const FIRST_US: f64 = 10_000.0;
    /// Buckets for each doubling.
    const PER_DOUBLING: f64 = 3.0;

    /// The bucket of a time.
    #[must_use]
    pub fn bucket(time: Micros) -> usize {
        let doublings = (time.0.max(1) as f64 / Self::FIRST_US).log2();
        let bucket = (doublings * Self::PER_DOUBLING).floor() + 1.0;
        (bucket.max(0.0) as usize).min(Self::BUCKETS - 1)
    }

    /// Counts a time.
    pub fn add(&mut self, time: Micros) {
        self.counts[Self::bucket(time)] += 1;
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
    }

    /// How many times there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time that this share of all is no longer than, about ([`Self::ERROR`]); none without times.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<Micros> {
        let total = self.total();
        let rank = ((total as f64 * share).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        let bucket = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        bucket.filter(|_| total > 0).map(Self::middle)
    }

    /// The middle of a bucket, on the scale of ratios; of the open ones their bound.
    fn middle(bucket: usize) -> Micros {
        let steps = match bucket {
            0 => 0.0,
            last if last == Self::BUCKETS - 1 => (last - 1) as f64,
            other => other as f64 - 0.5,
        };
        Micros((Self::FIRST_US * (steps / Self::PER_DOUBLING).exp2()).round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_within_the_stated_share_of_the_time_itself(
            mut times in proptest::collection::vec(10_001_u64..400_000_000, 1..200),
            share in 0.01_f64..1.0,
        ) {
            let mut histogram = Histogram::default();
            times.iter().for_each(|&time| histogram.add(Micros(time)));
            times.sort_unstable();
            let rank = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len());
            let exact = times[rank - 1] as f64;
            let said = histogram.quantile(share).unwrap().0 as f64;
            prop_assert!((said / exact - 1.0).abs() <= Histogram::ERROR, "{said} for {exact}");
        }

        #[test]
        fn longer_times_are_in_no_earlier_bucket(a in any::<u64>(), b in any::<u64>()) {
            let (short, long) = (a.min(b), a.max(b));
            prop_assert!(Histogram::bucket(Micros(short)) <= Histogram::bucket(Micros(long)));
        }
    }

    #[test]
    fn the_ends_are_open_and_nothing_has_no_quantile() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        let mut histogram = Histogram::default();
        histogram.add(Micros(0));
        assert_eq!(histogram.quantile(0.95), Some(Micros(10_000)));
        histogram.add(Micros(u64::MAX));
        assert_eq!(histogram.counts[47], 1);
        assert_eq!(histogram.quantile(1.0).unwrap().as_secs_f64().round(), 413.0);
        let mut other = Histogram::default();
        other.merge(&histogram);
        assert_eq!(other, histogram);
    }
}
