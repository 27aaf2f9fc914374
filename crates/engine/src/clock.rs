//! The run's clock: monotonic microseconds for figures, and the wall clock once per pass.
//!
//! The engine reads time nowhere else.

use std::time::SystemTime;

use jiff::Timestamp;
use lanes_model::Micros;
use tokio::time::Instant;

/// What time it is for a run.
pub trait Clock: Send + Sync + 'static {
    /// Time since the run began, without the time in which it was interrupted. Never goes back.
    fn now(&self) -> Micros;

    /// The wall clock as RFC 3339 in UTC, to the millisecond.
    fn wall(&self) -> String;
}

/// The real clock. It follows tokio's time, so that a test can pause it.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    origin: Instant,
    offset: Micros,
}

impl RunClock {
    /// A clock that shows `at` now: zero for a fresh run, the log's latest time for a resumed one.
    #[must_use]
    pub fn starting_at(at: Micros) -> Self {
        Self { origin: Instant::now(), offset: at }
    }
}

impl Clock for RunClock {
    fn now(&self) -> Micros {
        self.offset + self.origin.elapsed().into()
    }

    fn wall(&self) -> String {
        // The fallback is for a system clock set thousands of years off.
        let now = Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::UNIX_EPOCH);
        format!("{now:.3}")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_clock_goes_on_from_where_it_was_set() {
        let clock = RunClock::starting_at(Micros::from_secs(5));
        assert_eq!(clock.now(), Micros::from_secs(5));
        tokio::time::advance(Duration::from_micros(1_234)).await;
        assert_eq!(clock.now(), Micros(5_001_234));
    }

    #[tokio::test]
    async fn the_wall_clock_is_rfc_3339_with_milliseconds() {
        let wall = RunClock::starting_at(Micros::ZERO).wall();
        assert_eq!(wall.len(), "2026-11-21T10:42:00.123Z".len(), "{wall}");
        assert!(wall.ends_with('Z') && wall.parse::<Timestamp>().is_ok(), "{wall}");
    }
}
