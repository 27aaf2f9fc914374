//! Writes the log: the one place where what happens inside becomes a public event.
//!
//! Also keeps count of how calls end, so that the run's outcome follows the rule of
//! `RunState::outcome` without keeping a whole state.

use std::sync::Arc;

use lanes_model::{
    Attempt, AttemptEnd, CallEnd, CallId, EventKind, Failure, HoldReason, LimitReason, Micros,
    PassEnd, PassId, Progress, RunStatus, Usage, UsdMicros,
};

use crate::pass::Sent;
use crate::{Answer, AttemptId, EventSink, RouteNews};

/// The log being written.
pub(crate) struct Log {
    sink: Arc<dyn EventSink>,
    succeeded: usize,
    /// Of these the ones whose answer came from the response cache.
    reused: usize,
    cancelled: bool,
}

impl Log {
    /// Goes on with a log in which so many calls have already succeeded.
    pub(crate) fn new(sink: Arc<dyn EventSink>, succeeded: usize, cancelled: bool) -> Self {
        Self { sink, succeeded, reused: 0, cancelled }
    }

    /// So many of the calls that have already succeeded did so with an answer from the cache.
    pub(crate) fn with_reused(self, reused: usize) -> Self {
        Self { reused, ..self }
    }

    /// Whether any call was answered, and not by the response cache.
    pub(crate) fn any_succeeded(&self) -> bool {
        self.succeeded > self.reused
    }

    /// Why the log is not stored, while that is so.
    pub(crate) fn trouble(&self) -> Option<String> {
        self.sink.trouble()
    }

    /// Whether the user has asked to stop.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled
    }

    pub(crate) fn run_started(&self, at: Micros) {
        self.sink.append(at, EventKind::RunStarted);
    }

    pub(crate) fn run_resumed(&self, at: Micros) {
        self.sink.append(at, EventKind::RunResumed);
    }

    pub(crate) fn run_interrupted(&self, at: Micros) {
        self.sink.append(at, EventKind::RunInterrupted);
    }

    /// Notes that the user asked to stop, once.
    pub(crate) fn cancel_requested(&mut self, at: Micros) {
        if !std::mem::replace(&mut self.cancelled, true) {
            self.sink.append(at, EventKind::CancelRequested);
        }
    }

    /// Ends a run of so many calls, counted over all passes.
    pub(crate) fn run_ended(&self, at: Micros, calls: usize) -> RunStatus {
        let status = match self.succeeded {
            _ if self.cancelled => RunStatus::Cancelled,
            0 => RunStatus::Failed,
            n if n == calls => RunStatus::Succeeded,
            _ => RunStatus::Partial,
        };
        self.sink.append(at, EventKind::RunEnded { status });
        status
    }

    pub(crate) fn pass_started(&self, at: Micros, pass: PassId, started_at: String) {
        self.sink.append(at, EventKind::PassStarted { pass, started_at });
    }

    pub(crate) fn calls_queued(&self, at: Micros, pass: PassId, first: CallId, count: u32) {
        self.sink.append(at, EventKind::CallsQueued { pass, first, count });
    }

    pub(crate) fn pass_ended(&self, at: Micros, pass: PassId, end: PassEnd) {
        self.sink.append(at, EventKind::PassEnded { pass, end });
    }

    pub(crate) fn attempt_started(&self, at: Micros, id: AttemptId, sent: Sent, redacted: u32) {
        let AttemptId { pass, call, number } = id;
        let Sent { lane, of, held, route, hedge } = sent;
        let (held, held_by) = held
            .map(|(since, by)| (at.since(since), by))
            .filter(|(time, _)| !time.is_zero())
            .unwrap_or_default();
        let attempt = Attempt { number, of };
        self.sink.append(
            at,
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
            },
        );
    }

    pub(crate) fn pass_held(
        &self,
        at: Micros,
        pass: PassId,
        until: Micros,
        held_by: HoldReason,
        message: String,
    ) {
        self.sink.append(at, EventKind::PassHeld { pass, until, held_by, message });
    }

    pub(crate) fn limit_changed(&self, at: Micros, pass: PassId, limit: u32, why: LimitReason) {
        self.sink.append(at, EventKind::LimitChanged { pass, limit, why });
    }

    pub(crate) fn route_changed(&self, at: Micros, news: RouteNews) {
        let RouteNews { route, health, wait, message } = news;
        let until = wait.map(|wait| at + wait);
        self.sink.append(at, EventKind::RouteChanged { route, health, until, message });
    }

    pub(crate) fn paused(&self, at: Micros, paused: bool) {
        let kind = if paused { EventKind::RunPaused } else { EventKind::RunContinued };
        self.sink.append(at, kind);
    }

    pub(crate) fn first_token(&self, at: Micros, id: AttemptId) {
        let AttemptId { pass, call, number } = id;
        self.sink.append(at, EventKind::FirstToken { pass, call, number });
    }

    pub(crate) fn text(&self, id: AttemptId, offset: usize, text: String) {
        let AttemptId { pass, call, number } = id;
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.sink.progress(Progress { pass, call, number, offset, text });
    }

    /// An attempt gave the answer, and with it the call ends.
    pub(crate) fn answered(&mut self, at: Micros, id: AttemptId, answer: Answer) {
        let Answer { text, usage, cost, finish } = answer;
        let AttemptId { pass, call, number } = id;
        self.succeeded += 1;
        let end = AttemptEnd::Succeeded { usage, cost_usd_micros: cost, finish };
        let attempt = EventKind::AttemptEnded { pass, call, number, end };
        // The text stands in the second: without it the answer would have to be asked for again.
        let end = CallEnd::Succeeded { output: text, cached_usage: None };
        self.sink.append_both(at, attempt, EventKind::CallEnded { pass, call, end });
    }

    /// The response cache had the answer: the call ends without an attempt.
    pub(crate) fn reused(&mut self, at: Micros, pass: PassId, call: CallId, answer: Answer) {
        self.succeeded += 1;
        self.reused += 1;
        let end = CallEnd::Succeeded { output: answer.text, cached_usage: Some(answer.usage) };
        self.call_ended(at, pass, call, end);
    }

    /// The answer follows from others: the call ends without an attempt.
    pub(crate) fn known(&mut self, at: Micros, pass: PassId, call: CallId, output: String) {
        self.succeeded += 1;
        self.call_ended(at, pass, call, CallEnd::Succeeded { output, cached_usage: None });
    }

    pub(crate) fn call_awaits(&self, at: Micros, pass: PassId, call: CallId) {
        self.sink.append(at, EventKind::CallAwaits { pass, call });
    }

    pub(crate) fn attempt_failed(
        &self,
        at: Micros,
        id: AttemptId,
        failure: Failure,
        retry_at: Option<Micros>,
    ) {
        self.answer_rejected(at, id, failure, retry_at, None);
    }

    /// An attempt gave an answer that is of no use, with what it has used.
    pub(crate) fn answer_rejected(
        &self,
        at: Micros,
        id: AttemptId,
        failure: Failure,
        retry_at: Option<Micros>,
        used: Option<(Usage, Option<UsdMicros>)>,
    ) {
        let usage = used.map(|(usage, _)| usage);
        let cost_usd_micros = used.and_then(|(_, cost)| cost);
        self.attempt_ended(
            at,
            id,
            AttemptEnd::Failed { failure, retry_at, usage, cost_usd_micros },
        );
    }

    /// An attempt was stopped in the middle, with what it is known to have used.
    pub(crate) fn attempt_cancelled(
        &self,
        at: Micros,
        id: AttemptId,
        used: Option<(Usage, Option<UsdMicros>)>,
    ) {
        let usage = used.map(|(usage, _)| usage);
        let cost_usd_micros = used.and_then(|(_, cost)| cost);
        self.attempt_ended(at, id, AttemptEnd::Cancelled { usage, cost_usd_micros });
    }

    pub(crate) fn call_failed(
        &self,
        at: Micros,
        pass: PassId,
        call: CallId,
        failure: Failure,
        partial: String,
    ) {
        self.call_ended(at, pass, call, CallEnd::Failed { failure, partial });
    }

    pub(crate) fn call_cancelled(&self, at: Micros, pass: PassId, call: CallId, partial: String) {
        self.call_ended(at, pass, call, CallEnd::Cancelled { partial });
    }

    fn attempt_ended(&self, at: Micros, id: AttemptId, end: AttemptEnd) {
        let AttemptId { pass, call, number } = id;
        self.sink.append(at, EventKind::AttemptEnded { pass, call, number, end });
    }

    fn call_ended(&self, at: Micros, pass: PassId, call: CallId, end: CallEnd) {
        self.sink.append(at, EventKind::CallEnded { pass, call, end });
    }
}
