//! One typed configuration, from flags > environment (a `.env` file included) > lanes.toml >
//! defaults.
//!
//! Keys come from the environment, from files of their own or from the system's keyring (`keys`), and
//! are held as secrets; `lanes.toml` says where. Who is let in is in `access`.

mod access;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod keys;
mod numbers;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lanes_service::{ProviderConfig, ResumePolicy, Retention, Timeouts};
use serde::Deserialize;

pub use access::{AccessSettings, Network};
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
    retain_days: Option<Number>,
    retain_gb: Option<Number>,
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
    api_key_file: Option<PathBuf>,
    api_key_keyring: Option<String>,
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
    /// `--no-store-text`.
    pub no_store_text: bool,
    /// `--redact`.
    pub redact: bool,
}

/// Everything the program can be told.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub addr: SocketAddr,
    /// Who is let in.
    pub access: AccessSettings,
    /// Where runs are kept.
    pub data_dir: PathBuf,
    /// Whether their texts and answers are kept, too.
    pub store_text: bool,
    /// Whether personal data is taken out of everything that goes to a provider.
    pub redact: bool,
    /// The most lanes a run may ask for.
    pub max_concurrency: u32,
    /// Whether calls may run at the same time (`LANES_ENABLE_PARALLEL`).
    pub parallel: bool,
    /// What happens to interrupted runs at start.
    pub resume: ResumePolicy,
    /// Configured providers; the simulator is added to them.
    pub providers: Vec<ProviderConfig>,
    /// Whether webhooks may lead to this machine and to private networks, and without TLS.
    pub webhook_allow_private: bool,
    /// The simulator's latency profile.
    pub simulator_latency: String,
    /// Requests and tokens a minute that the simulator allows.
    pub simulator_limits: (Option<u32>, Option<u32>),
    /// How long runs are kept.
    pub retention: Retention,
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
        let file = file(flags.config)?;
        let addr = match (flags.addr, env("LANES_ADDR")) {
            (Some(addr), _) => addr,
            (None, Some(text)) => text.parse().map_err(|_| {
                value(format!(
                    "LANES_ADDR is “{text}”; it must be an address such as {DEFAULT_ADDR}"
                ))
            })?,
            (None, None) => file.addr.unwrap_or(DEFAULT_ADDR),
        };
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
        let parallel = switch("LANES_ENABLE_PARALLEL", true)?;
        let store_text = switch("LANES_STORE_TEXT", true)?;
        let redact = switch("LANES_REDACT", false)?;
        let data_dir = data_dir(flags.data_dir, file.data_dir)?;
        let whole = |name: &str, number: Option<Number>| {
            let number = env(name).map(Number).or(number);
            number.map(|n| n.whole(name, 1_000_000)).transpose()
        };
        let retention = Retention {
            age: whole("LANES_RETAIN_DAYS", file.retain_days)?
                .map(|days| Duration::from_secs(u64::from(days) * 86_400)),
            bytes: whole("LANES_RETAIN_GB", file.retain_gb)?
                .map(|gb| u64::from(gb) * 1_000_000_000),
        };
        let mut providers: Vec<ProviderConfig> = openai()?.into_iter().collect();
        for provider in file.provider {
            providers.push(provider.into_config()?);
        }
        check_fallbacks(&providers)?;
        Ok(Self {
            addr,
            access: AccessSettings::read(addr)?,
            data_dir,
            store_text: store_text && !flags.no_store_text,
            redact: redact || flags.redact,
            max_concurrency,
            parallel,
            resume,
            providers,
            webhook_allow_private: switch("LANES_WEBHOOK_ALLOW_PRIVATE", false)?,
            simulator_latency: env("LANES_SIM_LATENCY").unwrap_or_else(|| "demo".to_owned()),
            simulator_limits: (limit("LANES_SIM_RPM")?, limit("LANES_SIM_TPM")?),
            retention,
        })
    }
}

/// Where runs and keys are kept: as flags, the environment, the file or the platform say.
fn data_dir(flag: Option<PathBuf>, file: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    flag.or_else(|| env("LANES_DATA_DIR").map(PathBuf::from))
        .or(file)
        .or_else(|| {
            let dirs = directories::ProjectDirs::from("", "", "lanes")?;
            Some(dirs.data_dir().to_owned())
        })
        .ok_or_else(|| value("there is no home directory: give --data-dir".into()))
}

/// The file that is to be read: the one named, or the one in the working directory.
fn file(named: Option<PathBuf>) -> Result<File, ConfigError> {
    match named.or_else(|| env("LANES_CONFIG").map(PathBuf::from)) {
        Some(path) => read(&path),
        None if Path::new("lanes.toml").exists() => read(Path::new("lanes.toml")),
        None => Ok(File::default()),
    }
}

/// Where runs and keys are kept, for commands that need nothing else.
///
/// # Errors
/// [`ConfigError`] naming the setting that is wrong.
pub fn data_directory(flags: Flags) -> Result<PathBuf, ConfigError> {
    let file = file(flags.config)?;
    data_dir(flags.data_dir, file.data_dir)
}

/// The provider that the well-known variables describe, when a key or an address is set.
fn openai() -> Result<Option<ProviderConfig>, ConfigError> {
    let key = keys::of_openai()?;
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
        api_key: key,
        models: vec![env("OPENAI_MODEL").unwrap_or_else(|| OPENAI_MODEL.to_owned())],
        simulated: false,
        timeouts: Timeouts::default(),
        rpm: limit("OPENAI_RPM")?,
        tpm: limit("OPENAI_TPM")?,
        extra_headers: Vec::new(),
    }))
}

/// A switch from the environment.
fn switch(name: &str, otherwise: bool) -> Result<bool, ConfigError> {
    match env(name).map(|v| v.to_ascii_lowercase()).as_deref() {
        None => Ok(otherwise),
        Some("true" | "1" | "yes" | "on") => Ok(true),
        Some("false" | "0" | "no" | "off") => Ok(false),
        Some(other) => Err(value(format!("{name} is “{other}”; it must be true or false"))),
    }
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
            api_key: keys::of_provider(
                &name,
                self.api_key_env.as_deref(),
                self.api_key_file.as_deref(),
                self.api_key_keyring.as_deref(),
            )?,
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
