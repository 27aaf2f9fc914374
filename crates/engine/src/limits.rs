//! Keeps to a provider's requests and tokens a minute: one [`RateLimiter`] for each endpoint and model,
//! and one for a provider as a whole, shared by all runs. `routes` asks them.
//!
//! The rule: an attempt reserves before it is sent (one request; its prompt and the most tokens its
//! answer may have), and settles when it is over. What the provider says of its limits corrects what
//! was configured, and is all there is where nothing was.

mod bucket;

use std::sync::{Mutex, MutexGuard, PoisonError};

use lanes_model::{Micros, Told, ToldLimit};
use tokio::time::Instant;

use bucket::{Bucket, Reservation};

/// The longest time for which a provider can stop everything with one answer.
const LONGEST_HOLD: Micros = Micros::from_secs(60);

/// What was reserved for one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ticket {
    request: Option<Reservation>,
    tokens: Option<Reservation>,
}

/// A rate limiter's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Go; this is what was reserved.
    Now(Ticket),
    /// Not before so much time has passed.
    In(Micros),
    /// Never: it needs more tokens than this configured limit allows in a minute.
    TooLarge(u64),
}

/// The limits of one provider and model. It has its own clock, so that runs can share it.
#[derive(Debug)]
pub struct RateLimiter {
    started: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
    /// The provider asked to wait until then.
    held_until: Micros,
}

impl RateLimiter {
    /// A limiter with the limits that are known; a limit of zero counts as none.
    #[must_use]
    pub fn new(rpm: Option<u32>, tpm: Option<u32>) -> Self {
        let bucket =
            |limit: Option<u32>| limit.filter(|&l| l > 0).map(|l| Bucket::configured(l.into()));
        let state = State { requests: bucket(rpm), tokens: bucket(tpm), held_until: Micros::ZERO };
        Self { started: Instant::now(), state: Mutex::new(state) }
    }

    fn now(&self) -> Micros {
        Micros::from(self.started.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made whole under the lock; a panic elsewhere leaves the state usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for one attempt that may use so many tokens.
    pub fn ask(&self, tokens: u64) -> Turn {
        match self.wait(tokens) {
            Ok(Micros::ZERO) => Turn::Now(self.take(tokens)),
            Ok(wait) => Turn::In(wait),
            Err(limit) => Turn::TooLarge(limit),
        }
    }

    /// How long until an attempt that may use so many tokens may go; nothing is taken. The limit of
    /// tokens a minute when it is more than that.
    pub(crate) fn wait(&self, tokens: u64) -> Result<Micros, u64> {
        let now = self.now();
        let mut guard = self.state();
        let state = &mut *guard;
        if let Some(limit) = state.tokens.as_ref().and_then(|b| b.refuses(tokens)) {
            return Err(limit);
        }
        let tokens = state.tokens.as_ref().map_or(tokens, |b| b.share(tokens));
        let wait = |bucket: &mut Option<Bucket>, amount| {
            bucket.as_mut().map_or(Micros::ZERO, |b| b.wait(amount, now))
        };
        let requests = wait(&mut state.requests, 1);
        Ok(requests.max(wait(&mut state.tokens, tokens)).max(state.held_until.since(now)))
    }

    /// Takes what [`Self::wait`] has just allowed.
    pub(crate) fn take(&self, tokens: u64) -> Ticket {
        let now = self.now();
        let mut state = self.state();
        Ticket {
            request: state.requests.as_mut().map(|b| b.take(1, now)),
            tokens: state.tokens.as_mut().map(|b| b.take(b.share(tokens), now)),
        }
    }

    /// The attempt used so many tokens.
    pub fn used(&self, ticket: Ticket, tokens: u64) {
        if let (Some(bucket), Some(taken)) = (&mut self.state().tokens, ticket.tokens) {
            bucket.settle(taken, tokens);
        }
    }

    /// The attempt never reached the provider: it counts for nothing.
    pub fn unsent(&self, ticket: Ticket) {
        let mut state = self.state();
        if let (Some(bucket), Some(taken)) = (&mut state.requests, ticket.request) {
            bucket.settle(taken, 0);
        }
        if let (Some(bucket), Some(taken)) = (&mut state.tokens, ticket.tokens) {
            bucket.settle(taken, 0);
        }
    }

    /// The provider refused an attempt and asked for a pause: nothing starts for so long, at most a
    /// minute. What was left here is not there, so nothing is sent in a burst afterwards.
    pub fn hold(&self, pause: Micros) {
        let now = self.now();
        let until = now + pause.min(LONGEST_HOLD);
        let mut guard = self.state();
        let state = &mut *guard;
        state.held_until = state.held_until.max(until);
        for (bucket, left) in [(&mut state.requests, 1.0), (&mut state.tokens, 0.0)] {
            if let Some(bucket) = bucket {
                bucket.spend(left, now, until);
            }
        }
    }

    /// The provider said how things stand.
    pub fn observe(&self, told: &Told) {
        let now = self.now();
        let mut state = self.state();
        correct(&mut state.requests, told.requests, now);
        correct(&mut state.tokens, told.tokens, now);
    }

    /// The limits in force: requests and tokens a minute.
    #[must_use]
    pub fn limits(&self) -> (Option<u64>, Option<u64>) {
        let state = self.state();
        (state.requests.as_ref().map(Bucket::limit), state.tokens.as_ref().map(Bucket::limit))
    }
}

/// A limit that is told becomes one that is kept, below what was configured; what others have used
/// counts here too.
fn correct(bucket: &mut Option<Bucket>, told: Option<ToldLimit>, now: Micros) {
    let Some(told) = told else { return };
    let bucket = bucket.get_or_insert_with(|| Bucket::told(told.limit));
    bucket.correct(told.limit);
    if let Some(remaining) = told.remaining.filter(|_| told.limit == bucket.limit()) {
        bucket.remaining(remaining, now, told.reset);
    }
}

#[cfg(test)]
mod tests;
