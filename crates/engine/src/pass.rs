//! The scheduling state of one pass: its lanes, its waiting calls and where each call stands.
//!
//! Plain data and the moves that keep it whole: an attempt is on a lane exactly while it is being
//! prepared or running, and a call in the queue exactly while it waits. What to do when is the
//! dispatcher's business.

use lanes_model::{
    AttemptResult, AttemptState, CallId, CallState, Failure, FailureKind, HoldReason, LaneId,
    Micros, PassId, PassMode, PassState, PassStatus, RouteId,
};

use crate::AttemptId;
use crate::adapt::Adaptive;
use crate::flight::{Flight, Stage};
use crate::hedge::Hedges;
use crate::held::Held;
use crate::lanes::Lanes;
use crate::ready::ReadyQueue;

/// Where a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Running,
    Ended,
}

/// One call of a pass.
#[derive(Debug)]
struct Slot {
    ended: bool,
    /// The number of the last attempt; 0 before the first.
    number: u32,
    /// Attempts at this tier that failed. Those that were cut off do not count.
    failed: u32,
    /// Attempts that failed while they tried whether a provider works again.
    probes: u32,
    /// Attempts that were refused for now.
    refusals: u32,
    /// How far down the order of providers it has come.
    tier: u16,
    /// Where and on which lane it was last.
    last: Option<(LaneId, RouteId)>,
    /// Its attempts on lanes: none, one, or one and the hedge beside it.
    flights: Vec<Flight>,
}

/// How calls are tried: what a pass needs to know to go on with a log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tries {
    /// The most attempts of a call at one tier.
    pub(crate) each: u32,
    /// How many tiers there are.
    pub(crate) tiers: u16,
}

/// What the log is told of an attempt that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) lane: LaneId,
    /// The most attempts there will be, as far as is known.
    pub(crate) of: u32,
    /// Since when it was held back, and by what.
    pub(crate) held: Option<(Micros, HoldReason)>,
    pub(crate) route: RouteId,
    pub(crate) hedge: bool,
}

/// One pass.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) id: PassId,
    pub(crate) phase: Phase,
    pub(crate) ready: ReadyQueue,
    pub(crate) lanes: Lanes,
    /// What holds back each tier.
    held: Vec<Held>,
    /// How many lanes to use, when that adapts.
    pub(crate) adaptive: Option<Adaptive>,
    /// Which attempts are late, when they are to be hedged.
    pub(crate) hedges: Option<Hedges>,
    /// Ranges of calls that the log does not know to be ready.
    pub(crate) unqueued: Vec<(CallId, u32)>,
    /// Calls that failed for good just before an interruption kept that from the log.
    pub(crate) failed: Vec<(CallId, Failure)>,
    /// The latest end of a call; the start of the pass before there is one.
    pub(crate) last_end: Micros,
    slots: Vec<Slot>,
    open: usize,
}

impl Pass {
    /// A pass as the log left it. Whether it adapts and hedges is set apart.
    pub(crate) fn new(id: PassId, state: &PassState, tries: Tries) -> Self {
        let strict = state.mode == PassMode::Sequential;
        // More lanes than calls would never be used.
        let most = u32::try_from(state.calls.len()).unwrap_or(u32::MAX);
        let mut pass = Self {
            id,
            phase: match state.status {
                PassStatus::Waiting => Phase::Waiting,
                PassStatus::Running => Phase::Running,
                PassStatus::Completed | PassStatus::Cancelled => Phase::Ended,
            },
            ready: ReadyQueue::new(strict),
            lanes: Lanes::new(if strict { 1 } else { state.limit().min(most) }),
            held: (0..tries.tiers.max(1)).map(|_| Held::default()).collect(),
            adaptive: None,
            hedges: None,
            unqueued: Vec::new(),
            failed: Vec::new(),
            last_end: state.calls.iter().filter_map(|c| c.end).max().unwrap_or_default(),
            slots: Vec::with_capacity(state.calls.len()),
            open: 0,
        };
        for (call, state) in (0..).map(CallId).zip(&state.calls) {
            pass.add(call, state, tries);
        }
        pass
    }

    fn add(&mut self, call: CallId, state: &CallState, tries: Tries) {
        let refused = |a: &&AttemptState| {
            a.failure.as_ref().is_some_and(|f| f.kind == FailureKind::RateLimited)
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let refusals = count(state.attempts.iter().filter(refused).count());
        let failures = state.attempts.iter().filter(|a| a.result == AttemptResult::Failed).count();
        // What was refused for now has not used up a try.
        let failures = count(failures).saturating_sub(refusals);
        let each = tries.each.max(1);
        let tier = (failures / each).min(u32::from(tries.tiers.saturating_sub(1)));
        let last = state.attempts.last();
        let ended = state.ended.is_some();
        self.slots.push(Slot {
            ended,
            number: last.map_or(0, |a| a.attempt.number),
            failed: failures - tier * each,
            probes: 0,
            refusals,
            tier: u16::try_from(tier).unwrap_or_default(),
            last: last.map(|a| (a.lane, a.route)),
            flights: Vec::new(),
        });
        if ended {
            return;
        }
        self.open += 1;
        if state.ready.is_none() {
            match self.unqueued.last_mut() {
                Some((first, count)) if first.0 + *count == call.0 => *count += 1,
                _ => self.unqueued.push((call, 1)),
            }
        }
        // The failed attempt that says when the next one is due; that of a hedge may come later.
        let due = state.attempts.iter().rev().find_map(|a| a.retry_at);
        let failure = last.and_then(|a| a.failure.as_ref());
        match (failure, due) {
            (Some(_), Some(at)) => self.ready.push_at(at, call, u16::try_from(tier).unwrap_or(0)),
            (Some(failure), None) => self.failed.push((call, failure.clone())),
            (None, _) if tier > 0 => self.ready.push_at(Micros::ZERO, call, self.tier(call)),
            (None, _) => self.ready.push(call),
        }
    }

    fn slot(&self, call: CallId) -> Option<&Slot> {
        self.slots.get(call.index())
    }

    /// Whether every call has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// The call that can start now and its tier, if one is ready, a lane is free and the limiter has
    /// not said to wait.
    pub(crate) fn startable(&mut self, now: Micros) -> Option<(CallId, u16)> {
        if !self.lanes.any_free() {
            return None;
        }
        // What has passed is to be asked for anew, and wakes nobody.
        self.held.iter_mut().filter(|h| !h.lasts(now)).for_each(Held::ask_again);
        let held = &self.held;
        self.ready.peek(now, |tier| held.get(usize::from(tier)).is_some_and(|h| h.lasts(now)))
    }

    /// When a call may be startable that is not so now, unless a lane becomes free before.
    pub(crate) fn next_wake(&self) -> Option<Micros> {
        if self.phase != Phase::Running || !self.lanes.any_free() {
            return None;
        }
        let held = self.held.iter().filter_map(Held::until);
        held.chain(self.ready.next_due()).min()
    }

    /// What holds back a tier.
    pub(crate) fn held(&mut self, tier: u16) -> Option<&mut Held> {
        self.held.get_mut(usize::from(tier))
    }

    /// Nothing holds it back any more: since when each hold was, and by what.
    pub(crate) fn end_holds(&mut self) -> Vec<(Micros, HoldReason)> {
        self.held.iter_mut().filter_map(Held::end).collect()
    }

    /// Whether it waits for something that may end before the time it was told.
    pub(crate) fn may_go_sooner(&self) -> bool {
        self.phase == Phase::Running
            && self.lanes.any_free()
            && self.held.iter().any(Held::may_end_sooner)
    }

    /// Forgets until when the limiter refuses: it is to be asked anew.
    pub(crate) fn ask_again(&mut self) {
        self.held.iter_mut().for_each(Held::ask_again);
    }

    /// The attempt that would be the next of a call, and where it failed last.
    pub(crate) fn next_attempt(&self, call: CallId) -> (AttemptId, Option<RouteId>) {
        let slot = self.slot(call);
        let number = slot.map_or(0, |s| s.number) + 1;
        let failed_at = slot.filter(|s| s.number > 0).and_then(|s| s.last);
        (AttemptId { pass: self.id, call, number }, failed_at.map(|(_, route)| route))
    }

    /// How far down the order of providers a call has come.
    pub(crate) fn tier(&self, call: CallId) -> u16 {
        self.slot(call).map_or(0, |s| s.tier)
    }

    /// Takes the call that [`Self::startable`] has just shown out of the queue and puts it on a lane.
    pub(crate) fn start(&mut self, call: CallId, tier: u16, route: RouteId) -> bool {
        let held = self.held.get_mut(usize::from(tier)).and_then(|held| held.end());
        if !self.take_off(call, route, held, false) {
            return false;
        }
        self.ready.pop(call, tier);
        true
    }

    /// Puts a second attempt of a running call on a lane.
    pub(crate) fn hedge(&mut self, call: CallId, route: RouteId) -> bool {
        self.take_off(call, route, None, true)
    }

    fn take_off(
        &mut self,
        call: CallId,
        route: RouteId,
        held: Option<(Micros, HoldReason)>,
        hedge: bool,
    ) -> bool {
        let Some(slot) = self.slots.get_mut(call.index()) else { return false };
        let former = slot.last.map(|(lane, _)| lane).filter(|_| !hedge);
        let Some(lane) = self.lanes.take(former) else { return false };
        slot.number += 1;
        slot.last = Some((lane, route));
        slot.flights.push(Flight {
            number: slot.number,
            lane,
            route,
            hedge,
            stage: Stage::Preparing,
            held,
            sent: Micros::ZERO,
            first_text: None,
            text: String::new(),
            cancel: None,
        });
        true
    }

    /// An attempt while it is on a lane, and not afterwards.
    pub(crate) fn flight(&mut self, id: AttemptId) -> Option<&mut Flight> {
        let slot = self.slots.get_mut(id.call.index())?;
        slot.flights.iter_mut().find(|f| f.number == id.number)
    }

    /// Whether an attempt's request is sent and its end has not come.
    pub(crate) fn is_running(&self, id: AttemptId) -> bool {
        let flights = self.slot(id.call).map(|s| s.flights.as_slice()).unwrap_or_default();
        flights.iter().any(|f| f.number == id.number && f.stage == Stage::Running)
    }

    /// Whether a call has more than this attempt on lanes.
    pub(crate) fn has_another(&self, id: AttemptId) -> bool {
        self.slot(id.call).is_some_and(|s| s.flights.iter().any(|f| f.number != id.number))
    }

    /// The request is about to be sent.
    pub(crate) fn send(&mut self, id: AttemptId, now: Micros, each: u32) -> Option<Sent> {
        let failed = self.slot(id.call)?.failed;
        let flight = self.flight(id)?;
        flight.stage = Stage::Running;
        flight.sent = now;
        let left = each.saturating_sub(failed).max(1);
        Some(Sent {
            lane: flight.lane,
            of: id.number + left - 1,
            held: flight.held.take(),
            route: flight.route,
            hedge: flight.hedge,
        })
    }

    /// Counts a failed attempt of a call at its tier.
    pub(crate) fn count_failure(&mut self, call: CallId) -> u32 {
        self.slots.get_mut(call.index()).map_or(0, |slot| {
            slot.failed += 1;
            slot.failed
        })
    }

    /// Counts an attempt that failed while it tried whether a provider works again.
    pub(crate) fn count_probe(&mut self, call: CallId) -> u32 {
        self.slots.get_mut(call.index()).map_or(0, |slot| {
            slot.probes += 1;
            slot.probes
        })
    }

    /// Counts an attempt that was refused for now.
    pub(crate) fn count_refusal(&mut self, call: CallId) -> u32 {
        self.slots.get_mut(call.index()).map_or(0, |slot| {
            slot.refusals += 1;
            slot.refusals
        })
    }

    /// How often a call was refused for now.
    pub(crate) fn refusals(&self, call: CallId) -> u32 {
        self.slot(call).map_or(0, |s| s.refusals)
    }

    /// How often a call has failed at its tier.
    pub(crate) fn failures(&self, call: CallId) -> u32 {
        self.slot(call).map_or(0, |s| s.failed)
    }

    /// From its next attempt on a call goes to another tier, as if it had not been tried.
    pub(crate) fn move_to(&mut self, call: CallId, tier: u16) {
        if let Some(slot) = self.slots.get_mut(call.index()) {
            slot.tier = tier;
            slot.failed = 0;
        }
    }

    /// Takes an attempt off its lane.
    pub(crate) fn land(&mut self, id: AttemptId) -> Option<Flight> {
        let slot = self.slots.get_mut(id.call.index())?;
        let place = slot.flights.iter().position(|f| f.number == id.number)?;
        let flight = slot.flights.swap_remove(place);
        self.lanes.release(flight.lane);
        Some(flight)
    }

    /// A call, with nothing of it on a lane, is tried again at a time.
    pub(crate) fn wait(&mut self, call: CallId, until: Micros) {
        self.ready.push_at(until, call, self.tier(call));
    }

    /// Takes everything of a call off its lanes, and ends it for good.
    pub(crate) fn close(&mut self, call: CallId, at: Micros) -> Vec<Flight> {
        let Some(slot) = self.slots.get_mut(call.index()) else { return Vec::new() };
        slot.ended = true;
        let flights = std::mem::take(&mut slot.flights);
        for flight in &flights {
            self.lanes.release(flight.lane);
        }
        self.open = self.open.saturating_sub(1);
        self.last_end = self.last_end.max(at);
        flights
    }

    /// The calls that have not ended, in plan order.
    pub(crate) fn unended(&self) -> Vec<CallId> {
        let calls = (0..).map(CallId).zip(&self.slots);
        calls.filter(|(_, slot)| !slot.ended).map(|(call, _)| call).collect()
    }
}
