//! Which calls of a pass still wait for others, and the answers that those will use.
//!
//! Plain data: a count for each call of the needed calls that have not ended, and each answer for as
//! long as a call that needs it has not ended.

use std::collections::HashMap;
use std::sync::Arc;

use lanes_model::{CallId, PassState, Plan, Scope, state::CallEndState};

/// What the end of a call means for one that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Everything that it needs is there.
    Ready,
    /// This call has no answer, and it cannot go without.
    Skipped(CallId),
}

/// The needs of one pass; empty where no call needs another.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    plan: Arc<Plan>,
    /// By call; empty in a flat plan.
    calls: Vec<Waits>,
    /// Answers that some call that has not ended needs, and how many do.
    answers: HashMap<CallId, (Arc<str>, u32)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Waits {
    /// Needed calls that have not ended.
    left: u32,
    /// One of them that ended without an answer.
    without: Option<CallId>,
    /// Whether any of them has an answer.
    any: bool,
}

impl Needs {
    /// The needs of a pass as its log left it.
    pub(crate) fn new(plan: &Arc<Plan>, state: &PassState) -> Self {
        if plan.is_flat() {
            return Self::default();
        }
        let mut needs = Self {
            plan: Arc::clone(plan),
            calls: vec![Waits::default(); state.calls.len()],
            answers: HashMap::new(),
        };
        for call in (0..).map(CallId).take(state.calls.len()) {
            // A pass may execute the first of the plan's calls alone.
            let here = |need: &CallId| need.index() < state.calls.len();
            let left = plan.needs(call).filter(here).count();
            if let Some(waits) = needs.calls.get_mut(call.index()) {
                waits.left = u32::try_from(left).unwrap_or(u32::MAX);
            }
        }
        for (call, state) in (0..).map(CallId).zip(&state.calls) {
            if let Some(ended) = state.ended {
                let answer = (ended == CallEndState::Succeeded).then_some(state.output.as_str());
                // Who is ready now is known from their counts.
                needs.ended(call, answer);
            }
        }
        for (call, _) in (0..).map(CallId).zip(&state.calls).filter(|(_, c)| c.ended.is_some()) {
            needs.release(call);
        }
        needs
    }

    /// Whether a call waits for others.
    pub(crate) fn waits(&self, call: CallId) -> bool {
        self.calls.get(call.index()).is_some_and(|w| w.left > 0)
    }

    /// How a call stands that waits for no other any more.
    pub(crate) fn verdict(&self, call: CallId) -> Verdict {
        let Some(waits) = self.calls.get(call.index()) else { return Verdict::Ready };
        let of_all = self.plan.stage_of(call).is_some_and(|s| s.scope == Scope::All);
        match waits.without {
            // What is about all documents is about those that have got so far, if any has.
            Some(without) if !of_all || !waits.any => Verdict::Skipped(without),
            _ => Verdict::Ready,
        }
    }

    /// A call has ended, with this answer or without one: the calls that wait for no other any more,
    /// in plan order.
    pub(crate) fn ended(&mut self, call: CallId, answer: Option<&str>) -> Vec<CallId> {
        if self.calls.is_empty() {
            return Vec::new();
        }
        let plan = Arc::clone(&self.plan);
        let mut dependents = 0;
        let mut free = Vec::new();
        for dependent in plan.dependents(call) {
            dependents += 1;
            let Some(waits) = self.calls.get_mut(dependent.index()) else { continue };
            waits.left = waits.left.saturating_sub(1);
            match answer {
                Some(_) => waits.any = true,
                None => waits.without = waits.without.or(Some(call)),
            }
            if waits.left == 0 {
                free.push(dependent);
            }
        }
        if let Some(answer) = answer.filter(|_| dependents > 0) {
            self.answers.insert(call, (answer.into(), dependents));
        }
        free.sort_unstable();
        free
    }

    /// A call needs nothing any more: answers that nobody else needs are let go.
    pub(crate) fn release(&mut self, call: CallId) {
        if self.calls.is_empty() {
            return;
        }
        for need in self.plan.needs(call) {
            if let Some((_, users)) = self.answers.get_mut(&need) {
                *users -= 1;
                if *users == 0 {
                    self.answers.remove(&need);
                }
            }
        }
    }

    /// What the calls that a call needs have answered, in their order; none where there is no answer.
    pub(crate) fn answers(&self, call: CallId) -> Vec<(CallId, Option<Arc<str>>)> {
        if self.calls.is_empty() {
            return Vec::new();
        }
        let answer = |need| self.answers.get(&need).map(|(answer, _)| Arc::clone(answer));
        self.plan.needs(call).map(|need| (need, answer(need))).collect()
    }

    /// The length of these answers, in bytes.
    pub(crate) fn bytes(&self, call: CallId) -> u64 {
        if self.calls.is_empty() {
            return 0;
        }
        let needs = self.plan.needs(call);
        needs.filter_map(|need| Some(self.answers.get(&need)?.0.len() as u64)).sum()
    }
}
