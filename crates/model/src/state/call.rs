//! Where one call and each of its attempts stands. Part of the fold: `state` applies the events.

use serde::{Deserialize, Serialize};

use crate::{
    Attempt, AttemptEnd, CallEnd, Failure, FailureKind, Finish, LaneId, Micros, RouteId, Usage,
    UsdMicros,
};

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CallStatus {
    /// Waiting for a lane, or for its next attempt.
    Queued,
    /// An attempt is under way.
    Running,
    /// It has an answer.
    Succeeded,
    /// It has none and gets none.
    Failed,
    /// It has one that is not of the form asked for.
    Invalid,
    /// Stopped by the user.
    Cancelled,
}

impl CallStatus {
    /// Whether it has ended without an answer that is of use, and not because the user said so.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Invalid)
    }
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptResult {
    /// Under way.
    Running,
    /// Gave the answer.
    Succeeded,
    /// Gave none.
    Failed,
    /// Stopped in the middle.
    Cancelled,
}

/// One HTTP request of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptState {
    /// Which try.
    pub attempt: Attempt,
    /// On which lane.
    pub lane: LaneId,
    /// Where it went.
    #[serde(default, skip_serializing_if = "RouteId::is_first")]
    pub route: RouteId,
    /// Whether it was a second attempt beside one that took long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// When it began.
    pub start: Micros,
    /// When its first text arrived.
    pub first_token: Option<Micros>,
    /// When it ended.
    pub end: Option<Micros>,
    /// How it stands.
    pub result: AttemptResult,
    /// Tokens, when it succeeded; an estimate, when another attempt was faster.
    pub usage: Option<Usage>,
    /// What these cost, when the price is known.
    pub cost_usd_micros: Option<UsdMicros>,
    /// Why the answer ended, when it succeeded.
    pub finish: Option<Finish>,
    /// Why it failed, when it did.
    pub failure: Option<Failure>,
    /// When the call becomes ready for the next attempt, when there is to be one.
    pub retry_at: Option<Micros>,
}

/// One task on one document in one pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CallState {
    /// When it became ready for the first time.
    pub ready: Option<Micros>,
    /// Its attempts in order.
    pub attempts: Vec<AttemptState>,
    /// When it ended.
    pub end: Option<Micros>,
    /// How it ended.
    pub ended: Option<CallEndState>,
    /// The answer; while it streams and after a failure, what there is of it.
    pub output: String,
    /// Why it failed, when it did.
    pub failure: Option<Failure>,
    /// The tokens that its answer used when it was asked for, when it came from the response cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached: Option<Usage>,
    /// When it waited for the answer to an identical call: spans in order, without overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<(Micros, Micros)>,
    /// Since when it waits for one now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaiting: Option<Micros>,
    /// When it was reopened last, having ended without an answer: attempts before that do not count
    /// any more for how often it may be tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened: Option<Micros>,
    /// How many pieces of personal data its last request had placeholders for.
    #[serde(default, skip_serializing_if = "crate::event::is_none")]
    pub redacted: u32,
}

/// How a call ended, without the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEndState {
    /// With an answer.
    Succeeded,
    /// Without one.
    Failed,
    /// Stopped by the user.
    Cancelled,
}

impl CallState {
    pub(super) fn start_attempt(
        &mut self,
        at: Micros,
        lane: LaneId,
        attempt: Attempt,
        route: RouteId,
        hedge: bool,
    ) {
        self.end_waiting(at);
        // The text of the attempt beside which it runs goes on.
        if !hedge {
            self.output.clear();
        }
        // Nearly all calls have one: room for four would be most of what a large run takes.
        if self.attempts.is_empty() {
            self.attempts.reserve_exact(1);
        }
        self.attempts.push(AttemptState {
            attempt,
            lane,
            route,
            hedge,
            start: at,
            first_token: None,
            end: None,
            result: AttemptResult::Running,
            usage: None,
            cost_usd_micros: None,
            finish: None,
            failure: None,
            retry_at: None,
        });
    }

    /// It waits for no identical call any longer.
    pub(super) fn end_waiting(&mut self, at: Micros) {
        self.awaited.extend(self.awaiting.take().map(|from| (from, at)));
    }

    /// It had ended without an answer, and is to be tried again.
    pub(super) fn reopen(&mut self, at: Micros) {
        self.end = None;
        self.ended = None;
        self.failure = None;
        self.output = String::new();
        self.reopened = Some(at);
    }

    /// The attempts that count for how often it may be tried: those since it was reopened.
    #[must_use]
    pub fn tries(&self) -> &[AttemptState] {
        let first = match self.reopened {
            Some(at) => self.attempts.partition_point(|a| a.start < at),
            None => 0,
        };
        self.attempts.get(first..).unwrap_or_default()
    }

    /// Whether this attempt's text is the one that is shown.
    pub(super) fn is_streaming(&self, number: u32) -> bool {
        let shown = self.attempts.iter().rfind(|a| a.attempt.number == number);
        self.ended.is_none() && shown.is_some_and(|a| a.end.is_none() && !a.hedge)
    }

    /// Ends the attempts that are under way, and says whether there were any.
    pub(super) fn interrupt(&mut self, at: Micros) -> bool {
        let mut any = false;
        for attempt in self.attempts.iter_mut().filter(|a| a.end.is_none()) {
            attempt.end = Some(at);
            attempt.result = AttemptResult::Cancelled;
            any = true;
        }
        any
    }

    pub(super) fn end_attempt(&mut self, at: Micros, number: u32, end: &AttemptEnd) {
        let Some(a) = self.attempts.iter_mut().rfind(|a| a.attempt.number == number) else {
            return;
        };
        a.end = Some(at);
        match end {
            AttemptEnd::Succeeded { usage, cost_usd_micros, finish } => {
                a.result = AttemptResult::Succeeded;
                a.usage = Some(*usage);
                a.cost_usd_micros = *cost_usd_micros;
                a.finish = Some(*finish);
            }
            AttemptEnd::Failed { failure, retry_at, usage, cost_usd_micros } => {
                a.usage = *usage;
                a.cost_usd_micros = *cost_usd_micros;
                a.result = AttemptResult::Failed;
                a.failure = Some(failure.clone());
                a.retry_at = *retry_at;
            }
            AttemptEnd::Cancelled { usage, cost_usd_micros } => {
                a.result = AttemptResult::Cancelled;
                a.usage = *usage;
                a.cost_usd_micros = *cost_usd_micros;
            }
        }
    }

    pub(super) fn finish(&mut self, at: Micros, end: &CallEnd) {
        self.end = Some(at);
        self.end_waiting(at);
        let (ended, text) = match end {
            CallEnd::Succeeded { output, cached_usage } => {
                self.cached = *cached_usage;
                (CallEndState::Succeeded, output)
            }
            CallEnd::Failed { failure, partial } => {
                self.failure = Some(failure.clone());
                (CallEndState::Failed, partial)
            }
            CallEnd::Cancelled { partial } => (CallEndState::Cancelled, partial),
        };
        self.ended = Some(ended);
        self.output.clone_from(text);
    }

    /// How the call stands.
    #[must_use]
    pub fn status(&self) -> CallStatus {
        match self.ended {
            Some(CallEndState::Succeeded) => CallStatus::Succeeded,
            Some(CallEndState::Failed) => {
                let invalid = |f: &Failure| f.kind == FailureKind::InvalidOutput;
                match self.failure.as_ref().is_some_and(invalid) {
                    true => CallStatus::Invalid,
                    false => CallStatus::Failed,
                }
            }
            Some(CallEndState::Cancelled) => CallStatus::Cancelled,
            None if self.attempts.iter().any(|a| a.end.is_none()) => CallStatus::Running,
            None => CallStatus::Queued,
        }
    }

    /// When its first attempt began.
    #[must_use]
    pub fn start(&self) -> Option<Micros> {
        self.attempts.first().map(|a| a.start)
    }

    /// The tokens of its answer: what the attempt used that gave it, of this run or, when it came from
    /// the response cache, of the one that asked.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.cached.or_else(|| self.successful()?.usage)
    }

    /// The attempt that gave the answer.
    #[must_use]
    pub fn successful(&self) -> Option<&AttemptState> {
        self.attempts.iter().rfind(|a| a.result == AttemptResult::Succeeded)
    }
}

impl AttemptState {
    /// The time from its start to its end, or to `now` while it goes on.
    #[must_use]
    pub fn duration(&self, now: Micros) -> Micros {
        self.end.unwrap_or(now).since(self.start)
    }
}
