//! Webhooks and their deliveries as callers see them.

use lanes_store::{Delivery, StoredWebhook};
use serde::{Deserialize, Serialize};

use super::moment;

/// What webhooks can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WebhookEvent {
    /// A run has ended, however.
    RunEnded,
    /// A run has ended, and calls of it have failed.
    RunFailed,
    /// A run has reached its budget of money or time.
    BudgetReached,
    /// An alert has begun to fire.
    AlertFiring,
    /// An alert fires no more.
    AlertResolved,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::RunEnded,
        Self::RunFailed,
        Self::BudgetReached,
        Self::AlertFiring,
        Self::AlertResolved,
    ];

    /// The name in messages and requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::RunEnded => "run.ended",
            Self::RunFailed => "run.failed",
            Self::BudgetReached => "budget.reached",
            Self::AlertFiring => "alert.firing",
            Self::AlertResolved => "alert.resolved",
        }
    }

    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::RunEnded => "A run has ended",
            Self::RunFailed => "A run has ended with failed calls",
            Self::BudgetReached => "A run has reached its budget",
            Self::AlertFiring => "An alert fires",
            Self::AlertResolved => "An alert is resolved",
        }
    }
}

/// A webhook as it is asked for. The body of `POST /api/webhooks` and `PUT /api/webhooks/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookDefinition {
    /// The name people read.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What it wants to be told of: `run.ended`, `run.failed`, `budget.reached`, `alert.firing`, `alert.resolved`.
    pub events: Vec<String>,
    /// Whether messages go there.
    #[serde(default = "on")]
    pub enabled: bool,
}

const fn on() -> bool {
    true
}

/// A webhook as it is shown: without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WebhookView {
    /// Names it.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// What it wants to be told of.
    pub events: Vec<String>,
    /// Whether messages go there.
    pub enabled: bool,
    /// Why the program switched it off, when it did.
    pub note: Option<String>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
}

/// A webhook that was just made: the only time that its secret is shown.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct NewWebhook {
    /// It.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// What its messages are signed with.
    pub secret: String,
}

/// A message that went or goes to a webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DeliveryView {
    /// Names the delivery.
    pub id: i64,
    /// Names the message: the header `webhook-id`.
    pub message: String,
    /// What it tells of.
    pub r#type: String,
    /// The run that it is about.
    pub run: Option<String>,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// When the thing happened, RFC 3339 in UTC.
    pub created_at: String,
    /// When it is tried next, while it waits.
    pub next_at: Option<String>,
    /// Its latest tries, the newest first.
    pub attempts: Vec<AttemptView>,
}

/// One try to deliver a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
// The attempts of calls have that name in the description already.
#[schema(as = DeliveryAttempt)]
pub struct AttemptView {
    /// When it began, RFC 3339 in UTC.
    pub at: String,
    /// How long it took up to the answer, µs.
    pub duration_us: i64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it did not arrive, in words.
    pub error: Option<String>,
    /// The first bytes of the answer.
    pub answer: String,
}

/// Some of the deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DeliveryPage {
    /// Newest first.
    pub items: Vec<DeliveryView>,
    /// What to ask for the next page with; none on the last.
    pub next_cursor: Option<String>,
}

/// Without its secret.
pub(super) fn view(webhook: StoredWebhook) -> WebhookView {
    let StoredWebhook { id, name, url, events, enabled, note, created_at, secret: _ } = webhook;
    WebhookView { id, name, url, events, enabled, note, created_at }
}

/// With the times that people read.
pub(super) fn delivery_view(delivery: Delivery) -> DeliveryView {
    let Delivery { id, state, next_us, message, attempts } = delivery;
    DeliveryView {
        id,
        next_at: (state == "waiting").then(|| moment(next_us)),
        state,
        created_at: moment(message.at_us),
        message: message.id,
        r#type: message.kind,
        run: message.run,
        attempts: attempts
            .into_iter()
            .map(|a| AttemptView {
                at: moment(a.at_us),
                duration_us: a.duration_us,
                status: a.status,
                error: a.error,
                answer: a.answer,
            })
            .collect(),
    }
}
