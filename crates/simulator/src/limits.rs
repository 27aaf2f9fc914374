//! Requests and tokens a minute, as token buckets, and the headers that tell of them.
//!
//! The chat handler reserves before it answers and settles when it knows what an answer really
//! used. The rule: time is handed in, so a bucket's state is a function of what it was told.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::{SimulatorConfig, api_error::ApiError};

const MINUTE: Duration = Duration::from_secs(60);

/// Fills evenly by `limit` in a minute, up to `most`, and starts full.
#[derive(Debug, Clone)]
struct Bucket {
    limit: f64,
    most: f64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn new(limit: u32, now: Instant) -> Self {
        Self::holding(limit, limit, now)
    }

    fn holding(limit: u32, most: u32, now: Instant) -> Self {
        let (limit, most) = (f64::from(limit), f64::from(most.min(limit)));
        Self { limit, most, level: most, at: now }
    }

    fn refill(&mut self, now: Instant) {
        let gone = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + self.limit * gone / MINUTE.as_secs_f64()).min(self.most);
        self.at = self.at.max(now);
    }

    /// How long until the bucket holds `amount`; zero if it does now.
    fn wait_for(&self, amount: f64) -> Duration {
        // Not zero by more than rounding: a client that waits exactly as told must be let in.
        let lacking = amount - self.level - 1e-6;
        MINUTE.mul_f64((lacking / self.limit).max(0.0))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to a u32
    fn remaining(&self) -> u32 {
        (self.level + 1e-6).floor().max(0.0) as u32
    }
}

/// Both limits of a simulator; a limit that is not set refuses nothing and shows no headers.
#[derive(Debug)]
pub(crate) struct Limits {
    requests: Option<Bucket>,
    /// What of them may come at once; no header tells of it.
    burst: Option<Bucket>,
    tokens: Option<Bucket>,
}

impl Limits {
    pub(crate) fn new(config: &SimulatorConfig, now: Instant) -> Self {
        let bucket = |limit: Option<u32>| limit.map(|limit| Bucket::new(limit.max(1), now));
        let burst = config.rpm.zip(config.burst);
        let burst = burst.map(|(rpm, most)| Bucket::holding(rpm.max(1), most.max(1), now));
        Self { requests: bucket(config.rpm), burst, tokens: bucket(config.tpm) }
    }

    /// Takes one request and `tokens` tokens, both or neither.
    ///
    /// # Errors
    /// 429 with `Retry-After` when a bucket is short, or without it when `tokens` is more than the
    /// limit itself, for which no waiting helps.
    pub(crate) fn reserve(&mut self, tokens: u32, now: Instant) -> Result<HeaderMap, ApiError> {
        let amount = f64::from(tokens);
        let all = self.requests.iter_mut().chain(&mut self.burst).chain(&mut self.tokens);
        all.for_each(|bucket| bucket.refill(now));
        if let Some(bucket) = self.tokens.as_ref().filter(|bucket| amount > bucket.limit) {
            let message = format!(
                "Request too large on tokens per min (TPM): limit {}, requested {tokens}. Make the \
                 prompt or max_completion_tokens smaller.",
                bucket.limit
            );
            return Err(
                ApiError::rate_limited("tokens", message, None).with_headers(self.headers())
            );
        }
        let short = |bucket: &Option<Bucket>, amount| {
            bucket
                .as_ref()
                .map(|b| (b.limit, b.wait_for(amount)))
                .filter(|(_, wait)| !wait.is_zero())
        };
        let requests = short(&self.requests, 1.0).into_iter().chain(short(&self.burst, 1.0));
        let requests = requests.map(|short| ("requests", "RPM", 1, short));
        let tokens = short(&self.tokens, amount).map(|short| ("tokens", "TPM", tokens, short));
        // Several may be short; the longest wait is the one that helps.
        let worst = requests.chain(tokens).max_by_key(|(_, _, _, (_, wait))| *wait);
        if let Some((kind, unit, requested, (limit, wait))) = worst {
            let message = format!(
                "Rate limit reached on {kind} per min ({unit}): limit {limit}, requested \
                 {requested}. Please try again in {}.",
                reset_text(wait)
            );
            return Err(
                ApiError::rate_limited(kind, message, Some(wait)).with_headers(self.headers())
            );
        }
        for bucket in self.requests.iter_mut().chain(&mut self.burst) {
            bucket.level -= 1.0;
        }
        if let Some(bucket) = &mut self.tokens {
            bucket.level -= amount;
        }
        Ok(self.headers())
    }

    /// Gives back what was reserved and not used, or takes what was used beyond it.
    pub(crate) fn settle(&mut self, reserved: u32, used: u32) {
        if let Some(bucket) = &mut self.tokens {
            let level = bucket.level + f64::from(reserved) - f64::from(used);
            bucket.level = level.min(bucket.limit);
        }
    }

    /// The `x-ratelimit-*` headers as of the last reservation.
    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(bucket) = &self.requests {
            let [limit, remaining, reset] = [
                HeaderName::from_static("x-ratelimit-limit-requests"),
                HeaderName::from_static("x-ratelimit-remaining-requests"),
                HeaderName::from_static("x-ratelimit-reset-requests"),
            ];
            insert(&mut headers, bucket, limit, remaining, reset);
        }
        if let Some(bucket) = &self.tokens {
            let [limit, remaining, reset] = [
                HeaderName::from_static("x-ratelimit-limit-tokens"),
                HeaderName::from_static("x-ratelimit-remaining-tokens"),
                HeaderName::from_static("x-ratelimit-reset-tokens"),
            ];
            insert(&mut headers, bucket, limit, remaining, reset);
        }
        headers
    }
}

fn insert(
    headers: &mut HeaderMap,
    bucket: &Bucket,
    limit: HeaderName,
    remaining: HeaderName,
    reset: HeaderName,
) {
    let full_in = reset_text(bucket.wait_for(bucket.limit));
    let values = [
        (limit, bucket.limit.to_string()),
        (remaining, bucket.remaining().to_string()),
        (reset, full_in),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// Writes a duration as OpenAI's headers do: `20ms`, `1.2s`, `6m0s`, rounded up to the millisecond.
pub(crate) fn reset_text(duration: Duration) -> String {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    let decimals = |millis: u128| match millis % 1_000 {
        0 => format!("{}s", millis / 1_000),
        rest => format!("{}.{}s", millis / 1_000, format!("{rest:03}").trim_end_matches('0')),
    };
    match millis {
        0..1_000 => format!("{millis}ms"),
        1_000..60_000 => decimals(millis),
        60_000..3_600_000 => format!("{}m{}", millis / 60_000, decimals(millis % 60_000)),
        _ => {
            format!("{}h{}m{}", millis / 3_600_000, millis / 60_000 % 60, decimals(millis % 60_000))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use proptest::prelude::*;

    use super::*;

    fn limits(rpm: Option<u32>, tpm: Option<u32>) -> (Limits, Instant) {
        let now = Instant::now();
        (Limits::new(&SimulatorConfig { rpm, tpm, ..SimulatorConfig::default() }, now), now)
    }

    fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
        headers[name].to_str().unwrap()
    }

    #[test]
    fn resets_read_like_openais() {
        for (millis, expected) in [
            (0, "0ms"),
            (20, "20ms"),
            (1_000, "1s"),
            (1_200, "1.2s"),
            (59_999, "59.999s"),
            (360_000, "6m0s"),
            (61_050, "1m1.05s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(reset_text(Duration::from_millis(millis)), expected);
        }
    }

    #[test]
    fn a_full_bucket_is_spent_then_refuses_then_refills() {
        let (mut limits, now) = limits(Some(2), None);
        let headers = limits.reserve(10, now).unwrap();
        assert_eq!(text(&headers, "x-ratelimit-limit-requests"), "2");
        assert_eq!(text(&headers, "x-ratelimit-remaining-requests"), "1");
        assert_eq!(text(&headers, "x-ratelimit-reset-requests"), "30s");
        assert!(!headers.contains_key("x-ratelimit-limit-tokens"));
        limits.reserve(10, now).unwrap();
        let refusal = limits.reserve(10, now).unwrap_err();
        assert_eq!(refusal.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(text(refusal.headers(), "retry-after"), "30");
        limits.reserve(10, now + Duration::from_secs(30)).unwrap();
    }

    #[test]
    fn a_refused_request_takes_nothing_from_either_bucket() {
        let (mut limits, now) = limits(Some(10), Some(100));
        limits.reserve(80, now).unwrap();
        limits.reserve(30, now).unwrap_err();
        let headers = limits.reserve(20, now).unwrap();
        assert_eq!(text(&headers, "x-ratelimit-remaining-requests"), "8");
        assert_eq!(text(&headers, "x-ratelimit-remaining-tokens"), "0");
        assert_eq!(text(&headers, "x-ratelimit-reset-tokens"), "1m0s");
    }

    #[test]
    fn a_burst_is_refused_though_the_minute_has_room() {
        let now = Instant::now();
        let config =
            SimulatorConfig { rpm: Some(60), burst: Some(2), ..SimulatorConfig::default() };
        let mut limits = Limits::new(&config, now);
        limits.reserve(1, now).unwrap();
        limits.reserve(1, now).unwrap();
        let refusal = limits.reserve(1, now).unwrap_err();
        assert_eq!(text(refusal.headers(), "retry-after"), "1");
        assert_eq!(text(refusal.headers(), "x-ratelimit-remaining-requests"), "58");
        limits.reserve(1, now + Duration::from_secs(1)).unwrap();
    }

    #[test]
    fn what_was_not_used_is_given_back() {
        let (mut limits, now) = limits(None, Some(100));
        limits.reserve(100, now).unwrap();
        limits.settle(100, 40);
        assert_eq!(text(&limits.reserve(60, now).unwrap(), "x-ratelimit-remaining-tokens"), "0");
    }

    #[test]
    fn a_request_above_the_limit_itself_is_not_told_to_wait() {
        let (mut limits, now) = limits(None, Some(100));
        let refusal = limits.reserve(101, now).unwrap_err();
        assert!(!refusal.headers().contains_key("retry-after"));
        assert!(refusal.to_string().contains("too large"));
    }

    proptest! {
        #[test]
        fn who_waits_as_told_is_let_in(
            rpm in 1_u32..500, tpm in 50_u32..5_000, steps in prop::collection::vec((0_u64..3_000, 1_u32..50), 1..60),
        ) {
            let (mut limits, mut now) = limits(Some(rpm), Some(tpm));
            for (millis, tokens) in steps {
                now += Duration::from_millis(millis);
                if let Err(refusal) = limits.reserve(tokens, now) {
                    let wait: u64 = text(refusal.headers(), "retry-after").parse().unwrap();
                    prop_assert!(limits.reserve(tokens, now + Duration::from_secs(wait)).is_ok());
                    now += Duration::from_secs(wait);
                }
            }
        }
    }
}
