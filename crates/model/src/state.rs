//! [`RunState`]: the fold over a run's log that every face reads.
//!
//! `apply` is pure and idempotent by sequence number, so that a snapshot and the events after it can
//! overlap, and a stream can begin anywhere. Times are on the run's clock.

use serde::{Deserialize, Serialize};

use crate::{
    Attempt, AttemptEnd, CallEnd, CallId, EventKind, Failure, Finish, LaneId, Micros, PassEnd,
    PassId, PassMode, Progress, RunEvent, RunHeader, Seq, Usage, UsdMicros,
};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Accepted, not begun.
    Queued,
    /// Going on.
    Running,
    /// Every call has an answer.
    Succeeded,
    /// Some calls have an answer and some failed.
    Partial,
    /// No call has an answer.
    Failed,
    /// Stopped by the user.
    Cancelled,
    /// The program ended in the middle.
    Interrupted,
}

impl RunStatus {
    /// Every status, for filters.
    pub const ALL: [RunStatus; 7] = [
        RunStatus::Queued,
        RunStatus::Running,
        RunStatus::Succeeded,
        RunStatus::Partial,
        RunStatus::Failed,
        RunStatus::Cancelled,
        RunStatus::Interrupted,
    ];

    /// The name used in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            RunStatus::Queued => "queued",
            RunStatus::Running => "running",
            RunStatus::Succeeded => "succeeded",
            RunStatus::Partial => "partial",
            RunStatus::Failed => "failed",
            RunStatus::Cancelled => "cancelled",
            RunStatus::Interrupted => "interrupted",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.id() == id)
    }

    /// Whether more events are to be expected by themselves.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, RunStatus::Queued | RunStatus::Running)
    }
}

/// How a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PassStatus {
    /// Not begun.
    Waiting,
    /// Going on.
    Running,
    /// Every call ended by itself.
    Completed,
    /// Stopped by the user.
    Cancelled,
}

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    /// Waiting for a lane, or for its next attempt.
    Queued,
    /// An attempt is under way.
    Running,
    /// It has an answer.
    Succeeded,
    /// It has none and gets none.
    Failed,
    /// Stopped by the user.
    Cancelled,
}

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// When it began.
    pub start: Micros,
    /// When its first text arrived.
    pub first_token: Option<Micros>,
    /// When it ended.
    pub end: Option<Micros>,
    /// How it stands.
    pub result: AttemptResult,
    /// Tokens, when it succeeded.
    pub usage: Option<Usage>,
    /// Cost, when it succeeded and the price is known.
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

/// A rate limit that holds back one attempt after the other does so without a break: what lies
/// between is the engine at work.
const ONE_HOLD: Micros = Micros::from_millis(2);

/// One timed execution of all calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassState {
    /// How it executes.
    pub mode: PassMode,
    /// Concurrency slots.
    pub lanes: u32,
    /// How it stands.
    pub status: PassStatus,
    /// The wall clock at its start, RFC 3339 in UTC.
    pub started_at: Option<String>,
    /// When it began: the first call was admitted.
    pub start: Option<Micros>,
    /// When it ended: the last result was in.
    pub end: Option<Micros>,
    /// Its calls, by [`CallId`].
    pub calls: Vec<CallState>,
    /// When the provider's rate limit held it back: spans in order, without overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<(Micros, Micros)>,
    /// The span in which it is held back now, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<(Micros, Micros)>,
}

/// A run, as its log so far tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunState {
    /// The place of the last event applied.
    pub last_seq: Seq,
    /// The clock's latest reading in the log.
    pub latest: Micros,
    /// How it stands.
    pub status: RunStatus,
    /// Whether the user asked to stop.
    pub cancel_requested: bool,
    /// How often it was taken up again after an interruption. The time between does not count.
    pub resumed: u32,
    /// The plan.
    pub header: RunHeader,
    /// The passes, by [`PassId`].
    pub passes: Vec<PassState>,
}

/// A log that cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The log has no events.
    #[error("the log is empty")]
    Empty,
    /// The log does not begin with the run's header.
    #[error("the log begins with event {0}, not with the run's header")]
    NoHeader(Seq),
    /// Events are missing.
    #[error("event {found} follows event {last}: events between them are missing")]
    Gap {
        /// The last one applied.
        last: Seq,
        /// The one that came.
        found: Seq,
    },
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Applied {
    /// It was the next one and is applied.
    Yes,
    /// It had been applied before.
    Duplicate,
    /// Events before it are missing; it is not applied.
    Gap,
}

impl RunState {
    /// The state after the first event of a log.
    ///
    /// # Errors
    /// [`FoldError::NoHeader`] when that event is another one.
    pub fn begin(first: &RunEvent) -> Result<Self, FoldError> {
        let EventKind::RunCreated { header } = &first.kind else {
            return Err(FoldError::NoHeader(first.seq));
        };
        let calls = vec![CallState::default(); header.plan.calls.len()];
        let passes = header
            .plan
            .passes
            .iter()
            .map(|p| PassState {
                mode: p.mode,
                lanes: p.lanes,
                status: PassStatus::Waiting,
                started_at: None,
                start: None,
                end: None,
                calls: calls.clone(),
                holds: Vec::new(),
                holding: None,
            })
            .collect();
        Ok(Self {
            last_seq: first.seq,
            latest: first.at,
            status: RunStatus::Queued,
            cancel_requested: false,
            resumed: 0,
            header: (**header).clone(),
            passes,
        })
    }

    /// The state after a whole log.
    ///
    /// # Errors
    /// [`FoldError`] when the log is empty, does not begin with a header or has a gap.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a RunEvent>) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let mut state = Self::begin(events.next().ok_or(FoldError::Empty)?)?;
        for event in events {
            if state.apply(event) == Applied::Gap {
                return Err(FoldError::Gap { last: state.last_seq, found: event.seq });
            }
        }
        Ok(state)
    }

    /// Applies one event, once: an event at or before `last_seq` changes nothing.
    pub fn apply(&mut self, event: &RunEvent) -> Applied {
        if event.seq <= self.last_seq {
            return Applied::Duplicate;
        }
        if event.seq != self.last_seq.next() {
            return Applied::Gap;
        }
        self.last_seq = event.seq;
        self.latest = self.latest.max(event.at);
        self.apply_kind(event.at, &event.kind);
        Applied::Yes
    }

    fn apply_kind(&mut self, at: Micros, kind: &EventKind) {
        match kind {
            EventKind::RunCreated { .. } => {}
            EventKind::RunStarted => self.status = RunStatus::Running,
            EventKind::PassStarted { pass, started_at } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.status = PassStatus::Running;
                    p.start = Some(at);
                    p.started_at = Some(started_at.clone());
                }
            }
            EventKind::CallsQueued { pass, first, count } => {
                let Some(p) = self.pass_mut(*pass) else { return };
                for call in p.calls.iter_mut().skip(first.index()).take(*count as usize) {
                    call.end_waiting(at);
                    call.ready.get_or_insert(at);
                }
            }
            EventKind::CallAwaits { pass, call } => {
                if let Some(c) = self.call_mut(*pass, *call) {
                    c.awaiting = Some(at);
                }
            }
            EventKind::PassHeld { pass, until } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.holding = Some((at, *until));
                }
            }
            EventKind::AttemptStarted { pass, call, lane, attempt, held } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.held(at, *held);
                }
                let Some(c) = self.call_mut(*pass, *call) else { return };
                c.start_attempt(at, *lane, *attempt);
            }
            EventKind::FirstToken { pass, call, number } => {
                if let Some(a) = self.attempt_mut(*pass, *call, *number) {
                    a.first_token = Some(at);
                }
            }
            EventKind::AttemptEnded { pass, call, number, end } => {
                let Some(c) = self.call_mut(*pass, *call) else { return };
                c.end_attempt(at, *number, end);
            }
            EventKind::CallEnded { pass, call, end } => {
                let Some(c) = self.call_mut(*pass, *call) else { return };
                c.finish(at, end);
            }
            EventKind::PassEnded { pass, end } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.end_hold(at);
                    p.end = Some(at);
                    p.status = match end {
                        PassEnd::Completed => PassStatus::Completed,
                        PassEnd::Cancelled => PassStatus::Cancelled,
                    };
                }
            }
            EventKind::CancelRequested => self.cancel_requested = true,
            EventKind::RunInterrupted => self.interrupt(at),
            EventKind::RunResumed => {
                self.status = RunStatus::Running;
                self.resumed += 1;
            }
            EventKind::RunEnded { status } => self.status = *status,
        }
    }

    /// Attempts in flight are over and their calls wait again; nothing else is lost.
    fn interrupt(&mut self, at: Micros) {
        self.status = RunStatus::Interrupted;
        for call in self.passes.iter_mut().flat_map(|p| &mut p.calls) {
            call.end_waiting(at);
            let number = match call.attempts.last() {
                Some(a) if a.end.is_none() => a.attempt.number,
                _ => continue,
            };
            call.end_attempt(at, number, &AttemptEnd::Cancelled);
            call.output.clear();
        }
    }

    /// Applies a piece of streaming text, once: what is already there is passed over, and a piece
    /// that leaves a hole waits for the pieces before it (the sender repeats from the start).
    pub fn apply_progress(&mut self, progress: &Progress) -> bool {
        let Some(call) = self.call_mut(progress.pass, progress.call) else { return false };
        let streaming = call
            .attempts
            .last()
            .is_some_and(|a| a.attempt.number == progress.number && a.end.is_none());
        if !streaming || call.ended.is_some() {
            return false;
        }
        let have = call.output.len();
        let Some(skip) = have.checked_sub(progress.offset as usize) else { return false };
        match progress.text.get(skip..) {
            Some(new) if !new.is_empty() => {
                call.output.push_str(new);
                true
            }
            _ => false,
        }
    }

    fn pass_mut(&mut self, pass: PassId) -> Option<&mut PassState> {
        self.passes.get_mut(usize::from(pass.0))
    }

    fn call_mut(&mut self, pass: PassId, call: CallId) -> Option<&mut CallState> {
        self.pass_mut(pass)?.calls.get_mut(call.index())
    }

    fn attempt_mut(
        &mut self,
        pass: PassId,
        call: CallId,
        number: u32,
    ) -> Option<&mut AttemptState> {
        self.call_mut(pass, call)?.attempts.iter_mut().rfind(|a| a.attempt.number == number)
    }

    /// The pass of that kind, if the run has one.
    #[must_use]
    pub fn pass(&self, mode: PassMode) -> Option<&PassState> {
        self.passes.iter().find(|p| p.mode == mode)
    }

    /// How the run ends, judged by its calls: the rule behind [`EventKind::RunEnded`].
    #[must_use]
    pub fn outcome(&self) -> RunStatus {
        if self.cancel_requested || self.passes.iter().any(|p| p.status == PassStatus::Cancelled) {
            return RunStatus::Cancelled;
        }
        let mut calls = self.passes.iter().flat_map(|p| &p.calls).map(CallState::status);
        let (mut good, mut bad) = (false, false);
        for status in &mut calls {
            match status {
                CallStatus::Succeeded => good = true,
                _ => bad = true,
            }
        }
        match (good, bad) {
            (true, false) => RunStatus::Succeeded,
            (true, true) => RunStatus::Partial,
            (false, _) => RunStatus::Failed,
        }
    }
}

impl CallState {
    fn start_attempt(&mut self, at: Micros, lane: LaneId, attempt: Attempt) {
        self.output.clear();
        self.end_waiting(at);
        self.attempts.push(AttemptState {
            attempt,
            lane,
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
    fn end_waiting(&mut self, at: Micros) {
        self.awaited.extend(self.awaiting.take().map(|from| (from, at)));
    }

    fn end_attempt(&mut self, at: Micros, number: u32, end: &AttemptEnd) {
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
            AttemptEnd::Failed { failure, retry_at } => {
                a.result = AttemptResult::Failed;
                a.failure = Some(failure.clone());
                a.retry_at = *retry_at;
            }
            AttemptEnd::Cancelled => a.result = AttemptResult::Cancelled,
        }
    }

    fn finish(&mut self, at: Micros, end: &CallEnd) {
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
            Some(CallEndState::Failed) => CallStatus::Failed,
            Some(CallEndState::Cancelled) => CallStatus::Cancelled,
            None if self.attempts.last().is_some_and(|a| a.end.is_none()) => CallStatus::Running,
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

impl PassState {
    /// Whatever held it back does so no longer.
    fn end_hold(&mut self, at: Micros) {
        if let Some((from, until)) = self.holding.take() {
            let until = until.min(at);
            self.held(until, until.since(from));
        }
    }

    /// An attempt started that the rate limit had held back for so long. Holds that follow one
    /// another within [`ONE_HOLD`] are one.
    fn held(&mut self, until: Micros, time: Micros) {
        self.holding = None;
        if time.is_zero() {
            return;
        }
        let from = Micros(until.0.saturating_sub(time.0));
        match self.holds.last_mut() {
            Some(last) if from <= last.1 + ONE_HOLD => last.1 = last.1.max(until),
            _ => self.holds.push((from, until)),
        }
    }

    /// The time from its start to its end, or to `now` while it goes on.
    #[must_use]
    pub fn wall(&self, now: Micros) -> Micros {
        self.start.map_or(Micros::ZERO, |start| self.end.unwrap_or(now).since(start))
    }
}

impl AttemptState {
    /// The time from its start to its end, or to `now` while it goes on.
    #[must_use]
    pub fn duration(&self, now: Micros) -> Micros {
        self.end.unwrap_or(now).since(self.start)
    }
}

#[cfg(test)]
mod tests;
