//! Limits of single runs, which a request's headers ask for in place of the configured ones.
//!
//! The chat handler asks for them per request. The rule: a run that has asked for nothing for as long
//! as its buckets take to fill is forgotten, for a fresh limit is then the same; so nothing grows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::{SimulatorConfig, limits::Limits};

/// How long a bucket takes to fill.
const MINUTE: Duration = Duration::from_secs(60);
/// How many runs are remembered at most; beyond it all are forgotten.
const REMEMBERED: usize = 10_000;
/// The longest name of a run that counts.
const LONGEST_NAME: usize = 100;

/// Limits that several requests share.
pub(crate) type SharedLimits = Arc<Mutex<Limits>>;

/// The limits of each run that has its own.
#[derive(Debug, Default)]
pub(crate) struct RunLimits(HashMap<(String, u32), (Instant, SharedLimits)>);

impl RunLimits {
    /// The limits of a run that may send so many requests a minute. As with many providers the minute
    /// is measured in seconds: no more than a second's share, and at least one, may come at once.
    pub(crate) fn of(
        &mut self,
        run: &str,
        rpm: u32,
        config: &SimulatorConfig,
        now: Instant,
    ) -> SharedLimits {
        let key = (run.chars().take(LONGEST_NAME).collect(), rpm);
        if !self.0.contains_key(&key) {
            self.0.retain(|_, (used, _)| now.saturating_duration_since(*used) < MINUTE);
            if self.0.len() >= REMEMBERED {
                self.0.clear();
            }
        }
        let (used, limits) = self.0.entry(key).or_insert_with(|| {
            let burst = Some(rpm.div_ceil(60));
            let config = SimulatorConfig { rpm: Some(rpm), burst, ..config.clone() };
            (now, Arc::new(Mutex::new(Limits::new(&config, now))))
        });
        *used = now;
        Arc::clone(limits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_run_has_its_own_limit_and_keeps_it() {
        let (mut runs, config, now) =
            (RunLimits::default(), SimulatorConfig::default(), Instant::now());
        let mut goes = |run| runs.of(run, 60, &config, now).lock().unwrap().reserve(1, now).is_ok();
        assert!(goes("one"));
        assert!(!goes("one"), "one a second");
        assert!(goes("two"));
    }

    #[test]
    fn a_run_that_is_over_is_forgotten() {
        let (mut runs, config, now) =
            (RunLimits::default(), SimulatorConfig::default(), Instant::now());
        for run in 0..1_000 {
            runs.of(&run.to_string(), 60, &config, now);
        }
        assert_eq!(runs.0.len(), 1_000);
        runs.of("late", 60, &config, now + MINUTE);
        assert_eq!(runs.0.len(), 1);
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let (mut runs, config, now) =
            (RunLimits::default(), SimulatorConfig::default(), Instant::now());
        for run in 0..=REMEMBERED {
            runs.of(&run.to_string(), 60, &config, now);
        }
        assert_eq!(runs.0.len(), 1);
    }
}
