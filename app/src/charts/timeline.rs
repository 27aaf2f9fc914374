//! The timeline as data: which bar stands where at a moment, for every lane of every pass. Each pass
//! is drawn from its own zero; the views turn times into lengths with the [`Axis`](super::axis).

use lanes_model::{
    CallId, CallStatus, LedgerState, LowerBound, Micros, PassId, PassMode, PassState, PassStatus,
    RunState, ScheduledCall, Segment, critical_calls, expected_bound, segments,
};

use super::compare;
use super::limit::{Step, close, steps};

/// What a bar is; with its number it tells the bars of a lane apart from frame to frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// The n-th stay of a call on the lane.
    Call(CallId, u32),
    /// Time without a call at work, from that time on.
    Gap(LedgerState, Micros),
    /// What a call is expected to take from now on.
    Ghost(CallId),
    /// Time in which the lane is closed, from that time on.
    Closed(Micros),
}

/// A bar. Times count from the start of its pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub key: Key,
    /// From when.
    pub start: Micros,
    /// To when.
    pub end: Micros,
    /// The states of a call in order; they touch.
    pub parts: Vec<(LedgerState, Micros)>,
    /// Whether the call is on the critical path.
    pub critical: bool,
}

impl Item {
    /// How long it is.
    #[must_use]
    pub fn duration(&self) -> Micros {
        self.end.since(self.start)
    }
}

/// A pass at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Which kind of pass.
    pub mode: PassMode,
    /// The bars of each lane, in order of time.
    pub lanes: Vec<Vec<Item>>,
    /// Whether the pass has begun.
    pub begun: bool,
    /// Its wall time when it has ended.
    pub wall: Option<Micros>,
    /// Calls with an answer at that moment.
    pub done: u64,
    /// Calls that have failed at that moment.
    pub failed: u64,
    /// All calls.
    pub total: u64,
    /// When it is expected to end, while it has not.
    pub expected: Option<Micros>,
    /// The lower bound of a parallel pass, and whether it is an estimate: it is until the pass is
    /// complete.
    pub bound: Option<(LowerBound, bool)>,
    /// How many lanes may be in use when; empty when all may, all the time.
    pub limits: Vec<Step>,
}

/// The whole drawing at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Sequential above Parallel.
    pub panels: Vec<Panel>,
    /// The states that hold at least 1 % of the lane time shown.
    pub legend: Vec<LedgerState>,
    /// The latest end, expected or real: what the axis has to show.
    pub needed: Micros,
    /// Where the line of the present stands.
    pub now: Option<Micros>,
    /// From when to when Parallel is ahead, and whether that is an estimate.
    pub saved: Option<(Micros, Micros, bool)>,
}

impl Frame {
    /// A bar by its place.
    #[must_use]
    pub fn find(&self, panel: usize, lane: usize, key: Key) -> Option<&Item> {
        self.panels.get(panel)?.lanes.get(lane)?.iter().find(|i| i.key == key)
    }
}

/// The order in which passes are drawn: Sequential above Parallel.
#[must_use]
pub fn order(state: &RunState) -> Vec<usize> {
    let of = |mode| (0..state.passes.len()).filter(move |&i| state.passes[i].mode == mode);
    of(PassMode::Sequential).chain(of(PassMode::Parallel)).collect()
}

/// The drawing at `now` on the run's clock. `at` shows a finished run as it was that long after the
/// start of each pass, both on one clock. `ghosts` are the calls to come.
#[must_use]
pub fn frame(
    state: &RunState,
    now: Micros,
    at: Option<Micros>,
    ghosts: &[(PassId, ScheduledCall)],
) -> Frame {
    let live = state.status.is_live();
    let mut needed = Micros::ZERO;
    let mut ledger = [0u64; 9];
    let mut panels = Vec::new();
    for i in order(state) {
        let Some(pass) = state.passes.get(i) else { continue };
        let mut found = segments(&state.header.plan, pass, now);
        needed = needed.max(pass.wall(now));
        if let Some(at) = at {
            found.retain_mut(|s| {
                s.end = s.end.min(at);
                s.start < s.end
            });
        }
        for s in &found {
            if let Some(slot) = ledger.get_mut(s.state as usize) {
                *slot += s.duration().0;
            }
        }
        let own = || ghosts.iter().filter(|(p, _)| usize::from(p.0) == i).map(|(_, c)| c);
        let expected = own().map(|c| c.end).max();
        needed = needed.max(expected.unwrap_or_default());
        panels.push(panel(state, pass, &found, &own().collect::<Vec<_>>(), now, at, expected));
    }
    let total: u64 = ledger.iter().sum();
    let legend = LedgerState::ALL.into_iter().zip(ledger);
    Frame {
        legend: legend.filter(|&(_, us)| us > 0 && us * 100 >= total).map(|(s, _)| s).collect(),
        needed,
        now: match at {
            Some(at) => Some(at),
            None if live => state.passes.iter().filter(|p| running(p)).map(|p| p.wall(now)).max(),
            None => None,
        },
        saved: if at.is_some() { None } else { saved(&panels) },
        panels,
    }
}

fn running(pass: &PassState) -> bool {
    pass.status == PassStatus::Running
}

fn panel(
    state: &RunState,
    pass: &PassState,
    found: &[Segment],
    ghosts: &[&ScheduledCall],
    now: Micros,
    at: Option<Micros>,
    expected: Option<Micros>,
) -> Panel {
    let zero = pass.start.unwrap_or_default();
    let critical = if at.is_none() && pass.end.is_some() && pass.mode == PassMode::Parallel {
        critical_calls(&state.header.plan, pass)
    } else {
        Vec::new()
    };
    let mut lanes = vec![Vec::new(); pass.lanes as usize];
    for s in found {
        if let Some(lane) = lanes.get_mut(usize::from(s.lane.0)) {
            place(lane, s, &critical);
        }
    }
    let shown = at.unwrap_or(Micros::MAX).min(pass.wall(now));
    // Until when a limit holds that goes on is not known.
    let open_end = at.is_none() && pass.end.is_none();
    let limits = steps(pass, if open_end { Micros::MAX } else { shown });
    if !limits.is_empty() {
        lanes.iter_mut().for_each(|lane| close(lane, shown));
    }
    for g in ghosts {
        let start = g.start.max(pass.start.map_or(Micros::ZERO, |z| now.since(z)));
        if let Some(lane) = lanes.get_mut(usize::from(g.lane.0)).filter(|_| start < g.end) {
            let key = Key::Ghost(g.call);
            lane.push(Item { key, start, end: g.end, parts: Vec::new(), critical: false });
        }
    }
    let count = |status| {
        let seen = |end: Micros| at.is_none_or(|at| end.since(zero) <= at);
        let calls = pass.calls.iter().filter(|c| c.status() == status && c.end.is_some_and(seen));
        calls.count() as u64
    };
    let bound = match pass.mode {
        PassMode::Sequential => None,
        PassMode::Parallel if pass.status == PassStatus::Completed => {
            compare::bound(state, pass).map(|b| (b, false))
        }
        PassMode::Parallel if running(pass) && state.status.is_live() => {
            expected_bound(&state.header.plan, pass, ghosts, state.header.rates(pass).0)
                .map(|b| (b, true))
        }
        PassMode::Parallel => None,
    };
    Panel {
        mode: pass.mode,
        lanes,
        begun: pass.start.is_some(),
        wall: pass.end.map(|end| end.since(zero)),
        done: count(CallStatus::Succeeded),
        failed: count(CallStatus::Failed) + count(CallStatus::Invalid),
        total: pass.calls.len() as u64,
        expected,
        bound,
        limits,
    }
}

/// Puts a segment behind the last bar of its lane, or into it when it goes on with the same call.
fn place(lane: &mut Vec<Item>, s: &Segment, critical: &[CallId]) {
    let at_work = !matches!(s.state, LedgerState::Engine | LedgerState::Idle);
    // A lane that only waits for a call is not on its path.
    let works = s.state != LedgerState::RateLimitWait;
    let part = (s.state, s.duration());
    let Some(call) = s.call.filter(|_| at_work) else {
        let (key, parts) = (Key::Gap(s.state, s.start), vec![part]);
        lane.push(Item { key, start: s.start, end: s.end, parts, critical: false });
        return;
    };
    match lane.last_mut() {
        Some(last) if matches!(last.key, Key::Call(c, _) if c == call) => {
            last.end = s.end;
            last.critical |= works && critical.contains(&call);
            last.parts.push(part);
        }
        _ => {
            let stays = lane.iter().filter(|i| matches!(i.key, Key::Call(c, _) if c == call));
            let key = Key::Call(call, stays.count() as u32);
            let critical = works && critical.contains(&call);
            lane.push(Item { key, start: s.start, end: s.end, parts: vec![part], critical });
        }
    }
}

fn saved(panels: &[Panel]) -> Option<(Micros, Micros, bool)> {
    let end = |mode| {
        let panel = panels.iter().find(|p| p.mode == mode)?;
        panel.wall.map(|wall| (wall, false)).or(panel.expected.map(|at| (at, true)))
    };
    let (parallel, guessed) = end(PassMode::Parallel)?;
    let (sequential, guess) = end(PassMode::Sequential)?;
    (parallel < sequential).then_some((parallel, sequential, guessed || guess))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::fixture;

    #[test]
    fn sequential_stands_above_parallel_and_each_begins_at_zero() {
        let state = fixture::finished("Text");
        let frame = frame(&state, state.latest, None, &[]);
        let modes: Vec<_> = frame.panels.iter().map(|p| p.mode).collect();
        assert_eq!(modes, [PassMode::Sequential, PassMode::Parallel]);
        for panel in &frame.panels {
            assert!(panel.lanes.iter().all(|l| l[0].start == Micros::ZERO));
        }
        assert_eq!(frame.needed, Micros(4_000_000));
        assert_eq!(frame.saved, Some((Micros(2_500_000), Micros(4_000_000), false)));
    }

    #[test]
    fn the_bars_of_a_lane_neither_overlap_nor_leave_a_hole() {
        let state = fixture::finished("Text");
        for panel in frame(&state, state.latest, None, &[]).panels {
            for lane in panel.lanes {
                assert!(lane.windows(2).all(|w| w[0].end == w[1].start));
                for item in lane {
                    assert_eq!(item.parts.iter().map(|p| p.1).sum::<Micros>(), item.duration());
                }
            }
        }
    }

    #[test]
    fn a_pass_that_goes_on_has_the_bound_it_is_heading_for() {
        let state = fixture::started("Text");
        let parallel = state.passes.iter().position(|p| p.mode == PassMode::Parallel).unwrap();
        let ghost = |call, start, end| {
            let (call, lane) = (CallId(call), lanes_model::LaneId(0));
            let (start, end) = (Micros::from_secs(start), Micros::from_secs(end));
            (PassId(parallel as u8), ScheduledCall { call, lane, start, end })
        };
        let frame = frame(&state, state.latest, None, &[ghost(0, 0, 3), ghost(1, 3, 8)]);
        let bounds: Vec<_> = frame.panels.iter().filter_map(|p| p.bound).collect();
        let (bound, estimated) = bounds[0];
        assert_eq!((bounds.len(), bound.us, estimated), (1, Micros::from_secs(5), true));
    }

    #[test]
    fn a_replay_shows_both_passes_as_they_were_then() {
        let state = fixture::finished("Text");
        let frame = frame(&state, state.latest, Some(Micros(1_600_000)), &[]);
        assert!(
            frame
                .panels
                .iter()
                .flat_map(|p| p.lanes.iter().flatten())
                .all(|i| i.end.0 <= 1_600_000)
        );
        let done: Vec<_> = frame.panels.iter().map(|p| p.done).collect();
        assert_eq!(done, [1, 1]);
        assert_eq!(frame.now, Some(Micros(1_600_000)));
        assert_eq!(frame.needed, Micros(4_000_000));
    }
}
