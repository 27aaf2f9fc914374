//! What a request brings along on the server: the service, the form it sent, how it wants the page.

use lanes_model::FieldError;
use lanes_service::Service;
use leptos::prelude::use_context;

use super::{Prefill, UiError};

/// The service, put into the context of every request.
///
/// # Errors
/// When it is not there, which would be a mistake in the program's set-up.
pub fn service() -> Result<Service, UiError> {
    use_context::<Service>().ok_or_else(|| UiError::Failed("The service is not set up.".to_owned()))
}

/// Sets the status of the response being made.
pub fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// How the viewer wants pages shown, from the cookies `theme`, `present` and `letters`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// `light` or `dark`; none: as the system is.
    pub theme: Option<&'static str>,
    /// Whether everything is enlarged for a projector.
    pub present: bool,
    /// Whether single letters are shortcuts.
    pub letters: bool,
}

impl Default for Display {
    fn default() -> Self {
        Self { theme: None, present: false, letters: true }
    }
}

impl Display {
    /// Read from the request being answered.
    #[must_use]
    pub fn of_request() -> Self {
        let Some(parts) = use_context::<http::request::Parts>() else { return Self::default() };
        let cookies =
            parts.headers.get_all(http::header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let mut display = Self::default();
        for pair in cookies.flat_map(|c| c.split(';')) {
            match pair.trim() {
                "theme=dark" => display.theme = Some("dark"),
                "theme=light" => display.theme = Some("light"),
                "present=1" => display.present = true,
                "letters=off" => display.letters = false,
                _ => {}
            }
        }
        display
    }
}

/// A form that was sent without JavaScript and found wrong: shown again as it was, with what is
/// wrong. Put into the context by the handler of the form.
#[derive(Debug, Clone)]
pub struct FormState {
    /// The values as sent.
    pub prefill: Prefill,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}
