//! Errors as RFC 9457 problem details: what was wrong, where, and what to do. Causes inside the
//! program are logged and not shown.

use axum::Json;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use lanes_model::FieldError;
use lanes_service::{ServiceError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// An error response.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Which kind of problem; `about:blank` when the status says it all.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The kind in a few words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened this time.
    detail: String,
    /// For invalid input: what is wrong where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

/// What a problem says, for whoever has to say it in another form; goes along with its answer.
#[derive(Debug, Clone)]
pub struct Detail(pub String);

impl Problem {
    /// A problem of that status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// Input that is wrong in these places.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => one.detail.clone(),
            many => format!("{} things in the request are wrong; see errors.", many.len()),
        };
        Self {
            kind: "urn:lanes:problem:invalid-input",
            title: "Invalid input".to_owned(),
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let detail = Detail(self.detail.clone());
        let mut response = (status, Json(self)).into_response();
        response.extensions_mut().insert(detail);
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Invalid(errors) => Self::invalid(errors),
            ServiceError::NotFound(what) => Self::new(StatusCode::NOT_FOUND, what),
            ServiceError::Conflict(why) => Self::new(StatusCode::CONFLICT, why),
            ServiceError::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
            ServiceError::Store(StoreError::BadCursor) => Self::invalid(vec![FieldError::new(
                "/cursor",
                "The cursor is not one that this list gave.",
            )]),
            ServiceError::Store(StoreError::IdempotencyMismatch) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The Idempotency-Key was used before with another request; use a new key.",
            ),
            ServiceError::Store(_) | ServiceError::NotWritten(_) => {
                tracing::error!(%error, "the store failed");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.told())
            }
            other => {
                tracing::error!(error = %other, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong inside Lanes; its log says what.",
                )
            }
        }
    }
}

/// Any address below `/api` that is not there.
pub async fn no_such_address(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("There is nothing at {}.", uri.path()))
}

/// An address that exists, asked in the wrong way.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        format!("{} does not answer to {method}.", uri.path()),
    )
}
