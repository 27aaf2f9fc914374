//! What goes in and out as a body: JSON that is read, files to download.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lanes_model::FieldError;
use serde::de::DeserializeOwned;

use super::Problem;

/// A body that is to be JSON: a wrong content type, broken JSON and a wrong field are told apart.
pub(super) fn parse<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if essence != "application/json" && !essence.ends_with("+json") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send JSON, with the header Content-Type: application/json.",
        ));
    }
    let body = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    // A list would be read as the fields in order; only an object says what it means.
    if body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "The body must be a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(&body);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|e| {
        let inner = e.inner();
        if inner.is_data() {
            let pointer: String = e
                .path()
                .iter()
                .map(|s| format!("/{s}"))
                .collect::<String>()
                .replace(['[', ']'], "");
            Problem::invalid(vec![FieldError::new(pointer, format!("{}.", in_words(inner)))])
        } else {
            Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {inner}."))
        }
    })?;
    reader.end().map_err(|e| {
        Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {e}."))
    })?;
    Ok(value)
}

/// What is wrong with a value, its wanted type in words.
fn in_words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words
        .replace("expected u64", "expected a whole number from 0")
        .replace("expected u32", "expected a whole number from 0")
        .replace("expected i64", "expected a whole number")
}

/// A file to download. The name is made by us, of plain ASCII.
pub(super) fn file(name: &str, media_type: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, body).into_response()
}
