//! The configured providers: whether every endpoint answers, takes the key and has the models, which
//! limits it names, and whether its clock agrees with ours. It asks for the list of models, which costs
//! nothing.

use std::time::{Duration, Instant, SystemTime};

use jiff::fmt::rfc2822;
use lanes_service::ProviderConfig;
use reqwest::header::HeaderMap;
use reqwest::{Response, StatusCode, Url};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{Finding, Verdict};
use crate::cli::client::{http_client, is_loopback, reason};
use crate::config::Config;

/// So long an endpoint may think.
const PATIENCE: Duration = Duration::from_secs(10);
/// Slower answers are told.
const SLOW: Duration = Duration::from_secs(2);
/// Clocks that differ by more are told; a Date header has whole seconds.
const CLOCK_S: i64 = 5;

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    if config.providers.is_empty() {
        return vec![
            Finding::warning("provider", "none is configured: answers come from the simulator")
                .do_this("set OPENAI_API_KEY, or OPENAI_BASE_URL, or name one in lanes.toml"),
        ];
    }
    let mut findings = Vec::new();
    let mut clock = None;
    for provider in &config.providers {
        findings.extend(key(provider));
        // One after another: what they take is not to be mixed.
        for endpoint in provider.endpoints() {
            let (found, skew) = Endpoint::check(&endpoint).await;
            findings.extend(found);
            clock = clock.or(skew);
        }
    }
    findings.extend(clock.map(told_clock));
    findings
}

/// Whether there is a key where one is likely to be needed.
fn key(provider: &ProviderConfig) -> Option<Finding> {
    let check = format!("key of {}", provider.id);
    let has = provider.api_key.as_ref().is_some_and(|key| !key.expose_secret().trim().is_empty());
    if has {
        return Some(Finding::ok(check, "there is one"));
    }
    let remote = Url::parse(&provider.base_url).is_ok_and(|url| !is_loopback(&url));
    remote.then(|| Finding::warning(check, "there is none").do_this(where_keys_are(provider)))
}

fn where_keys_are(provider: &ProviderConfig) -> String {
    match provider.id.as_str() {
        "openai" | "endpoint" => "set OPENAI_API_KEY to a valid key".to_owned(),
        id => format!(
            "name the variable with the key of “{id}” in lanes.toml (api_key_env), and set it"
        ),
    }
}

#[derive(Debug, Deserialize)]
struct Models {
    #[serde(default)]
    data: Vec<Model>,
}

#[derive(Debug, Deserialize)]
struct Model {
    #[serde(default)]
    id: String,
}

struct Endpoint<'a> {
    provider: &'a ProviderConfig,
    check: String,
    taken: Duration,
}

impl Endpoint<'_> {
    /// What one endpoint says, and by how many seconds its clock is ahead.
    async fn check(provider: &ProviderConfig) -> (Vec<Finding>, Option<i64>) {
        let name = |shown: &str| format!("provider {} at {shown}", provider.id);
        let wrong = |detail: &str| {
            let found = Finding::failure(name("its address"), detail)
                .do_this("give an address such as https://api.openai.com/v1");
            (vec![found], None)
        };
        let Ok(url) = Url::parse(provider.base_url.trim()) else {
            return wrong("it is not an address");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return wrong("it has a user name or a password in it");
        }
        let (Some(host), "http" | "https") = (url.host_str(), url.scheme()) else {
            return wrong("it does not begin with http:// or https://");
        };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let check = name(&format!("{host}{port}"));
        let begun = Instant::now();
        let answer = ask(provider, &url).await;
        let taken = begun.elapsed();
        let endpoint = Endpoint { provider, check, taken };
        match answer {
            Ok(answer) => {
                let skew = ahead(answer.headers());
                (endpoint.answered(answer).await, skew)
            }
            Err(why) => {
                let found = Finding::failure(endpoint.check, format!("does not answer: {why}"));
                let advice = match is_loopback(&url) {
                    true => "start the program that is to listen there, or correct the address",
                    false => "check the address, the network, proxies and firewalls on the way",
                };
                (vec![found.do_this(advice)], None)
            }
        }
    }

    async fn answered(self, answer: Response) -> Vec<Finding> {
        let Self { provider, check, taken } = self;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let ms = taken.as_millis();
        let listed: Option<Models> = answer.json().await.ok();
        let mut findings = vec![match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Finding::failure(check.clone(), format!("answers in {ms} ms and refuses the key"))
                    .do_this(where_keys_are(provider))
            }
            StatusCode::NOT_FOUND => Finding::warning(
                check.clone(),
                format!("answers in {ms} ms, but lists no models: the key cannot be tried"),
            )
            .do_this("check that the address ends as the provider says, often in /v1"),
            StatusCode::TOO_MANY_REQUESTS => {
                Finding::warning(check.clone(), format!("answers in {ms} ms: too many requests"))
                    .do_this("wait, and look at the account's quota with the provider")
            }
            status if status.is_success() && taken > SLOW => {
                Finding::warning(check.clone(), format!("answers in {ms} ms, which is slow"))
                    .do_this("look at the network on the way; runs will wait as long for each call")
            }
            status if status.is_success() => {
                Finding::ok(check.clone(), format!("answers in {ms} ms and takes the key"))
            }
            status => Finding::failure(check.clone(), format!("answers {status}"))
                .do_this("look at the provider's own state, and try again"),
        }];
        if provider.api_key.is_none()
            && let Some(first) = findings.first_mut().filter(|f| f.verdict == Verdict::Ok)
        {
            first.detail = format!("answers in {ms} ms");
        }
        if let Some(listed) = listed.filter(|_| status.is_success()) {
            findings.extend(models(provider, &check, &listed));
        }
        findings.extend(limits(provider, &check, &headers));
        findings
    }
}

async fn ask(provider: &ProviderConfig, url: &Url) -> Result<Response, String> {
    let client = http_client(url, provider.timeouts.connect.min(PATIENCE))?;
    let models = format!("{}/models", url.as_str().trim_end_matches('/'));
    let mut request = client.get(models).timeout(PATIENCE);
    if let Some(key) = &provider.api_key {
        request = request.bearer_auth(key.expose_secret().trim());
    }
    for (name, value) in &provider.extra_headers {
        request = request.header(name, value);
    }
    request.send().await.map_err(|error| reason(&error))
}

/// Whether the models that runs use are there.
fn models(provider: &ProviderConfig, check: &str, listed: &Models) -> Option<Finding> {
    if listed.data.is_empty() {
        return None;
    }
    let has = |model: &&String| listed.data.iter().any(|m| m.id == **model);
    let missing: Vec<_> = provider.models.iter().filter(|m| !has(m)).cloned().collect();
    (!missing.is_empty()).then(|| {
        let some: Vec<_> = listed.data.iter().take(5).map(|model| model.id.as_str()).collect();
        Finding::warning(check, format!("does not list the model {}", missing.join(", ")))
            .do_this(format!("use one that it lists, such as {}", some.join(", ")))
    })
}

/// The limits that the answer names, against those configured.
fn limits(provider: &ProviderConfig, check: &str, headers: &HeaderMap) -> Vec<Finding> {
    let seen = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let kinds = [
        ("requests", "rpm", provider.rpm, seen("x-ratelimit-limit-requests")),
        ("tokens", "tpm", provider.tpm, seen("x-ratelimit-limit-tokens")),
    ];
    let of = |(what, setting, ours, theirs): (&str, &str, Option<u32>, Option<u64>)| {
        let ours = ours.map(u64::from);
        let detail = |theirs| format!("allows {theirs} {what} a minute");
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours > theirs => Some(
                Finding::warning(check, format!("{}; {setting} is {ours}", detail(theirs)))
                    .do_this(format!("set {setting} to {theirs}: the rest would be refused")),
            ),
            (ours, Some(theirs)) => {
                let ours = ours.map(|ours| format!("; {setting} is {ours}")).unwrap_or_default();
                Some(Finding::ok(check, detail(theirs) + &ours))
            }
            (Some(ours), None) => Some(Finding::ok(
                check,
                format!("{setting} is {ours}; this answer names no limit to compare it with"),
            )),
            (None, None) => None,
        }
    };
    kinds.into_iter().filter_map(of).collect()
}

/// By how many seconds the clock of who answered is ahead of ours.
fn ahead(headers: &HeaderMap) -> Option<i64> {
    let date = headers.get("date")?.to_str().ok()?;
    let theirs = rfc2822::parse(date).ok()?.timestamp().as_second();
    let ours = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    Some(theirs - i64::try_from(ours).ok()?)
}

fn told_clock(ahead: i64) -> Finding {
    let apart = ahead.abs();
    if apart <= CLOCK_S {
        return Finding::ok("clock", "agrees with that of the provider");
    }
    let side = if ahead > 0 { "behind" } else { "ahead of" };
    Finding::warning("clock", format!("{apart} s {side} that of the provider"))
        .do_this("set this machine's clock by the network: times and tokens depend on it")
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn provider(rpm: Option<u32>) -> ProviderConfig {
        let addr = SocketAddr::from(([127, 0, 0, 1], 9));
        ProviderConfig {
            id: "local".to_owned(),
            models: vec!["mock".to_owned()],
            ..crate::cli::local::simulated(addr, (rpm, None))
        }
    }

    #[test]
    fn a_limit_beyond_what_the_provider_allows_is_told() {
        let mut headers = HeaderMap::new();
        assert!(limits(&provider(None), "p", &headers).is_empty());
        headers.insert("x-ratelimit-limit-requests", "500".parse().unwrap());
        let found = |rpm| limits(&provider(rpm), "p", &headers)[0].verdict;
        assert_eq!(found(Some(600)), Verdict::Warning);
        assert_eq!(found(Some(500)), Verdict::Ok);
        assert_eq!(found(None), Verdict::Ok);
    }

    #[test]
    fn clocks_that_differ_by_more_than_moments_are_told() {
        let mut headers = HeaderMap::new();
        headers.insert("date", "Thu, 01 Jan 1970 00:01:00 GMT".parse().unwrap());
        let skew = ahead(&headers).unwrap();
        assert!(skew < -1_000_000);
        let found = told_clock(skew);
        assert_eq!(found.verdict, Verdict::Warning);
        assert!(found.detail.contains("ahead of"), "{}", found.detail);
        assert_eq!(told_clock(2).verdict, Verdict::Ok);
    }

    #[test]
    fn a_model_that_is_not_listed_is_told_with_those_that_are() {
        let listed = Models { data: vec![Model { id: "other".to_owned() }] };
        let found = models(&provider(None), "p", &listed).unwrap();
        assert!(found.detail.contains("mock") && found.advice.unwrap().contains("other"));
    }

    #[tokio::test]
    async fn an_address_with_a_password_is_refused_and_never_shown() {
        let config =
            ProviderConfig { base_url: "https://u:secret@host/v1".to_owned(), ..provider(None) };
        let (found, _) = Endpoint::check(&config).await;
        assert_eq!(found[0].verdict, Verdict::Failure);
        assert!(!found[0].line().contains("secret"));
    }
}
