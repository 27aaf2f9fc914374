//! List scheduling: the rule of the engine applied to durations that are known or expected.
//!
//! Calls start in order, each on the lane that is free first (of several, the lowest). Estimates and
//! what-if figures come from here.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{LaneId, Micros};

/// Lanes by the time from which they are free.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(BinaryHeap<Reverse<(Micros, LaneId)>>);

impl Lanes {
    /// That many lanes, all free from the start. None is made into one.
    pub(crate) fn new(lanes: u32) -> Self {
        let last = u16::try_from(lanes.max(1) - 1).unwrap_or(u16::MAX);
        (0..=last).map(|lane| (LaneId(lane), Micros::ZERO)).collect()
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
