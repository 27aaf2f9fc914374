//! Who is let in: the token, the names by which the program may be called, proxies, and what one
//! client may ask for. From the environment (a `.env` file included).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;

use super::keys::secret_file;
use super::{ConfigError, Number, env, value};

/// Requests a minute of one client, where keys are needed.
const RATE: u32 = 6_000;
/// Event streams of one client, where keys are needed.
const STREAMS_OF_CLIENT: u32 = 2_000;
/// How long a client may keep the program waiting for its next bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everything about access that can be set.
#[derive(Debug)]
pub struct AccessSettings {
    /// `LANES_TOKEN`, or what the file `LANES_TOKEN_FILE` holds.
    pub token: Option<SecretString>,
    /// Whether every request needs the token, a key or a session.
    pub required: bool,
    /// Names by which the program may be called, in lower case and without a port.
    pub hosts: Vec<String>,
    /// Where the program is reached from outside.
    pub public: Option<PublicUrl>,
    /// Who may say for whom they ask.
    pub proxies: Vec<Network>,
    /// Requests a minute of one client; none: any number.
    pub rate: Option<u32>,
    /// Event streams at the same time, in all; none: as many as files may be open.
    pub streams: Option<u32>,
    /// Event streams of one client; none: as many as in all.
    pub streams_of_client: Option<u32>,
    /// How long a client may keep the program waiting for its next bytes.
    pub patience: Duration,
}

/// The address under which browsers reach the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    /// Whether it is `https`.
    pub https: bool,
    /// The name and the port, in lower case, as in a `Host` header.
    pub authority: String,
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority)
    }
}

/// Addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok())?;
        (bits <= most).then_some(Self { address, bits })
    }

    /// Whether the address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        let wide = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let ((own, kind), (other, other_kind)) = (wide(self.address), wide(address));
        let mask = if self.bits == 0 { 0 } else { u128::MAX << (128 - self.bits) };
        kind == other_kind && own & mask == other & mask
    }
}

impl AccessSettings {
    /// Reads them for a program that listens at `addr`.
    ///
    /// # Errors
    /// [`ConfigError`] naming the setting that is wrong.
    pub fn read(addr: SocketAddr) -> Result<Self, ConfigError> {
        let token = match (env("LANES_TOKEN"), env("LANES_TOKEN_FILE")) {
            (Some(token), _) => Some(SecretString::from(token)),
            (None, Some(path)) => Some(secret_file("LANES_TOKEN_FILE", path.as_ref())?),
            (None, None) => None,
        };
        check_token(token.as_ref())?;
        let always = match env("LANES_AUTH").as_deref() {
            None | Some("auto") => false,
            Some("always") => true,
            Some(other) => {
                return Err(value(format!("LANES_AUTH is “{other}”; it must be auto or always")));
            }
        };
        let required = always || token.is_some() || !addr.ip().is_loopback();
        let number = |name: &str, most| {
            env(name)
                .map(|text| if text == "0" { Ok(0) } else { Number(text).whole(name, most) })
                .transpose()
        };
        let rate = match number("LANES_RATE_LIMIT", 10_000_000)? {
            Some(0) => None,
            None if !required => None,
            given => Some(given.unwrap_or(RATE)),
        };
        let streams = number("LANES_MAX_STREAMS", 1_000_000)?;
        let of_client = number("LANES_MAX_STREAMS_PER_CLIENT", 1_000_000)?;
        let patience = match env("LANES_CLIENT_TIMEOUT") {
            Some(text) => {
                Duration::from_secs(Number(text).whole("LANES_CLIENT_TIMEOUT", 3_600)?.into())
            }
            None => PATIENCE,
        };
        Ok(Self {
            token,
            required,
            hosts: list("LANES_ALLOWED_HOSTS", |name| {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
                let name = name.to_ascii_lowercase();
                (!name.is_empty() && name.chars().all(plain)).then_some(name)
            })?,
            public: env("LANES_PUBLIC_URL").map(|url| public_url(&url)).transpose()?,
            proxies: list("LANES_TRUSTED_PROXIES", Network::parse)?,
            rate,
            streams,
            streams_of_client: of_client.or(required.then_some(STREAMS_OF_CLIENT)),
            patience,
        })
    }
}

/// A token goes into a header: it must fit in there.
fn check_token(token: Option<&SecretString>) -> Result<(), ConfigError> {
    use secrecy::ExposeSecret;
    let Some(token) = token.map(ExposeSecret::expose_secret) else { return Ok(()) };
    if !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(value(
            "LANES_TOKEN must be of letters, digits and signs of ASCII, without spaces".into(),
        ));
    }
    if token.len() < 16 {
        tracing::warn!(
            "LANES_TOKEN is short: a longer one is harder to guess (openssl rand -hex 24)"
        );
    }
    Ok(())
}

/// A setting with several values, separated by commas.
fn list<T>(name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, ConfigError> {
    let text = env(name).unwrap_or_default();
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            read(part).ok_or_else(|| {
                let example = match name {
                    "LANES_TRUSTED_PROXIES" => "addresses or networks such as 10.0.0.0/8",
                    _ => "names without a port, such as lanes.example.org",
                };
                value(format!("{name} has “{part}”; it must be {example}, separated by commas"))
            })
        })
        .collect()
}

fn public_url(url: &str) -> Result<PublicUrl, ConfigError> {
    let lower = url.to_ascii_lowercase();
    let (https, rest) = match (lower.strip_prefix("https://"), lower.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => (false, ""),
    };
    let authority = rest.trim_end_matches('/');
    if authority.is_empty() || authority.contains(['/', '@', '?', '#', ' ']) {
        return Err(value(format!(
            "LANES_PUBLIC_URL is “{url}”; it must be an address without a path, such as \
             https://lanes.example.org"
        )));
    }
    Ok(PublicUrl { https, authority: authority.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_as_it_does() {
        let has = |network: &str, address: &str| {
            Network::parse(network).unwrap().contains(address.parse().unwrap())
        };
        assert!(has("10.0.0.0/8", "10.1.2.3") && !has("10.0.0.0/8", "11.0.0.1"));
        assert!(has("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(has("192.168.1.7", "192.168.1.7") && !has("192.168.1.7", "192.168.1.8"));
        assert!(has("0.0.0.0/0", "1.2.3.4") && !has("0.0.0.0/0", "::1"));
        assert!(has("fd00::/8", "fd12::1") && !has("fd00::/8", "fe80::1"));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0", "a/8", "10.0.0.0/-1"] {
            assert_eq!(Network::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_public_address_has_a_scheme_and_no_path() {
        let public = public_url("https://Lanes.example.org:8443/").unwrap();
        assert_eq!((public.https, &*public.authority), (true, "lanes.example.org:8443"));
        for wrong in ["lanes.example.org", "https://", "https://a/b", "ftp://a", "https://u@a"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
