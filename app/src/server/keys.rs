//! Signing in, and API keys: what their pages are told.

use lanes_model::FieldError;
use lanes_service::{Access, ApiKey, Caller, KeyRequest, MadeKey};
use leptos::prelude::use_context;

use super::UiError;

/// A login form that was refused. Put into the context by its handler.
#[derive(Debug, Clone, Default)]
pub struct LoginSent {
    /// Where to go once it is right.
    pub next: String,
    /// Why it was refused.
    pub problem: String,
}

/// The form that makes a key, once it was sent: the key made, or the form again with what is wrong.
/// Put into the context by its handler. It has no `Debug`: there may be a secret in it.
#[derive(Clone, Default)]
pub struct KeySent {
    /// What was asked for.
    pub request: KeyRequest,
    /// In how many days it was to end, as typed.
    pub days: String,
    /// What is wrong with it.
    pub errors: Vec<FieldError>,
    /// The key.
    pub made: Option<MadeKey>,
}

/// Who looks at a page.
#[must_use]
pub fn viewer() -> Option<Caller> {
    let parts = use_context::<http::request::Parts>()?;
    parts.extensions.get::<Caller>().cloned()
}

/// Whether everyone on this machine is let in without a key.
#[must_use]
pub fn is_open() -> bool {
    use_context::<Access>().is_none_or(|access| !access.is_required())
}

/// All keys.
///
/// # Errors
/// A store that fails.
pub async fn keys() -> Result<Vec<ApiKey>, UiError> {
    let access = use_context::<Access>()
        .ok_or_else(|| UiError::Failed("Access is not set up.".to_owned()))?;
    Ok(access.keys().await?)
}
