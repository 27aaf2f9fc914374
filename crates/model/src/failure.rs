//! Why an attempt failed, in a form that every face can show and the engine can decide on.
//!
//! The provider makes these; nothing in a message may contain a key or a whole response body.

use serde::{Deserialize, Serialize};

use crate::Micros;

/// The kinds of failure that are told apart, because a person would do something different about
/// each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FailureKind {
    /// The provider does not accept the key (HTTP 401 or 403).
    InvalidKey,
    /// The account has no credit left (HTTP 402, or 429 with `insufficient_quota`).
    QuotaExhausted,
    /// The provider does not have the model (HTTP 404, `model_not_found`).
    UnknownModel,
    /// The provider refuses this request, and would refuse it again (other HTTP 4xx).
    InvalidRequest,
    /// The provider's content filter stopped the request or its answer.
    ContentRefused,
    /// Too many requests or tokens for now (HTTP 429).
    RateLimited,
    /// The provider failed (HTTP 5xx, or an error inside a successful response).
    ServerError,
    /// No connection could be made: wrong address, refused, no route, TLS.
    Unreachable,
    /// Connected, but no answer within the time allowed.
    Timeout,
    /// The answer was not what the protocol promises.
    MalformedStream,
    /// The answer stopped in the middle.
    TruncatedStream,
    /// The run's own budget of money or time was reached.
    BudgetReached,
    /// The answer is not of the form that its task asks for.
    InvalidOutput,
    /// A call whose answer it needs has none.
    Skipped,
}

impl FailureKind {
    /// Whether the same request may succeed later. The engine retries these and no others.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::ServerError
                | Self::Timeout
                | Self::MalformedStream
                | Self::TruncatedStream
        )
    }

    /// A few words for a badge or a list, in sentence case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::InvalidKey => "Invalid key",
            Self::QuotaExhausted => "Quota exhausted",
            Self::UnknownModel => "Unknown model",
            Self::InvalidRequest => "Request rejected",
            Self::ContentRefused => "Content refused",
            Self::RateLimited => "Rate limited",
            Self::ServerError => "Server error",
            Self::Unreachable => "Unreachable",
            Self::Timeout => "Timed out",
            Self::MalformedStream => "Malformed answer",
            Self::TruncatedStream => "Answer cut off",
            Self::BudgetReached => "Budget reached",
            Self::InvalidOutput => "Invalid answer",
            Self::Skipped => "Skipped",
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::InvalidKey => "Check OPENAI_API_KEY and restart, or choose the simulator.",
            Self::QuotaExhausted => "Add credit to the account, or choose another provider.",
            Self::UnknownModel => "Choose a model that the provider lists.",
            Self::InvalidRequest => "Not retried, because the same request would be refused again.",
            Self::ContentRefused => "Not retried, because the same text would be refused again.",
            Self::RateLimited => "Lower the concurrency, or run again later.",
            Self::ServerError => "The provider had a problem; run again later.",
            Self::Unreachable => "Check OPENAI_BASE_URL, and that the endpoint is running.",
            Self::Timeout => "The provider took too long; run again, or choose a faster model.",
            Self::MalformedStream => {
                "Check that the endpoint speaks the OpenAI chat completions protocol."
            }
            Self::TruncatedStream => "The connection ended in the middle of the answer.",
            Self::BudgetReached => "Run it again with a higher budget to get the rest.",
            Self::InvalidOutput => "Say more clearly in the prompt what form the answer has.",
            Self::Skipped => "Retry what failed before it.",
        }
    }
}

/// One failure, in words that are safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// Which kind, for decisions and grouping.
    pub kind: FailureKind,
    /// What happened, in a sentence that names the cause. Never contains a key.
    pub message: String,
    /// The HTTP status, when there was a response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
    /// How long the provider asked to wait, when it did.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "retry_after_us")]
    pub retry_after: Option<Micros>,
}

impl Failure {
    /// A failure without a response.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), http_status: None, retry_after: None }
    }
}
