//! The scheduling state of one pass: its lanes, its waiting calls and where each call stands.
//!
//! Plain data and the moves that keep it whole: a call is on a lane exactly while it is being
//! prepared or running, and in the queue exactly while it waits. What to do when is the
//! dispatcher's business.

use lanes_model::{
    AttemptResult, CallId, CallState, Failure, LaneId, Micros, PassId, PassMode, PassState,
    PassStatus,
};

use crate::lanes::Lanes;
use crate::messages::AttemptKey;
use crate::ready::ReadyQueue;

/// A refusal of at least this long is written to the log when it begins.
const WORTH_ANNOUNCING: Micros = Micros::from_millis(500);

/// Where a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Running,
    Ended,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In the queue.
    Waiting,
    /// On a lane; its request is being looked up.
    Preparing,
    /// On a lane; its request is sent.
    Running,
    /// Over for good.
    Ended,
}

/// One call of a pass.
#[derive(Debug)]
struct Slot {
    stage: Stage,
    /// The number of the last attempt; 0 before the first.
    number: u32,
    /// Attempts that failed. Those that were cut off do not count.
    failed: u32,
    /// The lane it is on, or was on last.
    lane: Option<LaneId>,
    /// Since when the limiter held back its next attempt.
    held_since: Option<Micros>,
    /// The text of the last attempt, as far as it has come.
    text: String,
}

/// One pass.
#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) id: PassId,
    pub(crate) phase: Phase,
    pub(crate) ready: ReadyQueue,
    /// The limiter permits nothing before this time.
    held_until: Option<Micros>,
    /// Since when it has refused.
    held_since: Option<Micros>,
    /// Until when the log knows it to refuse.
    announced: Micros,
    /// Ranges of calls that the log does not know to be ready.
    pub(crate) unqueued: Vec<(CallId, u32)>,
    /// Calls that failed for good just before an interruption kept that from the log.
    pub(crate) failed: Vec<(CallId, Failure)>,
    /// The latest end of a call; the start of the pass before there is one.
    pub(crate) last_end: Micros,
    lanes: Lanes,
    slots: Vec<Slot>,
    open: usize,
}

impl Pass {
    /// A pass as the log left it, with at most `max_attempts` failures for a call.
    pub(crate) fn new(id: PassId, state: &PassState, max_attempts: u32) -> Self {
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
            held_until: None,
            held_since: None,
            announced: Micros::ZERO,
            unqueued: Vec::new(),
            failed: Vec::new(),
            last_end: state.calls.iter().filter_map(|c| c.end).max().unwrap_or_default(),
            lanes: Lanes::new(if strict { 1 } else { state.lanes.min(most) }),
            slots: Vec::with_capacity(state.calls.len()),
            open: 0,
        };
        for (call, state) in (0..).map(CallId).zip(&state.calls) {
            pass.add(call, state, max_attempts);
        }
        pass
    }

    fn add(&mut self, call: CallId, state: &CallState, max_attempts: u32) {
        let failures = state.attempts.iter().filter(|a| a.result == AttemptResult::Failed).count();
        let last = state.attempts.last();
        let slot = Slot {
            stage: if state.ended.is_some() { Stage::Ended } else { Stage::Waiting },
            number: last.map_or(0, |a| a.attempt.number),
            failed: u32::try_from(failures).unwrap_or(u32::MAX),
            lane: last.map(|a| a.lane),
            held_since: None,
            text: String::new(),
        };
        let (ended, failed) = (slot.stage == Stage::Ended, slot.failed);
        self.slots.push(slot);
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
        match last.and_then(|a| Some((a.failure.as_ref()?, a.retry_at))) {
            Some((_, Some(at))) if failed < max_attempts => self.ready.push_at(at, call),
            Some((failure, _)) => self.failed.push((call, failure.clone())),
            None => self.ready.push(call),
        }
    }

    /// Whether every call has ended.
    pub(crate) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// The call that can start now, if one is ready, a lane is free and the limiter has not said
    /// to wait.
    pub(crate) fn startable(&mut self, now: Micros) -> Option<CallId> {
        if !self.lanes.any_free() {
            return None;
        }
        match self.held_until {
            Some(until) if now < until => return None,
            _ => self.held_until = None,
        }
        self.ready.peek(now)
    }

    /// When a call may be startable that is not so now, unless a lane becomes free before.
    pub(crate) fn next_wake(&self) -> Option<Micros> {
        if self.phase != Phase::Running || !self.lanes.any_free() {
            return None;
        }
        self.held_until.or_else(|| self.ready.next_due())
    }

    /// Notes that the limiter permits nothing before a time. Says whether that is long enough, and
    /// news enough, for the log to know before the wait is over.
    pub(crate) fn hold(&mut self, now: Micros, until: Micros) -> bool {
        self.held_since.get_or_insert(now);
        self.held_until = Some(until);
        let worth = until.since(now.max(self.announced)) >= WORTH_ANNOUNCING;
        if worth {
            self.announced = until;
        }
        worth
    }

    /// Forgets until when the limiter refuses: it is to be asked anew.
    pub(crate) fn ask_again(&mut self) {
        self.held_until = None;
    }

    /// Takes the call that [`Self::startable`] has just shown out of the queue and puts it on a lane.
    pub(crate) fn start(&mut self, call: CallId) -> Option<AttemptKey> {
        let slot = self.slots.get_mut(call.index())?;
        slot.lane = Some(self.lanes.take(slot.lane)?);
        slot.stage = Stage::Preparing;
        slot.held_since = self.held_since.take();
        self.ready.pop();
        Some(AttemptKey { pass: self.id, call, number: slot.number + 1 })
    }

    /// The stage of the attempt's call while it is on a lane with that attempt, and not afterwards.
    pub(crate) fn stage(&self, key: AttemptKey) -> Option<Stage> {
        let slot = self.slots.get(key.call.index())?;
        match slot.stage {
            Stage::Preparing if key.number == slot.number + 1 => Some(Stage::Preparing),
            Stage::Running if key.number == slot.number => Some(Stage::Running),
            _ => None,
        }
    }

    /// The request is about to be sent: on which lane, the most attempts there will be, and since when
    /// the limiter held it back.
    pub(crate) fn send(
        &mut self,
        key: AttemptKey,
        max_attempts: u32,
    ) -> Option<(LaneId, u32, Option<Micros>)> {
        let slot = self.slots.get_mut(key.call.index())?;
        slot.stage = Stage::Running;
        slot.number = key.number;
        slot.text.clear();
        let left = max_attempts.saturating_sub(slot.failed).max(1);
        Some((slot.lane?, key.number + left - 1, slot.held_since.take()))
    }

    /// Adds a piece of text and says where it begins, in bytes.
    pub(crate) fn add_text(&mut self, call: CallId, text: &str) -> usize {
        let Some(slot) = self.slots.get_mut(call.index()) else { return 0 };
        let offset = slot.text.len();
        slot.text.push_str(text);
        offset
    }

    /// Counts a failed attempt of a call.
    pub(crate) fn count_failure(&mut self, call: CallId) -> u32 {
        self.slots.get_mut(call.index()).map_or(0, |slot| {
            slot.failed += 1;
            slot.failed
        })
    }

    /// Gives the lane of a call back; the call is tried again at a time.
    pub(crate) fn wait(&mut self, call: CallId, until: Micros) {
        self.leave_lane(call, Stage::Waiting);
        self.ready.push_at(until, call);
    }

    /// Ends a call for good; gives back what text there is.
    pub(crate) fn close(&mut self, call: CallId, at: Micros) -> String {
        self.leave_lane(call, Stage::Ended);
        self.open = self.open.saturating_sub(1);
        self.last_end = self.last_end.max(at);
        self.slots
            .get_mut(call.index())
            .map_or_else(String::new, |slot| std::mem::take(&mut slot.text))
    }

    fn leave_lane(&mut self, call: CallId, stage: Stage) {
        let Some(slot) = self.slots.get_mut(call.index()) else { return };
        if let (Stage::Preparing | Stage::Running, Some(lane)) = (slot.stage, slot.lane) {
            self.lanes.release(lane);
        }
        slot.stage = stage;
    }

    /// The calls that have not ended, in plan order, each with its attempt if one is running.
    pub(crate) fn unended(&self) -> Vec<(CallId, Option<AttemptKey>)> {
        let calls = (0..).map(CallId).zip(&self.slots);
        let open = calls.filter(|(_, slot)| slot.stage != Stage::Ended);
        open.map(|(call, slot)| {
            let key = AttemptKey { pass: self.id, call, number: slot.number };
            (call, (slot.stage == Stage::Running).then_some(key))
        })
        .collect()
    }
}
