//! When a message that did not arrive is tried again.

use std::time::Duration;

/// The longest wait, whatever a receiver asks for.
const LONGEST: Duration = Duration::from_secs(10 * 3_600);

/// The waits between tries; after the last of them a message is given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySteps(pub Vec<Duration>);

impl Default for RetrySteps {
    /// Ten tries over about nineteen hours.
    fn default() -> Self {
        let minutes = [2, 10, 30, 60, 120, 300, 600].map(|m| m * 60);
        Self([5, 30].into_iter().chain(minutes).map(Duration::from_secs).collect())
    }
}

impl RetrySteps {
    /// How long to wait after so many tries, `jitter` being random from 0 to 1: none when it is given
    /// up. A receiver may ask for more time, and not for less.
    pub(crate) fn wait(
        &self,
        tries: u32,
        jitter: f64,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let step = self.0.get(usize::try_from(tries).ok()?.checked_sub(1)?)?;
        // Receivers that came back are not to be met by all at once.
        let own = step.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0));
        Some(own.max(asked.unwrap_or_default().min(LONGEST)))
    }
}

/// How long the header `Retry-After` asks to wait: seconds, or a date as HTTP writes it.
pub(crate) fn asked(value: &str, now: jiff::Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(Duration::from_secs(seconds.into()));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Duration::try_from(at.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_seconds_to_hours_and_then_end() {
        let steps = RetrySteps::default();
        let waits: Vec<_> = (1..).map_while(|tries| steps.wait(tries, 0.5, None)).collect();
        assert_eq!(waits.len(), 9);
        assert!(waits.is_sorted());
        assert_eq!((waits[0], waits[8]), (Duration::from_secs(5), Duration::from_secs(36_000)));
        assert_eq!(steps.wait(0, 0.5, None), None);
    }

    #[test]
    fn jitter_is_a_fifth_to_either_side() {
        let steps = RetrySteps(vec![Duration::from_secs(10)]);
        assert_eq!(steps.wait(1, 0.0, None), Some(Duration::from_secs(8)));
        assert_eq!(steps.wait(1, 1.0, None), Some(Duration::from_secs(12)));
    }

    #[test]
    fn a_receiver_may_ask_for_more_time_up_to_ten_hours() {
        let steps = RetrySteps::default();
        let wait = |asked| steps.wait(1, 0.5, Some(Duration::from_secs(asked)));
        assert_eq!(wait(1), Some(Duration::from_secs(5)));
        assert_eq!(wait(90), Some(Duration::from_secs(90)));
        assert_eq!(wait(1_000_000), Some(LONGEST));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_to_come() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        assert_eq!(asked(" 120 ", now), Some(Duration::from_secs(120)));
        let later = asked("Wed, 21 Oct 2015 07:29:30 GMT", now);
        assert_eq!(later, Some(Duration::from_secs(90)));
        assert_eq!(asked("Wed, 21 Oct 2015 07:27:00 GMT", now), None);
        assert_eq!(asked("soon", now), None);
    }
}
