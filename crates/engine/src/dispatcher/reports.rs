//! What follows from an executor's report: an answer, a retry, a failed call or the end of a run
//! whose key, account, model or endpoint is of no use.
//!
//! Part of the dispatcher: the only one that hears executors, and the only one that retries.

use lanes_model::{CallId, Failure, FailureKind, Micros};

use super::Dispatcher;
use crate::flight::Stage;
use crate::messages::{News, Report};
use crate::pass::Pass;
use crate::{AttemptId, Ended, Outcome};

/// A call that failed at one endpoint goes to another one after so long.
const ELSEWHERE: Micros = Micros::from_millis(100);
/// So many failures of one call are put down to a provider that is being tried again.
const MOST_PROBES: u32 = 4;
/// So many refusals of one call (429) are put down to a limit that is not known yet.
const MOST_REFUSALS: u32 = 10;

impl Dispatcher {
    /// Takes in one report. Late ones, of attempts that are over, mean nothing.
    pub(super) fn handle(&mut self, Report { id, news }: Report) {
        let index = usize::from(id.pass.0);
        let news = match news {
            News::LookUp(found) => return self.looked_up(index, id.call, found),
            news => news,
        };
        let Some(pass) = self.passes.get_mut(index) else { return };
        let Some(flight) = pass.flight(id) else { return };
        match (flight.stage, news) {
            (Stage::Preparing, News::Prepared { go, redacted }) => {
                if self.stopping {
                    return;
                }
                let now = self.equipment.clock.now();
                if let Some(failure) = self.fatal_of(index, id.call) {
                    self.unsent(index, id, now, failure);
                    return self.end_if_done(index);
                }
                let task = self.task_of(id.call);
                let pass = &mut self.passes[index];
                if let Some(sent) = pass.send(id, now, self.retry.max_attempts) {
                    if let Some(hedges) = pass.hedges.as_mut().filter(|_| !sent.hedge) {
                        hedges.started(task, now, id);
                    }
                    self.log.attempt_started(now, id, sent, redacted);
                    // An executor that is gone has been aborted: the run is stopping.
                    let _ = go.send(());
                }
            }
            (Stage::Preparing, News::NoRequest { at, failure }) => {
                self.unsent(index, id, at, failure);
                self.lane_freed(index);
            }
            (Stage::Running, News::FirstText { at, text }) => {
                flight.first_text = Some(at);
                self.log.first_token(at, id);
                self.add_text(index, id, text);
            }
            (Stage::Running, News::Text { text }) => self.add_text(index, id, text),
            (Stage::Running, News::Ended { at, result }) => {
                let outcome = match &result {
                    Ok(answer) => Outcome::Answered(answer),
                    Err(failure) => Outcome::Failed(failure),
                };
                let ended = self.limiter.ended(id, outcome);
                // What it gave back may let the next one go sooner than was said.
                self.passes.iter_mut().for_each(Pass::ask_again);
                self.tell_news(at);
                match result {
                    Ok(answer) => self.answered(index, id, at, answer),
                    Err(failure) => self.attempt_failed(index, id, at, failure, ended),
                }
                self.lane_freed(index);
            }
            _ => {}
        }
    }

    /// A hedge's text is shown only once it is the answer.
    fn add_text(&mut self, index: usize, id: AttemptId, text: String) {
        let Some(flight) = self.passes[index].flight(id) else { return };
        let offset = flight.text.len();
        flight.text.push_str(&text);
        if !flight.hedge {
            self.log.text(id, offset, text);
        }
    }

    /// An attempt that has a lane and a permit is not sent, for a failure that is its call's; beside
    /// another attempt that goes on it is simply forgotten.
    fn unsent(&mut self, index: usize, id: AttemptId, at: Micros, failure: Failure) {
        self.limiter.ended(id, Outcome::Unsent);
        let pass = &mut self.passes[index];
        if pass.has_another(id) {
            pass.land(id);
        } else {
            self.fail_call(index, id.call, at, failure);
        }
    }

    fn attempt_failed(
        &mut self,
        index: usize,
        id: AttemptId,
        at: Micros,
        failure: Failure,
        ended: Ended,
    ) {
        let pass = &mut self.passes[index];
        let Some(flight) = pass.land(id) else { return };
        if failure.kind == FailureKind::RateLimited
            && let Some(adaptive) = &mut pass.adaptive
        {
            let change = adaptive.refused(at, flight.sent);
            self.adapt(index, at, change);
        }
        let pass = &mut self.passes[index];
        if pass.has_another(id) {
            return self.log.attempt_failed(at, id, failure, None);
        }
        if ended.hopeless && self.fatal.is_none() && !self.log.any_succeeded() {
            let message = format!("{} It has been tried again without success.", failure.message);
            self.log.attempt_failed(at, id, failure.clone(), None);
            self.passes[index].close(id.call, at);
            self.fail_closed(index, id.call, at, failure.clone(), flight.text);
            return self.give_up(Failure { message, ..failure });
        }
        // It went to see whether a provider works again, or too soon: neither is its call's fault,
        // unless it is this very call that the provider fails at.
        let excused = match failure.kind {
            FailureKind::RateLimited => pass.count_refusal(id.call) <= MOST_REFUSALS,
            FailureKind::Unreachable => ended.was_probe,
            _ => ended.was_probe && pass.count_probe(id.call) <= MOST_PROBES,
        };
        let failed = if excused { pass.failures(id.call) } else { pass.count_failure(id.call) };
        // Each wait is longer than the one before, whatever the reason.
        let tries = failed + pass.refusals(id.call);
        // What somebody has read the beginning of cannot be begun again.
        let may = self.retry.after_text || flight.first_text.is_none();
        let retryable = may
            && (failure.kind.is_retryable()
                || (failure.kind == FailureKind::Unreachable
                    && (ended.elsewhere || excused || self.log.any_succeeded())));
        let is_fatal = self.fatal_of(index, id.call).is_some();
        let pass = &mut self.passes[index];
        let wanted = !is_fatal && retryable && failed < self.retry.max_attempts;
        if wanted && (self.retries_left > 0 || excused) {
            self.retries_left -= u64::from(!excused);
            let wait = match ended.elsewhere {
                true => ELSEWHERE,
                false => self.retry.wait(tries.max(1), &failure, &mut self.rng),
            };
            pass.wait(id.call, at + wait);
            return self.log.attempt_failed(at, id, failure, Some(at + wait));
        }
        let every = !is_fatal && self.every_call_would_meet(failure.kind, ended);
        let tier = self.limiter.tier_of(flight.route);
        let tiers = self.passes[index].tiers(id.call);
        if every {
            // Nothing goes there any more; is there anywhere else?
            self.limiter.give_up(tier);
        }
        let fatal = every && !self.limiter.is_any_of_use(tiers.clone());
        let next = tier + 1;
        if may && !is_fatal && !fatal && (retryable || every) && next < tiers.end {
            let pass = &mut self.passes[index];
            pass.move_to(id.call, next);
            pass.wait(id.call, at);
            return self.log.attempt_failed(at, id, failure, Some(at));
        }
        self.log.attempt_failed(at, id, failure.clone(), None);
        let failure = if wanted { out_of_retries(failure) } else { failure };
        self.passes[index].close(id.call, at);
        self.fail_closed(index, id.call, at, failure.clone(), flight.text);
        if fatal {
            self.give_up_tiers(&tiers, failure);
        }
    }

    /// Whether a failure is not about its call but about the key, the account, the model or the
    /// endpoint. An endpoint that has answered before is there.
    fn every_call_would_meet(&self, kind: FailureKind, ended: Ended) -> bool {
        match kind {
            FailureKind::InvalidKey | FailureKind::QuotaExhausted | FailureKind::UnknownModel => {
                true
            }
            FailureKind::Unreachable => !self.log.any_succeeded() && !ended.elsewhere,
            _ => false,
        }
    }

    /// Ends a call for good, with what there is of its answer.
    pub(super) fn fail_call(&mut self, index: usize, call: CallId, at: Micros, failure: Failure) {
        let shown = self.passes[index].close(call, at).into_iter().find(|f| !f.hedge);
        let partial = shown.map(|f| f.text).unwrap_or_default();
        self.fail_closed(index, call, at, failure, partial);
    }

    /// Ends a call for good that its pass has closed.
    pub(super) fn fail_closed(
        &mut self,
        index: usize,
        call: CallId,
        at: Micros,
        failure: Failure,
        partial: String,
    ) {
        self.log.call_failed(at, self.passes[index].id, call, failure, partial);
        self.tell_cache(index, call, None);
        self.follow_up(index, call, at, None);
    }
}

/// The failure of a call that would have been tried again but for the run's budget.
fn out_of_retries(failure: Failure) -> Failure {
    let message = format!("{} Not tried again: too much of this run has failed.", failure.message);
    Failure { message, ..failure }
}
