//! The calls of a pass that wait for a lane, and those that wait for their next try.
//!
//! Calls whose wait is over go first, in the order in which they became due; then the others in plan
//! order. In a pass that runs its calls strictly one after another, a waiting call holds back those
//! behind it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use lanes_model::{CallId, Micros};

/// The waiting calls of one pass.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    strict: bool,
    fresh: VecDeque<CallId>,
    due: VecDeque<CallId>,
    waiting: BinaryHeap<Reverse<(Micros, CallId)>>,
}

impl ReadyQueue {
    /// An empty queue; `strict` when calls run strictly one after another.
    pub(crate) fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Adds a call behind the ones added before.
    pub(crate) fn push(&mut self, call: CallId) {
        self.fresh.push_back(call);
    }

    /// Adds a call that is ready again at a time.
    pub(crate) fn push_at(&mut self, at: Micros, call: CallId) {
        self.waiting.push(Reverse((at, call)));
    }

    /// The call to start next, after moving up those that are due by `now`.
    pub(crate) fn peek(&mut self, now: Micros) -> Option<CallId> {
        while let Some(&Reverse((at, call))) = self.waiting.peek()
            && at <= now
        {
            self.waiting.pop();
            self.due.push_back(call);
        }
        match self.due.front() {
            Some(&call) => Some(call),
            None if self.strict && !self.waiting.is_empty() => None,
            None => self.fresh.front().copied(),
        }
    }

    /// Takes out the call that [`Self::peek`] has just shown.
    pub(crate) fn pop(&mut self) {
        if self.due.pop_front().is_none() {
            self.fresh.pop_front();
        }
    }

    /// When the next waiting call is due.
    pub(crate) fn next_due(&self) -> Option<Micros> {
        self.waiting.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes out all calls, in plan order, each with the time at which it is ready again, if that is
    /// known.
    pub(crate) fn drain_timed(&mut self) -> Vec<(CallId, Option<Micros>)> {
        let now = self.fresh.drain(..).chain(self.due.drain(..)).map(|call| (call, None));
        let mut calls: Vec<_> = now.collect();
        calls.extend(self.waiting.drain().map(|Reverse((at, call))| (call, Some(at))));
        calls.sort_unstable();
        calls
    }

    /// Takes out all calls, in plan order.
    pub(crate) fn drain(&mut self) -> Vec<CallId> {
        self.drain_timed().into_iter().map(|(call, _)| call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &mut ReadyQueue, now: u64) -> Option<u32> {
        let call = queue.peek(Micros(now))?;
        queue.pop();
        Some(call.0)
    }

    fn queue(strict: bool) -> ReadyQueue {
        let mut queue = ReadyQueue::new(strict);
        queue.push(CallId(5));
        queue.push(CallId(6));
        queue.push_at(Micros(20), CallId(1));
        queue.push_at(Micros(10), CallId(2));
        queue
    }

    #[test]
    fn calls_that_are_due_go_before_the_others_in_the_order_they_became_due() {
        let mut queue = queue(false);
        assert_eq!(next(&mut queue, 9), Some(5));
        assert_eq!(queue.next_due(), Some(Micros(10)));
        assert_eq!(next(&mut queue, 20), Some(2));
        assert_eq!(next(&mut queue, 20), Some(1));
        assert_eq!(next(&mut queue, 20), Some(6));
        assert_eq!(next(&mut queue, 20), None);
    }

    #[test]
    fn one_after_another_a_waiting_call_holds_back_those_behind_it() {
        let mut queue = queue(true);
        assert_eq!(next(&mut queue, 9), None);
        assert_eq!(next(&mut queue, 10), Some(2));
        assert_eq!(next(&mut queue, 10), None);
        assert_eq!(next(&mut queue, 20), Some(1));
        assert_eq!(next(&mut queue, 20), Some(5));
    }

    #[test]
    fn draining_gives_every_call_once_in_plan_order() {
        let mut queue = queue(false);
        queue.peek(Micros(10));
        let calls: Vec<_> = queue.drain().into_iter().map(|c| c.0).collect();
        assert_eq!(calls, [1, 2, 5, 6]);
        assert_eq!(next(&mut queue, 99), None);
    }
}
