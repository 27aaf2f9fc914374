//! The calls of a pass that wait for a lane, and those that wait for their next try.
//!
//! Calls whose wait is over go first, in the order in which they became due; then the others in plan
//! order. In a pass that runs its calls strictly one after another, a waiting call holds back those
//! behind it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use lanes_model::{CallId, Micros};

/// The waiting calls of one pass. Each has a tier: how far down the order of providers it has come. A
/// call that has not been tried is at the first.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    strict: bool,
    fresh: VecDeque<CallId>,
    /// By tier, in the order in which they became due.
    due: Vec<VecDeque<(Micros, CallId)>>,
    waiting: BinaryHeap<Reverse<(Micros, CallId, u16)>>,
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
    pub(crate) fn push_at(&mut self, at: Micros, call: CallId, tier: u16) {
        self.waiting.push(Reverse((at, call, tier)));
    }

    /// The call to start next, and its tier, among those whose tier is not held back; after moving up
    /// those that are due by `now`.
    pub(crate) fn peek(
        &mut self,
        now: Micros,
        is_held: impl Fn(u16) -> bool,
    ) -> Option<(CallId, u16)> {
        while let Some(&Reverse((at, call, tier))) = self.waiting.peek()
            && at <= now
        {
            self.waiting.pop();
            let place = usize::from(tier);
            if self.due.len() <= place {
                self.due.resize_with(place + 1, VecDeque::new);
            }
            if let Some(due) = self.due.get_mut(place) {
                due.push_back((at, call));
            }
        }
        let due = (0..).zip(&self.due).filter_map(|(tier, due)| Some((*due.front()?, tier)));
        let holds_back = self.strict && (!self.waiting.is_empty() || due.clone().next().is_some());
        match due.filter(|(_, tier)| !is_held(*tier)).min() {
            Some(((_, call), tier)) => Some((call, tier)),
            None if holds_back || is_held(0) => None,
            None => self.fresh.front().map(|&call| (call, 0)),
        }
    }

    /// Takes out the call that [`Self::peek`] has just shown.
    pub(crate) fn pop(&mut self, call: CallId, tier: u16) {
        let due = self.due.get_mut(usize::from(tier));
        match due.filter(|due| due.front().is_some_and(|d| d.1 == call)) {
            Some(due) => _ = due.pop_front(),
            None => _ = self.fresh.pop_front(),
        }
    }

    /// Whether calls run strictly one after another.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether a call is ready.
    pub(crate) fn any(&self) -> bool {
        !self.fresh.is_empty() || self.due.iter().any(|due| !due.is_empty())
    }

    /// When the next waiting call is due.
    pub(crate) fn next_due(&self) -> Option<Micros> {
        self.waiting.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out all calls, in plan order.
    pub(crate) fn drain(&mut self) -> Vec<CallId> {
        let due = self.due.iter_mut().flat_map(|due| due.drain(..).map(|(_, call)| call));
        let mut calls: Vec<_> = self.fresh.drain(..).chain(due).collect();
        calls.extend(self.waiting.drain().map(|Reverse((_, call, _))| call));
        calls.sort_unstable();
        calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &mut ReadyQueue, now: u64) -> Option<u32> {
        let (call, tier) = queue.peek(Micros(now), |_| false)?;
        queue.pop(call, tier);
        Some(call.0)
    }

    fn queue(strict: bool) -> ReadyQueue {
        let mut queue = ReadyQueue::new(strict);
        queue.push(CallId(5));
        queue.push(CallId(6));
        queue.push_at(Micros(20), CallId(1), 0);
        queue.push_at(Micros(10), CallId(2), 1);
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
    fn calls_of_a_tier_that_is_held_back_do_not_hold_back_others() {
        let mut queue = queue(false);
        assert_eq!(queue.peek(Micros(10), |tier| tier == 1), Some((CallId(5), 0)));
        assert_eq!(queue.peek(Micros(10), |tier| tier == 0), Some((CallId(2), 1)));
        assert_eq!(queue.peek(Micros(10), |_| true), None);
        assert!(queue.any());
    }

    #[test]
    fn draining_gives_every_call_once_in_plan_order() {
        let mut queue = queue(false);
        queue.peek(Micros(10), |_| false);
        let calls: Vec<_> = queue.drain().into_iter().map(|c| c.0).collect();
        assert_eq!(calls, [1, 2, 5, 6]);
        assert_eq!(next(&mut queue, 99), None);
    }
}
