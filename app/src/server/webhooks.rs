//! What the pages of webhooks are made of: the form as it was typed, and what the server shows once.

use lanes_model::FieldError;
use lanes_service::{WebhookDefinition, WebhookEvent, WebhookView};

/// The form's fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WebhookForm {
    /// The name.
    pub name: String,
    /// Where to.
    pub url: String,
    /// The events that are ticked.
    pub events: Vec<String>,
    /// Whether messages go there.
    pub enabled: bool,
}

impl WebhookForm {
    /// What a new one begins with.
    #[must_use]
    pub fn blank() -> Self {
        let ticked = [WebhookEvent::RunFailed, WebhookEvent::AlertFiring];
        let events = ticked.map(|event| event.id().to_owned()).to_vec();
        Self { events, enabled: true, ..Self::default() }
    }

    /// The fields of one that is kept.
    #[must_use]
    pub fn of(webhook: &WebhookView) -> Self {
        Self {
            name: webhook.name.clone(),
            url: webhook.url.clone(),
            events: webhook.events.clone(),
            enabled: webhook.enabled,
        }
    }

    /// The fields that a browser sent.
    #[must_use]
    pub fn read(fields: &[(String, String)]) -> Self {
        let mut form = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "name" => form.name.clone_from(value),
                "url" => form.url.clone_from(value),
                "event" => form.events.push(value.clone()),
                "enabled" => form.enabled = true,
                _ => {}
            }
        }
        form
    }

    /// What the fields ask for.
    #[must_use]
    pub fn definition(&self) -> WebhookDefinition {
        WebhookDefinition {
            name: self.name.clone(),
            url: self.url.clone(),
            events: self.events.clone(),
            enabled: self.enabled,
        }
    }
}

/// A form that was found wrong, shown again. Put into the context by the handler of the form.
#[derive(Debug, Clone)]
pub struct WebhookSent {
    /// As it was sent.
    pub form: WebhookForm,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

/// The secret of a webhook that was just made; never shown again. Put into the context by the handler
/// of the form.
#[derive(Clone)]
pub struct WebhookSecret {
    /// The webhook's name.
    pub name: String,
    /// The secret.
    pub secret: String,
}
