//! Where attempts can go, and what keeps them from going: the words in which the engine's decisions
//! about providers, endpoints and limits stand in the log.

use serde::{Deserialize, Serialize};

use crate::LedgerState;

/// The place of a route in [`crate::RunHeader::routes`]; 0 in a run that has but one.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteId(pub u16);

impl RouteId {
    /// Whether it is the first route.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.0 == 0
    }

    /// Its place.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One endpoint of one provider with one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RouteInfo {
    /// The provider's id.
    pub provider: String,
    /// The name people read; with several endpoints it tells them apart.
    pub name: String,
    /// The model.
    pub model: String,
    /// Whether its answers and times are simulated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// Where a circuit breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Health {
    /// All is well: attempts go.
    #[default]
    Closed,
    /// One attempt goes, to see whether all is well again.
    HalfOpen,
    /// Too much has failed: nothing goes for a while.
    Open,
}

impl Health {
    /// The name people read, in sentence case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Health::Closed => "Closed",
            Health::HalfOpen => "Half-open",
            Health::Open => "Open",
        }
    }
}

/// Why calls of a pass that are ready, with a lane free, do not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HoldReason {
    /// The provider's rate limit.
    #[default]
    RateLimit,
    /// A slot of the provider that other runs use, or a run that goes first.
    Queue,
    /// Every circuit breaker is open: the run waits for a provider to come back.
    Breaker,
    /// The user paused the run.
    Pause,
    /// The log cannot be written: what a new call brought might be lost.
    Storage,
}

impl HoldReason {
    /// Whether it is the usual one.
    #[must_use]
    pub const fn is_rate_limit(&self) -> bool {
        matches!(self, HoldReason::RateLimit)
    }

    /// What the lanes do meanwhile that ready calls wait for.
    #[must_use]
    pub const fn counts_as(self) -> LedgerState {
        match self {
            HoldReason::RateLimit => LedgerState::RateLimitWait,
            HoldReason::Queue | HoldReason::Pause | HoldReason::Storage => LedgerState::QueueWait,
            // Waiting for a provider that failed to come back is a backoff of the whole pass.
            HoldReason::Breaker => LedgerState::RetryBackoff,
        }
    }
}

/// Why the number of lanes in use changed while a pass went on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LimitReason {
    /// Where adaptive concurrency begins.
    Start,
    /// A cut: the provider refused requests (429).
    RateLimited,
    /// A cut: the time to first token grew with the number of requests.
    Slower,
    /// A round in which every lane was busy and nothing was refused.
    Grew,
    /// Once more to where it was cut before.
    Probe,
    /// The user said so.
    User,
}

impl LimitReason {
    /// The name people read, in sentence case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            LimitReason::Start => "Start",
            LimitReason::RateLimited => "Cut: 429",
            LimitReason::Slower => "Cut: first tokens came later",
            LimitReason::Grew => "Grew: clean saturated round",
            LimitReason::Probe => "Probe",
            LimitReason::User => "Set by hand",
        }
    }

    /// Whether it made the limit smaller because the provider could not take more.
    #[must_use]
    pub const fn is_cut(self) -> bool {
        matches!(self, LimitReason::RateLimited | LimitReason::Slower)
    }
}

/// Which runs go first where runs have to share a provider's limits.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Priority {
    /// Somebody waits for it.
    #[default]
    Interactive,
    /// It may take its time.
    Batch,
}

impl Priority {
    /// Whether it is the usual one.
    #[must_use]
    pub const fn is_interactive(&self) -> bool {
        matches!(self, Priority::Interactive)
    }

    /// The name used in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Priority::Interactive => "interactive",
            Priority::Batch => "batch",
        }
    }

    /// The priority of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        [Priority::Interactive, Priority::Batch].into_iter().find(|p| p.id() == id)
    }
}

/// A provider and a model to go on with when the one before has failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// The provider's id.
    pub provider: String,
    /// The model's name.
    pub model: String,
}
