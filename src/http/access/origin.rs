//! Keeps other web sites from using a visitor's browser against this server: the name that a request
//! calls must be ours, or a name that points here for a moment (DNS rebinding) would read everything;
//! and what changes something, or stays open, must come from one of our own pages.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};

use crate::http::Problem;

/// The names of this server.
#[derive(Debug)]
pub struct Names {
    bound: IpAddr,
    hosts: Vec<String>,
    public: Option<String>,
}

impl Names {
    pub(super) fn new(bound: IpAddr, hosts: Vec<String>, public: Option<String>) -> Self {
        Self { bound, hosts, public }
    }

    /// Checks the name and, where it matters, the page.
    ///
    /// # Errors
    /// Status 421 for a name that is not ours, 403 for a page that is not.
    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let text = |name: &str| request.headers().get(name).and_then(|v| v.to_str().ok());
        // A request that names the server in its address may leave the header out.
        let host = request.uri().authority().map(|a| a.as_str()).or(text(header::HOST.as_str()));
        let host = host.unwrap_or("").to_ascii_lowercase();
        if !self.is_ours(&host) {
            return Err(Problem::new(
                StatusCode::MISDIRECTED_REQUEST,
                "This server is not called by that name. Use its address, or list the name in \
                 LANES_ALLOWED_HOSTS.",
            ));
        }
        let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        if safe && !is_stream(request.uri().path()) {
            return Ok(());
        }
        let from_us = match (text(header::ORIGIN.as_str()), text("sec-fetch-site")) {
            (Some(origin), _) => origin.split_once("://").is_some_and(|(_, from)| {
                let from = from.to_ascii_lowercase();
                from == host || self.public.as_ref() == Some(&from)
            }),
            // Browsers that send no origin along say whether it is the same.
            (None, Some(site)) => matches!(site, "same-origin" | "none"),
            // No browser.
            (None, None) => !request.headers().contains_key(header::ORIGIN),
        };
        if from_us {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Requests that change something, and event streams, are accepted from this server's own \
             pages only. Programs send a key as “Authorization: Bearer …”, or no Origin.",
        ))
    }

    /// Whether a `Host` is ours. The port does not matter: it cannot be forged by a name.
    fn is_ours(&self, host: &str) -> bool {
        let name = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        if name.is_empty() {
            return false;
        }
        let unwrapped = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')).unwrap_or(name);
        if let Ok(ip) = unwrapped.parse::<IpAddr>() {
            // An address in numbers is no name that anyone could point somewhere else.
            return ip.is_loopback() || ip == self.bound || self.bound.is_unspecified();
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let public = self.public.as_deref().map(|p| p.rsplit_once(':').map_or(p, |(n, _)| n));
        name == "localhost" || self.hosts.iter().any(|h| h == name) || public == Some(name)
    }
}

/// Whether an address is one of the event streams.
fn is_stream(path: &str) -> bool {
    path.ends_with("/events") || path.ends_with("/frames")
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn names(bound: &str) -> Names {
        let hosts = vec!["lanes.internal".to_owned()];
        Names::new(bound.parse().unwrap(), hosts, Some("lanes.example.org:8443".to_owned()))
    }

    #[test]
    fn only_our_names_are_ours() {
        let own = names("127.0.0.1");
        for ours in [
            "localhost",
            "localhost:7862",
            "localhost.:7862",
            "127.0.0.1:1",
            "127.8.8.8",
            "[::1]:7862",
            "lanes.internal:80",
            "lanes.example.org",
            "lanes.example.org:8443",
        ] {
            assert!(own.is_ours(ours), "{ours}");
        }
        for other in [
            "",
            ":7862",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "evil.example:7862",
            "localhost@evil.example",
            "0.0.0.0",
            "[::]",
            "xlanes.internal",
            "[::1",
        ] {
            assert!(!own.is_ours(other), "{other}");
        }
        assert!(names("10.0.0.1").is_ours("10.0.0.1:7862"));
        assert!(!names("10.0.0.1").is_ours("10.0.0.2:7862"));
        assert!(names("0.0.0.0").is_ours("10.0.0.2:7862"));
        assert!(!names("0.0.0.0").is_ours("evil.example"));
    }

    fn asked(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<(), Problem> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        names("127.0.0.1").check(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn what_changes_something_or_stays_open_comes_from_our_own_pages() {
        let host = ("host", "localhost:7862");
        let from = |name, value| [host, (name, value)];
        for (method, path) in [
            ("POST", "/api/runs"),
            ("DELETE", "/api/cache"),
            ("GET", "/api/runs/1/events"),
            ("GET", "/x/frames"),
        ] {
            let asked = |headers: &[(&str, &str)]| asked(method, path, headers).is_ok();
            assert!(asked(&[host]), "a program");
            assert!(asked(&from("origin", "http://localhost:7862")));
            assert!(asked(&from("origin", "http://LOCALHOST:7862")));
            assert!(asked(&from("origin", "https://lanes.example.org:8443")));
            assert!(asked(&from("sec-fetch-site", "same-origin")));
            for foreign in [
                "http://evil.example",
                "null",
                "http://localhost:3000",
                "http://127.0.0.1:7862",
                "",
            ] {
                assert!(!asked(&from("origin", foreign)), "{foreign}");
            }
            for foreign in ["cross-site", "same-site", "x"] {
                assert!(!asked(&from("sec-fetch-site", foreign)), "{foreign}");
            }
        }
        assert!(asked("GET", "/runs", &from("sec-fetch-site", "cross-site")).is_ok(), "a link");
        assert!(asked("GET", "/runs", &[("host", "evil.example")]).is_err());
        assert!(asked("GET", "/runs", &[]).is_err());
        assert!(asked("GET", "http://evil.example/runs", &[host]).is_err());
    }
}
