//! What a server function answers when it fails: words for the page, places for the form.

use lanes_model::{FieldError, Json, Read};
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

impl Read for UiError {
    fn read(json: &Json) -> Self {
        let (kind, what) = match json {
            Json::Object(fields) => fields.first().map(|(kind, what)| (kind.as_str(), what)),
            _ => None,
        }
        .unwrap_or(("", json));
        match kind {
            "Invalid" => UiError::Invalid(Read::read(what)),
            "NotFound" => UiError::NotFound(Read::read(what)),
            "Failed" => UiError::Failed(Read::read(what)),
            _ => UiError::Unreachable(Read::read(what)),
        }
    }
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
        use lanes_service::{ServiceError as E, StoreError};
        match error {
            E::Invalid(errors) => UiError::Invalid(errors),
            E::Store(StoreError::BadCursor) => UiError::Invalid(vec![FieldError::new(
                "/cursor",
                "This address is no page of the list: begin again with the newest runs.",
            )]),
            E::NotFound(what) => UiError::NotFound(what),
            other => UiError::Failed(other.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_reaches_the_browser_as_it_was_sent() {
        let text = || "a \"reason\"".to_owned();
        for error in [
            UiError::Invalid(vec![FieldError::new("/tasks", text())]),
            UiError::NotFound(text()),
            UiError::Failed(text()),
            UiError::Unreachable(text()),
        ] {
            let sent = serde_json::to_string(&error).unwrap();
            assert_eq!(UiError::read(&Json::parse(&sent).unwrap()), error);
        }
    }
}
