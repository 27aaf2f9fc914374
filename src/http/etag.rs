//! ETags: whoever has an answer already is told so instead of getting it again.
//!
//! Tags are weak: they say that nothing has happened since, not that the answer is the same byte for
//! byte (it may be compressed, and figures of a run that goes on count with the clock).

use std::hash::{DefaultHasher, Hash, Hasher};

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The answer with its tag or, to whoever has it, that it has not changed.
pub fn answer(headers: &HeaderMap, tag: &str, body: impl FnOnce() -> Response) -> Response {
    let tag = format!("W/\"{tag}\"");
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let known = known.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let same = known.into_iter().any(|it| it.trim() == "*" || opaque(it) == opaque(&tag));
    let mut response = if same { StatusCode::NOT_MODIFIED.into_response() } else { body() };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    // It may be kept, and asked for again each time.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// A value as JSON, tagged by what it says.
pub fn json(headers: &HeaderMap, value: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_vec(value) else { return Json(value).into_response() };
    let mut hash = DefaultHasher::new();
    body.hash(&mut hash);
    let tag = format!("{:016x}", hash.finish());
    answer(headers, &tag, || {
        ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body)
            .into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(asked: &[&str], tag: &str) -> StatusCode {
        let mut headers = HeaderMap::new();
        for value in asked {
            headers.append(header::IF_NONE_MATCH, HeaderValue::from_str(value).expect("a value"));
        }
        answer(&headers, tag, || StatusCode::OK.into_response()).status()
    }

    #[test]
    fn a_tag_that_is_known_answers_304_however_it_is_written() {
        for known in ["W/\"7-running\"", "\"7-running\"", "\"a\", W/\"7-running\"", "*"] {
            assert_eq!(status(&[known], "7-running"), StatusCode::NOT_MODIFIED, "{known}");
        }
        assert_eq!(status(&["\"a\"", "\"7-running\""], "7-running"), StatusCode::NOT_MODIFIED);
        for other in ["W/\"8-running\"", "7-running", "", "\""] {
            assert_eq!(status(&[other], "7-running"), StatusCode::OK, "{other}");
        }
        assert_eq!(status(&[], "7-running"), StatusCode::OK);
    }
}
