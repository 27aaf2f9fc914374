//! Reads what a response's headers say of the provider's limits.
//!
//! Source: OpenAI's guide to rate limits, "Rate limits in headers" (`x-ratelimit-*`); other providers
//! use the same names.

use http::HeaderMap;
use jiff::SignedDuration;
use lanes_model::{Micros, Told, ToldLimit};

/// What the headers say; nothing where they say nothing or nothing that makes sense.
pub(crate) fn told(headers: &HeaderMap) -> Told {
    let text = |name: String| headers.get(name).and_then(|value| value.to_str().ok());
    let limit = |of: &str| {
        let told = ToldLimit::read(
            text(format!("x-ratelimit-limit-{of}")),
            text(format!("x-ratelimit-remaining-{of}")),
        );
        let reset = text(format!("x-ratelimit-reset-{of}")).and_then(duration);
        told.map(|told| ToldLimit { reset, ..told })
    };
    Told { requests: limit("requests"), tokens: limit("tokens") }
}

/// A time as these headers have it: `20ms`, `1.2s`, `6m0s`; of some providers a number of seconds.
fn duration(text: &str) -> Option<Micros> {
    let text = text.trim();
    let read = text.parse::<SignedDuration>().ok();
    let read = read.or_else(|| SignedDuration::try_from_secs_f64(text.parse().ok()?).ok());
    Some(Micros(u64::try_from(read?.as_micros()).ok()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn both_limits_are_read_and_lies_are_not_believed() {
        let mut headers = HeaderMap::new();
        assert_eq!(told(&headers), Told::default());
        headers.insert("x-ratelimit-limit-requests", HeaderValue::from_static("60"));
        headers.insert("x-ratelimit-remaining-requests", HeaderValue::from_static("900"));
        headers.insert("x-ratelimit-limit-tokens", HeaderValue::from_static("-1"));
        headers.insert("x-ratelimit-reset-requests", HeaderValue::from_static("1s"));
        let reset = Some(Micros(1_000_000));
        let requests = Some(ToldLimit { limit: 60, remaining: None, reset });
        assert_eq!(told(&headers), Told { requests, tokens: None });
    }

    #[test]
    fn times_are_read_as_providers_write_them() {
        for (text, micros) in [
            ("20ms", 20_000),
            ("1.2s", 1_200_000),
            (" 6m0s ", 360_000_000),
            ("2m59.56s", 179_560_000),
            ("1h0m1s", 3_601_000_000),
            ("0s", 0),
            ("7", 7_000_000),
            ("0.25", 250_000),
        ] {
            assert_eq!(duration(text), Some(Micros(micros)), "{text}");
        }
        for lie in ["", "-1s", "soon", "NaN", "inf", "-3", "1e300", "99999999999999999999h"] {
            assert_eq!(duration(lie), None, "{lie}");
        }
    }
}
