//! What the end of a call means for those that need it: they become ready, or they are skipped; and
//! what is given up for want of a provider.
//!
//! Part of the dispatcher. A call is queued in the log at the moment at which the last of those that it
//! needs ended; no stage waits for another one as a whole.

use std::ops::Range;

use lanes_model::{CallId, Failure, FailureKind, Micros};

use super::Dispatcher;
use crate::needs::Verdict;
use crate::pass::Phase;

impl Dispatcher {
    /// A call has ended, with this answer or without one.
    pub(super) fn follow_up(
        &mut self,
        index: usize,
        call: CallId,
        at: Micros,
        answer: Option<&str>,
    ) {
        let needs = &mut self.passes[index].needs;
        let free = needs.ended(call, answer);
        needs.release(call);
        if free.is_empty() {
            return;
        }
        let mut ready = Vec::with_capacity(free.len());
        for next in free {
            // It may have ended already, when what it needs was reopened.
            if self.passes[index].has_ended(next) {
                continue;
            }
            match (self.fatal_of(index, next), self.passes[index].needs.verdict(next)) {
                (Some(failure), _) => self.fail_call(index, next, at, failure),
                (None, Verdict::Skipped(without)) => self.skip(index, next, without, at),
                (None, Verdict::Ready) => ready.push(next),
            }
        }
        ready.retain(|next| !self.end_known(index, *next, at));
        for run in ready.chunk_by(|a, b| a.0 + 1 == b.0) {
            let Some(&first) = run.first() else { continue };
            let count = u32::try_from(run.len()).unwrap_or(u32::MAX);
            self.log.calls_queued(at, self.passes[index].id, first, count);
            for &next in run {
                if !self.queue_lookup(index, next) {
                    self.passes[index].make_ready(next);
                }
            }
        }
    }

    /// Ends the calls of a pass that goes on that are ready and need no request.
    pub(super) fn end_all_known(&mut self, index: usize, at: Micros) {
        let records = std::sync::Arc::clone(&self.equipment);
        let may_know = |stage: u16| records.records.may_know(stage);
        for (call, due) in self.passes[index].ready.drain_timed(may_know) {
            if self.end_known(index, call, at) {
                continue;
            }
            match due {
                Some(due) => self.passes[index].wait(call, due),
                None => self.passes[index].make_ready(call),
            }
        }
    }

    /// Ends a call that is ready and whose answer needs no request. Says whether it was one.
    pub(super) fn end_known(&mut self, index: usize, call: CallId, at: Micros) -> bool {
        let pass = &mut self.passes[index];
        if !self.equipment.records.may_know(pass.class(call).stage) {
            return false;
        }
        let Some(answer) = self.equipment.records.known(call, &pass.asked(call)) else {
            return false;
        };
        pass.close(call, at);
        self.log.known(at, pass.id, call, answer.clone());
        self.follow_up(index, call, at, Some(&answer));
        true
    }

    /// A call cannot go, since one that it needs has no answer.
    pub(super) fn skip(&mut self, index: usize, call: CallId, without: CallId, at: Micros) {
        let stage = self.plan.stage_of(without).map(|s| s.name.as_str()).unwrap_or_default();
        let message = format!("“{stage}” has no answer here, and this call needs it.");
        self.fail_call(index, call, at, Failure::new(FailureKind::Skipped, message));
    }

    /// The failure that a call would meet, once there was one that all of the run or all of its stage
    /// would.
    pub(super) fn fatal_of(&self, index: usize, call: CallId) -> Option<Failure> {
        if self.fatal.is_some() {
            return self.fatal.clone();
        }
        if self.dead.is_empty() {
            return None;
        }
        let stage = usize::from(self.passes[index].class(call).stage);
        self.dead.get(stage).cloned().flatten()
    }

    /// Fails every call that is not on a lane, now and in the passes to come: those of stages that go
    /// to these tiers and, where tiers are of no use any more, of others that go to those alone.
    pub(super) fn give_up_tiers(&mut self, tiers: &Range<u16>, failure: Failure) {
        let stages = self.stage_tiers.iter();
        let is_dead = |of: &Range<u16>| of == tiers || !self.limiter.is_any_of_use(of.clone());
        let dead: Vec<_> = stages.map(is_dead).collect();
        if dead.iter().all(|dead| *dead) {
            return self.give_up(failure);
        }
        self.dead.resize(dead.len(), None);
        for (known, _) in self.dead.iter_mut().zip(dead).filter(|(_, dead)| *dead) {
            known.get_or_insert_with(|| failure.clone());
        }
        self.fail_all_waiting();
    }

    /// Fails every call that is not on a lane, now and in the passes to come.
    pub(super) fn give_up(&mut self, failure: Failure) {
        self.fatal = Some(failure);
        self.fail_all_waiting();
    }

    fn fail_all_waiting(&mut self) {
        let now = self.now();
        for index in 0..self.passes.len() {
            if self.passes[index].phase == Phase::Running {
                self.fail_waiting(index, now);
                self.end_if_done(index);
            }
        }
    }

    /// After a failure that others would meet: fails the calls that would and are not on a lane.
    pub(super) fn fail_waiting(&mut self, index: usize, now: Micros) {
        if self.fatal.is_none() && self.dead.iter().all(Option::is_none) {
            return;
        }
        let (fatal, dead) = (self.fatal.is_some(), self.dead.clone());
        let of = |stage: u16| fatal || dead.get(usize::from(stage)).is_some_and(Option::is_some);
        let mut calls = self.passes[index].ready.drain(of);
        calls.extend(self.drop_lookups(index, of));
        calls.sort_unstable();
        for call in calls {
            if let Some(failure) = self.fatal_of(index, call) {
                self.fail_call(index, call, now, failure);
            }
        }
    }
}
