//! Who is at the other end: the address of the connection or, behind a proxy that may say so, the
//! address it names; and what a request's headers hold to show who it is.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Network;

/// The other end of a connection, put into each of its requests.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// For whom a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Its address.
    pub ip: IpAddr,
    /// Whether it came by https, as a trusted proxy says.
    pub https: bool,
}

impl Client {
    /// The sender of a request. The last address that no trusted proxy has is believed: what stands
    /// before it, anyone can have written.
    pub fn of(request: &Request, proxies: &[Network]) -> Self {
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(addr)| addr.ip());
        let trusted = |ip: IpAddr| proxies.iter().any(|network| network.contains(ip));
        if !trusted(peer) {
            return Self { ip: peer.to_canonical(), https: false };
        }
        let texts = |name: &str| {
            let values = request.headers().get_all(name).iter();
            let values = values.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
            values.map(|v| v.trim().to_owned()).collect::<Vec<_>>()
        };
        let mut ip = peer;
        for named in texts("x-forwarded-for").iter().rev() {
            let Ok(address) = named.parse::<IpAddr>() else { break };
            ip = address;
            if !trusted(address) {
                break;
            }
        }
        let proto = texts("x-forwarded-proto");
        let https = proto.last().is_some_and(|scheme| scheme.eq_ignore_ascii_case("https"));
        Self { ip: ip.to_canonical(), https }
    }
}

/// The secret of `Authorization: Bearer …`.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// The value of a cookie.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines =
        headers.get_all(header::COOKIE).iter().filter_map(|v: &HeaderValue| v.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()
}
