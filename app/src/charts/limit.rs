//! The concurrency limit of a pass as data: a step line over its lanes, and the lanes that are closed
//! meanwhile. The lanes above the line may be in use; a lane below it is there until its call ends.

use lanes_model::{LimitReason, Micros, PassState, format};

use super::axis::Axis;
use super::timeline::{Item, Key};

/// A stretch of one limit. Times count from the start of the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// From when.
    pub start: Micros,
    /// To when.
    pub end: Micros,
    /// How many lanes.
    pub limit: u32,
    /// Why so many.
    pub why: LimitReason,
}

impl Step {
    /// What it says: "Cut: 429 · 22 lanes".
    #[must_use]
    pub fn label(&self) -> String {
        format!("{} · {}", self.why.label(), format::plural(u64::from(self.limit), "lane"))
    }
}

/// The limits of a pass in order, up to `end`; none when all lanes were in use all the time.
#[must_use]
pub fn steps(pass: &PassState, end: Micros) -> Vec<Step> {
    let zero = pass.start.unwrap_or_default();
    let mut steps: Vec<Step> = Vec::new();
    for change in &pass.limits {
        let start = change.at.since(zero);
        if start >= end && !steps.is_empty() {
            break;
        }
        if let Some(before) = steps.last_mut() {
            before.end = start;
        }
        let (limit, why) = (change.limit.min(pass.lanes), change.why);
        steps.push(Step { start, end: end.max(start), limit, why });
    }
    // Of several at one moment the last counts.
    let last = steps.len().saturating_sub(1);
    let mut place = 0;
    steps.retain(|s| {
        place += 1;
        s.start < s.end || place == last + 1
    });
    steps
}

/// Puts where a lane was closed between its bars: wherever it has none, up to `end`, and on from there
/// when it was closed then.
pub(super) fn close(lane: &mut Vec<Item>, end: Micros) {
    let closed = |start, end| Item {
        key: Key::Closed(start),
        start,
        end,
        parts: Vec::new(),
        critical: false,
    };
    let mut out = Vec::with_capacity(lane.len() + 1);
    let mut free = Micros::ZERO;
    for item in lane.drain(..) {
        if free < item.start {
            out.push(closed(free, item.start));
        }
        free = item.end;
        out.push(item);
    }
    if free < end {
        out.push(closed(free, Micros::MAX));
    }
    *lane = out;
}

/// The line as the data of an SVG path: `x` turns percent of the axis and `y` numbers of lanes into
/// lengths. While the pass goes on it leads to the edge.
#[must_use]
pub fn path(steps: &[Step], axis: &Axis, x: impl Fn(f64) -> f64, y: impl Fn(u32) -> f64) -> String {
    let mut data = String::new();
    for (i, s) in steps.iter().enumerate() {
        let (from, to) = span(s, axis);
        let (from, to, height) = (fixed(x(from)), fixed(x(to)), fixed(y(s.limit)));
        // The line rises or falls where the limit changes.
        let start = if i == 0 { format!("M{from} {height}") } else { format!("V{height}") };
        data.push_str(&format!("{start}H{to}"));
    }
    data
}

/// Where a step begins and ends, in percent of the axis.
#[must_use]
pub fn span(step: &Step, axis: &Axis) -> (f64, f64) {
    (axis.percent(step.start).min(100.0), axis.percent(step.end).min(100.0))
}

fn fixed(x: f64) -> String {
    format::fixed(x, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::{fixture, timeline::frame};
    use lanes_model::{LimitChange, PassMode, RunState};

    fn limited(changes: &[(u64, u32)]) -> RunState {
        let mut state = fixture::finished("Text");
        let pass = state.passes.iter_mut().find(|p| p.mode == PassMode::Parallel).unwrap();
        let change = |&(ms, limit)| LimitChange {
            at: Micros::from_millis(ms),
            limit,
            why: LimitReason::RateLimited,
        };
        pass.limits = changes.iter().map(change).collect();
        state
    }

    fn parallel(state: &RunState) -> &PassState {
        state.pass(PassMode::Parallel).unwrap()
    }

    #[test]
    fn steps_touch_and_lead_to_the_end() {
        let state = limited(&[(0, 2), (500, 1), (1_000, 2)]);
        let steps = steps(parallel(&state), Micros(2_500_000));
        let found: Vec<_> = steps.iter().map(|s| (s.start.0, s.end.0, s.limit)).collect();
        assert_eq!(found, [(0, 500_000, 2), (500_000, 1_000_000, 1), (1_000_000, 2_500_000, 2)]);
        assert_eq!(steps[1].label(), "Cut: 429 · 1 lane");
    }

    #[test]
    fn of_limits_at_one_moment_the_last_counts() {
        let state = limited(&[(0, 2), (0, 1)]);
        let steps = steps(parallel(&state), Micros(2_500_000));
        assert_eq!(steps.iter().map(|s| s.limit).collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn a_replay_knows_no_limit_that_comes_later() {
        let state = limited(&[(0, 2), (500, 1)]);
        assert_eq!(steps(parallel(&state), Micros(400_000)).len(), 1);
    }

    #[test]
    fn the_path_goes_along_and_up_and_down() {
        let state = limited(&[(0, 2), (500, 1)]);
        let steps = steps(parallel(&state), Micros(1_000_000));
        let axis = Axis::new(Micros(1_000_000));
        assert_eq!(path(&steps, &axis, |x| x, f64::from), "M0.00 2.00H50.00V1.00H100.00");
    }

    #[test]
    fn a_lane_is_not_there_where_it_is_closed() {
        // The first call ends at 1.5 s; from then on there is one lane.
        let state = limited(&[(0, 2), (1_000, 1)]);
        let panel = &frame(&state, state.latest, None, &[]).panels[1];
        let closed: Vec<_> =
            panel.lanes.iter().map(|l| matches!(l.last().unwrap().key, Key::Closed(_))).collect();
        assert_eq!(closed, [true, false]);
        assert_eq!(panel.lanes[0].last().unwrap().start, Micros(1_500_000));
    }
}
