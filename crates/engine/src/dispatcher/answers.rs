//! What follows from an answer: it is the call's, or it is not of the form asked for and the call is
//! asked once more.
//!
//! Part of the dispatcher.

use lanes_model::{CallId, Failure, FailureKind, Micros};

use super::Dispatcher;
use crate::flight::Flight;
use crate::{Answer, AttemptId};

impl Dispatcher {
    /// The task of a call, as a number that tells tasks apart.
    pub(super) fn task_of(&self, call: CallId) -> u32 {
        self.plan.calls.get(call.index()).map(|planned| planned.task).unwrap_or_default()
    }

    /// An attempt gave an answer.
    pub(super) fn answered(&mut self, index: usize, id: AttemptId, at: Micros, answer: Answer) {
        self.learn(index, id, at);
        self.spent = [self.spent].into_iter().chain(answer.cost).sum();
        let answer = match self.equipment.records.check(id.call, &answer.text) {
            Ok(None) => answer,
            Ok(Some(text)) => Answer { text, ..answer },
            Err(why) => return self.rejected(index, id, at, answer, why),
        };
        // What a fallback says is not what was asked for, and not to be remembered as that.
        let pass = &mut self.passes[index];
        let route = pass.flight(id).map(|f| f.route).unwrap_or_default();
        let first_choice = self.limiter.tier_of(route) == pass.tiers(id.call).start;
        self.stop_others(index, id, at);
        self.tell_cache(index, id.call, Some(&answer).filter(|_| first_choice));
        // Copied only where another call needs it.
        let text = (!self.plan.is_flat()).then(|| answer.text.clone());
        self.log.answered(at, id, answer);
        self.follow_up(index, id.call, at, Some(text.as_deref().unwrap_or_default()));
        self.keep_budget();
    }

    /// An answer is not of the form asked for: the call is asked once more and told why; the second
    /// time it has failed, with what it was answered.
    fn rejected(&mut self, index: usize, id: AttemptId, at: Micros, answer: Answer, why: String) {
        let used = Some((answer.usage, answer.cost));
        let fatal = self.fatal_of(index, id.call).is_some();
        let pass = &mut self.passes[index];
        if pass.land(id).is_none() {
            return;
        }
        let failure = Failure::new(FailureKind::InvalidOutput, why);
        if pass.has_another(id) {
            return self.log.answer_rejected(at, id, failure, None, used);
        }
        let again = pass.reject(id.call, &failure.message) && !fatal;
        if again {
            pass.wait(id.call, at);
        }
        self.log.answer_rejected(at, id, failure.clone(), again.then_some(at), used);
        if !again {
            self.passes[index].close(id.call, at);
            self.fail_closed(index, id.call, at, failure, answer.text);
        }
        self.keep_budget();
    }

    /// What an answer says of how many lanes to use, and of how long answers take.
    fn learn(&mut self, index: usize, id: AttemptId, at: Micros) {
        let task = self.task_of(id.call);
        let pass = &mut self.passes[index];
        if pass.adaptive.is_none() && pass.hedges.is_none() {
            return;
        }
        let busy = !pass.lanes.any_free() && pass.ready.any();
        let Some(&mut Flight { sent, first_text, .. }) = pass.flight(id) else { return };
        if let Some(hedges) = &mut pass.hedges {
            hedges.answered(task, at.since(sent));
        }
        let Some(adaptive) = &mut pass.adaptive else { return };
        let ttft = first_text.unwrap_or(at).since(sent);
        let prompt = self.equipment.records.prompt_tokens(id.call);
        let change = adaptive.answered(at, sent, ttft, prompt, busy);
        self.adapt(index, at, change);
    }
}
