//! List scheduling: the rule of the engine applied to durations that are known or expected.
//!
//! Calls start in order, each on the lane that is free first (of several, the lowest). Estimates and
//! what-if figures come from here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::sort::sorted;
use crate::{CallId, LaneId, Micros, Plan, ScheduledCall};

/// Lanes by the time from which they are free.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(BinaryHeap<Reverse<(Micros, LaneId)>>);

impl Lanes {
    /// That many lanes, all free from the start. None is made into one.
    pub(crate) fn new(lanes: u32) -> Self {
        let last = u16::try_from(lanes.max(1) - 1).unwrap_or(u16::MAX);
        (0..=last).map(|lane| (LaneId(lane), Micros::ZERO)).collect()
    }

    /// When the first lane is free.
    fn first_free(&self) -> Option<Micros> {
        self.0.peek().map(|Reverse((free, _))| *free)
    }

    /// Puts a call that is ready at `ready` and takes `duration` on the lane that is free first.
    /// Returns its lane, start and end.
    pub(crate) fn place(&mut self, ready: Micros, duration: Micros) -> (LaneId, Micros, Micros) {
        let Some(mut first) = self.0.peek_mut() else {
            return (LaneId(0), ready, ready + duration);
        };
        let Reverse((free, lane)) = *first;
        let start = free.max(ready);
        let end = start + duration;
        *first = Reverse((end, lane));
        (lane, start, end)
    }
}

/// Places calls as the engine would: each takes the lane that is free first once it is ready and the
/// calls that it needs have ended; of several that could go, the first of the plan does. `waiting` has
/// when each is ready at the earliest and how long it takes; `under_way` when the calls on lanes end.
/// What a stage may have under way at once is not looked at.
pub(crate) fn place_all(
    plan: &Plan,
    mut lanes: Lanes,
    waiting: Vec<(Micros, CallId, Micros)>,
    under_way: &[(CallId, Micros)],
) -> Vec<ScheduledCall> {
    let mut placed = Vec::with_capacity(waiting.len());
    let mut place = |lanes: &mut Lanes, call: CallId, ready: Micros, time: Micros| {
        let (lane, start, end) = lanes.place(ready, time);
        placed.push(ScheduledCall { call, lane, start, end });
        end
    };
    if plan.is_flat() {
        for (ready, call, time) in sorted(waiting) {
            place(&mut lanes, call, ready, time);
        }
        return placed;
    }
    // Of each call that waits: when it is ready, how long it takes, how many it waits for.
    let mut calls: Vec<Option<(Micros, Micros, u32)>> = vec![None; plan.calls.len()];
    for &(ready, call, time) in &waiting {
        if let Some(slot) = calls.get_mut(call.index()) {
            *slot = Some((ready, time, 0));
        }
    }
    let mut ends: Vec<Option<Micros>> = vec![None; plan.calls.len()];
    for &(call, end) in under_way {
        if let Some(slot) = ends.get_mut(call.index()) {
            *slot = Some(end);
        }
    }
    let mut coming = BinaryHeap::new();
    for &(_, call, _) in &waiting {
        let known = |need: &CallId| calls.get(need.index()).is_some_and(Option::is_some);
        let missing = plan.needs(call).filter(known).count();
        let before = plan.needs(call).filter_map(|need| ends.get(need.index()).copied()?).max();
        if let Some(Some((ready, _, left))) = calls.get_mut(call.index()) {
            *left = u32::try_from(missing).unwrap_or(u32::MAX);
            *ready = before.unwrap_or_default().max(*ready);
            if missing == 0 {
                coming.push(Reverse((*ready, call)));
            }
        }
    }
    let mut ready = BinaryHeap::new();
    while let Some(free) = lanes.first_free() {
        let due = |coming: &BinaryHeap<Reverse<(Micros, CallId)>>, by: Micros| {
            coming.peek().filter(|next| next.0.0 <= by).is_some()
        };
        let next = coming.peek().map(|next| next.0.0).filter(|_| ready.is_empty());
        let now = next.unwrap_or(free).max(free);
        while due(&coming, now) {
            ready.extend(coming.pop().map(|Reverse((_, call))| Reverse(call)));
        }
        let Some(Reverse(call)) = ready.pop() else { break };
        let Some((at, time, _)) = calls.get_mut(call.index()).and_then(Option::take) else {
            continue;
        };
        let end = place(&mut lanes, call, at.max(now), time);
        for dependent in plan.dependents(call) {
            let Some(Some((at, _, left))) = calls.get_mut(dependent.index()) else { continue };
            *at = end.max(*at);
            *left = left.saturating_sub(1);
            if *left == 0 {
                coming.push(Reverse((*at, dependent)));
            }
        }
    }
    placed
}

impl FromIterator<(LaneId, Micros)> for Lanes {
    fn from_iter<I: IntoIterator<Item = (LaneId, Micros)>>(lanes: I) -> Self {
        Self(lanes.into_iter().map(|(lane, free)| Reverse((free, lane))).collect())
    }
}

/// The time in which that many lanes work off calls of these durations, in order.
pub(crate) fn makespan(durations: &[Micros], lanes: u32) -> Micros {
    let needed = u32::try_from(durations.len()).unwrap_or(u32::MAX);
    let mut lanes = Lanes::new(lanes.min(needed));
    durations.iter().map(|&d| lanes.place(Micros::ZERO, d).2).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn makespan_of(durations: [u64; 6], lanes: u32) -> u64 {
        makespan(&durations.map(Micros), lanes).0
    }

    #[test]
    fn each_call_goes_to_the_lane_that_is_free_first() {
        let calls = [234, 145, 180, 235, 246, 160];
        assert_eq!(makespan_of(calls, 1), 1_200);
        assert_eq!(makespan_of(calls, 4), 145 + 246);
        assert_eq!(makespan_of(calls, 6), 246);
        assert_eq!(makespan_of(calls, 600), 246);
    }

    #[test]
    fn a_call_that_needs_others_is_placed_after_them_and_before_those_of_later_records() {
        let stage = |id: &str, task, needs: &[u16]| crate::PlannedStage {
            id: crate::StageId(id.to_owned()),
            tasks: vec![task],
            needs: needs.to_vec(),
            ..Default::default()
        };
        let stages = vec![stage("a", 0, &[]), stage("b", 1, &[0])];
        let plan = Plan::of_stages(crate::Mode::Parallel, false, 2, stages, 3);
        let waiting = (0..6).map(|i| (Micros::ZERO, CallId(i), Micros(10))).collect();
        let placed = place_all(&plan, Lanes::new(2), waiting, &[]);
        let starts: Vec<_> = placed.iter().map(|c| (c.call.0, c.start.0)).collect();
        assert_eq!(starts, [(0, 0), (2, 0), (1, 10), (3, 10), (4, 20), (5, 30)]);

        let under_way = [(CallId(0), Micros(25))];
        let waiting = vec![(Micros(7), CallId(1), Micros(10))];
        let placed = place_all(&plan, Lanes::new(2), waiting, &under_way);
        assert_eq!(placed[0].start, Micros(25));
    }

    #[test]
    fn nothing_takes_no_time() {
        assert_eq!(makespan(&[], 0), Micros::ZERO);
    }

    #[test]
    fn a_call_does_not_start_before_it_is_ready() {
        let mut lanes = Lanes::new(2);
        assert_eq!(lanes.place(Micros(5), Micros(1)), (LaneId(0), Micros(5), Micros(6)));
        assert_eq!(lanes.place(Micros(0), Micros(1)), (LaneId(1), Micros(0), Micros(1)));
    }
}
