//! The time ledger: every lane-microsecond of a pass is in exactly one [`LedgerState`].

use serde::{Deserialize, Serialize};

use crate::{CallId, LaneId, Micros};

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
