//! Which attempts have taken so long that a second one beside them is worth its price.
//!
//! An attempt is late when it takes longer than 95 of 100 answers to the same task did. Pure: time is
//! handed in.

use std::collections::{HashMap, VecDeque};

use lanes_model::Micros;

use crate::AttemptId;

/// The share of answers that were faster than one that is late.
const QUANTILE: f64 = 0.95;
/// How many answers of a task are needed to judge, and how many are remembered.
const FEWEST: usize = 10;
const MOST: usize = 256;

/// The answers to one task, and its attempts that are under way.
#[derive(Debug, Default)]
struct Task {
    times: VecDeque<u64>,
    late_after: Option<Micros>,
    /// In the order in which they began; some are over.
    flights: VecDeque<(Micros, AttemptId)>,
}

/// What is known of one pass.
#[derive(Debug, Default)]
pub(crate) struct Hedges {
    tasks: HashMap<u32, Task>,
}

impl Hedges {
    /// An attempt of a call with this task began.
    pub(crate) fn started(&mut self, task: u32, at: Micros, attempt: AttemptId) {
        self.tasks.entry(task).or_default().flights.push_back((at, attempt));
    }

    /// A call of this task was answered after so long.
    pub(crate) fn answered(&mut self, task: u32, time: Micros) {
        let task = self.tasks.entry(task).or_default();
        task.times.push_back(time.0);
        if task.times.len() > MOST {
            task.times.pop_front();
        }
        if task.times.len() < FEWEST {
            return;
        }
        let mut times: Vec<u64> = task.times.iter().copied().collect();
        let place = ((times.len() as f64 * QUANTILE) as usize).min(times.len() - 1);
        task.late_after = Some(Micros(*times.select_nth_unstable(place).1));
    }

    /// Takes out an attempt that is late by now and, as `is_under_way` says, not over.
    pub(crate) fn take_late(
        &mut self,
        now: Micros,
        is_under_way: impl Fn(AttemptId) -> bool,
    ) -> Option<AttemptId> {
        self.forget(is_under_way);
        let due = |t: &Task| Some(t.flights.front()?.0 + t.late_after?);
        let task = self.tasks.values_mut().find(|t| due(t).is_some_and(|at| at <= now))?;
        task.flights.pop_front().map(|(_, attempt)| attempt)
    }

    /// When the next attempt will be late.
    pub(crate) fn next(&mut self, is_under_way: impl Fn(AttemptId) -> bool) -> Option<Micros> {
        self.forget(is_under_way);
        self.tasks.values().filter_map(|t| Some(t.flights.front()?.0 + t.late_after?)).min()
    }

    fn forget(&mut self, is_under_way: impl Fn(AttemptId) -> bool) {
        for task in self.tasks.values_mut() {
            while task.flights.front().is_some_and(|&(_, attempt)| !is_under_way(attempt)) {
                task.flights.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use lanes_model::{CallId, PassId};

    use super::*;

    fn attempt(call: u32) -> AttemptId {
        AttemptId { pass: PassId(0), call: CallId(call), number: 1 }
    }

    #[test]
    fn an_attempt_is_late_when_nearly_all_others_of_its_task_were_faster() {
        let mut hedges = Hedges::default();
        hedges.started(0, Micros(0), attempt(0));
        hedges.started(0, Micros(5), attempt(1));
        hedges.started(1, Micros(0), attempt(2));
        for time in 1..=20 {
            assert_eq!(hedges.next(|_| true).is_some(), time > FEWEST as u64);
            hedges.answered(0, Micros(time * 10));
        }
        assert_eq!(hedges.next(|_| true), Some(Micros(200)));
        assert_eq!(hedges.take_late(Micros(199), |_| true), None);
        assert_eq!(hedges.take_late(Micros(200), |_| true), Some(attempt(0)));
        assert_eq!(hedges.next(|_| true), Some(Micros(205)));
        assert_eq!(hedges.take_late(Micros(999), |a| a != attempt(1)), None);
    }
}
