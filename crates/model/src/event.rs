//! The log of a run. The engine writes it, the store keeps it, everything else reads it.
//!
//! Durable events are these; token text is [`Progress`]: published live, and kept once, as the
//! output in the call's last event. Events are public and stored: fields are only ever added, with
//! a default.

use serde::{Deserialize, Serialize};

use crate::{
    CallId, Failure, Health, HoldReason, LaneId, LimitReason, Micros, PassId, Priority, RouteId,
    RunHeader, RunStatus, Seq, UsdMicros,
};

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunEvent {
    /// Its place in the log.
    pub seq: Seq,
    /// When, on the run's clock.
    #[serde(rename = "at_us")]
    pub at: Micros,
    /// What.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Which try this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// The most there will be.
    pub of: u32,
}

/// Tokens of one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Usage {
    /// Prompt tokens, the cached ones included.
    pub input: u64,
    /// Answer tokens.
    pub output: u64,
    /// Prompt tokens that the provider took from its own prompt cache.
    pub cached: u64,
    /// Whether the provider reported none and these are counted here.
    #[serde(default)]
    pub estimated: bool,
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Finish {
    /// It was complete.
    #[default]
    Stop,
    /// It reached the task's most tokens: what there is of it is kept.
    Length,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum AttemptEnd {
    /// With an answer.
    Succeeded {
        /// Tokens used.
        usage: Usage,
        /// Cost in micro-dollars; `None` when the model's price is not known.
        cost_usd_micros: Option<UsdMicros>,
        /// Why the answer ended.
        finish: Finish,
    },
    /// Without one.
    Failed {
        /// Why.
        failure: Failure,
        /// When the call will be ready again, on the run's clock; `None` when it is not retried.
        #[serde(rename = "retry_at_us")]
        retry_at: Option<Micros>,
        /// Tokens used, when there was an answer and it was of no use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What these cost, when the model's price is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_usd_micros: Option<UsdMicros>,
    },
    /// Stopped by the user, by the end of the program, or because another attempt of its call
    /// answered first.
    Cancelled {
        /// Tokens that it is estimated to have used, when it lost to another attempt.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What these cost, when the model's price is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cost_usd_micros: Option<UsdMicros>,
    },
}

impl AttemptEnd {
    /// Stopped, with nothing to pay that is known.
    pub const CANCELLED: Self = Self::Cancelled { usage: None, cost_usd_micros: None };
}

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum CallEnd {
    /// With an answer.
    Succeeded {
        /// The answer's text.
        output: String,
        /// The tokens that the answer used when it was asked for, of one that came from the response
        /// cache: then no attempt led to it and it cost nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cached_usage: Option<Usage>,
    },
    /// Without one.
    Failed {
        /// Why the last attempt failed.
        failure: Failure,
        /// What had arrived of the last answer, for display only.
        partial: String,
    },
    /// Stopped by the user.
    Cancelled {
        /// What had arrived of the answer.
        partial: String,
    },
}

/// How a pass ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassEnd {
    /// Every call ended by itself.
    Completed,
    /// The user stopped it.
    Cancelled,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum EventKind {
    /// The first event: the plan.
    RunCreated {
        /// All that is known before the first call.
        header: Box<RunHeader>,
    },
    /// The engine took the run up.
    RunStarted,
    /// A pass began.
    PassStarted {
        /// Which.
        pass: PassId,
        /// The wall clock at that moment, RFC 3339 in UTC.
        started_at: String,
    },
    /// Calls are ready to run: `count` of them from `first` on.
    CallsQueued {
        /// In which pass.
        pass: PassId,
        /// The first of them.
        first: CallId,
        /// How many.
        count: u32,
    },
    /// The answer to an identical call is on its way, and a call waits for it: until the next
    /// `calls_queued`, `attempt_started` or `call_ended` of the call.
    CallAwaits {
        /// In which pass.
        pass: PassId,
        /// Which.
        call: CallId,
    },
    /// A request is about to be sent.
    AttemptStarted {
        /// In which pass.
        pass: PassId,
        /// For which call.
        call: CallId,
        /// On which lane.
        lane: LaneId,
        /// Which try.
        attempt: Attempt,
        /// How long the pass's next attempt had been held back.
        #[serde(rename = "held_us", default, skip_serializing_if = "Micros::is_zero")]
        held: Micros,
        /// By what.
        #[serde(default, skip_serializing_if = "HoldReason::is_rate_limit")]
        held_by: HoldReason,
        /// Where to.
        #[serde(default, skip_serializing_if = "RouteId::is_first")]
        route: RouteId,
        /// Whether it is a second attempt beside one that takes long.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        hedge: bool,
        /// How many pieces of personal data its request has placeholders for.
        #[serde(default, skip_serializing_if = "is_none")]
        redacted: u32,
    },
    /// Something holds back a pass; not written for short times, which `attempt_started` tells of.
    PassHeld {
        /// Which pass.
        pass: PassId,
        /// Until when, as far as is known.
        #[serde(rename = "until_us")]
        until: Micros,
        /// What.
        #[serde(default, skip_serializing_if = "HoldReason::is_rate_limit")]
        held_by: HoldReason,
        /// In words, when it is more than a limit.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// From now on at most so many lanes are in use.
    LimitChanged {
        /// In which pass.
        pass: PassId,
        /// How many, from 1.
        limit: u32,
        /// Why.
        why: LimitReason,
    },
    /// A circuit breaker opened, let an attempt through or closed.
    RouteChanged {
        /// Of which route.
        route: RouteId,
        /// How it stands now.
        health: Health,
        /// Until when it stays open.
        #[serde(rename = "until_us", default, skip_serializing_if = "Option::is_none")]
        until: Option<Micros>,
        /// Why, in words.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        message: String,
    },
    /// The user paused the run: nothing starts, what is under way goes on.
    RunPaused,
    /// The user let a paused run go on.
    RunContinued,
    /// The run goes before others, or after them, from now on.
    PriorityChanged {
        /// How.
        priority: Priority,
    },
    /// The first piece of an answer's text arrived.
    FirstToken {
        /// In which pass.
        pass: PassId,
        /// For which call.
        call: CallId,
        /// Of which attempt.
        number: u32,
    },
    /// An attempt is over; its lane is free.
    AttemptEnded {
        /// In which pass.
        pass: PassId,
        /// For which call.
        call: CallId,
        /// Which attempt.
        number: u32,
        /// How.
        end: AttemptEnd,
    },
    /// A call is over for good.
    CallEnded {
        /// In which pass.
        pass: PassId,
        /// Which.
        call: CallId,
        /// How.
        end: CallEnd,
    },
    /// A pass is over; its time stands still.
    PassEnded {
        /// Which.
        pass: PassId,
        /// How.
        end: PassEnd,
    },
    /// The user asked to stop.
    CancelRequested,
    /// The program ended while the run was going on; attempts in flight are given back.
    RunInterrupted,
    /// The run goes on after an interruption; the time between does not count.
    RunResumed,
    /// Calls of a run that was over, which had ended without an answer, are to be tried again. What
    /// there was of their answers is gone; their attempts stay.
    CallsReopened {
        /// In which pass: it goes on.
        pass: PassId,
        /// Which, in ascending order.
        calls: Vec<CallId>,
    },
    /// The last event, unless the run is resumed or calls of it are reopened.
    RunEnded {
        /// How it ended.
        status: RunStatus,
    },
}

/// Whether there are none.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
pub(crate) const fn is_none(count: &u32) -> bool {
    *count == 0
}

impl EventKind {
    /// Whether nothing follows this event while the run is at rest. A stream of events closes after
    /// it.
    #[must_use]
    pub const fn is_terminal(&self) -> bool {
        matches!(self, Self::RunEnded { .. } | Self::RunInterrupted)
    }
}

/// A piece of an answer's text while it streams. Not stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// In which pass.
    pub pass: PassId,
    /// For which call.
    pub call: CallId,
    /// Of which attempt.
    pub number: u32,
    /// Where the piece belongs, in bytes from the start of the answer: with it a piece that comes
    /// twice is applied once.
    pub offset: u32,
    /// The piece.
    pub text: String,
}
