//! Where a webhook may lead: to the public Internet, unless the operator says otherwise.
//!
//! Rule: a name is resolved once, all of its addresses are looked at, and the connection goes to these
//! and no others ([`super::sender`]): a name that means something else a moment later changes nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Url;

/// The longest address.
const LONGEST: usize = 2_000;
/// How long a name may take to resolve.
const RESOLVING: Duration = Duration::from_secs(5);

/// Why messages cannot go there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("The address must be a whole URL, such as https://example.com/hook.")]
    NoUrl,
    #[error("The address must begin with https://.")]
    Scheme,
    #[error(
        "The address must begin with https://. Plain http is let through with \
         LANES_WEBHOOK_ALLOW_PRIVATE=true."
    )]
    NotHttps,
    #[error(
        "The address must not hold a name and password: they would be shown to whoever sees it."
    )]
    Credentials,
    #[error(
        "The address leads to {0}, which is not on the public Internet. Such targets are let through \
         with LANES_WEBHOOK_ALLOW_PRIVATE=true."
    )]
    Private(IpAddr),
    #[error("The name {0} could not be resolved.")]
    Unresolved(String),
}

impl TargetError {
    /// Whether it may be otherwise later on.
    pub(crate) const fn may_pass(&self) -> bool {
        matches!(self, Self::Unresolved(_))
    }
}

/// An address as it is typed. Numbers in any spelling that clients understand (decimal, octal,
/// hexadecimal, short) are numbers here, too.
pub(crate) fn parse(text: &str, allow_private: bool) -> Result<Url, TargetError> {
    if text.len() > LONGEST {
        return Err(TargetError::NoUrl);
    }
    let url = Url::parse(text.trim()).map_err(|_| TargetError::NoUrl)?;
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => return Err(TargetError::NotHttps),
        _ => return Err(TargetError::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(TargetError::Credentials);
    }
    match number(&url) {
        Some(ip) if !allow_private && !is_public(ip) => Err(TargetError::Private(ip)),
        _ if url.host_str().is_none_or(str::is_empty) => Err(TargetError::NoUrl),
        _ => Ok(url),
    }
}

/// The host, when it is a number.
fn number(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The addresses to which messages for that URL may go.
pub(crate) async fn resolve(
    url: &Url,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, TargetError> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let found: Vec<SocketAddr> = match number(url) {
        Some(ip) => vec![SocketAddr::new(ip, port)],
        None => {
            let looked_up = tokio::time::timeout(RESOLVING, tokio::net::lookup_host((host, port)));
            match looked_up.await {
                Ok(Ok(found)) => found.collect(),
                _ => Vec::new(),
            }
        }
    };
    check(host, found, allow_private)
}

/// None of the addresses may be private: a name that means both is as bad as one that means one.
fn check(
    host: &str,
    found: Vec<SocketAddr>,
    allow_private: bool,
) -> Result<Vec<SocketAddr>, TargetError> {
    if found.is_empty() {
        return Err(TargetError::Unresolved(host.to_owned()));
    }
    match found.iter().map(SocketAddr::ip).find(|ip| !allow_private && !is_public(*ip)) {
        Some(private) => Err(TargetError::Private(private)),
        None => Ok(found),
    }
}

/// Whether an address is on the public Internet, by the special-purpose registries of IANA.
pub(crate) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        // This network, private, loopback, multicast and reserved.
        (0 | 10 | 127 | 224..=255, _, _)
            // Shared by carriers, and benchmarks.
            | (100, 64..=127, _)
            | (198, 18 | 19, _)
            // Link-local, where clouds keep their metadata.
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            // Protocols, 6to4 relays and the examples in documents.
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(mapped) = ip.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    let [a, b, ..] = ip.segments();
    // Global unicast. Outside of it are loopback, unique-local, link-local, multicast, the translation
    // of IPv4 (64:ff9b::) and what is reserved.
    let global = (0x2000..0x4000).contains(&a);
    // Protocols with Teredo, 6to4, and the examples in documents.
    let special =
        (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || a == 0x2002 || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> TargetError {
        parse(text, false).expect_err(text)
    }

    #[test]
    fn numbers_that_are_not_public_are_refused_in_every_spelling() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0x7f.1",
            "127.0.0.1.",
            "0.0.0.0",
            "0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "198.18.0.1",
            "192.0.0.192",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[64:ff9b::7f00:1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[2002:7f00:1::]",
            "[2001::7f00:1]",
            "[2001:db8::1]",
            "[3fff::1]",
            "[fec0::1]",
            "[100::1]",
        ] {
            let error = refused(&format!("https://{host}/hook"));
            assert!(matches!(error, TargetError::Private(_)), "{host}: {error:?}");
        }
    }

    #[test]
    fn public_numbers_and_names_are_let_through() {
        for host in [
            "example.com",
            "93.184.216.34",
            "[2606:2800:220:1::1]",
            "172.32.0.1",
            "192.0.1.1",
            "[::ffff:93.184.216.34]",
            "100.128.0.1",
            "[2001:4860:4860::8888]",
        ] {
            assert!(parse(&format!("https://{host}:8443/hook?token=1"), false).is_ok(), "{host}");
        }
    }

    #[test]
    fn only_https_without_credentials_is_an_address() {
        assert_eq!(refused("http://example.com/"), TargetError::NotHttps);
        for other in ["ftp://example.com/", "file:///etc/passwd", "gopher://example.com/1"] {
            assert_eq!(refused(other), TargetError::Scheme);
        }
        assert_eq!(refused("https://me:secret@example.com/"), TargetError::Credentials);
        for none in ["", "example.com", "https://", "https://exa mple.com", "https://1.2.3.4.5/"] {
            assert_eq!(refused(none), TargetError::NoUrl, "{none}");
        }
        assert_eq!(
            refused(&format!("https://example.com/{}", "x".repeat(2_000))),
            TargetError::NoUrl
        );
        assert!(parse("http://127.0.0.1:9000/", true).is_ok());
        assert!(parse("ftp://127.0.0.1/", true).is_err());
    }

    #[test]
    fn a_name_with_one_private_address_among_others_is_refused() {
        let public = SocketAddr::from(([93, 184, 216, 34], 443));
        let private = SocketAddr::from(([10, 0, 0, 1], 443));
        assert_eq!(
            check("both", vec![public, private], false),
            Err(TargetError::Private(private.ip()))
        );
        assert_eq!(check("one", vec![public], false), Ok(vec![public]));
        assert_eq!(check("both", vec![public, private], true), Ok(vec![public, private]));
        assert_eq!(check("gone", vec![], true), Err(TargetError::Unresolved("gone".to_owned())));
    }

    #[tokio::test]
    async fn a_name_that_means_this_machine_is_refused() {
        let url = parse("https://localhost:9000/hook", false).unwrap();
        assert!(
            matches!(resolve(&url, false).await, Err(TargetError::Private(ip)) if ip.is_loopback())
        );
        assert!(resolve(&url, true).await.unwrap().iter().all(|found| found.port() == 9_000));
    }
}
