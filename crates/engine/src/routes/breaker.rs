//! The circuit breaker of one route: closed, open, half-open.
//!
//! Closed, attempts go. When too much of what they bring is the provider's own failure it opens, and
//! nothing goes for a while; then it is half-open and lets one attempt through. When that succeeds it
//! closes, otherwise it opens for twice as long. Pure: time is handed in.

use std::collections::VecDeque;

use lanes_model::{Failure, FailureKind, Health, Micros};

/// So many failures in a row open it.
const IN_A_ROW: u32 = 8;
/// So many refused connections in a row open it: nobody is there.
const REFUSED_IN_A_ROW: u32 = 3;
/// Or so many outcomes within [`MEMORY`], of which more than [`SHARE`] failed.
const OUTCOMES: usize = 20;
const SHARE: f64 = 0.6;
const MEMORY: Micros = Micros::from_secs(60);
/// How long it stays open the first time, and at most; it doubles in between.
const SHORTEST: Micros = Micros::from_secs(2);
const LONGEST: Micros = Micros::from_secs(60);

/// What an attempt says of its endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It works.
    Works,
    /// It does not.
    Fails,
    /// Nothing: the attempt was stopped from here.
    Nothing,
}

impl Verdict {
    /// What a failure says. A refusal of this request, or for now, comes from an endpoint that works.
    pub(super) const fn of(kind: FailureKind) -> Self {
        match kind {
            FailureKind::ServerError
            | FailureKind::Unreachable
            | FailureKind::Timeout
            | FailureKind::MalformedStream
            | FailureKind::TruncatedStream => Verdict::Fails,
            FailureKind::BudgetReached => Verdict::Nothing,
            _ => Verdict::Works,
        }
    }
}

/// One circuit breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    health: Health,
    /// Failures since the last success.
    in_a_row: u32,
    refused_in_a_row: u32,
    recent: VecDeque<(Micros, bool)>,
    open_until: Micros,
    /// How often it opened without closing in between.
    times: u32,
    /// Whether the one attempt of the half-open state is under way.
    probing: bool,
    message: String,
}

impl Breaker {
    pub(super) fn health(&self) -> Health {
        self.health
    }

    /// Why it is not closed, in words.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// When it lets an attempt through again, while it is open.
    pub(super) fn open_until(&self) -> Micros {
        self.open_until
    }

    /// How many probes have failed one after the other.
    pub(super) fn failed_probes(&self) -> u32 {
        self.times.saturating_sub(1)
    }

    /// Nothing when an attempt may go; else how long until one may, at the least.
    pub(super) fn wait(&self, now: Micros) -> Option<Micros> {
        match self.health {
            Health::Closed => None,
            // The probe decides; it is told of when it is over.
            Health::HalfOpen if self.probing => Some(SHORTEST),
            Health::HalfOpen => None,
            Health::Open => (now < self.open_until).then(|| self.open_until.since(now)),
        }
    }

    /// An attempt that [`Self::wait`] has just allowed goes. Says whether it is a probe.
    pub(super) fn started(&mut self) -> bool {
        if self.health == Health::Closed {
            return false;
        }
        self.health = Health::HalfOpen;
        self.probing = true;
        true
    }

    /// An attempt is over.
    pub(super) fn ended(
        &mut self,
        now: Micros,
        probe: bool,
        verdict: Verdict,
        failure: Option<&Failure>,
    ) {
        if probe {
            self.probing = false;
        }
        match verdict {
            Verdict::Nothing => {}
            // What began before it opened says nothing of how things are now.
            _ if self.health != Health::Closed && !probe => {}
            Verdict::Works => {
                self.in_a_row = 0;
                self.refused_in_a_row = 0;
                self.remember(now, true);
                if self.health != Health::Closed {
                    self.health = Health::Closed;
                    self.times = 0;
                    self.recent.clear();
                    self.message.clear();
                }
            }
            Verdict::Fails => {
                let refused = failure.is_some_and(|f| f.kind == FailureKind::Unreachable);
                self.in_a_row += 1;
                self.refused_in_a_row = if refused { self.refused_in_a_row + 1 } else { 0 };
                self.remember(now, false);
                if probe || self.is_too_much() {
                    self.open(now, failure);
                }
            }
        }
    }

    fn remember(&mut self, now: Micros, good: bool) {
        self.recent.push_back((now, good));
        while self.recent.front().is_some_and(|&(at, _)| at + MEMORY < now)
            || self.recent.len() > OUTCOMES
        {
            self.recent.pop_front();
        }
    }

    fn is_too_much(&self) -> bool {
        let failed = self.recent.iter().filter(|(_, good)| !good).count();
        self.in_a_row >= IN_A_ROW
            || self.refused_in_a_row >= REFUSED_IN_A_ROW
            || (self.recent.len() >= OUTCOMES && failed as f64 > SHARE * OUTCOMES as f64)
    }

    fn open(&mut self, now: Micros, failure: Option<&Failure>) {
        let factor = 1u64.checked_shl(self.times).unwrap_or(u64::MAX);
        let doubled = Micros(SHORTEST.0.saturating_mul(factor)).min(LONGEST);
        let asked = failure.and_then(|f| f.retry_after).unwrap_or_default().min(LONGEST);
        self.health = Health::Open;
        self.open_until = now + doubled.max(asked);
        self.times = self.times.saturating_add(1);
        self.message = failure.map(|f| f.message.clone()).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(n: u64) -> Micros {
        Micros::from_secs(n)
    }

    fn end(breaker: &mut Breaker, at: Micros, probe: bool, kind: Option<FailureKind>) {
        let failure = kind.map(|kind| Failure::new(kind, "No."));
        let verdict = kind.map_or(Verdict::Works, Verdict::of);
        breaker.ended(at, probe, verdict, failure.as_ref());
    }

    fn broken(kind: FailureKind, times: u32) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 0..times {
            assert_eq!(breaker.wait(s(0)), None);
            assert!(!breaker.started());
            end(&mut breaker, s(0), false, Some(kind));
        }
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_sooner_when_nobody_is_there() {
        assert_eq!(broken(FailureKind::ServerError, 7).health(), Health::Closed);
        assert_eq!(broken(FailureKind::ServerError, 8).health(), Health::Open);
        assert_eq!(broken(FailureKind::Unreachable, 2).health(), Health::Closed);
        assert_eq!(broken(FailureKind::Unreachable, 3).health(), Health::Open);
        assert_eq!(broken(FailureKind::RateLimited, 50).health(), Health::Closed);
    }

    #[test]
    fn it_opens_when_most_of_what_comes_fails() {
        let mut breaker = Breaker::default();
        for i in 0..40 {
            let kind = (i % 4 != 0).then_some(FailureKind::Timeout);
            end(&mut breaker, s(0), false, kind);
        }
        assert_eq!(breaker.health(), Health::Open);
        let mut breaker = Breaker::default();
        for i in 0..40 {
            end(&mut breaker, s(0), false, (i % 2 == 0).then_some(FailureKind::Timeout));
        }
        assert_eq!(breaker.health(), Health::Closed);
    }

    #[test]
    fn one_attempt_decides_after_a_while_and_each_failure_doubles_the_next() {
        let mut breaker = broken(FailureKind::ServerError, 8);
        assert_eq!(breaker.wait(s(1)), Some(s(1)));
        assert_eq!(breaker.wait(s(2)), None);
        assert!(breaker.started());
        assert!(breaker.wait(s(2)).is_some(), "one at a time");
        end(&mut breaker, s(3), true, Some(FailureKind::Timeout));
        assert_eq!(breaker.wait(s(3)), Some(s(4)));
        assert_eq!(breaker.failed_probes(), 1);
        assert_eq!(breaker.wait(s(7)), None);
        assert!(breaker.started());
        end(&mut breaker, s(8), true, None);
        assert_eq!(breaker.health(), Health::Closed);
        assert_eq!(breaker.wait(s(8)), None);
    }

    #[test]
    fn what_began_before_it_opened_changes_nothing() {
        let mut breaker = broken(FailureKind::ServerError, 8);
        end(&mut breaker, s(1), false, None);
        end(&mut breaker, s(1), false, Some(FailureKind::ServerError));
        assert_eq!(breaker.wait(s(1)), Some(s(1)));
    }

    #[test]
    fn a_probe_that_was_stopped_lets_another_one_go() {
        let mut breaker = broken(FailureKind::ServerError, 8);
        assert!(breaker.wait(s(2)).is_none() && breaker.started());
        breaker.ended(s(3), true, Verdict::Nothing, None);
        assert_eq!(breaker.wait(s(3)), None);
    }
}
