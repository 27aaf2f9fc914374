//! What follows from an executor's report: an answer, a retry, a failed call or the end of a run
//! whose key, account, model or endpoint is of no use.
//!
//! Part of the dispatcher: the only one that hears executors, and the only one that retries.

use lanes_model::{CallId, Failure, FailureKind, Micros};

use super::Dispatcher;
use crate::Answer;
use crate::messages::{AttemptKey, News, Report};
use crate::pass::{Pass, Stage};

impl Dispatcher {
    /// Takes in one report. Late ones, of attempts that are over, mean nothing.
    pub(super) fn handle(&mut self, Report { key, news }: Report) {
        let index = usize::from(key.pass.0);
        let news = match news {
            News::LookUp(found) => return self.looked_up(index, key.call, found),
            news => news,
        };
        let Some(pass) = self.passes.get_mut(index) else { return };
        match (pass.stage(key), news) {
            (Some(Stage::Preparing), News::Prepared { go }) => {
                if self.stopping {
                    return;
                }
                let now = self.equipment.clock.now();
                if let Some(failure) = self.fatal.clone() {
                    self.fail_call(index, key.call, now, failure);
                    self.end_if_done(index);
                } else if let Some((lane, of, held_since)) = pass.send(key, self.retry.max_attempts)
                {
                    let held = held_since.map_or(Micros::ZERO, |since| now.since(since));
                    self.log.attempt_started(now, key, lane, of, held);
                    // An executor that is gone has been aborted: the run is stopping.
                    let _ = go.send(());
                }
            }
            (Some(Stage::Preparing), News::NoRequest { at, failure }) => {
                self.fail_call(index, key.call, at, failure);
                self.lane_freed(index);
            }
            (Some(Stage::Running), News::FirstText { at, text }) => {
                self.log.first_token(at, key);
                self.log.text(key, pass.add_text(key.call, &text), text);
            }
            (Some(Stage::Running), News::Text { text }) => {
                self.log.text(key, pass.add_text(key.call, &text), text);
            }
            (Some(Stage::Running), News::Ended { at, result }) => {
                self.limiter.ended(key.pass, key.call, result.as_ref());
                // What it gave back may let the next one go sooner than was said.
                self.passes.iter_mut().for_each(Pass::ask_again);
                match result {
                    Ok(answer) => self.answered(index, key, at, answer),
                    Err(failure) => self.attempt_failed(index, key, at, failure),
                }
                self.lane_freed(index);
            }
            _ => {}
        }
    }

    fn answered(&mut self, index: usize, key: AttemptKey, at: Micros, answer: Answer) {
        self.passes[index].close(key.call, at);
        self.tell_cache(index, key.call, Some(&answer));
        self.spent = [self.spent].into_iter().chain(answer.cost).sum();
        self.log.answered(at, key, answer);
        self.keep_budget();
    }

    fn attempt_failed(&mut self, index: usize, key: AttemptKey, at: Micros, failure: Failure) {
        let pass = &mut self.passes[index];
        let failed = pass.count_failure(key.call);
        let wanted = self.fatal.is_none() && self.retry.allows(failed, &failure);
        if wanted && self.retries_left > 0 {
            self.retries_left -= 1;
            let until = at + self.retry.wait(failed, &failure, &mut self.rng);
            pass.wait(key.call, until);
            self.log.attempt_failed(at, key, failure, Some(until));
            return;
        }
        self.log.attempt_failed(at, key, failure.clone(), None);
        let failure = if wanted { out_of_retries(failure) } else { failure };
        let fatal = self.fatal.is_none() && self.every_call_would_meet(failure.kind);
        self.fail_call(index, key.call, at, failure.clone());
        if fatal {
            self.give_up(failure);
        }
    }

    /// Whether a failure is not about its call but about the key, the account, the model or the
    /// endpoint. An endpoint that has answered before is there.
    fn every_call_would_meet(&self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::InvalidKey | FailureKind::QuotaExhausted | FailureKind::UnknownModel => {
                true
            }
            FailureKind::Unreachable => !self.log.any_succeeded(),
            _ => false,
        }
    }

    /// Ends a call for good, with what there is of its answer.
    pub(super) fn fail_call(&mut self, index: usize, call: CallId, at: Micros, failure: Failure) {
        let pass = &mut self.passes[index];
        let partial = pass.close(call, at);
        self.log.call_failed(at, pass.id, call, failure, partial);
        self.tell_cache(index, call, None);
    }

    /// After a failure that every call would meet: fails the calls that are not on a lane with it.
    pub(super) fn fail_waiting(&mut self, index: usize, now: Micros) {
        let Some(failure) = self.fatal.clone() else { return };
        let mut calls = self.passes[index].ready.drain();
        calls.extend(self.drop_lookups(index));
        calls.sort_unstable();
        for call in calls {
            self.fail_call(index, call, now, failure.clone());
        }
    }
}

/// The failure of a call that would have been tried again but for the run's budget.
fn out_of_retries(failure: Failure) -> Failure {
    let message = format!("{} Not tried again: too much of this run has failed.", failure.message);
    Failure { message, ..failure }
}
