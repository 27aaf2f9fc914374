//! The time ledger: every lane-microsecond of a pass is in exactly one [`LedgerState`].
//!
//! [`segments`] says which lane did what and when; [`Ledger`] adds that up. The parts sum to
//! lanes × wall time exactly, because the segments cover every lane without a hole or an overlap.

use serde::{Deserialize, Serialize};

use crate::{CallId, LaneId, Micros};

pub use crate::segments::{call_segments, segments};

/// What a lane does at a moment. The order is the order people see them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerState {
    /// Text is arriving.
    Generating,
    /// A request is under way and no text has arrived.
    TimeToFirstToken,
    /// A call is ready, and the provider's rate limit does not let it start.
    RateLimitWait,
    /// A failed call waits for its next attempt.
    RetryBackoff,
    /// An attempt that failed.
    FailedAttempt,
    /// A call waits for the result of another.
    DependencyWait,
    /// A call is ready, and a slot shared with other runs is not free.
    QueueWait,
    /// A call is ready and permitted, and not sent yet: our own time.
    Engine,
    /// There is no call left to start.
    Idle,
}

impl LedgerState {
    /// All nine, in the order people see them.
    pub const ALL: [LedgerState; 9] = [
        LedgerState::Generating,
        LedgerState::TimeToFirstToken,
        LedgerState::RateLimitWait,
        LedgerState::RetryBackoff,
        LedgerState::FailedAttempt,
        LedgerState::DependencyWait,
        LedgerState::QueueWait,
        LedgerState::Engine,
        LedgerState::Idle,
    ];

    /// The name people read, in sentence case.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            LedgerState::Generating => "Generating",
            LedgerState::TimeToFirstToken => "Time to first token",
            LedgerState::RateLimitWait => "Rate-limit wait",
            LedgerState::RetryBackoff => "Retry backoff",
            LedgerState::FailedAttempt => "Failed attempt",
            LedgerState::DependencyWait => "Dependency wait",
            LedgerState::QueueWait => "Queue wait",
            LedgerState::Engine => "Engine overhead",
            LedgerState::Idle => "Idle",
        }
    }

    /// The suffix of its class in the style sheet, as in `bar--gen`.
    #[must_use]
    pub const fn class(self) -> &'static str {
        match self {
            LedgerState::Generating => "gen",
            LedgerState::TimeToFirstToken => "ttft",
            LedgerState::RateLimitWait => "rate",
            LedgerState::RetryBackoff => "retry",
            LedgerState::FailedAttempt => "fail",
            LedgerState::DependencyWait => "dep",
            LedgerState::QueueWait => "queue",
            LedgerState::Engine => "over",
            LedgerState::Idle => "idle",
        }
    }

    /// The name used in exports: the field of [`Ledger`] without `_us`.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            LedgerState::Generating => "generating",
            LedgerState::TimeToFirstToken => "ttft",
            LedgerState::RateLimitWait => "rate_limit",
            LedgerState::RetryBackoff => "backoff",
            LedgerState::FailedAttempt => "failed",
            LedgerState::DependencyWait => "dependency",
            LedgerState::QueueWait => "queue",
            LedgerState::Engine => "engine",
            LedgerState::Idle => "idle",
        }
    }
}

/// A stretch of one lane in one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which lane.
    pub lane: LaneId,
    /// From when, counted from the start of the pass.
    pub start: Micros,
    /// To when, counted from the start of the pass; after `start`.
    pub end: Micros,
    /// Doing what.
    pub state: LedgerState,
    /// For which call; `None` for idle time.
    pub call: Option<CallId>,
    /// In which attempt of the call, from 1; for a wait, the attempt before it; 0 before the first.
    pub attempt: u32,
}

impl Segment {
    /// How long it lasts.
    #[must_use]
    pub const fn duration(&self) -> Micros {
        self.end.since(self.start)
    }
}

/// Lane time by state, in microseconds. Over all segments of a pass the parts sum to
/// lanes × wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ledger {
    /// Requests under way before their first text.
    pub ttft_us: u64,
    /// Text arriving.
    pub generating_us: u64,
    /// Attempts that failed.
    pub failed_us: u64,
    /// Waits for the provider's rate limit.
    pub rate_limit_us: u64,
    /// Waits before a retry.
    pub backoff_us: u64,
    /// Waits for the result of another call.
    pub dependency_us: u64,
    /// Waits for a slot shared with other runs.
    pub queue_us: u64,
    /// Our own time between a call being ready and being sent.
    pub engine_us: u64,
    /// Nothing left to start.
    pub idle_us: u64,
}

impl Ledger {
    /// Adds up segments.
    #[must_use]
    pub fn of(segments: &[Segment]) -> Self {
        let mut ledger = Ledger::default();
        for segment in segments {
            let field = ledger.field(segment.state);
            *field = field.saturating_add(segment.duration().0);
        }
        ledger
    }

    fn field(&mut self, state: LedgerState) -> &mut u64 {
        match state {
            LedgerState::Generating => &mut self.generating_us,
            LedgerState::TimeToFirstToken => &mut self.ttft_us,
            LedgerState::RateLimitWait => &mut self.rate_limit_us,
            LedgerState::RetryBackoff => &mut self.backoff_us,
            LedgerState::FailedAttempt => &mut self.failed_us,
            LedgerState::DependencyWait => &mut self.dependency_us,
            LedgerState::QueueWait => &mut self.queue_us,
            LedgerState::Engine => &mut self.engine_us,
            LedgerState::Idle => &mut self.idle_us,
        }
    }

    /// The lane time in one state.
    #[must_use]
    pub fn get(&self, state: LedgerState) -> Micros {
        let mut copy = *self;
        Micros(*copy.field(state))
    }

    /// The lane time in all states: lanes × wall time of the pass.
    #[must_use]
    pub fn total(&self) -> Micros {
        LedgerState::ALL.into_iter().map(|state| self.get(state)).sum()
    }
}
