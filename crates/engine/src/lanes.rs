//! Which lanes of a pass are free, and how many may be in use.
//!
//! A call that is tried again gets its former lane back when that is free, so that a lane's story
//! reads on; every other call gets the lowest-numbered free lane, so that lanes that are not needed
//! stay empty.

use std::collections::BTreeSet;

use lanes_model::LaneId;

/// The lanes of one pass.
#[derive(Debug)]
pub(crate) struct Lanes {
    free: BTreeSet<LaneId>,
    count: u32,
    /// How many may be in use.
    limit: u32,
}

/// The most lanes there can be: what a [`LaneId`] can name.
const MOST: u32 = 1 << 16;

impl Lanes {
    /// Lanes 0 to `count` - 1, all free; at least one.
    pub(crate) fn new(count: u32) -> Self {
        let mut lanes = Self { free: BTreeSet::new(), count: 0, limit: 0 };
        lanes.set_limit(count);
        lanes
    }

    /// How many may be in use.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Lets so many be in use, at least one. Lanes that are needed and not there are added; those in
    /// use beyond it stay in use until they are given back.
    pub(crate) fn set_limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, MOST);
        let lane = |n: u32| LaneId(u16::try_from(n).unwrap_or(u16::MAX));
        self.free.extend((self.count..self.limit).map(lane));
        self.count = self.count.max(self.limit);
    }

    /// How many are in use.
    pub(crate) fn in_use(&self) -> u32 {
        self.count - u32::try_from(self.free.len()).unwrap_or(u32::MAX)
    }

    /// Whether a call can be put on a lane.
    pub(crate) fn any_free(&self) -> bool {
        self.in_use() < self.limit
    }

    /// Takes the former lane or else the lowest one.
    pub(crate) fn take(&mut self, former: Option<LaneId>) -> Option<LaneId> {
        if !self.any_free() {
            return None;
        }
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

    #[test]
    fn fewer_lanes_are_in_use_once_those_beyond_the_limit_are_given_back() {
        let mut lanes = Lanes::new(3);
        for _ in 0..3 {
            lanes.take(None);
        }
        lanes.set_limit(1);
        lanes.release(LaneId(2));
        lanes.release(LaneId(0));
        assert!(!lanes.any_free());
        lanes.release(LaneId(1));
        assert_eq!(lanes.take(None), Some(LaneId(0)));
        lanes.set_limit(5);
        assert_eq!((1..5).filter_map(|_| lanes.take(None)).count(), 4);
        assert_eq!(lanes.in_use(), 5);
    }
}
