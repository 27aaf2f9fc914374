//! Numbers from `lanes.toml` and the environment: limits a minute, lanes and times.
//!
//! `config` reads them as they were written, whatever they are, so that what is wrong with one is
//! said in the words of this program: which setting, what it is and what it must be.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::{ConfigError, value};

/// The longest timeout, in seconds: a day.
const LONGEST_S: f64 = 86_400.0;
/// The shortest, in seconds: timers are no finer.
const SHORTEST_S: f64 = 0.001;

/// A number as it was written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number(pub(super) String);

impl Number {
    /// A whole number from 1 to `most`; `setting` is what people call it.
    pub(super) fn whole(&self, setting: &str, most: u32) -> Result<u32, ConfigError> {
        let Self(text) = self;
        let number = text.parse::<u32>().ok().filter(|n| (1..=most).contains(n));
        number.ok_or_else(|| {
            value(format!("{setting} is “{text}”; it must be a whole number from 1 to {most}"))
        })
    }

    /// A limit a minute.
    pub(super) fn limit(&self, setting: &str) -> Result<u32, ConfigError> {
        let Self(text) = self;
        let number = text.parse::<u32>().ok().filter(|n| *n > 0);
        number.ok_or_else(|| {
            value(format!(
                "{setting} is “{text}”; it must be a whole number from 1 to {}, or be left out for \
                 no limit",
                u32::MAX
            ))
        })
    }
}

/// A timeout of a provider.
pub(super) fn seconds(
    number: &Number,
    provider: &str,
    field: &str,
) -> Result<Duration, ConfigError> {
    let time = number.0.parse::<f64>().ok().filter(|s| (SHORTEST_S..=LONGEST_S).contains(s));
    time.map(Duration::from_secs_f64).ok_or_else(|| {
        value(format!(
            "provider “{provider}”: timeout_s.{field} is “{}”; it must be a number of seconds from \
             {SHORTEST_S} to {LONGEST_S}, a day",
            number.0
        ))
    })
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Written;
        impl Visitor<'_> for Written {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Number, E> {
                Ok(Number(number.to_string()))
            }
        }
        deserializer.deserialize_any(Written)
    }
}

#[cfg(test)]
mod tests {
    use lanes_service::{ProviderConfig, Timeouts};

    use super::super::File;
    use super::*;

    /// A file with one provider that has these lines too.
    fn provider(lines: &str) -> Result<ProviderConfig, String> {
        let text =
            format!("[[provider]]\nname = \"p\"\nbase_urls = [\"http://127.0.0.1:1/v1\"]\n{lines}");
        let file: File = toml::from_str(&text).map_err(|e| e.to_string())?;
        let provider = file.provider.into_iter().next().expect("one provider");
        provider.into_config().map_err(|e| e.to_string())
    }

    #[test]
    fn limits_and_times_of_a_provider_are_read() {
        let given = "rpm = 3000\ntpm = 4294967295\ntimeout_s = { gap = 1, total = 0.5 }";
        let config = provider(given).expect("valid");
        assert_eq!((config.rpm, config.tpm), (Some(3_000), Some(u32::MAX)));
        let (gap, total) = (Duration::from_secs(1), Duration::from_millis(500));
        assert_eq!(config.timeouts, Timeouts { gap, total, ..Timeouts::default() });
        assert_eq!(provider("").expect("valid").timeouts, Timeouts::default());
    }

    #[test]
    fn a_limit_that_is_none_is_refused_with_what_it_must_be() {
        for field in ["rpm", "tpm"] {
            for absurd in ["0", "-1", "4294967296", "99999999999999", "1.5", "nan", "inf"] {
                let error = provider(&format!("{field} = {absurd}")).expect_err(absurd);
                let says = |words: &str| assert!(error.contains(words), "{absurd}: {error}");
                says(&format!("provider “p”: {field} is “"));
                says("must be a whole number from 1 to 4294967295, or be left out for no limit");
            }
            for wrong in ["\"60\"", "true", "[]"] {
                let error = provider(&format!("{field} = {wrong}")).expect_err(wrong);
                assert!(error.contains(field) && error.contains("expected a number"), "{error}");
            }
        }
    }

    #[test]
    fn a_time_that_is_none_is_refused_with_what_it_must_be() {
        for field in ["connect", "first_token", "gap", "total"] {
            for absurd in ["0", "-1", "-0.0", "1e-12", "86401", "1e300", "nan", "inf", "-inf"] {
                let error = provider(&format!("timeout_s = {{ {field} = {absurd} }}"));
                let error = error.expect_err(absurd);
                let says = |words: &str| assert!(error.contains(words), "{absurd}: {error}");
                says(&format!("provider “p”: timeout_s.{field} is “"));
                says("must be a number of seconds from 0.001 to 86400, a day");
            }
        }
    }

    #[test]
    fn a_number_of_lanes_is_refused_by_its_own_name() {
        let lanes = |text: &str| Number(text.to_owned()).whole("LANES_MAX_CONCURRENCY", 10_000);
        assert_eq!(lanes("10000").ok(), Some(10_000));
        for absurd in ["0", "-1", "10001", "1e3", "many", "99999999999999999999"] {
            let error = lanes(absurd).expect_err(absurd).to_string();
            let words = "it must be a whole number from 1 to 10000";
            assert_eq!(error, format!("LANES_MAX_CONCURRENCY is “{absurd}”; {words}"));
        }
    }
}
