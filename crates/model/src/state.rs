//! [`RunState`]: the fold over a run's log that every face reads.
//!
//! `apply` is pure and idempotent by sequence number, so that a snapshot and the events after it can
//! overlap, and a stream can begin anywhere. Times are on the run's clock.

mod call;
mod pass;
mod route;
mod status;

use serde::{Deserialize, Serialize};

use crate::{
    CallId, EventKind, Micros, PassEnd, PassId, PassMode, Priority, Progress, RunEvent, RunHeader,
    Seq,
};

pub use call::{AttemptResult, AttemptState, CallEndState, CallState, CallStatus};
pub use pass::{Hold, LimitChange, PassState, PassStatus};
pub use route::RouteState;
pub use status::RunStatus;

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
    /// Whether the user has paused it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Whether it goes before other runs.
    #[serde(default, skip_serializing_if = "Priority::is_interactive")]
    pub priority: Priority,
    /// The circuit breakers that are not closed, or were not once, by route.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteState>,
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
    /// A call, where there is such.
    #[must_use]
    pub fn call(&self, pass: PassId, call: CallId) -> Option<&CallState> {
        self.passes.get(usize::from(pass.0))?.calls.get(call.index())
    }

    /// The attempt of that number of a call, as events name it.
    #[must_use]
    pub fn attempt(&self, pass: PassId, call: CallId, number: u32) -> Option<&AttemptState> {
        self.call(pass, call)?.attempts.iter().rfind(|a| a.attempt.number == number)
    }

    /// The state after the first event of a log.
    ///
    /// # Errors
    /// [`FoldError::NoHeader`] when that event is another one.
    pub fn begin(first: &RunEvent) -> Result<Self, FoldError> {
        let EventKind::RunCreated { header } = &first.kind else {
            return Err(FoldError::NoHeader(first.seq));
        };
        let passes = header
            .plan
            .passes
            .iter()
            .map(|p| {
                let all = header.plan.calls.len();
                let calls = p.calls.map_or(all, |calls| all.min(calls as usize));
                PassState::new(p.mode, p.lanes, vec![CallState::default(); calls])
            })
            .collect();
        Ok(Self {
            last_seq: first.seq,
            latest: first.at,
            status: RunStatus::Queued,
            cancel_requested: false,
            paused: false,
            priority: header.spec.priority,
            routes: Vec::new(),
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
            EventKind::PassHeld { pass, until, held_by, message } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.hold(
                        at,
                        Hold { from: at, until: *until, why: *held_by, message: message.clone() },
                    );
                }
            }
            EventKind::AttemptStarted {
                pass,
                call,
                lane,
                attempt,
                held,
                held_by,
                route,
                hedge,
                redacted,
            } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.held(at, *held, *held_by);
                }
                let Some(c) = self.call_mut(*pass, *call) else { return };
                c.start_attempt(at, *lane, *attempt, *route, *hedge);
                c.redacted = *redacted;
            }
            EventKind::LimitChanged { pass, limit, why } => {
                if let Some(p) = self.pass_mut(*pass) {
                    p.set_limit(at, *limit, *why);
                }
            }
            EventKind::RouteChanged { route, health, until, message } => {
                self.change_route(*route, *health, *until, message);
            }
            EventKind::RunPaused => {
                self.paused = true;
                for p in self.passes.iter_mut().filter(|p| p.status == PassStatus::Running) {
                    p.end_hold(at);
                    p.paused = Some(at);
                }
            }
            EventKind::RunContinued => {
                self.paused = false;
                self.passes.iter_mut().for_each(|p| p.end_pause(at));
            }
            EventKind::PriorityChanged { priority } => self.priority = *priority,
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
            EventKind::CallsReopened { pass, calls } => {
                self.status = RunStatus::Queued;
                let Some(p) = self.pass_mut(*pass) else { return };
                p.status = PassStatus::Running;
                p.end = None;
                for id in calls {
                    p.calls.get_mut(id.index()).into_iter().for_each(|c| c.reopen(at));
                }
            }
            EventKind::RunEnded { status } => self.status = *status,
        }
    }

    /// Attempts in flight are over and their calls wait again; nothing else is lost.
    fn interrupt(&mut self, at: Micros) {
        self.status = RunStatus::Interrupted;
        for pass in &mut self.passes {
            for call in &mut pass.calls {
                call.end_waiting(at);
                if call.interrupt(at) {
                    call.output.clear();
                }
            }
        }
    }

    /// Applies a piece of streaming text, once: what is already there is passed over, and a piece
    /// that leaves a hole waits for the pieces before it (the sender repeats from the start).
    pub fn apply_progress(&mut self, progress: &Progress) -> bool {
        let Some(call) = self.call_mut(progress.pass, progress.call) else { return false };
        if !call.is_streaming(progress.number) {
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
}

#[cfg(test)]
mod tests;
