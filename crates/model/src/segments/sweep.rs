//! Walks once through the moments at which something changes and gives free lanes to waiting calls.
//!
//! A call keeps the lane it was given until it stops waiting, an attempt takes the lane, or a call
//! of a higher claim needs it. So the work at a moment depends on what changes then, not on how many
//! lanes stand idle. The rule it keeps: while a call of some [`Reason`] has no lane, no lane is
//! vacant or held for a lower reason.
//!
//! Where fewer lanes may be in use than there are, the others are closed and have no time of their
//! own. A lane that an attempt holds is not closed before the attempt ends.

use std::collections::BTreeSet;

use super::{Reason, Stint, Wait, parts};
use crate::{CallId, LaneId, LedgerState, Micros, Segment};

/// What changes at a moment, in the order in which it takes effect. Numbers are places in the lists
/// that [`sweep`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Change {
    StopWaiting(usize),
    FreeLane(usize),
    Limit(usize),
    TakeLane(usize),
    Wait(usize),
}

/// What a lane is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// An attempt.
    Attempt,
    /// A waiting call: the place of its wait.
    Wait(usize),
    /// Nothing.
    Vacant,
    /// It is closed.
    Closed,
}

#[derive(Debug)]
struct Lane<'a> {
    stints: std::iter::Peekable<std::slice::Iter<'a, Stint>>,
    /// The call of the stint that began last.
    last: Option<CallId>,
    holder: Holder,
    since: Micros,
    out: Vec<Segment>,
}

#[derive(Debug)]
struct Sweep<'a> {
    waits: &'a [Wait],
    lanes: Vec<Lane<'a>>,
    /// Lanes that are held for nothing.
    vacant: BTreeSet<usize>,
    /// Lanes that are closed.
    closed: BTreeSet<usize>,
    /// How many lanes may be open.
    limit: usize,
    /// How many lanes an attempt holds.
    busy: usize,
    /// Lanes that fell vacant at this moment.
    fresh: Vec<usize>,
    /// Lanes held for waits of each reason.
    held: [BTreeSet<usize>; Reason::ALL.len()],
    /// Calls without a lane, by reason.
    unplaced: [BTreeSet<CallId>; Reason::ALL.len()],
    /// The present wait of each call and the lane it was given.
    current: Vec<Option<(usize, Option<usize>)>>,
}

/// The segments of lanes whose attempts are `stints`, while `calls` calls wait as `waits` says and at
/// most as many lanes are open as `limits` says from its times on, up to `wall`.
pub(super) fn sweep(
    stints: &[Vec<Stint>],
    waits: &[Wait],
    limits: &[(Micros, u32)],
    calls: usize,
    wall: Micros,
) -> Vec<Segment> {
    let mut changes = Vec::new();
    for (i, &(at, _)) in limits.iter().enumerate() {
        changes.push((at, Change::Limit(i)));
    }
    for (lane, stints) in stints.iter().enumerate() {
        for s in stints {
            changes.push((s.start, Change::TakeLane(lane)));
            changes.push((s.end, Change::FreeLane(lane)));
        }
    }
    for (i, w) in waits.iter().enumerate() {
        changes.push((w.from, Change::Wait(i)));
        changes.push((w.to, Change::StopWaiting(i)));
    }
    changes.sort_unstable();

    let mut sweep = Sweep {
        waits,
        lanes: stints
            .iter()
            .map(|stints| Lane {
                stints: stints.iter().peekable(),
                last: None,
                holder: Holder::Vacant,
                since: Micros::ZERO,
                out: Vec::new(),
            })
            .collect(),
        vacant: (0..stints.len()).collect(),
        closed: BTreeSet::new(),
        limit: stints.len(),
        busy: 0,
        fresh: (0..stints.len()).collect(),
        held: Default::default(),
        unplaced: Default::default(),
        current: vec![None; calls],
    };
    for moment in changes.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(at, _)) = moment.first() else { continue };
        if at >= wall {
            break;
        }
        for &(_, change) in moment {
            match change {
                // The last of those at one moment counts.
                Change::Limit(i) => {
                    sweep.limit =
                        limits.get(i).map_or(0, |l| l.1 as usize).clamp(1, stints.len().max(1));
                }
                change => sweep.change(change, at),
            }
        }
        sweep.balance(at);
        sweep.settle(at);
    }
    sweep.finish(wall)
}

impl Sweep<'_> {
    fn change(&mut self, change: Change, at: Micros) {
        match change {
            Change::StopWaiting(wait) => {
                let Some(&Wait { call, reason, .. }) = self.waits.get(wait) else { return };
                let Some(current) = self.current.get_mut(call.index()) else { return };
                match current.take() {
                    Some((_, Some(lane))) => self.vacate(lane, reason, at),
                    _ => {
                        self.unplaced[reason as usize].remove(&call);
                    }
                }
            }
            Change::Limit(_) => {}
            Change::FreeLane(lane) => {
                self.busy = self.busy.saturating_sub(1);
                self.hold(lane, Holder::Vacant, at);
                self.vacant.insert(lane);
                self.fresh.push(lane);
            }
            Change::TakeLane(lane) => {
                self.busy += 1;
                self.evict(lane, at);
                self.vacant.remove(&lane);
                self.closed.remove(&lane);
                self.hold(lane, Holder::Attempt, at);
                let Some(l) = self.lanes.get_mut(lane) else { return };
                let Some(stint) = l.stints.next() else { return };
                l.last = Some(stint.call);
                for (start, end, state) in parts(stint) {
                    let (call, attempt) = (Some(stint.call), stint.attempt);
                    l.push(Segment { lane: lane_id(lane), start, end, state, call, attempt });
                }
            }
            Change::Wait(wait) => {
                let Some(&Wait { call, reason, .. }) = self.waits.get(wait) else { return };
                if let Some(current) = self.current.get_mut(call.index()) {
                    *current = Some((wait, None));
                    self.unplaced[reason as usize].insert(call);
                }
            }
        }
    }

    /// Closes lanes that are not in use while more are open than may be, and opens them while fewer
    /// are: first the highest that stand vacant, then those that are held for the lowest reason.
    fn balance(&mut self, at: Micros) {
        let open = self.limit.max(self.busy);
        while self.lanes.len() - self.closed.len() > open {
            let held = || self.held.iter().rev().find_map(|held| held.last().copied());
            let Some(lane) = self.vacant.last().copied().or_else(held) else { return };
            self.evict(lane, at);
            self.vacant.remove(&lane);
            self.closed.insert(lane);
            self.hold(lane, Holder::Closed, at);
        }
        while self.lanes.len() - self.closed.len() < open {
            let Some(lane) = self.closed.pop_first() else { return };
            self.hold(lane, Holder::Vacant, at);
            self.vacant.insert(lane);
            self.fresh.push(lane);
        }
    }

    /// Gives lanes to the calls that changes at this moment left without one.
    fn settle(&mut self, at: Micros) {
        let mut fresh = std::mem::take(&mut self.fresh);
        for reason in Reason::ALL {
            for &lane in &fresh {
                let Some(l) = self.lanes.get_mut(lane) else { continue };
                let own = match reason {
                    Reason::Backoff => l.last,
                    _ => l.stints.peek().map(|s| s.call),
                };
                if let Some(call) = own
                    && self.vacant.contains(&lane)
                    && self.unplaced[reason as usize].contains(&call)
                {
                    self.place(call, reason, lane, at);
                }
            }
            while let Some(&call) = self.unplaced[reason as usize].first() {
                let Some(lane) = self.lane_for(call, reason, at) else { break };
                self.place(call, reason, lane, at);
            }
        }
        fresh.clear();
        self.fresh = fresh;
    }

    /// The vacant lane that a call takes: the one it belongs to, else the lowest; else one that is
    /// held for a lower reason, which is vacated.
    fn lane_for(&mut self, call: CallId, reason: Reason, at: Micros) -> Option<usize> {
        let (wait, _) = (*self.current.get(call.index())?)?;
        let prefers = self.waits.get(wait)?.prefers.map(|lane| usize::from(lane.0));
        if let Some(lane) = prefers.filter(|lane| self.vacant.contains(lane)) {
            return Some(lane);
        }
        if let Some(&lane) = self.vacant.first() {
            return Some(lane);
        }
        let lower = self.held.get(reason as usize + 1..)?.iter().rev().find(|h| !h.is_empty())?;
        let lane = prefers.filter(|lane| lower.contains(lane)).or(lower.last().copied())?;
        self.evict(lane, at);
        Some(lane)
    }

    /// Takes a lane from the waiting call it is held for, if it is.
    fn evict(&mut self, lane: usize, at: Micros) {
        let Some(&Lane { holder: Holder::Wait(wait), .. }) = self.lanes.get(lane) else { return };
        let Some(&Wait { call, reason, .. }) = self.waits.get(wait) else { return };
        self.vacate(lane, reason, at);
        if let Some(Some((_, placed))) = self.current.get_mut(call.index()) {
            *placed = None;
            self.unplaced[reason as usize].insert(call);
        }
    }

    /// Makes a lane vacant that was held for a wait of that reason.
    fn vacate(&mut self, lane: usize, reason: Reason, at: Micros) {
        self.hold(lane, Holder::Vacant, at);
        self.held[reason as usize].remove(&lane);
        self.vacant.insert(lane);
        self.fresh.push(lane);
    }

    /// Holds a vacant lane for a call that waits.
    fn place(&mut self, call: CallId, reason: Reason, lane: usize, at: Micros) {
        self.vacant.remove(&lane);
        self.unplaced[reason as usize].remove(&call);
        if let Some(Some((wait, placed))) = self.current.get_mut(call.index()) {
            *placed = Some(lane);
            let holder = Holder::Wait(*wait);
            self.held[reason as usize].insert(lane);
            self.hold(lane, holder, at);
        }
    }

    /// Changes what a lane is held for, and writes down what it was held for until now.
    fn hold(&mut self, lane: usize, holder: Holder, at: Micros) {
        let Some(l) = self.lanes.get_mut(lane) else { return };
        let (start, end) = (l.since, at);
        let (state, call, attempt) = match l.holder {
            Holder::Attempt | Holder::Closed => (None, None, 0),
            Holder::Vacant => (Some(LedgerState::Idle), None, 0),
            Holder::Wait(wait) => match self.waits.get(wait) {
                Some(w) => (Some(w.reason.state()), Some(w.call), w.attempt),
                None => (Some(LedgerState::Idle), None, 0),
            },
        };
        if let Some(state) = state {
            l.push(Segment { lane: lane_id(lane), start, end, state, call, attempt });
        }
        l.holder = holder;
        l.since = at;
    }

    fn finish(mut self, wall: Micros) -> Vec<Segment> {
        for lane in 0..self.lanes.len() {
            self.hold(lane, Holder::Closed, wall);
        }
        self.lanes.into_iter().flat_map(|l| l.out).collect()
    }
}

impl Lane<'_> {
    /// Adds a segment, or lengthens the one before when it is the same.
    fn push(&mut self, segment: Segment) {
        if segment.start >= segment.end {
            return;
        }
        match self.out.last_mut() {
            Some(s)
                if s.end == segment.start
                    && (s.state, s.call, s.attempt)
                        == (segment.state, segment.call, segment.attempt) =>
            {
                s.end = segment.end;
            }
            _ => self.out.push(segment),
        }
    }
}

fn lane_id(lane: usize) -> LaneId {
    LaneId(u16::try_from(lane).unwrap_or(u16::MAX))
}
