//! One typed configuration, from flags > environment (a `.env` file included) > lanes.toml >
//! defaults.
//!
//! Keys are read from the environment alone and held as secrets; a file names the variable.

mod numbers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanes_service::{ProviderConfig, ResumePolicy, Timeouts};
use secrecy::SecretString;
use serde::Deserialize;

use numbers::{Number, seconds};

/// The program's address unless another is given.
pub const DEFAULT_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7862);
/// OpenAI's own address.
const OPENAI_URL: &str = "https://api.openai.com/v1";
/// The most endpoints of one provider.
const MOST_ENDPOINTS: usize = 64;
/// The most requests in flight that can be asked for.
const MOST_LANES: u32 = 10_000;
/// The model used when none is named.
const OPENAI_MODEL: &str = "gpt-4o-mini";

/// A wrong setting, and where it stands.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{path}: {message}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// What is wrong, with its line.
        message: String,
    },
    /// A setting's value is out of range.
    #[error("{0}")]
    Value(String),
}

/// The file `lanes.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    addr: Option<SocketAddr>,
    data_dir: Option<PathBuf>,
    max_concurrency: Option<Number>,
    #[serde(default)]
    provider: Vec<FileProvider>,
}

/// A `[[provider]]` of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileProvider {
    name: String,
    base_urls: Vec<String>,
    api_key_env: Option<String>,
    #[serde(default)]
    models: Vec<String>,
    rpm: Option<Number>,
    tpm: Option<Number>,
    max_concurrency: Option<Number>,
    #[serde(default)]
    fallback: Vec<String>,
    #[serde(default)]
    timeout_s: FileTimeouts,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileTimeouts {
    connect: Option<Number>,
    first_token: Option<Number>,
    gap: Option<Number>,
    total: Option<Number>,
}

/// What flags gave.
#[derive(Debug, Default)]
pub struct Flags {
    /// `--addr`.
    pub addr: Option<SocketAddr>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--config`.
    pub config: Option<PathBuf>,
}

/// Everything the program can be told.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; loopback.
    pub addr: SocketAddr,
    /// Where runs are kept.
    pub data_dir: PathBuf,
    /// The most lanes a run may ask for.
    pub max_concurrency: u32,
    /// What happens to interrupted runs at start.
    pub resume: ResumePolicy,
    /// Configured providers; the simulator is added to them.
    pub providers: Vec<ProviderConfig>,
    /// Whether webhooks may lead to this machine and to private networks, and without TLS.
    pub webhook_allow_private: bool,
    /// Where people reach the page, when that is not the address it listens on.
    pub public_url: Option<String>,
    /// The simulator's latency profile.
    pub simulator_latency: String,
    /// Requests and tokens a minute that the simulator allows.
    pub simulator_limits: (Option<u32>, Option<u32>),
}

/// An environment variable that is set to something.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

impl Config {
    /// Reads it all.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is wrong.
    pub fn load(flags: Flags) -> Result<Self, ConfigError> {
        let named = flags.config.clone().or_else(|| env("LANES_CONFIG").map(PathBuf::from));
        let file = match &named {
            Some(path) => read(path)?,
            None if Path::new("lanes.toml").exists() => read(Path::new("lanes.toml"))?,
            None => File::default(),
        };
        let addr = match (flags.addr, env("LANES_ADDR")) {
            (Some(addr), _) => addr,
            (None, Some(text)) => text.parse().map_err(|_| {
                value(format!(
                    "LANES_ADDR is “{text}”; it must be an address such as {DEFAULT_ADDR}"
                ))
            })?,
            (None, None) => file.addr.unwrap_or(DEFAULT_ADDR),
        };
        if !addr.ip().is_loopback() {
            return Err(value(format!(
                "{addr} is not a loopback address. Other machines may not be let in before access \
                 tokens are built; use 127.0.0.1, and a tunnel to reach it from elsewhere"
            )));
        }
        let max_concurrency = match (env("LANES_MAX_CONCURRENCY"), file.max_concurrency) {
            (Some(text), _) => Number(text).whole("LANES_MAX_CONCURRENCY", 10_000)?,
            (None, Some(number)) => number.whole("max_concurrency in lanes.toml", 10_000)?,
            (None, None) => 64,
        };
        let resume = match env("LANES_RESUME").as_deref() {
            None | Some("ask") => ResumePolicy::Ask,
            Some("auto") => ResumePolicy::Auto,
            Some(other) => {
                return Err(value(format!("LANES_RESUME is “{other}”; it must be auto or ask")));
            }
        };
        let data_dir = flags
            .data_dir
            .or_else(|| env("LANES_DATA_DIR").map(PathBuf::from))
            .or(file.data_dir)
            .or_else(|| {
                let dirs = directories::ProjectDirs::from("", "", "lanes")?;
                Some(dirs.data_dir().to_owned())
            })
            .ok_or_else(|| value("there is no home directory: give --data-dir".into()))?;
        let mut providers: Vec<ProviderConfig> = openai()?.into_iter().collect();
        for provider in file.provider {
            providers.push(provider.into_config()?);
        }
        check_fallbacks(&providers)?;
        Ok(Self {
            addr,
            data_dir,
            max_concurrency,
            resume,
            providers,
            webhook_allow_private: switch("LANES_WEBHOOK_ALLOW_PRIVATE")?,
            public_url: public_url()?,
            simulator_latency: env("LANES_SIM_LATENCY").unwrap_or_else(|| "demo".to_owned()),
            simulator_limits: (limit("LANES_SIM_RPM")?, limit("LANES_SIM_TPM")?),
        })
    }
}

/// A variable that is `true` or `false`, the latter when it is not set.
fn switch(name: &str) -> Result<bool, ConfigError> {
    match env(name).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(value(format!("{name} is “{other}”; it must be true or false"))),
    }
}

/// Where people reach the page, without a slash at its end.
fn public_url() -> Result<Option<String>, ConfigError> {
    let Some(url) = env("LANES_PUBLIC_URL") else { return Ok(None) };
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' '])) {
        return Err(value(
            "LANES_PUBLIC_URL must be where people reach the page, such as https://lanes.example.com"
                .to_owned(),
        ));
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}

/// The provider that the well-known variables describe, when a key or an address is set.
fn openai() -> Result<Option<ProviderConfig>, ConfigError> {
    let key = env("OPENAI_API_KEY");
    let url = env("OPENAI_BASE_URL");
    if key.is_none() && url.is_none() {
        return Ok(None);
    }
    let (id, name) = match &url {
        Some(url) => ("endpoint", host_of(url)),
        None => ("openai", "OpenAI".to_owned()),
    };
    Ok(Some(ProviderConfig {
        id: id.to_owned(),
        name,
        base_url: url.unwrap_or_else(|| OPENAI_URL.to_owned()),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: key.map(SecretString::from),
        models: vec![env("OPENAI_MODEL").unwrap_or_else(|| OPENAI_MODEL.to_owned())],
        simulated: false,
        timeouts: Timeouts::default(),
        rpm: limit("OPENAI_RPM")?,
        tpm: limit("OPENAI_TPM")?,
        extra_headers: Vec::new(),
    }))
}

/// A limit a minute from the environment.
fn limit(name: &str) -> Result<Option<u32>, ConfigError> {
    env(name).map(|text| Number(text).limit(name)).transpose()
}

/// The host of an address, for a name; never what may stand before it.
fn host_of(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    host.rsplit('@').next().unwrap_or(host).to_owned()
}

impl FileProvider {
    fn into_config(self) -> Result<ProviderConfig, ConfigError> {
        let name = self.name;
        let Some((url, replicas)) = self.base_urls.split_first() else {
            return Err(value(format!("provider “{name}”: give at least one base URL")));
        };
        if replicas.len() >= MOST_ENDPOINTS {
            return Err(value(format!(
                "provider “{name}”: give at most {MOST_ENDPOINTS} base URLs"
            )));
        }
        let limit = |limit: Option<Number>, field: &str| {
            limit.map(|l| l.limit(&format!("provider “{name}”: {field}"))).transpose()
        };
        let (rpm, tpm) = (limit(self.rpm, "rpm")?, limit(self.tpm, "tpm")?);
        let time = |given: Option<Number>, field: &str, default: Duration| {
            given.map_or(Ok(default), |g| seconds(&g, &name, field))
        };
        let (given, default) = (self.timeout_s, Timeouts::default());
        let timeouts = Timeouts {
            connect: time(given.connect, "connect", default.connect)?,
            first_token: time(given.first_token, "first_token", default.first_token)?,
            gap: time(given.gap, "gap", default.gap)?,
            total: time(given.total, "total", default.total)?,
        };
        Ok(ProviderConfig {
            id: name.clone(),
            base_url: url.clone(),
            replicas: replicas.to_vec(),
            max_concurrency: self
                .max_concurrency
                .map(|n| n.whole(&format!("provider “{name}”: max_concurrency"), MOST_LANES))
                .transpose()?,
            fallback: self.fallback,
            api_key: self.api_key_env.and_then(|v| env(&v)).map(SecretString::from),
            models: self.models,
            simulated: false,
            timeouts,
            rpm,
            tpm,
            extra_headers: Vec::new(),
            name,
        })
    }
}

/// A fallback is another provider; the simulator is one that is always there.
fn check_fallbacks(providers: &[ProviderConfig]) -> Result<(), ConfigError> {
    let is_there = |id: &String| id == "simulator" || providers.iter().any(|p| &p.id == id);
    for ProviderConfig { id, fallback, .. } in providers {
        if let Some(wrong) = fallback.iter().find(|f| *f == id || !is_there(f)) {
            return Err(value(format!(
                "provider “{id}”: the fallback “{wrong}” is not another provider of this file"
            )));
        }
        let without = |f: &&String| providers.iter().any(|p| &p.id == *f && p.models.is_empty());
        if let Some(wrong) = fallback.iter().find(without) {
            return Err(value(format!(
                "provider “{id}”: the fallback “{wrong}” has no models; name the one that is to \
                 answer (models)"
            )));
        }
    }
    Ok(())
}

fn value(message: String) -> ConfigError {
    ConfigError::Value(message)
}

fn read(path: &Path) -> Result<File, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|e| ConfigError::Parse { path: path.to_owned(), message: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_name_never_shows_credentials_of_its_address() {
        assert_eq!(host_of("http://user:secret@host:8080/v1"), "host:8080");
        assert_eq!(host_of("http://127.0.0.1:9001/v1"), "127.0.0.1:9001");
    }

    #[test]
    fn leptos_toml_equals_the_workspaces_own_settings() {
        let ours = include_str!("../Leptos.toml");
        let cargo = include_str!("../Cargo.toml");
        let header = "[[workspace.metadata.leptos]]";
        let block = |text: &str| -> Vec<String> {
            let start = text.find(header).expect("the settings are there") + header.len();
            let rest = &text[start..];
            let end = rest.find("\n[").unwrap_or(rest.len());
            rest[..end]
                .lines()
                .map(str::trim)
                .filter(|l| !l.is_empty() && !l.starts_with('#'))
                .map(str::to_owned)
                .collect()
        };
        assert_eq!(block(ours), block(cargo));
    }
}
