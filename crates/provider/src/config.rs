//! What a provider needs to be told, and why it may be refused.
//!
//! Read by `endpoint`, which turns it into something that can be called. Nothing here prints a key
//! or the value of a header.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

/// How long each part of a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands, TLS included.
    pub connect: Duration,
    /// From sending the request to the first piece of text. Once it has come, [`Self::gap`] counts.
    pub first_token: Duration,
    /// Between two arrivals, once text has begun; comments that keep the connection alive count as
    /// arrivals.
    pub gap: Duration,
    /// For the whole request.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(60),
            gap: Duration::from_secs(30),
            total: Duration::from_secs(300),
        }
    }
}

/// One endpoint that speaks the OpenAI chat completions protocol.
#[derive(Clone)]
pub struct ProviderConfig {
    /// The name used in requests, such as `openai`.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// What `/chat/completions` is appended to, such as `https://api.openai.com/v1`. Taken as
    /// given, but for spaces around it and slashes at its end.
    pub base_url: String,
    /// More endpoints that serve the same models: the addresses of replicas.
    pub replicas: Vec<String>,
    /// The most requests in flight at once over all endpoints, when that is limited.
    pub max_concurrency: Option<u32>,
    /// The ids of the providers to go on with when this one fails, in order.
    pub fallback: Vec<String>,
    /// The key; `None` or blank for endpoints that want none.
    pub api_key: Option<SecretString>,
    /// The models that can be chosen, the default first.
    pub models: Vec<String>,
    /// Whether the endpoint is a simulator.
    pub simulated: bool,
    /// The limits of time.
    pub timeouts: Timeouts,
    /// Requests a minute, when known.
    pub rpm: Option<u32>,
    /// Tokens a minute, when known.
    pub tpm: Option<u32>,
    /// Headers sent with every request. Their values are treated like keys.
    pub extra_headers: Vec<(String, String)>,
}

impl ProviderConfig {
    /// The same provider for each of its endpoints, which are then its only ones.
    #[must_use]
    pub fn endpoints(&self) -> Vec<ProviderConfig> {
        let urls = std::iter::once(&self.base_url).chain(&self.replicas);
        let one =
            |url: &String| Self { base_url: url.clone(), replicas: Vec::new(), ..self.clone() };
        urls.map(one).collect()
    }
}

impl fmt::Debug for ProviderConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address with `@` in it may hold a password; such an address is refused later.
        let base_url = if self.base_url.contains('@') { "[hidden]" } else { &self.base_url };
        let headers: Vec<&str> = self.extra_headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ProviderConfig")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("base_url", &base_url)
            .field("replicas", &self.replicas.len())
            .field("max_concurrency", &self.max_concurrency)
            .field("fallback", &self.fallback)
            .field("api_key", &self.api_key.as_ref().map(|_| "[hidden]"))
            .field("models", &self.models)
            .field("simulated", &self.simulated)
            .field("timeouts", &self.timeouts)
            .field("rpm", &self.rpm)
            .field("tpm", &self.tpm)
            .field("extra_headers", &headers)
            .finish()
    }
}

/// Why a provider cannot be used as configured. The texts never repeat the address or the key,
/// since either may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The base URL does not parse, or names no host.
    #[error("the base URL is not a valid address: {0}")]
    UrlInvalid(String),
    /// The base URL is of another scheme than http or https.
    #[error("the base URL must begin with http:// or https://")]
    UrlScheme,
    /// The base URL holds a user name or a password.
    #[error("the base URL must not contain a user name or password; use the API key instead")]
    UrlCredentials,
    /// The base URL has a query or a fragment, to which no path can be appended.
    #[error("the base URL must not contain '?' or '#'")]
    UrlQuery,
    /// The key cannot be sent in a header.
    #[error("the API key contains a space, a control character or a character outside ASCII")]
    KeyCharacters,
    /// A header's name or value cannot be sent.
    #[error("the extra header {0:?} has a name or value that cannot be sent")]
    Header(String),
    /// A limit of time is zero, or longer than anybody waits.
    #[error("the {0} timeout must be more than 0 s and at most 86400 s, a day")]
    Timeout(&'static str),
    /// The system's certificates cannot be read, and https needs them.
    #[error(
        "no certificate authorities for https were found on this system ({0}); \
         install them (ca-certificates) or set SSL_CERT_FILE"
    )]
    Certificates(String),
    /// The HTTP client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Http(String),
}
