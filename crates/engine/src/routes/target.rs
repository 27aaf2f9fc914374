//! One provider with one model: its endpoints, its limits and who waits for it. Shared by all runs.
//!
//! An attempt goes to the endpoint with the fewest requests in flight, among those whose breaker and
//! limits let it. What others use of a limit, who goes first and which endpoints work is known here
//! and nowhere else. It has its own clock, so that runs can share it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_model::{Failure, FailureKind, Health, HoldReason, Micros, Priority};
use tokio::sync::watch;
use tokio::time::Instant;

use super::breaker::{Breaker, Verdict};
use super::line::Line;
use crate::Outcome;
use crate::limits::{RateLimiter, Ticket};

/// Whoever waits for a slot asks again after so long even if nothing has changed.
const SLOT_WAIT: Micros = Micros::from_secs(1);

/// What is known of a provider before anything is sent. Limits of zero count as none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TargetLimits {
    /// Requests a minute, over all endpoints.
    pub rpm: Option<u32>,
    /// Tokens a minute, over all endpoints.
    pub tpm: Option<u32>,
    /// Requests in flight at once, over all endpoints.
    pub in_flight: Option<u32>,
    /// Requests in flight at once at each endpoint.
    pub in_flight_each: Option<u32>,
}

/// Tells everybody who waits that something has changed. One for all targets.
#[derive(Debug, Clone)]
pub struct Changes(watch::Sender<u64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Changes {
    fn tell(&self) {
        self.0.send_modify(|n| *n = n.wrapping_add(1));
    }

    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// One provider with one model.
#[derive(Debug)]
pub struct Target {
    started: Instant,
    changes: Changes,
    /// The limits of the provider as a whole; where there is one endpoint they are its own.
    rates: RateLimiter,
    most: Option<u32>,
    most_each: Option<u32>,
    /// The limits of each endpoint, configured or told.
    endpoint_rates: Vec<Arc<RateLimiter>>,
    state: Mutex<State>,
    /// How often a breaker has changed.
    turns: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    line: Line,
    in_flight: u32,
    endpoints: Vec<Endpoint>,
    /// Counts grants: the endpoint used longest ago goes first among equals.
    turn: u64,
}

#[derive(Debug, Default)]
struct Endpoint {
    breaker: Breaker,
    in_flight: u32,
    last_turn: u64,
}

/// How an endpoint stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointState {
    /// Its circuit breaker.
    pub health: Health,
    /// For how long it stays open.
    pub opens_in: Option<Micros>,
    /// Why it is not closed.
    pub message: String,
    /// Requests in flight.
    pub in_flight: u32,
}

/// What was taken for one attempt.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) endpoint: u16,
    probe: bool,
    whole: Ticket,
    own: Ticket,
}

/// A target's answer.
#[derive(Debug)]
pub(super) enum Asked {
    Granted(Grant),
    /// Not before so much time has passed or something changes.
    Wait(Micros, HoldReason),
    /// It can never be sent here: the limit is so many tokens a minute.
    TooLarge(u64),
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking {
    pub(super) who: u64,
    pub(super) priority: Priority,
    pub(super) tokens: u64,
    /// The endpoint at which the call has just failed.
    pub(super) avoid: Option<u16>,
}

impl Target {
    /// A target of so many endpoints, at least one.
    #[must_use]
    pub fn new(limits: TargetLimits, endpoints: usize, changes: Changes) -> Self {
        let endpoints = endpoints.max(1);
        let some = |limit: Option<u32>| limit.filter(|&l| l > 0);
        let whole = RateLimiter::new(limits.rpm, limits.tpm);
        // What is told of the only endpoint corrects what is configured.
        let (rates, own) = match endpoints {
            1 => (RateLimiter::new(None, None), vec![Arc::new(whole)]),
            n => (whole, (0..n).map(|_| Arc::new(RateLimiter::new(None, None))).collect()),
        };
        let state = State {
            endpoints: (0..endpoints).map(|_| Endpoint::default()).collect(),
            ..State::default()
        };
        Self {
            started: Instant::now(),
            changes,
            rates,
            most: some(limits.in_flight),
            most_each: some(limits.in_flight_each),
            endpoint_rates: own,
            state: Mutex::new(state),
            turns: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole under the lock; a panic elsewhere leaves the state usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Micros {
        Micros::from(self.started.elapsed())
    }

    pub(super) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// How many endpoints there are.
    #[must_use]
    pub fn endpoints(&self) -> usize {
        self.endpoint_rates.len()
    }

    /// The limits of one endpoint, to be told of what it says.
    #[must_use]
    pub fn rates(&self, endpoint: usize) -> Option<Arc<RateLimiter>> {
        self.endpoint_rates.get(endpoint).cloned()
    }

    /// How each endpoint stands.
    #[must_use]
    pub fn health(&self) -> Vec<EndpointState> {
        let now = self.now();
        let state = self.state();
        let stands = state.endpoints.iter().map(|e| EndpointState {
            health: e.breaker.health(),
            opens_in: (e.breaker.health() == Health::Open)
                .then(|| e.breaker.open_until().since(now)),
            message: e.breaker.message().to_owned(),
            in_flight: e.in_flight,
        });
        stands.collect()
    }

    /// Asks for one attempt.
    pub(super) fn ask(&self, asking: Asking) -> Asked {
        let now = self.now();
        let mut state = self.state();
        let Asking { who, priority, tokens, avoid } = asking;
        // Somebody who cannot go whoever goes first does not stand in line.
        if let Some(wait) = state.all_open(now) {
            state.line.leave(who);
            return Asked::Wait(wait, HoldReason::Breaker);
        }
        let wait = |state: &mut State, time: Micros, why| {
            state.line.wait(who, priority, now, now + time);
            Asked::Wait(time, why)
        };
        if state.line.is_after_another(who, priority, now) {
            return wait(&mut state, SLOT_WAIT, HoldReason::Queue);
        }
        if self.most.is_some_and(|most| state.in_flight >= most) {
            return wait(&mut state, SLOT_WAIT, HoldReason::Queue);
        }
        match self.rates.wait(tokens) {
            Ok(Micros::ZERO) => {}
            Ok(time) => return wait(&mut state, time, HoldReason::RateLimit),
            Err(limit) => return Asked::TooLarge(limit),
        }
        match self.choose(&state, tokens, avoid, now) {
            Ok(endpoint) => {
                let again = state.line.is_empty();
                state.line.leave(who);
                if !again {
                    self.changes.tell();
                }
                self.grant(&mut state, endpoint, tokens)
            }
            Err(Hindrance::Slot) => wait(&mut state, SLOT_WAIT, HoldReason::Queue),
            Err(Hindrance::Rate(time)) => wait(&mut state, time, HoldReason::RateLimit),
            Err(Hindrance::TooLarge(limit)) => Asked::TooLarge(limit),
        }
    }

    /// The endpoint to go to: the fewest requests in flight, not the one that has just failed if
    /// another will do, and then the one used longest ago.
    fn choose(
        &self,
        state: &State,
        tokens: u64,
        avoid: Option<u16>,
        now: Micros,
    ) -> Result<usize, Hindrance> {
        let mut best = None;
        let mut hindrance = None;
        for (i, (endpoint, rates)) in state.endpoints.iter().zip(&self.endpoint_rates).enumerate() {
            if endpoint.breaker.wait(now).is_some() {
                continue;
            }
            let hindered = match rates.wait(tokens) {
                _ if self.most_each.is_some_and(|most| endpoint.in_flight >= most) => {
                    Hindrance::Slot
                }
                Ok(Micros::ZERO) => {
                    let avoided = avoid.is_some_and(|a| usize::from(a) == i);
                    let rank = (avoided, endpoint.in_flight, endpoint.last_turn);
                    if best.is_none_or(|(least, _)| rank < least) {
                        best = Some((rank, i));
                    }
                    continue;
                }
                Ok(time) => Hindrance::Rate(time),
                Err(limit) => Hindrance::TooLarge(limit),
            };
            hindrance = hindrance.into_iter().chain([hindered]).min();
        }
        best.map(|(_, i)| i).ok_or(hindrance.unwrap_or(Hindrance::Slot))
    }

    fn grant(&self, state: &mut State, endpoint: usize, tokens: u64) -> Asked {
        state.turn += 1;
        let turn = state.turn;
        state.in_flight += 1;
        let whole = self.rates.take(tokens);
        let own = self.endpoint_rates.get(endpoint).map(|r| r.take(tokens)).unwrap_or_default();
        let probe = state.endpoints.get_mut(endpoint).is_some_and(|e| {
            e.in_flight += 1;
            e.last_turn = turn;
            let before = e.breaker.health();
            let probe = e.breaker.started();
            if e.breaker.health() != before {
                self.turns.fetch_add(1, Ordering::Relaxed);
            }
            probe
        });
        let endpoint = u16::try_from(endpoint).unwrap_or(u16::MAX);
        Asked::Granted(Grant { endpoint, probe, whole, own })
    }

    /// An attempt is over. Says whether it was the one that tried whether its endpoint works again.
    pub(super) fn ended(&self, grant: &Grant, outcome: Outcome<'_>) -> bool {
        let now = self.now();
        settle(&self.rates, grant.whole, outcome);
        if let Some(own) = self.endpoint_rates.get(usize::from(grant.endpoint)) {
            settle(own, grant.own, outcome);
            if let Outcome::Failed(Failure {
                kind: FailureKind::RateLimited, retry_after, ..
            }) = outcome
            {
                own.hold(retry_after.unwrap_or_default());
            }
        }
        let mut state = self.state();
        state.in_flight = state.in_flight.saturating_sub(1);
        if let Some(endpoint) = state.endpoints.get_mut(usize::from(grant.endpoint)) {
            endpoint.in_flight = endpoint.in_flight.saturating_sub(1);
            let before = endpoint.breaker.health();
            let (verdict, failure) = match outcome {
                Outcome::Answered(_) => (Verdict::Works, None),
                Outcome::Failed(failure) => (Verdict::of(failure.kind), Some(failure)),
                Outcome::Stopped | Outcome::Unsent => (Verdict::Nothing, None),
            };
            endpoint.breaker.ended(now, grant.probe, verdict, failure);
            if endpoint.breaker.health() != before {
                self.turns.fetch_add(1, Ordering::Relaxed);
            }
        }
        if !state.line.is_empty() || grant.probe {
            self.changes.tell();
        }
        grant.probe
    }

    /// How often a breaker has changed.
    pub(super) fn breaker_changes(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Whoever this is waits no longer.
    pub(super) fn leave(&self, who: u64) {
        let mut state = self.state();
        state.line.leave(who);
        if !state.line.is_empty() {
            self.changes.tell();
        }
    }

    /// Whether an attempt could go somewhere else than to this endpoint.
    pub(super) fn has_another(&self, endpoint: u16) -> bool {
        let now = self.now();
        let state = self.state();
        let mut others = (0..).zip(&state.endpoints).filter(|(i, _)| *i != endpoint);
        others.any(|(_, e)| e.breaker.wait(now).is_none())
    }

    /// Whether no endpoint works, and trying whether one does again has failed so often in a row.
    pub(super) fn has_failed_probes(&self, least: u32) -> bool {
        let state = self.state();
        let failed =
            |e: &Endpoint| e.breaker.health() == Health::Open && e.breaker.failed_probes() >= least;
        state.endpoints.iter().all(failed)
    }
}

impl State {
    /// When every endpoint's breaker is open: how long until the first lets an attempt through.
    fn all_open(&self, now: Micros) -> Option<Micros> {
        let mut waits = self.endpoints.iter().map(|e| e.breaker.wait(now));
        waits.try_fold(Micros::MAX, |least, wait| wait.map(|wait| least.min(wait)))
    }
}

/// Why an endpoint cannot be used now: the least of them is what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hindrance {
    Rate(Micros),
    Slot,
    TooLarge(u64),
}

/// What an attempt used of a limit becomes known.
fn settle(rates: &RateLimiter, ticket: Ticket, outcome: Outcome<'_>) {
    match outcome {
        Outcome::Answered(answer) => {
            rates.used(ticket, answer.usage.input.saturating_add(answer.usage.output));
        }
        Outcome::Unsent => rates.unsent(ticket),
        Outcome::Failed(failure) => match failure.kind {
            FailureKind::Unreachable => rates.unsent(ticket),
            // It was counted as a request and used no tokens.
            FailureKind::RateLimited => rates.used(ticket, 0),
            // How much of an answer was made before it ended is not known: all of it counts.
            _ => {}
        },
        Outcome::Stopped => {}
    }
}
