//! Reads what a response's headers say of the provider's limits.
//!
//! Source: OpenAI's guide to rate limits, "Rate limits in headers" (`x-ratelimit-*`); other providers
//! use the same names.

use http::HeaderMap;
use lanes_model::{Told, ToldLimit};

/// What the headers say; nothing where they say nothing or nothing that makes sense.
pub(crate) fn told(headers: &HeaderMap) -> Told {
    let text = |name: String| headers.get(name).and_then(|value| value.to_str().ok());
    let limit = |of: &str| {
        ToldLimit::read(
            text(format!("x-ratelimit-limit-{of}")),
            text(format!("x-ratelimit-remaining-{of}")),
        )
    };
    Told { requests: limit("requests"), tokens: limit("tokens") }
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
        let requests = Some(ToldLimit { limit: 60, remaining: None });
        assert_eq!(told(&headers), Told { requests, tokens: None });
    }
}
