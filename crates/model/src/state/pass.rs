//! Where one pass stands: its calls, what holds it back and how many lanes are in use. Part of the
//! fold: `state` applies the events.

use serde::{Deserialize, Serialize};

use super::CallState;
use crate::{HoldReason, LimitReason, Micros, PassMode};

/// How a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PassStatus {
    /// Not begun.
    Waiting,
    /// Going on.
    Running,
    /// Every call ended by itself.
    Completed,
    /// Stopped by the user.
    Cancelled,
}

/// A limit that holds back one attempt after the other does so without a break: what lies between
/// is the engine at work.
const ONE_HOLD: Micros = Micros::from_millis(2);

/// A time in which ready calls of a pass were kept from starting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// From when.
    pub from: Micros,
    /// Until when; as far as is known, while it lasts.
    pub until: Micros,
    /// By what.
    pub why: HoldReason,
    /// In words, when it is more than a limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// From then on at most so many lanes are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitChange {
    /// When.
    pub at: Micros,
    /// How many, from 1.
    pub limit: u32,
    /// Why.
    pub why: LimitReason,
}

/// One timed execution of all calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassState {
    /// How it executes.
    pub mode: PassMode,
    /// Concurrency slots.
    pub lanes: u32,
    /// How it stands.
    pub status: PassStatus,
    /// The wall clock at its start, RFC 3339 in UTC.
    pub started_at: Option<String>,
    /// When it began: the first call was admitted.
    pub start: Option<Micros>,
    /// When it ended: the last result was in.
    pub end: Option<Micros>,
    /// Its calls, by [`CallId`].
    pub calls: Vec<CallState>,
    /// When it was held back: spans in order, without overlap.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// The span in which it is held back now, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holding: Option<Hold>,
    /// Since when the user has paused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Micros>,
    /// How the number of lanes in use changed, in order; empty when all were, all the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitChange>,
}

impl PassState {
    /// A pass of so many lanes that has not begun.
    pub(super) fn new(mode: PassMode, lanes: u32, calls: Vec<CallState>) -> Self {
        Self {
            mode,
            lanes,
            status: PassStatus::Waiting,
            started_at: None,
            start: None,
            end: None,
            calls,
            holds: Vec::new(),
            holding: None,
            paused: None,
            limits: Vec::new(),
        }
    }

    /// Something holds it back from now on, or goes on doing so.
    pub(super) fn hold(&mut self, at: Micros, new: Hold) {
        self.holding = Some(match self.holding.take() {
            Some(before) if before.why == new.why => {
                Hold { from: before.from.min(new.from), ..new }
            }
            Some(before) => {
                self.held(at, at.since(before.from), before.why);
                new
            }
            None => new,
        });
    }

    /// Whatever held it back does so no longer.
    pub(super) fn end_hold(&mut self, at: Micros) {
        if let Some(Hold { from, until, why, .. }) = self.holding.take() {
            let until = until.min(at);
            self.held(until, until.since(from), why);
        }
        self.end_pause(at);
    }

    /// The user's pause is over.
    pub(super) fn end_pause(&mut self, at: Micros) {
        if let Some(from) = self.paused.take() {
            self.held(at, at.since(from), HoldReason::Pause);
        }
    }

    /// An attempt started that had been held back for so long. Where something else is known to have
    /// held the pass back in that time, that stays.
    pub(super) fn held(&mut self, until: Micros, time: Micros, why: HoldReason) {
        self.holding = None;
        let mut from = Micros(until.0.saturating_sub(time.0));
        let known = self.holds.iter().rposition(|h| h.until <= from).map_or(0, |place| place + 1);
        let later = self.holds.split_off(known.min(self.holds.len()));
        for hold in later {
            self.push_hold(from, hold.from, why);
            from = from.max(hold.until);
            self.push_hold(hold.from, hold.until, hold.why);
        }
        self.push_hold(from, until, why);
    }

    /// Adds a span after the others. Those of one kind that follow one another within [`ONE_HOLD`] are
    /// one.
    fn push_hold(&mut self, from: Micros, until: Micros, why: HoldReason) {
        if from >= until {
            return;
        }
        match self.holds.last_mut() {
            Some(last) if last.why == why && from <= last.until + ONE_HOLD => {
                last.until = last.until.max(until);
            }
            _ => self.holds.push(Hold { from, until, why, message: String::new() }),
        }
    }

    /// From now on at most so many lanes are in use; more than there have been are added.
    pub(crate) fn set_limit(&mut self, at: Micros, limit: u32, why: LimitReason) {
        let limit = limit.max(1);
        if limit > self.lanes && self.limits.first().is_none_or(|l| !l.at.is_zero()) {
            // Those that come now were not there at the start.
            let (at, limit, why) = (Micros::ZERO, self.lanes, LimitReason::Start);
            self.limits.insert(0, LimitChange { at, limit, why });
        }
        self.limits.push(LimitChange { at, limit, why });
        self.lanes = self.lanes.max(limit);
    }

    /// How many lanes may be in use now.
    #[must_use]
    pub fn limit(&self) -> u32 {
        self.limits.last().map_or(self.lanes, |change| change.limit)
    }

    /// The time from its start to its end, or to `now` while it goes on.
    #[must_use]
    pub fn wall(&self, now: Micros) -> Micros {
        self.start.map_or(Micros::ZERO, |start| self.end.unwrap_or(now).since(start))
    }
}
