//! Cuts the lanes of a pass into [`Segment`]s: first the attempts, then the time between them.
//!
//! This file says what is known of the pass: which attempts hold a lane when ([`Stint`]) and which
//! calls wait for what and when ([`Wait`]). [`sweep`] gives the free lanes to the waiting calls. All
//! times in here count from the start of the pass and lie within it, whatever the log says.

use crate::{
    AttemptResult, AttemptState, CallId, CallState, LaneId, LedgerState, Micros, PassState, Segment,
};

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
    /// Nothing keeps it from starting.
    Ready,
    /// It needs something that is not there yet.
    Dependency,
}

impl Reason {
    const ALL: [Reason; 3] = [Reason::Backoff, Reason::Ready, Reason::Dependency];

    const fn state(self) -> LedgerState {
        match self {
            Reason::Backoff => LedgerState::RetryBackoff,
            Reason::Ready => LedgerState::Engine,
            Reason::Dependency => LedgerState::DependencyWait,
        }
    }
}

/// A lane held by an attempt.
#[derive(Debug, Clone, Copy)]
struct Stint {
    start: Micros,
    end: Micros,
    /// Within the stint; its end when no text came.
    first_token: Micros,
    failed: bool,
    call: CallId,
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
/// lane at most: first to calls in backoff, then to calls that are ready, then to calls that wait
/// for others; a lane that is left over is idle. Attempts on lanes the pass does not have are left
/// out. While something holds the pass back, a lane that a ready call waits for waits for that. Where
/// fewer lanes may be in use than there are, those that are not have no segments.
/// Takes O(n log n) for n events, and a step for each hold that a waiting lane meets.
#[must_use]
pub fn segments(pass: &PassState, now: Micros) -> Vec<Segment> {
    let Some(start) = pass.start else { return Vec::new() };
    let frame = Frame { start, wall: pass.wall(now) };
    if frame.wall == Micros::ZERO {
        return Vec::new();
    }
    let limits: Vec<_> = pass.limits.iter().map(|l| (frame.relative(l.at), l.limit)).collect();
    let stints = stints(pass, frame);
    let found = sweep::sweep(&stints, &waits(pass, frame), &limits, pass.calls.len(), frame.wall);
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
        lane.sort_unstable_by_key(|s| (s.start, s.end, s.call));
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
fn waits(pass: &PassState, frame: Frame) -> Vec<Wait> {
    // Until the first calls are queued it is the engine that lets all of them wait.
    let opened = pass.calls.iter().filter_map(|c| c.ready).min();
    let opened = opened.map_or(Micros::ZERO, |at| frame.relative(at));
    let mut waits = Vec::with_capacity(pass.calls.len());
    for (id, call) in (0..).map(CallId).zip(&pass.calls) {
        call_waits(id, call, frame, opened, &mut waits);
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
    for (i, a) in call.attempts.iter().enumerate() {
        let Some(from) = a.end.map(|at| frame.relative(at)) else { continue };
        let next = call.attempts.get(i + 1);
        let to = next.map_or(end, |next| frame.relative(next.start));
        let blank =
            Wait { attempt: a.attempt.number, prefers: next.map(|next| next.lane), ..blank };
        let mut due = from;
        if let Some(at) = retry_at(a) {
            due = frame.relative(at).max(from).min(to);
            wait(from, due, Wait { reason: Reason::Backoff, prefers: Some(a.lane), ..blank });
        } else if next.is_none() && a.result != AttemptResult::Cancelled {
            continue;
        }
        wait(due, to, blank);
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
