//! Refusals at the door, in the form that OpenAI's clients read.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lanes_model::{Failure, FailureKind};
use lanes_service::DoorError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::http::problem::Detail;
use crate::http::strict;

/// A refusal in OpenAI's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenAiError {
    /// What went wrong.
    error: OpenAiErrorBody,
}

/// What went wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpenAiErrorBody {
    /// In words.
    message: String,
    /// Which sort: `invalid_request_error`, `rate_limit_error`, `api_error`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The parameter that is wrong.
    param: Option<&'static str>,
    /// Which one, for programs.
    code: Option<&'static str>,
}

pub(super) fn error(
    status: StatusCode,
    message: impl Into<String>,
    param: Option<&'static str>,
    code: Option<&'static str>,
) -> Response {
    let kind = match status {
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
        status if status.is_client_error() => "invalid_request_error",
        _ => "api_error",
    };
    let error = OpenAiErrorBody { message: message.into(), kind, param, code };
    (status, Json(OpenAiError { error })).into_response()
}

pub(super) fn refused(why: DoorError) -> Response {
    let message = why.to_string();
    match why {
        DoorError::Invalid { param, .. } => {
            error(StatusCode::BAD_REQUEST, message, Some(param), Some("invalid_value"))
        }
        DoorError::UnknownModel(_) => {
            error(StatusCode::NOT_FOUND, message, Some("model"), Some("model_not_found"))
        }
        DoorError::Stopping => error(StatusCode::SERVICE_UNAVAILABLE, message, None, None),
        DoorError::Internal(_) => {
            tracing::error!(%message, "a request at the door failed");
            error(StatusCode::INTERNAL_SERVER_ERROR, message, None, None)
        }
    }
}

/// What a provider's failure is to whoever asked.
fn meaning(failure: &Failure) -> (StatusCode, Option<&'static str>) {
    match failure.kind {
        // The key is this server's and not the client's.
        FailureKind::InvalidKey => (StatusCode::BAD_GATEWAY, Some("provider_key_rejected")),
        FailureKind::QuotaExhausted => (StatusCode::TOO_MANY_REQUESTS, Some("insufficient_quota")),
        FailureKind::UnknownModel => (StatusCode::NOT_FOUND, Some("model_not_found")),
        FailureKind::InvalidRequest => (StatusCode::BAD_REQUEST, None),
        FailureKind::ContentRefused => (StatusCode::BAD_REQUEST, Some("content_filter")),
        FailureKind::RateLimited => (StatusCode::TOO_MANY_REQUESTS, Some("rate_limit_exceeded")),
        FailureKind::Timeout => (StatusCode::GATEWAY_TIMEOUT, Some("provider_timeout")),
        FailureKind::Unreachable => (StatusCode::BAD_GATEWAY, Some("provider_unreachable")),
        _ => (StatusCode::BAD_GATEWAY, Some("provider_error")),
    }
}

pub(super) fn failed(failure: &Failure) -> Response {
    let (status, code) = meaning(failure);
    let mut response = error(status, failure.message.as_str(), None, code);
    let headers = response.headers_mut();
    // It has been retried here; OpenAI's clients would do it again.
    headers.insert("x-should-retry", HeaderValue::from_static("false"));
    if let Some(wait) = failure.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.0.div_ceil(1_000_000)));
    }
    response
}

pub(super) fn in_stream(failure: &Failure) -> String {
    let (status, code) = meaning(failure);
    let kind =
        if status == StatusCode::TOO_MANY_REQUESTS { "rate_limit_error" } else { "api_error" };
    json!({ "error": { "message": failure.message, "type": kind, "param": null, "code": code } })
        .to_string()
}

/// Any other address below `/v1`.
pub async fn no_such_address(method: Method, uri: Uri) -> Response {
    let message = format!("There is nothing at {method} {}.", uri.path());
    error(StatusCode::NOT_FOUND, message, None, Some("unknown_url"))
}

/// An address that exists, asked in the wrong way.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Response {
    let message = format!("{} does not answer to {method}.", uri.path());
    error(StatusCode::METHOD_NOT_ALLOWED, message, None, Some("method_not_allowed"))
}

/// A problem from before this door, in OpenAI's form.
pub fn in_its_form(problem: Response) -> Response {
    let (parts, _) = problem.into_parts();
    let detail = parts.extensions.get::<Detail>().map_or("", |detail| detail.0.as_str());
    let code = match parts.status {
        StatusCode::UNAUTHORIZED => Some("invalid_api_key"),
        StatusCode::TOO_MANY_REQUESTS => Some("rate_limit_exceeded"),
        _ => None,
    };
    let mut refusal = error(parts.status, detail, None, code);
    for name in [header::WWW_AUTHENTICATE, header::RETRY_AFTER] {
        if let Some(value) = parts.headers.get(&name) {
            refusal.headers_mut().insert(name, value.clone());
        }
    }
    refusal
}

/// Gives every refusal OpenAI's form, also those that no handler made.
pub async fn errors(request: Request, next: Next) -> Response {
    strict::answer(request, next, |status, detail| error(status, detail, None, None)).await
}
