//! When a failed call is tried again. The engine is the only one that retries.
//!
//! Exponential backoff with full jitter (each wait is drawn evenly from nothing up to a ceiling that
//! doubles), above a small floor; a provider's `Retry-After` is a lower bound of the wait, up to a
//! cap of its own. Pure: randomness comes in as a generator.

use lanes_model::{Failure, Micros};

/// No wait is shorter, so that a retry never follows on the heels of a failure.
const FLOOR: Micros = Micros::from_millis(100);

/// The retries that even the smallest run has.
pub const LEAST_BUDGET: u64 = 24;

/// How often, and after which waits, a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The most attempts a call gets, the first included. Those that were cut off because the
    /// program ended do not count.
    pub max_attempts: u32,
    /// The ceiling of the first wait; it doubles with each failure.
    pub base: Micros,
    /// The highest ceiling.
    pub cap: Micros,
    /// The longest wait that a provider can ask for.
    pub retry_after_cap: Micros,
    /// The most retries of a whole run, as a share of its calls, but never fewer than
    /// [`LEAST_BUDGET`]: where everything fails, trying everything again only adds to the load.
    pub budget: f64,
    /// Whether a call whose answer has begun to arrive is tried again, here or elsewhere. Not where
    /// somebody has read that beginning already.
    pub after_text: bool,
    /// Seeds the jitter: the same seed and the same failures give the same waits.
    pub seed: u64,
}

impl Default for RetryPolicy {
    /// Three attempts, 500 ms doubling up to 20 s, `Retry-After` up to 60 s, a retry for every second
    /// call, and a random seed.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base: Micros::from_millis(500),
            cap: Micros::from_secs(20),
            retry_after_cap: Micros::from_secs(60),
            budget: 0.5,
            after_text: true,
            seed: fastrand::u64(..),
        }
    }
}

impl RetryPolicy {
    /// The retries of a run of so many calls.
    pub(crate) fn run_budget(&self, calls: usize) -> u64 {
        // A share of what fits into memory fits into a u64; nonsense (below 0, NaN) is none.
        ((calls as f64 * self.budget) as u64).max(LEAST_BUDGET)
    }

    /// The wait after the `failed`th failure (from 1), in whole milliseconds: timers are no finer.
    pub(crate) fn wait(&self, failed: u32, failure: &Failure, rng: &mut fastrand::Rng) -> Micros {
        let factor = 1u64.checked_shl(failed.saturating_sub(1)).unwrap_or(u64::MAX);
        let ceiling = self.base.0.saturating_mul(factor).min(self.cap.0).max(FLOOR.0);
        let jittered = rng.u64(FLOOR.0..=ceiling);
        let asked = failure.retry_after.map_or(0, |asked| asked.0.min(self.retry_after_cap.0));
        Micros::from_millis(jittered.max(asked).div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use lanes_model::FailureKind;
    use proptest::prelude::*;

    use super::*;

    fn failure(retry_after: Option<Micros>) -> Failure {
        Failure { retry_after, ..Failure::new(FailureKind::RateLimited, "Slow down.") }
    }

    #[test]
    fn a_run_may_retry_half_its_calls_and_a_small_run_some() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.run_budget(6), LEAST_BUDGET);
        assert_eq!(policy.run_budget(10_000), 5_000);
    }

    proptest! {
        #[test]
        fn a_wait_is_between_the_floor_and_a_ceiling_that_doubles(
            failed in 1u32..100,
            seed: u64,
        ) {
            let policy = RetryPolicy::default();
            let wait = policy.wait(failed, &failure(None), &mut fastrand::Rng::with_seed(seed));
            let ceiling = 500 * 2u64.pow(failed.min(10) - 1);
            prop_assert!(wait >= FLOOR);
            prop_assert!(wait <= Micros::from_millis(ceiling.min(20_000)));
        }

        #[test]
        fn a_wait_is_at_least_what_the_provider_asks_for_up_to_the_cap(
            asked in 0u64..200_000_000,
            seed: u64,
        ) {
            let policy = RetryPolicy::default();
            let asked = Micros(asked);
            let mut rng = fastrand::Rng::with_seed(seed);
            let wait = policy.wait(1, &failure(Some(asked)), &mut rng);
            prop_assert!(wait >= asked.min(policy.retry_after_cap));
            prop_assert!(wait <= policy.retry_after_cap);
        }
    }
}
