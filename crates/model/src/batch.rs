//! [`Batch`]: what is told of a large run many times a second, kept up to date event by event, so that
//! nobody walks its calls for it.
//!
//! A fold beside [`RunState`]. Rule: after any log it equals [`Batch::of`], a recount of the state;
//! everything in it is a sum, so that the order of events does not matter.

use std::collections::BTreeMap;

use crate::event::Usage;
use crate::view::Counts;
use crate::{
    Applied, AttemptResult, AttemptState, CallId, CallState, CallStatus, EventKind, Failure,
    FailureKind, Micros, PassId, RunEvent, RunState, UsdMicros,
};

mod failures;
mod frame;
mod history;
mod outcome;
mod rows;
mod timeline;

pub use failures::{FailureGroup, Reopen, reopened};
pub use frame::{CutFrame, Frame, HistoryFrame, StageFrame};
pub use history::{History, Point};
pub use outcome::Outcome;
pub use rows::{CallQuery, CallRow, CallSort, Grid, GridCell, GridColumn, GridQuery, GridRow};
pub use timeline::{Bar, Timeline, Window};

/// A run with more calls than this is a batch: its calls are read page by page, its page shows sums.
pub const MANY_CALLS: usize = 500;
/// Ends of calls are remembered one by one second for so long, for the throughput of now.
const RECENT_S: u64 = 30;

/// What kind of failure, in which stage.
type Kind = (u16, FailureKind, Option<u16>);

/// Sums over one stage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    /// Attempts that have ended, their time and its square, µs.
    pub(crate) attempts: u64,
    pub(crate) busy: u128,
    pub(crate) squares: u128,
}

/// Calls that failed in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failed {
    calls: u32,
    attempts: u64,
    last: (Micros, PassId, CallId),
    message: String,
}

/// The sums of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Batch {
    stages: Vec<Tally>,
    /// When the attempts under way began.
    open: BTreeMap<(PassId, CallId, u32), Micros>,
    history: History,
    /// Calls that ended, by second.
    recent: BTreeMap<u64, u32>,
    failed: BTreeMap<Kind, Failed>,
    /// Calls of each document that have not ended.
    left: Vec<u32>,
    documents_done: u32,
    usage: Usage,
    spent: Option<UsdMicros>,
}

impl Batch {
    /// The sums of a run as it stands.
    #[must_use]
    pub fn of(state: &RunState) -> Self {
        let plan = &state.header.plan;
        let mut batch = Self {
            stages: vec![Tally::default(); plan.stages.len().max(1)],
            left: vec![0; state.header.documents.len()],
            ..Self::default()
        };
        for planned in &plan.calls {
            if let Some(left) = planned.document.and_then(|d| batch.left.get_mut(d as usize)) {
                *left += u32::try_from(state.passes.len()).unwrap_or(u32::MAX);
            }
        }
        batch.documents_done = batch.left.iter().filter(|left| **left == 0).count() as u32;
        for (pass, p) in (0..).map(PassId).zip(&state.passes) {
            for (id, call) in (0..).map(CallId).zip(&p.calls) {
                let stage = batch.stage_of(state, id);
                batch.count(stage, call.status(), true);
                for attempt in &call.attempts {
                    match attempt.end {
                        None => {
                            batch.open.insert((pass, id, attempt.attempt.number), attempt.start);
                        }
                        Some(_) => batch.attempt_ended(stage, attempt),
                    }
                }
                batch.call_ended(state, stage, pass, id, call);
            }
        }
        batch.forget(state.latest);
        batch
    }

    /// Applies an event to a run and to its sums.
    pub fn apply(&mut self, state: &mut RunState, event: &RunEvent) -> Applied {
        let touched = match &event.kind {
            EventKind::AttemptStarted { pass, call, .. }
            | EventKind::AttemptEnded { pass, call, .. }
            | EventKind::CallEnded { pass, call, .. } => Some((*pass, *call)),
            _ => None,
        };
        let before = touched.and_then(|(p, c)| state.call(p, c)).map(|c| (c.status(), c.end));
        let applied = state.apply(event);
        if applied != Applied::Yes {
            return applied;
        }
        if let EventKind::RunInterrupted | EventKind::CallsReopened { .. } = event.kind {
            // Seldom, and it changes many calls at once.
            *self = Self::of(state);
            return applied;
        }
        if let (Some((pass, id)), Some((was, ended))) = (touched, before)
            && let Some(call) = state.call(pass, id)
        {
            let stage = self.stage_of(state, id);
            self.count(stage, was, false);
            self.count(stage, call.status(), true);
            match &event.kind {
                EventKind::AttemptStarted { attempt, .. } => {
                    self.open.insert((pass, id, attempt.number), event.at);
                }
                EventKind::AttemptEnded { number, .. } => {
                    let attempt = call.attempts.iter().rfind(|a| a.attempt.number == *number);
                    if self.open.remove(&(pass, id, *number)).is_some()
                        && let Some(attempt) = attempt
                    {
                        self.attempt_ended(stage, attempt);
                    }
                }
                _ if ended.is_none() => self.call_ended(state, stage, pass, id, call),
                _ => {}
            }
        }
        self.forget(state.latest);
        applied
    }

    fn stage_of(&self, state: &RunState, call: CallId) -> u16 {
        let stage = state.header.plan.calls.get(call.index()).map_or(0, |planned| planned.stage);
        if usize::from(stage) < self.stages.len() { stage } else { 0 }
    }

    fn count(&mut self, stage: u16, status: CallStatus, add: bool) {
        if let Some(tally) = self.stages.get_mut(usize::from(stage)) {
            let count = tally.counts.of_status(status);
            *count = if add { *count + 1 } else { count.saturating_sub(1) };
        }
    }

    fn attempt_ended(&mut self, stage: u16, attempt: &AttemptState) {
        let Some(end) = attempt.end else { return };
        let time = u128::from(end.since(attempt.start).0);
        if let Some(tally) = self.stages.get_mut(usize::from(stage)) {
            tally.attempts += 1;
            tally.busy += time;
            tally.squares += time * time;
        }
        self.history.busy(attempt.start, end);
        let refused = |f: &Failure| f.kind == FailureKind::RateLimited;
        if attempt.result == AttemptResult::Failed && attempt.failure.as_ref().is_some_and(refused)
        {
            self.history.point(end).refused += 1;
        }
        if let Some(cost) = attempt.cost_usd_micros {
            let spent = self.spent.get_or_insert_default();
            spent.0 = spent.0.saturating_add(cost.0);
        }
        if let Some(usage) = attempt.usage {
            self.usage.input += usage.input;
            self.usage.output += usage.output;
            self.usage.cached += usage.cached;
            self.usage.estimated |= usage.estimated;
        }
    }

    fn call_ended(
        &mut self,
        state: &RunState,
        stage: u16,
        pass: PassId,
        id: CallId,
        call: &CallState,
    ) {
        let Some(end) = call.end else { return };
        let document = state.header.plan.calls.get(id.index()).and_then(|p| p.document);
        if let Some(left) = document.and_then(|d| self.left.get_mut(d as usize)) {
            *left = left.saturating_sub(1);
            self.documents_done += u32::from(*left == 0);
        }
        if call.status() == CallStatus::Cancelled {
            return;
        }
        *self.recent.entry(end.0 / 1_000_000).or_default() += 1;
        let point = self.history.point(end);
        match &call.failure {
            None => point.done += 1,
            Some(failure) => {
                point.failed += 1;
                self.add_failure(stage, failure, (end, pass, id), call.attempts.len() as u64);
            }
        }
    }

    fn add_failure(
        &mut self,
        stage: u16,
        failure: &Failure,
        at: (Micros, PassId, CallId),
        attempts: u64,
    ) {
        let kind = (stage, failure.kind, failure.http_status);
        let group = self.failed.entry(kind).or_insert_with(|| Failed {
            calls: 0,
            attempts: 0,
            last: at,
            message: failure.message.clone(),
        });
        group.calls += 1;
        group.attempts += attempts;
        if at > group.last {
            group.last = at;
            group.message.clone_from(&failure.message);
        }
    }

    /// Lets go of seconds that are not recent any more.
    fn forget(&mut self, latest: Micros) {
        let first = (latest.0 / 1_000_000).saturating_sub(RECENT_S);
        while self.recent.first_key_value().is_some_and(|(second, _)| *second < first) {
            self.recent.pop_first();
        }
    }
}

impl RunState {
    /// Whether it has so many calls that its page shows sums.
    #[must_use]
    pub fn is_large(&self) -> bool {
        self.passes.iter().map(|p| p.calls.len()).sum::<usize>() > MANY_CALLS
    }
}

#[cfg(test)]
mod tests;
