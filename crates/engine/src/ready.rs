//! The calls of a pass that wait for a lane, and those that wait for their next try.
//!
//! Calls whose wait is over go first, in the order in which they became due; then the others in plan
//! order, so that a record that has begun is ended before another one begins. In a pass that runs its
//! calls strictly one after another, a waiting call holds back those behind it.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use lanes_model::{CallId, Micros};

/// What can hold back calls together: the stage they belong to and the tier, how far down the order of
/// providers they have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Class {
    pub(crate) stage: u16,
    pub(crate) tier: u16,
}

/// Calls of one class that have not been tried.
#[derive(Debug)]
struct Fresh {
    class: Class,
    calls: BinaryHeap<Reverse<CallId>>,
}

/// Calls of one class in the order in which they became due.
#[derive(Debug)]
struct Due {
    class: Class,
    calls: VecDeque<(Micros, CallId)>,
}

/// The waiting calls of one pass.
#[derive(Debug, Default)]
pub(crate) struct ReadyQueue {
    strict: bool,
    fresh: Vec<Fresh>,
    due: Vec<Due>,
    waiting: BinaryHeap<Reverse<(Micros, CallId, Class)>>,
}

impl ReadyQueue {
    /// An empty queue; `strict` when calls run strictly one after another.
    pub(crate) fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Adds a call that has not been tried.
    pub(crate) fn push(&mut self, call: CallId, class: Class) {
        let place = self.fresh.iter().position(|f| f.class == class).unwrap_or_else(|| {
            self.fresh.push(Fresh { class, calls: BinaryHeap::new() });
            self.fresh.len() - 1
        });
        if let Some(fresh) = self.fresh.get_mut(place) {
            fresh.calls.push(Reverse(call));
        }
    }

    /// Adds a call that is ready again at a time.
    pub(crate) fn push_at(&mut self, at: Micros, call: CallId, class: Class) {
        self.waiting.push(Reverse((at, call, class)));
    }

    /// The call to start next, and its class, among those whose class is not held back; after moving
    /// up those that are due by `now`.
    pub(crate) fn peek(
        &mut self,
        now: Micros,
        is_held: impl Fn(Class) -> bool,
    ) -> Option<(CallId, Class)> {
        while let Some(&Reverse((at, call, class))) = self.waiting.peek()
            && at <= now
        {
            self.waiting.pop();
            let place = self.due.iter().position(|d| d.class == class).unwrap_or_else(|| {
                self.due.push(Due { class, calls: VecDeque::new() });
                self.due.len() - 1
            });
            if let Some(due) = self.due.get_mut(place) {
                due.calls.push_back((at, call));
            }
        }
        let mut due = self.due.iter().filter_map(|d| Some((*d.calls.front()?, d.class)));
        let holds_back = self.strict && (!self.waiting.is_empty() || due.clone().next().is_some());
        if let Some(((_, call), class)) = due.by_ref().filter(|(_, c)| !is_held(*c)).min() {
            return Some((call, class));
        }
        if holds_back {
            return None;
        }
        let fresh = self.fresh.iter().filter(|f| !f.calls.is_empty() && !is_held(f.class));
        fresh.filter_map(|f| Some((f.calls.peek()?.0, f.class))).min()
    }

    /// Takes out the call that [`Self::peek`] has just shown.
    pub(crate) fn pop(&mut self, call: CallId, class: Class) {
        let due = self.due.iter_mut().find(|d| d.class == class).map(|d| &mut d.calls);
        match due.filter(|due| due.front().is_some_and(|d| d.1 == call)) {
            Some(due) => _ = due.pop_front(),
            None => {
                let fresh = self.fresh.iter_mut().find(|f| f.class == class);
                fresh.map(|f| f.calls.pop());
            }
        }
    }

    /// Whether calls run strictly one after another.
    pub(crate) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether a call is ready.
    pub(crate) fn any(&self) -> bool {
        self.fresh.iter().any(|f| !f.calls.is_empty())
            || self.due.iter().any(|due| !due.calls.is_empty())
    }

    /// When the next waiting call is due.
    pub(crate) fn next_due(&self) -> Option<Micros> {
        self.waiting.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out all calls of those stages, in plan order, each with the time at which it is ready
    /// again, if that is known.
    pub(crate) fn drain_timed(
        &mut self,
        of: impl Fn(u16) -> bool,
    ) -> Vec<(CallId, Option<Micros>)> {
        let mut calls = Vec::new();
        for fresh in self.fresh.iter_mut().filter(|f| of(f.class.stage)) {
            calls.extend(fresh.calls.drain().map(|Reverse(call)| (call, None)));
        }
        for due in self.due.iter_mut().filter(|d| of(d.class.stage)) {
            calls.extend(due.calls.drain(..).map(|(_, call)| (call, None)));
        }
        let (out, stay): (Vec<_>, Vec<_>) =
            self.waiting.drain().partition(|Reverse((_, _, class))| of(class.stage));
        self.waiting.extend(stay);
        calls.extend(out.into_iter().map(|Reverse((at, call, _))| (call, Some(at))));
        calls.sort_unstable();
        calls
    }

    /// Takes out all calls of those stages, in plan order.
    pub(crate) fn drain(&mut self, of: impl Fn(u16) -> bool) -> Vec<CallId> {
        self.drain_timed(of).into_iter().map(|(call, _)| call).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls of the first stage at that tier.
    const fn at(tier: u16) -> Class {
        Class { stage: 0, tier }
    }

    fn next(queue: &mut ReadyQueue, now: u64) -> Option<u32> {
        let (call, class) = queue.peek(Micros(now), |_| false)?;
        queue.pop(call, class);
        Some(call.0)
    }

    fn queue(strict: bool) -> ReadyQueue {
        let mut queue = ReadyQueue::new(strict);
        queue.push(CallId(6), at(0));
        queue.push(CallId(5), at(0));
        queue.push_at(Micros(20), CallId(1), at(0));
        queue.push_at(Micros(10), CallId(2), at(1));
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
        assert_eq!(queue.peek(Micros(10), |c| c.tier == 1), Some((CallId(5), at(0))));
        assert_eq!(queue.peek(Micros(10), |c| c.tier == 0), Some((CallId(2), at(1))));
        assert_eq!(queue.peek(Micros(10), |_| true), None);
        assert!(queue.any());
    }

    #[test]
    fn draining_gives_every_call_once_in_plan_order() {
        let mut queue = queue(false);
        queue.peek(Micros(10), |_| false);
        let calls: Vec<_> = queue.drain(|_| true).into_iter().map(|c| c.0).collect();
        assert_eq!(calls, [1, 2, 5, 6]);
        assert_eq!(next(&mut queue, 99), None);
    }
}
