//! A checked [`ProviderConfig`]: the address, the headers and the connection pool of one provider.
//!
//! `async-openai` reads the address and the headers through its `Config` trait; `exchange` sends
//! through the pool. There is one pool and one TLS stack (rustls over ring) a provider.

use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::{ExposeSecret, SecretString};

use crate::config::{ConfigError, ProviderConfig, Timeouts};
use crate::redact::Redactor;

/// Many Python and Node servers close a connection that was idle for 5 s; one that is dropped
/// earlier cannot be closed under a request that is just being sent.
const POOL_IDLE: Duration = Duration::from_secs(4);
/// No limit of time is longer: a day. Far longer ones are beyond what the clock can count to.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(86_400);

/// Where and with what to call.
#[derive(Clone)]
pub(crate) struct Endpoint(Arc<Parts>);

struct Parts {
    base: String,
    origin: String,
    host: String,
    headers: HeaderMap,
    key: SecretString,
}

impl Endpoint {
    /// Checks a configuration; the second value hides its secrets in texts.
    pub(crate) fn new(config: &ProviderConfig) -> Result<(Self, Redactor), ConfigError> {
        let url = parse_url(&config.base_url)?;
        check_timeouts(&config.timeouts)?;
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        for (name, value) in &config.extra_headers {
            let (name, value) =
                header(name, value).ok_or_else(|| ConfigError::Header(name.clone()))?;
            headers.insert(name, value);
        }
        // A short value (`1`, `true`) is a setting, and hiding it would spoil ordinary sentences.
        let values = config.extra_headers.iter().flat_map(|(_, value)| {
            [value.trim(), value.split_whitespace().last().unwrap_or_default()]
        });
        secrets.extend(values.filter(|value| value.len() >= 8).map(str::to_owned));
        let key = config.api_key.as_ref().map_or("", |key| key.expose_secret().trim());
        if !key.is_empty() {
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(ConfigError::KeyCharacters);
            }
            let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
                .map_err(|_| ConfigError::KeyCharacters)?;
            bearer.set_sensitive(true);
            headers.insert(AUTHORIZATION, bearer);
            secrets.push(key.to_owned());
        }
        let parts = Parts {
            base: url.as_str().trim_end_matches('/').to_owned(),
            origin: url.origin().ascii_serialization(),
            host: url.host_str().unwrap_or_default().to_owned(),
            headers,
            key: SecretString::from(key),
        };
        Ok((Self(Arc::new(parts)), Redactor::new(secrets)))
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.0.base
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.0.origin
    }

    /// Whether this is OpenAI's own service (or Azure's copy of it), whose newer models refuse
    /// `max_tokens`; servers that imitate it often know nothing else.
    pub(crate) fn wants_max_completion_tokens(&self) -> bool {
        let host = &self.0.host;
        host == "api.openai.com"
            || host.ends_with(".api.openai.com")
            || host.ends_with(".openai.azure.com")
    }

    /// The connection pool for this endpoint.
    pub(crate) fn pool(&self, timeouts: &Timeouts) -> Result<reqwest::Client, ConfigError> {
        let https = self.0.base.starts_with("https:");
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(https)?)
            .user_agent(concat!("lanes/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(POOL_IDLE)
            .tcp_nodelay(true)
            // A redirect would turn the POST into a GET, or carry the key elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never());
        if is_loopback(&self.0.host) {
            // A proxy set for the machine cannot reach this machine's own servers.
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| ConfigError::Http(error.to_string()))
    }

    /// Its host and port, for people.
    pub(crate) fn authority(&self) -> String {
        let origin = &self.0.origin;
        origin.split_once("://").map_or(origin.as_str(), |(_, rest)| rest).to_owned()
    }
}

impl async_openai::config::Config for Endpoint {
    fn headers(&self) -> HeaderMap {
        self.0.headers.clone()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0.base)
    }

    fn query(&self) -> Vec<(&str, &str)> {
        Vec::new()
    }

    fn api_base(&self) -> &str {
        &self.0.base
    }

    fn api_key(&self) -> &SecretString {
        &self.0.key
    }
}

/// A header as it can be sent, marked so that no log prints its value; `None` when it cannot be.
pub(crate) fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
    let mut value = HeaderValue::from_str(value.trim()).ok()?;
    value.set_sensitive(true);
    Some((name, value))
}

fn parse_url(text: &str) -> Result<Url, ConfigError> {
    let url =
        Url::parse(text.trim()).map_err(|error| ConfigError::UrlInvalid(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ConfigError::UrlScheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ConfigError::UrlCredentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ConfigError::UrlQuery);
    }
    Ok(url)
}

fn check_timeouts(timeouts: &Timeouts) -> Result<(), ConfigError> {
    let all = [
        ("connect", timeouts.connect),
        ("first token", timeouts.first_token),
        ("gap", timeouts.gap),
        ("total", timeouts.total),
    ];
    match all.iter().find(|(_, time)| time.is_zero() || *time > LONGEST_TIMEOUT) {
        Some((name, _)) => Err(ConfigError::Timeout(name)),
        None => Ok(()),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// How TLS is spoken, for an HTTP client.
pub type TlsConfig = ClientConfig;

/// The TLS configuration. For plain http it trusts nobody: the system's certificates need not be
/// there to use a simulator, and reading them would only cost time.
///
/// # Errors
/// [`ConfigError::Certificates`] when the system's certificates cannot be used.
pub fn tls(https: bool) -> Result<TlsConfig, ConfigError> {
    let failed = |error: rustls::Error| ConfigError::Certificates(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    Ok(if https {
        builder.with_platform_verifier().map_err(failed)?.with_no_client_auth()
    } else {
        builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth()
    })
}

#[cfg(test)]
mod tests {
    use async_openai::config::Config as _;

    use super::*;

    fn config(base_url: &str, key: Option<&str>) -> ProviderConfig {
        ProviderConfig {
            id: "test".into(),
            name: "Test".into(),
            base_url: base_url.into(),
            replicas: Vec::new(),
            max_concurrency: None,
            fallback: Vec::new(),
            api_key: key.map(SecretString::from),
            models: vec![],
            simulated: false,
            timeouts: Timeouts::default(),
            rpm: None,
            tpm: None,
            extra_headers: vec![],
        }
    }

    fn refused(base_url: &str, key: Option<&str>) -> ConfigError {
        Endpoint::new(&config(base_url, key)).err().unwrap()
    }

    #[test]
    fn spaces_and_slashes_around_the_base_url_are_dropped_and_nothing_else() {
        for (given, url) in [
            (" https://api.openai.com/v1/ ", "https://api.openai.com/v1/models"),
            ("http://localhost:8080", "http://localhost:8080/models"),
            ("http://localhost:8080//", "http://localhost:8080/models"),
            ("http://[::1]:1/a/b", "http://[::1]:1/a/b/models"),
        ] {
            assert_eq!(Endpoint::new(&config(given, None)).unwrap().0.url("/models"), url);
        }
    }

    #[test]
    fn bad_base_urls_are_refused_without_repeating_them() {
        assert!(matches!(refused("localhost", None), ConfigError::UrlInvalid(_)));
        assert!(matches!(refused("", None), ConfigError::UrlInvalid(_)));
        assert_eq!(refused("ftp://host/v1", None), ConfigError::UrlScheme);
        assert_eq!(refused("localhost:8080", None), ConfigError::UrlScheme);
        let error = refused("http://me:hunter2secret@host/v1", None);
        assert_eq!(error, ConfigError::UrlCredentials);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        assert_eq!(refused("http://host/v1?key=1", None), ConfigError::UrlQuery);
    }

    #[test]
    fn a_key_is_trimmed_and_checked_and_never_printed() {
        let (endpoint, _) =
            Endpoint::new(&config("http://host", Some(" sk-planted-1 \n"))).unwrap();
        assert_eq!(endpoint.headers()[AUTHORIZATION], "Bearer sk-planted-1");
        assert!(endpoint.headers()[AUTHORIZATION].is_sensitive());
        for key in ["sk-pla\nnted", "sk-plantéd", "sk planted"] {
            let error = refused("http://host", Some(key));
            assert_eq!(error, ConfigError::KeyCharacters);
            assert!(!format!("{error} {error:?}").contains("sk"));
        }
        let mut given = config("http://a:planted-pw@host", Some("sk-planted-1"));
        given.extra_headers = vec![("x-api-key".into(), "planted-2".into())];
        assert!(!format!("{given:?}").contains("planted"));
    }

    #[test]
    fn a_blank_key_means_no_key() {
        let (endpoint, _) = Endpoint::new(&config("http://host", Some("  "))).unwrap();
        assert!(endpoint.headers().is_empty());
    }

    #[test]
    fn a_header_that_cannot_be_sent_and_an_absurd_timeout_are_refused() {
        let mut given = config("http://host", None);
        given.extra_headers = vec![("x y".into(), "v".into())];
        assert_eq!(Endpoint::new(&given).err().unwrap(), ConfigError::Header("x y".into()));
        given.extra_headers.clear();
        for absurd in [Duration::ZERO, Duration::from_secs(86_401), Duration::MAX] {
            given.timeouts.gap = absurd;
            assert_eq!(Endpoint::new(&given).err().unwrap(), ConfigError::Timeout("gap"));
        }
    }

    #[test]
    fn only_openais_own_hosts_get_the_newer_token_limit() {
        for (url, newer) in [
            ("https://api.openai.com/v1", true),
            ("https://eu.api.openai.com/v1", true),
            ("https://x.openai.azure.com/openai/v1", true),
            ("https://api.openai.com.evil.example/v1", false),
            ("http://127.0.0.1:8000/v1", false),
        ] {
            let (endpoint, _) = Endpoint::new(&config(url, None)).unwrap();
            assert_eq!(endpoint.wants_max_completion_tokens(), newer, "{url}");
        }
    }
}
