//! Cuts the lanes of a pass into [`Segment`]s: first the attempts, then the time between them.
//!
//! This file says what is known of the pass: which attempts hold a lane when ([`Stint`]) and which
//! calls wait for what and when ([`Wait`]). [`sweep`] gives the free lanes to the waiting calls. All
//! times in here count from the start of the pass and lie within it, whatever the log says.

use crate::sort::sorted;
use crate::{
    AttemptResult, AttemptState, CallId, CallState, LaneId, LedgerState, Micros, PassMode,
    PassState, Plan, Segment,
};

mod awaited;
mod full;
mod held;
mod sweep;

/// The most lanes there can be: what a [`LaneId`] can name.
const MAX_LANES: u32 = 1 << 16;

/// Why a call that is not on a lane is not. In the order in which waiting calls get free lanes: the
/// nearer a call is to running, the sooner a free lane counts as waiting for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Its last attempt failed and the next one is not due yet.
    Backoff,
    /// It is its turn, and it waits for the answer to an identical call: those behind it have to wait
    /// for it.
    InTurn,
    /// Nothing keeps it from starting.
    Ready,
    /// As many calls of its stage are under way as may be.
    StageFull,
    /// It needs something that is not there yet.
    Dependency,
}

impl Reason {
    const ALL: [Reason; 5] =
        [Reason::Backoff, Reason::InTurn, Reason::Ready, Reason::StageFull, Reason::Dependency];

    const fn state(self) -> LedgerState {
        match self {
            Reason::Backoff => LedgerState::RetryBackoff,
            Reason::Ready => LedgerState::Engine,
            Reason::StageFull => LedgerState::QueueWait,
            Reason::InTurn | Reason::Dependency => LedgerState::DependencyWait,
        }
    }
}

/// A lane held by an attempt. They are sorted by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stint {
    start: Micros,
    end: Micros,
    call: CallId,
    /// Within the stint; its end when no text came.
    first_token: Micros,
    failed: bool,
    attempt: u32,
}

/// A call that waits. The waits of one call do not overlap.
#[derive(Debug, Clone, Copy)]
struct Wait {
    from: Micros,
    to: Micros,
    call: CallId,
    /// The attempt before the wait, 0 before the first.
    attempt: u32,
    reason: Reason,
    /// The lane that it belongs to most: that of its last attempt in a backoff, else of its next.
    prefers: Option<LaneId>,
}

/// The time that a pass took or has taken so far.
#[derive(Debug, Clone, Copy)]
struct Frame {
    start: Micros,
    wall: Micros,
}

impl Frame {
    fn relative(self, at: Micros) -> Micros {
        at.since(self.start).min(self.wall)
    }

    fn relative_or_wall(self, at: Option<Micros>) -> Micros {
        at.map_or(self.wall, |at| self.relative(at))
    }
}

/// Cuts every lane of a pass from its start to its end, or to `now` (on the run's clock) while it
/// goes on, into segments: sorted by lane and start, without hole or overlap, neighbours unlike.
///
/// Attempts hold their lane. At any moment a free lane goes to a waiting call, each call to one
/// lane at most: first to calls in backoff, then to calls that are ready, then to calls of a stage that may not have
/// more under way, then to calls that wait for others; a lane that is left over is idle. Attempts on lanes the pass does not have are left
/// out. While something holds the pass back, a lane that a ready call waits for waits for that. Where
/// fewer lanes may be in use than there are, those that are not have no segments.
/// Takes O(n log n) for n events, and a step for each hold that a waiting lane meets.
#[must_use]
pub fn segments(plan: &Plan, pass: &PassState, now: Micros) -> Vec<Segment> {
    let Some(start) = pass.start else { return Vec::new() };
    let frame = Frame { start, wall: pass.wall(now) };
    if frame.wall == Micros::ZERO {
        return Vec::new();
    }
    let limits: Vec<_> = pass.limits.iter().map(|l| (frame.relative(l.at), l.limit)).collect();
    let stints = stints(pass, frame);
    let found =
        sweep::sweep(&stints, &waits(plan, pass, frame), &limits, pass.calls.len(), frame.wall);
    held::split(found, &held::spans(pass, frame))
}

/// The attempts of each lane in order. Clocks read by different tasks may be a few microseconds out
/// of order: where two attempts overlap, the second begins at the end of the first.
fn stints(pass: &PassState, frame: Frame) -> Vec<Vec<Stint>> {
    let mut lanes = vec![Vec::new(); pass.lanes.min(MAX_LANES) as usize];
    for (call, state) in (0..).map(CallId).zip(&pass.calls) {
        for a in &state.attempts {
            if let Some(lane) = lanes.get_mut(usize::from(a.lane.0)) {
                let stint = stint(call, a, frame);
                if stint.start < stint.end {
                    lane.push(stint);
                }
            }
        }
    }
    for lane in &mut lanes {
        *lane = sorted(std::mem::take(lane));
        let mut free = Micros::ZERO;
        lane.retain_mut(|s| {
            s.start = s.start.max(free);
            s.first_token = s.first_token.max(s.start);
            free = free.max(s.end);
            s.start < s.end
        });
    }
    lanes
}

fn stint(call: CallId, a: &AttemptState, frame: Frame) -> Stint {
    let start = frame.relative(a.start);
    let end = frame.relative_or_wall(a.end);
    Stint {
        start,
        end,
        first_token: a.first_token.map_or(end, |at| frame.relative(at)).max(start).min(end),
        failed: a.result == AttemptResult::Failed,
        call,
        attempt: a.attempt.number,
    }
}

/// When which call waits for what.
fn waits(plan: &Plan, pass: &PassState, frame: Frame) -> Vec<Wait> {
    let full = full::spans(plan, pass, frame);
    // Until the first calls are queued it is the engine that lets all of them wait.
    let opened = pass.calls.iter().filter_map(|c| c.ready).min();
    let opened = opened.map_or(Micros::ZERO, |at| frame.relative(at));
    let mut waits = Vec::with_capacity(pass.calls.len());
    // In a parallel pass ready calls go first: to wait for an identical call takes no lane from them.
    let alike = match pass.mode {
        PassMode::Sequential => Reason::InTurn,
        PassMode::Parallel => Reason::Dependency,
    };
    for (id, call) in (0..).map(CallId).zip(&pass.calls) {
        let first = waits.len();
        call_waits(id, call, frame, opened, &mut waits);
        awaited::split(&mut waits, first, &awaited::spans(call, frame), alike);
        let stage = plan.calls.get(id.index()).map(|c| usize::from(c.stage));
        let full = stage.and_then(|stage| full.get(stage)).map(Vec::as_slice);
        awaited::split(&mut waits, first, full.unwrap_or_default(), Reason::StageFull);
    }
    waits
}

fn call_waits(id: CallId, call: &CallState, frame: Frame, opened: Micros, out: &mut Vec<Wait>) {
    let end = frame.relative_or_wall(call.end);
    let mut free = Micros::ZERO;
    let mut wait = |from: Micros, to: Micros, wait: Wait| {
        let (from, to) = (from.max(free), to.min(end));
        if from < to {
            free = to;
            match out.last_mut() {
                Some(w) if w.call == id && w.to == from && w.reason == wait.reason => w.to = to,
                _ => out.push(Wait { from, to, ..wait }),
            }
        }
    };
    let blank = Wait {
        from: Micros::ZERO,
        to: Micros::ZERO,
        call: id,
        attempt: 0,
        reason: Reason::Ready,
        prefers: call.attempts.first().map(|a| a.lane),
    };
    let first = call.attempts.first().map_or(end, |a| frame.relative(a.start));
    let ready = call.ready.map_or(first, |at| frame.relative(at)).min(first);
    let dependent = opened.min(ready);
    wait(Micros::ZERO, dependent, blank);
    wait(dependent, ready, Wait { reason: Reason::Dependency, ..blank });
    wait(ready, first, blank);
    let mut rest = call.attempts.as_slice();
    while let Some((a, after)) = last_of_group(rest) {
        rest = after;
        let Some(from) = a.end.map(|at| frame.relative(at)) else { continue };
        let next = rest.first();
        let to = next.map_or(end, |next| frame.relative(next.start));
        let blank =
            Wait { attempt: a.attempt.number, prefers: next.map(|next| next.lane), ..blank };
        // What lies between its end and its being reopened is nobody's wait.
        let reopened = call.reopened.map(|at| frame.relative(at)).filter(|at| *at < to);
        let from = reopened.map_or(from, |at| from.max(at));
        let mut due = from;
        if let Some(at) = retry_at(a) {
            due = frame.relative(at).max(from).min(to);
            wait(from, due, Wait { reason: Reason::Backoff, prefers: Some(a.lane), ..blank });
        } else if next.is_none() && a.result != AttemptResult::Cancelled && reopened.is_none() {
            continue;
        }
        wait(due, to, blank);
    }
}

/// Of an attempt and the hedge beside it, if there is one, the one that ended last, and the attempts
/// after them.
fn last_of_group(attempts: &[AttemptState]) -> Option<(&AttemptState, &[AttemptState])> {
    let (first, after) = attempts.split_first()?;
    match after.split_first() {
        Some((hedge, after)) if hedge.hedge => {
            let is_later = hedge.end.is_none_or(|end| first.end.is_some_and(|e| e <= end));
            Some((if is_later { hedge } else { first }, after))
        }
        _ => Some((first, after)),
    }
}

fn retry_at(a: &AttemptState) -> Option<Micros> {
    a.retry_at.filter(|_| a.result == AttemptResult::Failed)
}

/// What a lane does during an attempt: waits for text, then receives it; or fails.
fn parts(s: &Stint) -> [(Micros, Micros, LedgerState); 2] {
    if s.failed {
        [(s.start, s.end, LedgerState::FailedAttempt), (s.end, s.end, LedgerState::FailedAttempt)]
    } else {
        [
            (s.start, s.first_token, LedgerState::TimeToFirstToken),
            (s.first_token, s.end, LedgerState::Generating),
        ]
    }
}

/// What one call did: its attempts and the backoffs between them, in order, counted from the start
/// of its first attempt. Waits for a lane are left out, so there may be holes. `now` (on the run's
/// clock) ends what goes on. Empty before the first attempt.
#[must_use]
pub fn call_segments(pass: &PassState, call: CallId, now: Micros) -> Vec<Segment> {
    let Some(state) = pass.calls.get(call.index()) else { return Vec::new() };
    let Some(start) = state.start() else { return Vec::new() };
    let end = state.end.or(pass.end).unwrap_or(now);
    let frame = Frame { start, wall: end.since(start) };
    let mut out = Vec::new();
    let mut free = Micros::ZERO;
    for (i, a) in state.attempts.iter().enumerate() {
        let mut push = |start: Micros, end: Micros, state| {
            let start = start.max(free);
            if start < end {
                free = end;
                let attempt = a.attempt.number;
                out.push(Segment { lane: a.lane, start, end, state, call: Some(call), attempt });
            }
        };
        let stint = stint(call, a, frame);
        for (start, end, state) in parts(&stint) {
            push(start, end, state);
        }
        if let Some(at) = retry_at(a) {
            let next = state.attempts.get(i + 1).map(|next| next.start);
            let until = frame.relative(at).min(frame.relative_or_wall(next));
            push(stint.end, until, LedgerState::RetryBackoff);
        }
    }
    out
}

#[cfg(test)]
mod tests;
