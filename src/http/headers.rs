//! What every answer says to browsers: what its page may load and do, and who may show it.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::access::{Client, Gate};

/// A page says in this header, which goes no further, the number that its own inline scripts carry.
const NONCE: HeaderName = HeaderName::from_static(app::NONCE_HEADER);

const POLICIES: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()",
    ),
];

/// Adds them to an answer; what a handler has said itself stays.
pub async fn secure(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let client = Client::of(&request, gate.proxies());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let nonce = headers.remove(NONCE);
    let kind = headers.get(header::CONTENT_TYPE).map(|v| v.as_bytes()).unwrap_or_default();
    let is_page = kind.starts_with(b"text/html");
    let policy = match is_page {
        true => page_policy(nonce.as_ref().and_then(|n| n.to_str().ok())),
        // Nothing else is a document; should a browser show it as one, it can do nothing.
        false => Some(HeaderValue::from_static(DATA)),
    };
    if let Some(policy) = policy {
        headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    for (name, value) in POLICIES {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_page {
        // Runs, answers and keys do not stay behind in a cache.
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-cache, private"));
    }
    if gate.is_https(&client) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(year);
    }
    response
}

/// For what is not a page.
const DATA: &str =
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Scripts are files of ours, or carry this page's own number; WebAssembly may be compiled. Style sheets
/// are files of ours or carry the number; attributes may hold styles, which lengths in timelines and charts need.
fn page_policy(nonce: Option<&str>) -> Option<HeaderValue> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/' | b'=');
    let nonce = nonce.filter(|n| n.len() >= 16 && n.bytes().all(plain));
    let nonce = nonce.map(|n| format!(" 'nonce-{n}'")).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; script-src 'self'{nonce} 'wasm-unsafe-eval'; style-src 'self'{nonce}; \
         style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    );
    HeaderValue::try_from(policy).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_in_a_page_need_its_number_and_nothing_may_be_evaluated() {
        let policy = |nonce| page_policy(nonce).unwrap().to_str().unwrap().to_owned();
        let with = policy(Some("9r1dwcy-aL5MERmyB313XQ"));
        let scripts = with.split("; ").find(|part| part.starts_with("script-src")).unwrap();
        assert_eq!(scripts, "script-src 'self' 'nonce-9r1dwcy-aL5MERmyB313XQ' 'wasm-unsafe-eval'");
        for none in [None, Some(""), Some("x"), Some("aaaaaaaaaaaaaaaa' 'unsafe-inline")] {
            assert!(policy(none).contains("script-src 'self' 'wasm-unsafe-eval';"), "{none:?}");
        }
    }
}
