//! The scheduling state of one pass: its lanes, its waiting calls and where each call stands.
//!
//! Plain data and the moves that keep it whole: an attempt is on a lane exactly while it is being
//! prepared or running, and a call in the queue exactly while it waits. What to do when is the
//! dispatcher's business.

mod begin;

use std::ops::Range;
use std::sync::Arc;

use lanes_model::{CallId, Failure, HoldReason, LaneId, Micros, PassId, RouteId};

use crate::adapt::Adaptive;
use crate::flight::{self, Flight};
use crate::hedge::Hedges;
use crate::held::Held;
use crate::lanes::Lanes;
use crate::needs::Needs;
use crate::ready::{Class, ReadyQueue};
use crate::{Asked, AttemptId};

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
    /// Which stage it belongs to.
    stage: u16,
    /// How far down the order of providers it has come.
    tier: u16,
    /// Why its answer was not of the form asked for, once that was so.
    rejected: Option<Arc<str>>,
    /// Where and on which lane it was last.
    last: Option<(LaneId, RouteId)>,
    /// Its attempts on lanes: none, one, or one and the hedge beside it.
    flights: Vec<Flight>,
}

/// How calls are tried: what a pass needs to know to go on with a log.
#[derive(Debug, Clone)]
pub(crate) struct Tries {
    /// The most attempts of a call at one tier.
    pub(crate) each: u32,
    /// How many tiers there are.
    pub(crate) tiers: u16,
    /// The tiers of each stage; at least one stage.
    pub(crate) stages: Vec<Range<u16>>,
}

/// A stage of a pass.
#[derive(Debug)]
struct Stage {
    /// The tiers that its calls go down.
    tiers: Range<u16>,
    /// The most attempts of it on lanes at once.
    most: usize,
    /// How many there are.
    under_way: usize,
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
    /// Calls that cannot go, and for want of the answer of which.
    pub(crate) skipped: Vec<(CallId, CallId)>,
    /// The latest end of a call; the start of the pass before there is one.
    pub(crate) last_end: Micros,
    /// Which calls wait for others.
    pub(crate) needs: Needs,
    stages: Vec<Stage>,
    slots: Vec<Slot>,
    open: usize,
}

impl Pass {
    fn slot(&self, call: CallId) -> Option<&Slot> {
        self.slots.get(call.index())
    }

    /// Whether a call has ended.
    pub(crate) fn has_ended(&self, call: CallId) -> bool {
        self.slot(call).is_none_or(|slot| slot.ended)
    }

    /// Whether every call has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// The call that can start now and its tier, if one is ready, a lane is free and the limiter has
    /// not said to wait.
    pub(crate) fn startable(&mut self, now: Micros) -> Option<(CallId, Class)> {
        if !self.lanes.any_free() {
            return None;
        }
        // What has passed is to be asked for anew, and wakes nobody.
        self.held.iter_mut().filter(|h| !h.lasts(now)).for_each(Held::ask_again);
        let (held, stages) = (&self.held, &self.stages);
        self.ready.peek(now, |Class { stage, tier }| {
            held.get(usize::from(tier)).is_some_and(|h| h.lasts(now))
                || stages.get(usize::from(stage)).is_some_and(|s| s.under_way >= s.most)
        })
    }

    /// A call that has not been tried can start.
    pub(crate) fn make_ready(&mut self, call: CallId) {
        self.ready.push(call, self.class(call));
    }

    /// What a call is held back with.
    pub(crate) fn class(&self, call: CallId) -> Class {
        let slot = self.slot(call);
        Class { stage: slot.map_or(0, |s| s.stage), tier: slot.map_or(0, |s| s.tier) }
    }

    /// The tiers that a call can go down, all of them.
    pub(crate) fn tiers(&self, call: CallId) -> Range<u16> {
        let stage = usize::from(self.class(call).stage);
        self.stages.get(stage).map_or(0..1, |s| s.tiers.clone())
    }

    /// What goes into a call's request besides what was known at the start.
    pub(crate) fn asked(&self, call: CallId) -> Asked {
        let rejected = self.slot(call).and_then(|s| s.rejected.clone());
        Asked { needs: self.needs.answers(call), rejected }
    }

    /// A call's answer is not of the form asked for. Says whether it is to be asked once more.
    pub(crate) fn reject(&mut self, call: CallId, why: &str) -> bool {
        let slot = self.slots.get_mut(call.index());
        slot.is_some_and(|slot| slot.rejected.replace(why.into()).is_none())
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

    /// Takes the call that [`Self::startable`] has just shown out of the queue and puts it on a lane.
    pub(crate) fn start(&mut self, call: CallId, class: Class, route: RouteId) -> bool {
        let held = self.held.get_mut(usize::from(class.tier)).and_then(|held| held.end());
        if !self.take_off(call, route, held, false) {
            return false;
        }
        self.ready.pop(call, class);
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
        if let Some(stage) = self.stages.get_mut(usize::from(slot.stage)) {
            stage.under_way += 1;
        }
        slot.number += 1;
        slot.last = Some((lane, route));
        slot.flights.push(Flight {
            number: slot.number,
            lane,
            route,
            hedge,
            stage: flight::Stage::Preparing,
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
        flights.iter().any(|f| f.number == id.number && f.stage == flight::Stage::Running)
    }

    /// Whether a call has more than this attempt on lanes.
    pub(crate) fn has_another(&self, id: AttemptId) -> bool {
        self.slot(id.call).is_some_and(|s| s.flights.iter().any(|f| f.number != id.number))
    }

    /// The request is about to be sent.
    pub(crate) fn send(&mut self, id: AttemptId, now: Micros, each: u32) -> Option<Sent> {
        let failed = self.slot(id.call)?.failed;
        let flight = self.flight(id)?;
        flight.stage = flight::Stage::Running;
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
        let stage = slot.stage;
        self.left(stage, 1);
        Some(flight)
    }

    /// So many attempts of a stage are not on lanes any more.
    fn left(&mut self, stage: u16, attempts: usize) {
        if let Some(stage) = self.stages.get_mut(usize::from(stage)) {
            stage.under_way = stage.under_way.saturating_sub(attempts);
        }
    }

    /// A call, with nothing of it on a lane, is tried again at a time.
    pub(crate) fn wait(&mut self, call: CallId, until: Micros) {
        self.ready.push_at(until, call, self.class(call));
    }

    /// Takes everything of a call off its lanes, and ends it for good.
    pub(crate) fn close(&mut self, call: CallId, at: Micros) -> Vec<Flight> {
        let Some(slot) = self.slots.get_mut(call.index()) else { return Vec::new() };
        slot.ended = true;
        let flights = std::mem::take(&mut slot.flights);
        for flight in &flights {
            self.lanes.release(flight.lane);
        }
        let stage = slot.stage;
        self.left(stage, flights.len());
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
