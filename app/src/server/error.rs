//! What a server function answers when it fails: words for the page, places for the form.

use lanes_model::FieldError;
use leptos::prelude::{FromServerFnError, ServerFnErrorErr};
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};

/// Why the server could not do what the page asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum UiError {
    /// The form is wrong at these places.
    #[error("{}", .0.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>().join(" "))]
    Invalid(Vec<FieldError>),
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// Anything else, in words that are safe to show.
    #[error("{0}")]
    Failed(String),
    /// The server could not be reached, or answered nonsense.
    #[error("Lanes cannot be reached ({0}). Is it still running?")]
    Unreachable(String),
}

impl FromServerFnError for UiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        UiError::Unreachable(error.to_string())
    }
}

#[cfg(feature = "ssr")]
impl From<lanes_service::ServiceError> for UiError {
    fn from(error: lanes_service::ServiceError) -> Self {
        use lanes_service::ServiceError as E;
        match error {
            E::Invalid(errors) => UiError::Invalid(errors),
            E::NotFound(what) => UiError::NotFound(what),
            other => UiError::Failed(other.to_string()),
        }
    }
}
