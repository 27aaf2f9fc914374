//! Errors as clients see them: OpenAI's status codes, error bodies and headers.
//!
//! Every refusal of the simulator is made here. The rule: one constructor per kind of refusal, so
//! that a status, a type and a code that belong together stay together.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// An error in OpenAI's form: a status, and `{"error": {message, type, param, code}}`.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
    // Boxed, so that a `Result` with this error stays small.
    headers: Box<HeaderMap>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        let (param, code) = (None, None);
        Self { status, message: message.into(), kind, param, code, headers: Box::default() }
    }

    /// 400: the request cannot be served as it is.
    pub(crate) fn invalid(message: impl Into<String>, param: Option<&'static str>) -> Self {
        Self { param, ..Self::new(StatusCode::BAD_REQUEST, "invalid_request_error", message) }
    }

    /// 400: well-formed, but a value is outside what is allowed.
    pub(crate) fn invalid_value(message: impl Into<String>, param: &'static str) -> Self {
        Self { code: Some("invalid_value"), ..Self::invalid(message, Some(param)) }
    }

    /// 413: the body is above the limit.
    pub(crate) fn too_large(limit: usize) -> Self {
        let message = format!("The request body is larger than {} MB.", limit / 1_000_000);
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", message)
    }

    /// 401: the key is one of those that stand for an invalid key.
    pub(crate) fn invalid_key(key: &str) -> Self {
        let shown: String = key.chars().take(12).collect();
        let message = format!("Incorrect API key provided: {shown}***.");
        Self {
            code: Some("invalid_api_key"),
            ..Self::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message)
        }
    }

    /// 404: no such model.
    pub(crate) fn model_not_found(model: &str) -> Self {
        let shown: String = model.chars().take(80).collect();
        let message =
            format!("The model `{shown}` does not exist; GET /v1/models lists those that do.");
        Self {
            code: Some("model_not_found"),
            ..Self::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
        }
    }

    /// 404: no such path.
    pub(crate) fn unknown_url(method: &str, path: &str) -> Self {
        Self {
            code: Some("unknown_url"),
            ..Self::new(
                StatusCode::NOT_FOUND,
                "invalid_request_error",
                format!("Invalid URL ({method} {path})"),
            )
        }
    }

    /// 405: the path exists, for another method.
    pub(crate) fn wrong_method(method: &str, path: &str) -> Self {
        Self {
            code: Some("method_not_supported"),
            ..Self::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "invalid_request_error",
                format!("{method} is not allowed on {path}"),
            )
        }
    }

    /// 429: a limit is reached; `kind` is `requests` or `tokens`.
    pub(crate) fn rate_limited(
        kind: &'static str,
        message: String,
        retry_after: Option<Duration>,
    ) -> Self {
        let mut error = Self::new(StatusCode::TOO_MANY_REQUESTS, kind, message);
        error.code = Some("rate_limit_exceeded");
        if let Some(wait) = retry_after {
            // Whole seconds, rounded up, so that who waits as told is let in.
            let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
            let millis = wait.as_nanos().div_ceil(1_000_000).max(1);
            for (name, value) in [
                (header::RETRY_AFTER, seconds),
                (HeaderName::from_static("retry-after-ms"), millis),
            ] {
                if let Ok(value) = HeaderValue::from_str(&value.to_string()) {
                    error.headers.insert(name, value);
                }
            }
        }
        error
    }

    /// 500 or 503: an injected fault.
    pub(crate) fn injected(status: StatusCode) -> Self {
        let (message, code) = if status == StatusCode::SERVICE_UNAVAILABLE {
            ("Simulated fault: the server is overloaded. Try again later.", "service_unavailable")
        } else {
            ("Simulated fault: the server failed while processing the request.", "internal_error")
        };
        Self { code: Some(code), ..Self::new(status, "server_error", message) }
    }

    /// 500: the simulator itself failed, which is a defect of ours.
    pub(crate) fn internal(message: &'static str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    /// 503: the simulator is stopping.
    pub(crate) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "server_error",
            "The simulator is shutting down.",
        )
    }

    /// Adds headers, such as those of the limits.
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    #[cfg(test)]
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    #[cfg(test)]
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({
            "error": {
                "message": self.message,
                "type": self.kind,
                "param": self.param,
                "code": self.code,
            }
        });
        (self.status, *self.headers, Json(body)).into_response()
    }
}
