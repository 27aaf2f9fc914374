//! Makes every refusal below the API a problem (RFC 9457), also those that a handler never saw: an
//! extractor's, the router's, a body that is too large. And refuses addresses that are not UTF-8,
//! which would otherwise be read as something else.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// The longest words of a refusal that are taken over.
const LONGEST: usize = 4_096;

/// Answers with problems.
pub async fn problems(request: Request, next: Next) -> Response {
    answer(request, next, |status, detail| Problem::new(status, detail).into_response()).await
}

/// Answers with refusals of one form, which `make` makes.
pub async fn answer(
    request: Request,
    next: Next,
    make: impl Fn(StatusCode, String) -> Response + Send,
) -> Response {
    if !is_readable(request.uri()) {
        let detail =
            "The address is not UTF-8, or has a “%” that two hexadecimal digits do not follow.";
        return make(StatusCode::BAD_REQUEST, detail.to_owned());
    }
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || is_json(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    let said = words(&parts.headers, body).await;
    let mut refusal = make(status, said.unwrap_or_else(|| default_detail(status).to_owned()));
    for (name, value) in &parts.headers {
        if !matches!(*name, header::CONTENT_TYPE | header::CONTENT_LENGTH) {
            refusal.headers_mut().append(name, value.clone());
        }
    }
    refusal
}

/// Whether somebody wants JSON rather than a page.
pub fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    accept.contains("json") && !accept.contains("text/html")
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    media_type.is_some_and(|t| t.contains("json"))
}

/// What a plain refusal says.
async fn words(headers: &HeaderMap, body: Body) -> Option<String> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok())?;
    if !media_type.starts_with("text/plain") {
        return None;
    }
    let text = to_bytes(body, LONGEST).await.ok()?;
    let text = std::str::from_utf8(&text).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn default_detail(status: StatusCode) -> &'static str {
    match status {
        StatusCode::METHOD_NOT_ALLOWED => "This address does not answer to that method; see Allow.",
        StatusCode::PAYLOAD_TOO_LARGE => "The request is too large.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "The request is of a kind that is not read here.",
        _ => "The request cannot be answered.",
    }
}

/// Whether an address says the same to everybody.
fn is_readable(uri: &Uri) -> bool {
    let readable = |text: &str| decoded(text).is_some_and(|b| String::from_utf8(b).is_ok());
    readable(uri.path()) && uri.query().is_none_or(readable)
}

/// The bytes of an address; none when an escape is broken.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                u8::try_from(value).ok()?
            }
            byte => byte,
        });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_could_be_read_in_two_ways_are_refused() {
        for good in ["/api/runs", "/api/runs?q=50%25", "/api/tasks/%C3%A4?x=%F0%9F%98%80&y"] {
            assert!(is_readable(&good.parse().expect("an address")), "{good}");
        }
        for bad in ["/api/runs/%ff", "/api/runs?q=%FF", "/api/runs?q=%", "/api/runs?q=5%2", "/%zz"]
        {
            assert!(!is_readable(&bad.parse().expect("an address")), "{bad}");
        }
    }

    #[test]
    fn a_browser_gets_a_page_and_a_program_json() {
        let wants = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().expect("a value"));
            wants_json(&headers)
        };
        assert!(wants("application/json") && wants("application/problem+json, */*;q=0.1"));
        assert!(!wants("text/html,application/xhtml+xml,*/*;q=0.8") && !wants("*/*"));
        assert!(!wants_json(&HeaderMap::new()));
    }
}
