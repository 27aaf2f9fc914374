//! Which lanes of a pass are free.
//!
//! A call that is tried again gets its former lane back when that is free, so that a lane's story
//! reads on; every other call gets the lowest-numbered free lane, so that lanes that are not needed
//! stay empty.

use std::collections::BTreeSet;

use lanes_model::LaneId;

/// The free lanes of one pass.
#[derive(Debug)]
pub(crate) struct Lanes {
    free: BTreeSet<LaneId>,
}

impl Lanes {
    /// Lanes 0 to `count` - 1, all free; at least one.
    pub(crate) fn new(count: u32) -> Self {
        let last = u16::try_from(count.saturating_sub(1)).unwrap_or(u16::MAX);
        Self { free: (0..=last).map(LaneId).collect() }
    }

    /// Whether a call can be put on a lane.
    pub(crate) fn any_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Takes the former lane or else the lowest one.
    pub(crate) fn take(&mut self, former: Option<LaneId>) -> Option<LaneId> {
        match former.and_then(|lane| self.free.take(&lane)) {
            Some(lane) => Some(lane),
            None => self.free.pop_first(),
        }
    }

    /// Gives a lane back.
    pub(crate) fn release(&mut self, lane: LaneId) {
        self.free.insert(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_gets_its_former_lane_or_else_the_lowest_free_one() {
        let mut lanes = Lanes::new(3);
        assert_eq!(lanes.take(None), Some(LaneId(0)));
        assert_eq!(lanes.take(Some(LaneId(2))), Some(LaneId(2)));
        assert_eq!(lanes.take(Some(LaneId(2))), Some(LaneId(1)));
        assert!(!lanes.any_free());
        assert_eq!(lanes.take(None), None);
        lanes.release(LaneId(2));
        lanes.release(LaneId(0));
        assert_eq!(lanes.take(Some(LaneId(1))), Some(LaneId(0)));
    }

    #[test]
    fn there_is_always_a_lane() {
        assert!(Lanes::new(0).any_free());
        assert_eq!(Lanes::new(u32::MAX).free.len(), 65_536);
    }
}
