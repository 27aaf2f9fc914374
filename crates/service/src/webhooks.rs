//! Webhooks: who is told of what happens. Signed and sent as Standard Webhooks says, from an outbox in
//! the store; see `dispatch` for what becomes of a message, `target` for where messages may go.
//!
//! Rule: a secret is shown once, when its webhook is made. After that it is in no view, log or error.

mod dispatch;
mod payload;
mod retry;
mod sender;
mod signature;
mod target;
mod vault;
mod view;

use jiff::Timestamp;
use lanes_model::{FieldError, RunId, RunSummary};
use lanes_store::{Due, Message, StoredWebhook};

use crate::service::Inner;
use crate::{Service, ServiceError};
pub(crate) use dispatch::run as dispatch;
pub(crate) use payload::{moment, of as payload_of};
pub use retry::RetrySteps;
use sender::Sender;
use signature::Secret;
use target::TargetError;
pub(crate) use vault::Vault;
pub use view::{
    AttemptView, DeliveryPage, DeliveryView, NewWebhook, WebhookDefinition, WebhookEvent,
    WebhookView,
};
use view::{delivery_view, view};

/// The most webhooks.
const MOST: usize = 50;
/// Deliveries on one page.
const PAGE: u32 = 50;
/// A test is sent by who asks for it; should that be cut off, the outbox tries it after this, µs.
const TEST_LATER: i64 = 60_000_000;

/// What is needed to send messages.
pub(crate) struct Hooks {
    vault: Vault,
    sender: Sender,
    retry: RetrySteps,
}

impl Hooks {
    pub(crate) fn new(vault: Vault, allow_private: bool, retry: RetrySteps) -> Self {
        Self { vault, sender: Sender::new(allow_private), retry }
    }
}

impl Service {
    /// The webhooks there are, in the order in which they were made.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn webhooks(&self) -> Result<Vec<WebhookView>, ServiceError> {
        Ok(self.inner().store.webhooks().await?.into_iter().map(view).collect())
    }

    /// A webhook.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn webhook(&self, id: &str) -> Result<WebhookView, ServiceError> {
        Ok(view(self.stored_webhook(id).await?))
    }

    /// Keeps a new webhook and gives its secret, which is shown this once.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong with it; [`ServiceError::Conflict`] when
    /// there are too many, or this program sends no messages; a store that fails.
    pub async fn create_webhook(
        &self,
        definition: WebhookDefinition,
    ) -> Result<NewWebhook, ServiceError> {
        let hooks = self.hooks()?;
        let definition = checked(definition, hooks.sender.allow_private).await?;
        if self.inner().store.webhooks().await?.len() >= MOST {
            let words = format!("There are {MOST} webhooks already: delete one first.");
            return Err(ServiceError::Conflict(words));
        }
        let failed = |what: String| ServiceError::Internal(format!("a webhook's secret: {what}"));
        let id = uuid::Uuid::now_v7().to_string();
        let secret = Secret::generate().ok_or_else(|| failed("no random numbers".to_owned()))?;
        let webhook = StoredWebhook {
            secret: hooks.vault.seal(&id, &secret).map_err(|e| failed(e.to_string()))?,
            id,
            name: definition.name,
            url: definition.url,
            events: definition.events,
            enabled: definition.enabled,
            note: None,
            created_at: Timestamp::now().to_string(),
        };
        self.inner().store.put_webhook(&webhook).await?;
        Ok(NewWebhook { secret: secret.written(), webhook: view(webhook) })
    }

    /// Changes a webhook. Its secret stays.
    ///
    /// # Errors
    /// As [`Service::create_webhook`], and [`ServiceError::NotFound`].
    pub async fn replace_webhook(
        &self,
        id: &str,
        definition: WebhookDefinition,
    ) -> Result<WebhookView, ServiceError> {
        let before = self.stored_webhook(id).await?;
        let definition = checked(definition, self.hooks()?.sender.allow_private).await?;
        let webhook = StoredWebhook {
            name: definition.name,
            url: definition.url,
            events: definition.events,
            enabled: definition.enabled,
            // Who switches it on again knows why it was off.
            note: before.note.clone().filter(|_| !definition.enabled),
            ..before
        };
        self.inner().store.put_webhook(&webhook).await?;
        Ok(view(webhook))
    }

    /// Forgets a webhook and what was sent there.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn delete_webhook(&self, id: &str) -> Result<(), ServiceError> {
        match self.inner().store.delete_webhook(id).await? {
            true => Ok(()),
            false => Err(no_webhook(id)),
        }
    }

    /// Sends a message that tells of nothing, at once, and says what came of it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] for one that is switched off, or a store
    /// that fails.
    pub async fn test_webhook(&self, id: &str) -> Result<DeliveryView, ServiceError> {
        let hooks = self.hooks()?;
        self.enabled_webhook(id).await?;
        let at_us = Timestamp::now().as_microsecond();
        let kind = "webhook.test";
        let data = serde_json::json!({ "url": self.inner().background.public_url() });
        let message = Message {
            id: format!("msg_{}", uuid::Uuid::now_v7().simple()),
            kind: kind.to_owned(),
            at_us,
            payload: Some(payload::of(kind, at_us, data)),
            ..Message::default()
        };
        let store = &self.inner().store;
        let delivery = store.put_message_for(id, &message, at_us + TEST_LATER).await?;
        let due = Due { delivery, webhook: id.to_owned(), tries: 0, message };
        dispatch::deliver(self.inner(), &hooks, &due).await?;
        let newest = store.deliveries(id, Some(delivery + 1), 1).await?;
        newest.into_iter().next().map(delivery_view).ok_or_else(|| no_delivery(delivery))
    }

    /// What went to a webhook, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Invalid`] for a cursor that no page gave, or a store
    /// that fails.
    pub async fn webhook_deliveries(
        &self,
        id: &str,
        cursor: Option<&str>,
    ) -> Result<DeliveryPage, ServiceError> {
        self.stored_webhook(id).await?;
        let before = cursor.map(str::parse::<i64>).transpose().map_err(|_| {
            let wrong = "The cursor is not one that this list gave.";
            ServiceError::Invalid(vec![FieldError::new("/cursor", wrong)])
        })?;
        let mut found = self.inner().store.deliveries(id, before, PAGE + 1).await?;
        let more = found.len() > PAGE as usize;
        found.truncate(PAGE as usize);
        let next_cursor = found.last().filter(|_| more).map(|last| last.id.to_string());
        Ok(DeliveryPage { items: found.into_iter().map(delivery_view).collect(), next_cursor })
    }

    /// Sends a message again, whatever came of it before. It keeps its id.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] for a webhook that is switched off, or a
    /// store that fails.
    pub async fn redeliver(&self, id: &str, delivery: i64) -> Result<(), ServiceError> {
        self.enabled_webhook(id).await?;
        if !self.inner().store.redeliver(id, delivery).await? {
            return Err(no_delivery(delivery));
        }
        self.inner().background.outbox.notify_one();
        Ok(())
    }

    async fn stored_webhook(&self, id: &str) -> Result<StoredWebhook, ServiceError> {
        self.inner().store.webhook(id).await?.ok_or_else(|| no_webhook(id))
    }

    async fn enabled_webhook(&self, id: &str) -> Result<(), ServiceError> {
        if self.stored_webhook(id).await?.enabled {
            return Ok(());
        }
        Err(ServiceError::Conflict("The webhook is switched off: switch it on first.".to_owned()))
    }

    fn hooks(&self) -> Result<std::sync::Arc<Hooks>, ServiceError> {
        self.inner().background.hooks().ok_or_else(|| {
            ServiceError::Conflict("This program does not send messages to webhooks.".to_owned())
        })
    }
}

impl Inner {
    /// Gives what is to be told of a run its figures, now that they are there.
    pub(crate) async fn fill_messages(
        &self,
        run: &RunId,
        summary: &RunSummary,
    ) -> Result<(), ServiceError> {
        for message in self.store.unfilled_messages(run).await? {
            self.fill_message(&message, summary).await?;
        }
        Ok(())
    }

    async fn fill_message(
        &self,
        message: &Message,
        summary: &RunSummary,
    ) -> Result<String, ServiceError> {
        let status = message.status.as_deref().unwrap_or_else(|| summary.status.id());
        let url = self.background.public_url();
        let payload = payload::of_run(&message.kind, message.at_us, status, summary, url);
        self.store.fill_message(&message.id, &payload).await?;
        Ok(payload)
    }
}

/// A definition with everything that is wrong with it said at once.
async fn checked(
    definition: WebhookDefinition,
    allow_private: bool,
) -> Result<WebhookDefinition, ServiceError> {
    let mut wrong = Vec::new();
    let name = definition.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
        let detail = "The name must have 1 to 120 characters, on one line.";
        wrong.push(FieldError::new("/name", detail));
    }
    let url = definition.url.trim().to_owned();
    let looked_at = match target::parse(&url, allow_private) {
        Ok(parsed) => target::resolve(&parsed, allow_private).await.map(drop),
        Err(error) => Err(error),
    };
    match looked_at {
        // It may be there later on; until then its deliveries say so.
        Ok(()) | Err(TargetError::Unresolved(_)) => {}
        Err(error) => wrong.push(FieldError::new("/url", error.to_string())),
    }
    let known = |id: &String| WebhookEvent::ALL.iter().any(|event| event.id() == id);
    let mut events = definition.events;
    if events.is_empty() || !events.iter().all(known) {
        let ids = WebhookEvent::ALL.map(WebhookEvent::id).join(", ");
        let detail = format!("Choose at least one event, of {ids}.");
        wrong.push(FieldError::new("/events", detail));
    }
    events.sort();
    events.dedup();
    match wrong.is_empty() {
        true => Ok(WebhookDefinition { name, url, events, enabled: definition.enabled }),
        false => Err(ServiceError::Invalid(wrong)),
    }
}

fn no_webhook(id: &str) -> ServiceError {
    let id: String = id.chars().filter(|c| !c.is_control()).take(40).collect();
    ServiceError::NotFound(format!("There is no webhook “{id}”."))
}

fn no_delivery(id: i64) -> ServiceError {
    ServiceError::NotFound(format!("There is no delivery {id}."))
}
