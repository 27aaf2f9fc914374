//! Owns all scheduling state and makes every decision: this file what starts when, `reports` what
//! follows from what executors report, `lookups` what the response cache is asked, `ending` how passes
//! and the run end.
//!
//! One loop: a stop request, a due time or a batch of executors' reports comes in; the state moves;
//! events go out through `emit`; whatever can start now is started before the loop waits again. No
//! step looks at more than the call it is about.

mod answers;
mod ending;
mod following;
mod limits;
mod lookups;
mod reports;
mod steering;
mod tail;

use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use lanes_model::state::CallEndState;
use lanes_model::{
    AttemptState, Budget, CallId, Failure, FailureKind, HoldReason, Micros, PassStatus, Plan,
    RouteId, RunState, RunStatus, UsdMicros,
};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::lookups::Lookups;
use crate::controls::WishWatch;
use crate::emit::Log;
use crate::executor::{Equipment, perform};
use crate::messages::Report;
use crate::pass::{Pass, Phase, Tries};
use crate::{AttemptId, Job, Limiter, Outcome, Permit, PermitRequest, RetryPolicy, Stop};

/// Reports taken in at once, between two looks at the stop request and the timer.
const BATCH: usize = 128;
/// A limiter that names a time which has come already is asked again after this long, not at once.
const SHORTEST_HOLD: Micros = Micros::from_millis(1);
/// While the log cannot be written, it is looked at this often whether that is over.
const LOG_HOLD: Micros = Micros::from_millis(250);

/// What is left of the run's budget of retries: attempts that followed a failed one have used it.
fn retries_left(state: &RunState, retry: &RetryPolicy) -> u64 {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let used = |a: &&AttemptState| {
        let refused = a.failure.as_ref().is_some_and(|f| f.kind == FailureKind::RateLimited);
        a.retry_at.is_some() && !refused
    };
    let used = calls().flat_map(|c| c.tries()).filter(used).count();
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
    /// When the first call could go: what the program does before that is not the run's time.
    began: Micros,
    /// What answers have cost so far.
    spent: UsdMicros,
    /// The failure that every other call would meet, once there was one.
    fatal: Option<Failure>,
    /// Likewise those that every other call of a stage would meet; empty before there is one.
    dead: Vec<Option<Failure>>,
    /// The part of the order of providers that each stage goes down.
    stage_tiers: Vec<Range<u16>>,
    plan: Arc<Plan>,
    /// Set when the run stops before its end: nothing starts any more.
    stopping: bool,
    /// Whether the user has paused the run.
    paused: bool,
    /// How many lanes the user has asked for, if any.
    lanes_wished: Option<u32>,
    /// Whether calls that take unusually long get a second attempt.
    hedging: bool,
    wishes: WishWatch,
    /// Tells of changes for which a pass may wait.
    changes: Option<watch::Receiver<u64>>,
    equipment: Arc<Equipment>,
    reports: mpsc::UnboundedReceiver<Report>,
    executors: TaskTracker,
    abort: CancellationToken,
}

impl Dispatcher {
    pub(crate) fn new(job: Job) -> Self {
        let Job { state, provider, records, sink, clock, limiter, cache, retry, control } = job;
        let (sender, reports) = mpsc::unbounded_channel();
        let calls = state.passes.iter().flat_map(|p| &p.calls);
        let reused = calls.clone().filter(|c| c.cached.is_some()).count();
        let answered = calls.filter(|c| c.ended == Some(CallEndState::Succeeded)).count();
        let cancelled = state.cancel_requested
            || state.passes.iter().any(|p| p.status == PassStatus::Cancelled);
        let spec = &state.header.spec;
        let plan = Arc::new(state.header.plan.clone());
        let stages = u16::try_from(plan.stages.len().max(1)).unwrap_or(u16::MAX);
        let stages: Vec<_> = (0..stages).map(|stage| limiter.tiers_of(stage)).collect();
        let tries = Tries { each: retry.max_attempts, tiers: limiter.tiers(), stages };
        Self {
            status: state.status,
            race: state.header.plan.race,
            passes: steering::passes(&state, &plan, &tries),
            calls: state.passes.iter().map(|p| p.calls.len()).sum(),
            log: Log::new(sink, answered, cancelled).with_reused(reused),
            lookups: cache.map(|cache| Lookups::new(cache, &state.passes)),
            changes: limiter.changes(),
            limiter,
            retry,
            rng: fastrand::Rng::with_seed(retry.seed),
            retries_left: retries_left(&state, &retry),
            budget: spec.budget,
            began: state.passes.iter().filter_map(|p| p.start).min().unwrap_or(Micros::MAX),
            spent: spent(&state),
            fatal: None,
            dead: Vec::new(),
            stage_tiers: tries.stages,
            plan,
            stopping: false,
            paused: state.paused,
            lanes_wished: None,
            hedging: spec.hedge,
            wishes: control.watch(),
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
        self.began = self.began.min(now);
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
        let wishes = self.wishes.now();
        if let Some(stop) = wishes.stop {
            return Some(stop);
        }
        self.follow(wishes);
        self.keep_budget();
        for index in 0..self.passes.len() {
            if self.passes[index].phase == Phase::Running {
                self.begin(index);
            }
        }
        self.advance();
        let mut inbox = Vec::with_capacity(BATCH);
        let mut alarm = pin!(sleep(Duration::ZERO));
        let mut armed = None;
        while !self.all_ended() {
            let wake = self.next_wake();
            if let Some(at) = wake
                && armed != wake
            {
                alarm.as_mut().reset(Instant::now() + at.since(self.now()).into());
                armed = wake;
            }
            // Reports come last: they may never cease, the others do.
            tokio::select! {
                biased;
                wishes = self.wishes.changed() => {
                    if let Some(stop) = wishes.stop {
                        self.halt().await;
                        return (!self.all_ended()).then_some(stop);
                    }
                    self.follow(wishes);
                    self.advance();
                    self.fill_all();
                }
                () = changed(&mut self.changes), if self.waits_for_a_change() => {
                    self.passes.iter_mut().for_each(Pass::ask_again);
                    self.fill_all();
                }
                () = &mut alarm, if wake.is_some() => {
                    armed = None;
                    self.keep_budget();
                    self.advance();
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

    /// Begins the next pass when none is running; in a race all of them. Not in a pause, which would
    /// become part of their time, unless there is nothing left to do but to end them.
    fn advance(&mut self) {
        while !self.stopping
            && (!self.paused || self.fatal.is_some())
            && (self.race || !self.passes.iter().any(|p| p.phase == Phase::Running))
        {
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
                self.begin_adapting(index, now);
            }
            Phase::Running => {}
            Phase::Ended => return,
        }
        let pass = &mut self.passes[index];
        for (first, count) in std::mem::take(&mut pass.unqueued) {
            self.log.calls_queued(now, pass.id, first, count);
        }
        for (call, failure) in std::mem::take(&mut pass.failed) {
            self.fail_call(index, call, now, failure);
        }
        for (call, without) in std::mem::take(&mut self.passes[index].skipped) {
            self.skip(index, call, without, now);
        }
        self.end_all_known(index, now);
        self.queue_lookups(index);
        self.fail_waiting(index, now);
        self.fill(index, now);
        self.end_if_done(index);
    }

    /// When something is due that nothing else tells of.
    fn next_wake(&mut self) -> Option<Micros> {
        let paused = self.paused;
        let wakes = self.passes.iter().filter(|_| !paused).filter_map(Pass::next_wake);
        let wake = wakes.chain(self.deadline()).min();
        wake.into_iter().chain(self.next_late()).min()
    }

    /// Whether a pass waits for something other than time.
    fn waits_for_a_change(&self) -> bool {
        !self.paused && self.passes.iter().any(Pass::may_go_sooner)
    }

    /// Starts every call of a pass that can start. `now` is fresh.
    fn fill(&mut self, index: usize, mut now: Micros) {
        if self.stopping || self.paused || self.passes[index].phase != Phase::Running {
            return;
        }
        self.start_lookups(index);
        while let Some((call, class)) = self.passes[index].startable(now) {
            let request = self.permit_request(index, call, now);
            let attempt = request.attempt;
            let permit = match self.log.trouble() {
                None => self.limiter.permit(request),
                Some(message) => {
                    self.limiter.step_back(attempt.pass);
                    let at = now + LOG_HOLD;
                    Permit::NotBefore { at, why: HoldReason::Storage, message }
                }
            };
            self.tell_news(now);
            let pass = &mut self.passes[index];
            match permit {
                Permit::Granted(route) => {
                    if !pass.start(call, class, route) {
                        self.limiter.ended(attempt, Outcome::Unsent);
                        return;
                    }
                    self.launch(attempt, route);
                }
                Permit::NotBefore { at, why, message } => {
                    let until = at.max(now + SHORTEST_HOLD);
                    let held = pass.held(class.tier).map(|held| held.hold(now, until, why));
                    let Some(news) = held else {
                        return;
                    };
                    if let Some((since, why)) = news.before {
                        self.log.pass_held(since, pass.id, now, why, String::new());
                    }
                    if news.now_on {
                        self.log.pass_held(now, pass.id, until, why, message);
                    }
                    if pass.ready.is_strict() {
                        return;
                    }
                }
                Permit::Refused(failure) => {
                    pass.ready.pop(call, class);
                    self.fail_call(index, call, now, failure);
                    self.start_lookups(index);
                }
            }
            now = self.equipment.clock.now();
        }
        self.start_hedges(index, now);
    }

    /// What the limiter is asked for the next attempt of a call.
    fn permit_request(&self, index: usize, call: CallId, now: Micros) -> PermitRequest {
        let pass = &self.passes[index];
        let (attempt, avoid) = pass.next_attempt(call);
        let tokens = self.equipment.records.most_tokens(call, pass.needs.bytes(call));
        let (tier, until) = (pass.class(call).tier, pass.tiers(call).end);
        PermitRequest { attempt, now, tokens, tier, until, avoid }
    }

    /// Sets an executor to work on an attempt that is on a lane.
    fn launch(&mut self, attempt: AttemptId, route: RouteId) {
        let asked = self.passes.get(usize::from(attempt.pass.0)).map(|p| p.asked(attempt.call));
        let asked = asked.unwrap_or_default();
        let work = perform(Arc::clone(&self.equipment), attempt, route, asked);
        let abort = match self.hedging {
            true => self.abort.child_token(),
            false => self.abort.clone(),
        };
        if self.hedging
            && let Some(pass) = self.passes.get_mut(usize::from(attempt.pass.0))
            && let Some(flight) = pass.flight(attempt)
        {
            flight.cancel = Some(abort.clone());
        }
        self.executors.spawn(abort.run_until_cancelled_owned(work));
    }

    /// Writes down which circuit breakers have changed.
    fn tell_news(&mut self, now: Micros) {
        for news in self.limiter.news() {
            self.log.route_changed(now, news);
        }
    }

    fn fill_all(&mut self) {
        for index in 0..self.passes.len() {
            let now = self.now();
            self.fill(index, now);
            self.end_if_done(index);
        }
    }

    /// A call has left its lane: the next one gets it, and the pass may be over.
    fn lane_freed(&mut self, index: usize) {
        let now = self.now();
        self.fill(index, now);
        self.end_if_done(index);
    }
}

/// Waits for a limiter to tell of a change. Cancel-safe.
async fn changed(changes: &mut Option<watch::Receiver<u64>>) {
    if let Some(changes) = changes
        && changes.changed().await.is_ok()
    {
        return;
    }
    // Nothing will ever change.
    std::future::pending().await
}
