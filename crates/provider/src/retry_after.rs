//! How long a provider asks to wait.
//!
//! Sources: RFC 9110 section 10.2.3 (`Retry-After`: seconds or a date), and the `retry-after-ms`
//! that OpenAI's own clients read first.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use lanes_model::Micros;

/// Nobody waits longer than a day.
const MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// The wait that the headers ask for, at most a day. `None` when they ask for none, or for
/// something that is not a time to come.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Micros> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(wait) = text("retry-after-ms").and_then(|ms| number(ms, 1e-3)) {
        return Some(wait);
    }
    let value = text(RETRY_AFTER.as_str())?;
    number(value, 1.0).or_else(|| {
        let at = httpdate::parse_http_date(value).ok()?;
        // The provider's own clock, when it tells it: ours may be off.
        let now =
            text(DATE.as_str()).and_then(|d| httpdate::parse_http_date(d).ok()).unwrap_or(now);
        at.duration_since(now).ok().map(micros)
    })
}

fn number(text: &str, unit_s: f64) -> Option<Micros> {
    let value: f64 = text.parse().ok()?;
    let seconds = value * unit_s;
    (seconds.is_finite() && seconds >= 0.0)
        .then(|| micros(Duration::from_secs_f64(seconds.min(MOST.as_secs_f64()))))
}

fn micros(wait: Duration) -> Micros {
    Micros(u64::try_from(wait.min(MOST).as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 86_400_000_000;

    fn wait(headers: &[(&'static str, &str)]) -> Option<u64> {
        let map = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        // Wed, 21 Oct 2015 07:28:00 GMT
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_445_412_480);
        retry_after(&map, now).map(|micros| micros.0)
    }

    #[test]
    fn every_form_of_the_header_is_read() {
        for (value, micros) in [
            ("7", Some(7_000_000)),
            (" 0.25 ", Some(250_000)),
            ("0", Some(0)),
            ("-1", None),
            ("NaN", None),
            ("soon", None),
            ("inf", None),
            ("999999999", Some(DAY)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30_000_000)),
            ("Wed, 21 Oct 2015 07:27:30 GMT", None),
            ("Fri, 21 Oct 2050 07:28:30 GMT", Some(DAY)),
        ] {
            assert_eq!(wait(&[("retry-after", value)]), micros, "{value}");
        }
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn milliseconds_win_over_seconds_unless_they_are_nonsense() {
        assert_eq!(wait(&[("retry-after-ms", "120"), ("retry-after", "1")]), Some(120_000));
        assert_eq!(wait(&[("retry-after-ms", "-5"), ("retry-after", "1")]), Some(1_000_000));
    }

    #[test]
    fn a_date_counts_from_the_providers_own_clock() {
        let headers = [
            ("retry-after", "Wed, 21 Oct 2020 00:00:10 GMT"),
            ("date", "Wed, 21 Oct 2020 00:00:00 GMT"),
        ];
        assert_eq!(wait(&headers), Some(10_000_000));
    }

    proptest! {
        #[test]
        fn no_value_panics_or_asks_for_more_than_a_day(value in "[ -~]{0,40}") {
            prop_assert!(wait(&[("retry-after", &value)]).is_none_or(|micros| micros <= DAY));
        }
    }
}
