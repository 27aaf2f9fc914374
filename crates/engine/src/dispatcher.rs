//! Owns all scheduling state and makes every decision: this file what starts when, `reports` what
//! follows from what executors report, `lookups` what the response cache is asked.
//!
//! One loop: a stop request, a due time or a batch of executors' reports comes in; the state moves;
//! events go out through `emit`; whatever can start now is started before the loop waits again. No
//! step looks at more than the call it is about.

mod limits;
mod lookups;
mod reports;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lanes_model::state::CallEndState;
use lanes_model::{
    Budget, Failure, Micros, PassEnd, PassId, PassStatus, RunState, RunStatus, UsdMicros,
};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::lookups::Lookups;
use crate::emit::Log;
use crate::executor::{Equipment, perform};
use crate::messages::Report;
use crate::pass::{Pass, Phase};
use crate::stop::StopWatch;
use crate::{Job, Limiter, Permit, PermitRequest, RetryPolicy, Stop};

/// Reports taken in at once, between two looks at the stop request and the timer.
const BATCH: usize = 128;
/// A limiter that names a time which has come already is asked again after this long, not at once.
const SHORTEST_HOLD: Micros = Micros::from_millis(1);
/// How long a stop waits for aborted requests to be gone. They go at once unless a provider blocks
/// its thread.
const GRACE: Duration = Duration::from_millis(250);

/// What is left of the run's budget of retries: attempts that followed a failed one have used it.
fn retries_left(state: &RunState, retry: &RetryPolicy) -> u64 {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let used = calls().flat_map(|c| &c.attempts).filter(|a| a.retry_at.is_some()).count();
    retry.run_budget(calls().count()).saturating_sub(used as u64)
}

/// What the answers that are there have cost.
fn spent(state: &RunState) -> UsdMicros {
    let attempts = state.passes.iter().flat_map(|p| &p.calls).flat_map(|c| &c.attempts);
    attempts.filter_map(|a| a.cost_usd_micros).sum()
}

/// The scheduler of one run.
pub(crate) struct Dispatcher {
    status: RunStatus,
    race: bool,
    passes: Vec<Pass>,
    calls: usize,
    log: Log,
    lookups: Option<Lookups>,
    limiter: Arc<dyn Limiter>,
    retry: RetryPolicy,
    rng: fastrand::Rng,
    /// Retries that the run may still make.
    retries_left: u64,
    budget: Budget,
    /// What answers have cost so far.
    spent: UsdMicros,
    /// The failure that every other call would meet, once there was one.
    fatal: Option<Failure>,
    /// Set when the run stops before its end: nothing starts any more.
    stopping: bool,
    stop: StopWatch,
    equipment: Arc<Equipment>,
    reports: mpsc::UnboundedReceiver<Report>,
    executors: TaskTracker,
    abort: CancellationToken,
}

impl Dispatcher {
    pub(crate) fn new(job: Job) -> Self {
        let Job { state, provider, records, sink, clock, limiter, cache, retry, stop } = job;
        let (sender, reports) = mpsc::unbounded_channel();
        let passes = (0..).map(PassId).zip(&state.passes);
        let calls = state.passes.iter().flat_map(|p| &p.calls);
        let reused = calls.clone().filter(|c| c.cached.is_some()).count();
        let answered = calls.filter(|c| c.ended == Some(CallEndState::Succeeded)).count();
        let cancelled = state.cancel_requested
            || state.passes.iter().any(|p| p.status == PassStatus::Cancelled);
        Self {
            status: state.status,
            race: state.header.plan.race,
            passes: passes.map(|(id, p)| Pass::new(id, p, retry.max_attempts)).collect(),
            calls: state.passes.iter().map(|p| p.calls.len()).sum(),
            log: Log::new(sink, answered, cancelled).with_reused(reused),
            lookups: cache.map(|cache| Lookups::new(cache, &state.passes)),
            limiter,
            retry,
            rng: fastrand::Rng::with_seed(retry.seed),
            retries_left: retries_left(&state, &retry),
            budget: state.header.spec.budget,
            spent: spent(&state),
            fatal: None,
            stopping: false,
            stop: stop.watch(),
            equipment: Arc::new(Equipment { provider, records, clock, reports: sender }),
            reports,
            executors: TaskTracker::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Carries the run out.
    pub(crate) async fn run(mut self) -> RunStatus {
        // Requests in flight end with this future, however it ends.
        let _abort = self.abort.clone().drop_guard();
        let now = self.now();
        match self.status {
            RunStatus::Queued => self.log.run_started(now),
            RunStatus::Interrupted => self.log.run_resumed(now),
            RunStatus::Running => {
                // The program died without a word.
                self.log.run_interrupted(now);
                self.log.run_resumed(now);
            }
            ended => return ended,
        }
        match self.work().await {
            Some(Stop::Interrupt) => {
                self.log.run_interrupted(self.now());
                return RunStatus::Interrupted;
            }
            Some(Stop::Cancel) => self.cancel(),
            None => {}
        }
        self.log.run_ended(self.now(), self.calls)
    }

    /// Works until every pass has ended or something asks to stop.
    async fn work(&mut self) -> Option<Stop> {
        if self.log.is_cancelled() {
            return Some(Stop::Cancel);
        }
        if let Some(stop) = self.stop.requested() {
            return Some(stop);
        }
        self.keep_budget();
        for index in 0..self.passes.len() {
            if self.passes[index].phase == Phase::Running || self.race {
                self.begin(index);
            }
        }
        self.advance();
        let mut inbox = Vec::with_capacity(BATCH);
        let mut alarm = pin!(sleep(Duration::ZERO));
        let mut armed = None;
        while !self.all_ended() {
            let wakes = self.passes.iter().filter_map(Pass::next_wake);
            let wake = wakes.chain(self.deadline()).min();
            if let Some(at) = wake
                && armed != wake
            {
                alarm.as_mut().reset(Instant::now() + at.since(self.now()).into());
                armed = wake;
            }
            // Reports come last: they may never cease, the others do.
            tokio::select! {
                biased;
                stop = self.stop.asked() => {
                    self.halt().await;
                    return (!self.all_ended()).then_some(stop);
                }
                () = &mut alarm, if wake.is_some() => {
                    armed = None;
                    self.keep_budget();
                    self.fill_all();
                }
                _ = self.reports.recv_many(&mut inbox, BATCH) => {
                    for report in inbox.drain(..) {
                        self.handle(report);
                    }
                }
            }
        }
        None
    }

    fn now(&self) -> Micros {
        self.equipment.clock.now()
    }

    fn all_ended(&self) -> bool {
        self.passes.iter().all(|p| p.phase == Phase::Ended)
    }

    /// Drops every request in flight, then takes in what came before that: an answer that is there
    /// is kept and not asked for again.
    async fn halt(&mut self) {
        self.stopping = true;
        self.abort.cancel();
        self.executors.close();
        if timeout(GRACE, self.executors.wait()).await.is_err() {
            tracing::warn!("aborted requests are still there after {GRACE:?}");
        }
        for _ in 0..self.reports.len() {
            let Ok(report) = self.reports.try_recv() else { break };
            self.handle(report);
        }
    }

    /// Begins the next pass when none is running.
    fn advance(&mut self) {
        while !self.stopping && !self.passes.iter().any(|p| p.phase == Phase::Running) {
            let Some(next) = self.passes.iter().position(|p| p.phase == Phase::Waiting) else {
                return;
            };
            self.begin(next);
        }
    }

    /// Begins a pass, or goes on with it.
    fn begin(&mut self, index: usize) {
        let now = self.now();
        let wall = self.equipment.clock.wall();
        let pass = &mut self.passes[index];
        match pass.phase {
            Phase::Waiting => {
                pass.phase = Phase::Running;
                pass.last_end = now;
                self.log.pass_started(now, pass.id, wall);
            }
            Phase::Running => {}
            Phase::Ended => return,
        }
        for (first, count) in std::mem::take(&mut pass.unqueued) {
            self.log.calls_queued(now, pass.id, first, count);
        }
        for (call, failure) in std::mem::take(&mut pass.failed) {
            self.fail_call(index, call, now, failure);
        }
        self.queue_lookups(index);
        self.fail_waiting(index, now);
        self.fill(index, now);
        self.end_if_done(index);
    }

    /// Starts every call of a pass that can start. `now` is fresh.
    fn fill(&mut self, index: usize, mut now: Micros) {
        self.start_lookups(index);
        let pass = &mut self.passes[index];
        if self.stopping || pass.phase != Phase::Running {
            return;
        }
        while let Some(call) = pass.startable(now) {
            let tokens = self.equipment.records.most_tokens(call);
            match self.limiter.permit(PermitRequest { pass: pass.id, call, now, tokens }) {
                Permit::Granted => {}
                Permit::NotBefore(at) => {
                    let until = at.max(now + SHORTEST_HOLD);
                    if pass.hold(now, until) {
                        self.log.pass_held(now, pass.id, until);
                    }
                    return;
                }
                Permit::Refused(failure) => {
                    let Some(_) = pass.start(call) else { return };
                    self.fail_call(index, call, now, failure);
                    // The caller may not come by again: what this one leaves goes on here.
                    return self.lane_freed(index);
                }
            }
            let Some(key) = pass.start(call) else { return };
            let work = perform(Arc::clone(&self.equipment), key);
            self.executors.spawn(self.abort.clone().run_until_cancelled_owned(work));
            now = self.equipment.clock.now();
        }
    }

    fn fill_all(&mut self) {
        for index in 0..self.passes.len() {
            let now = self.now();
            self.fill(index, now);
        }
    }

    /// A call has left its lane: the next one gets it, and the pass may be over.
    fn lane_freed(&mut self, index: usize) {
        let now = self.now();
        self.fill(index, now);
        self.end_if_done(index);
    }

    fn end_if_done(&mut self, index: usize) {
        let pass = &mut self.passes[index];
        if pass.phase == Phase::Running && pass.is_done() {
            pass.phase = Phase::Ended;
            self.log.pass_ended(pass.last_end, pass.id, PassEnd::Completed);
            self.advance();
        }
    }

    /// Ends everything that has begun, now. A pass that has not begun stays as it is.
    fn cancel(&mut self) {
        let now = self.now();
        self.log.cancel_requested(now);
        for pass in self.passes.iter_mut().filter(|p| p.phase == Phase::Running) {
            for (call, running) in pass.unended() {
                if let Some(key) = running {
                    self.log.attempt_cancelled(now, key);
                }
                let partial = pass.close(call, now);
                self.log.call_cancelled(now, pass.id, call, partial);
            }
            pass.phase = Phase::Ended;
            self.log.pass_ended(now, pass.id, PassEnd::Cancelled);
        }
    }
}
