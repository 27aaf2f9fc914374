//! [`Frame`]: a large run at one moment, as its page and other programs are told it ten times a second
//! at most. Made from the sums alone.

use serde::Serialize;

use super::{Batch, FailureGroup, Point};
use crate::eta::{Eta, StageWork, eta};
use crate::event::Usage;
use crate::view::Counts;
use crate::{
    LimitReason, Micros, PassMode, PassState, PassStatus, RunState, RunStatus, Seq, UsdMicros,
};

/// Throughput "now" is over so many seconds.
const NOW_S: u64 = 5;
/// So many cuts are told, the last ones.
const CUTS: usize = 24;
/// So many changes of the limit are told.
const LIMITS: usize = 240;

/// A run at one moment. Times are on the run's clock.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    /// The last event that it knows.
    pub last_seq: Seq,
    /// How the run stands.
    pub status: RunStatus,
    /// Whether the user has paused it.
    pub paused: bool,
    /// Whether the user has asked to stop.
    pub stopping: bool,
    /// Why it stands still though nobody asked for that, such as a log that cannot be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// The run's clock.
    pub now_us: Micros,
    /// The time that its passes took so far.
    pub elapsed_us: Micros,
    /// All calls of all passes.
    pub calls: u32,
    /// These by status.
    pub counts: Counts,
    /// How many documents there are.
    pub documents: u32,
    /// Of how many every call has ended.
    pub documents_done: u32,
    /// Stage by stage.
    pub stages: Vec<StageFrame>,
    /// Calls that ended a second, over the last seconds.
    pub throughput: f64,
    /// The same, over all of its time.
    pub mean_throughput: f64,
    /// Attempts under way.
    pub in_flight: u32,
    /// How many may be.
    pub limit: u32,
    /// What set that limit last, if anything did.
    pub limit_why: Option<LimitReason>,
    /// How much longer it takes.
    pub eta: Option<Eta>,
    /// What it has cost, where the price is known.
    pub cost_usd_micros: Option<UsdMicros>,
    /// What it will have cost at the end, if the rest costs the same.
    pub expected_cost_usd_micros: Option<UsdMicros>,
    /// Tokens used.
    pub usage: Usage,
    /// Failures by stage and reason, those of most calls first.
    pub failures: Vec<FailureGroup>,
    /// How it went over time; not in every frame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<HistoryFrame>,
}

/// A stage at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StageFrame {
    /// Its id.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Places of the stages it needs.
    pub needs: Vec<u16>,
    /// How many calls it has.
    pub calls: u32,
    /// Not begun, or waiting for the next try.
    pub waiting: u32,
    /// Under way.
    pub running: u32,
    /// Answered.
    pub done: u32,
    /// Ended without an answer of use.
    pub failed: u32,
    /// Stopped by the user.
    pub cancelled: u32,
    /// What an attempt took, on average.
    pub mean_us: Option<Micros>,
    /// Whether its answers and times are simulated.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
}

/// How a run went over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryFrame {
    /// How long each point is; the first begins at zero.
    pub width_us: Micros,
    /// At most 240.
    pub points: Vec<Point>,
    /// Attempts under way, on average, point by point.
    pub in_flight: Vec<f64>,
    /// From when at most how many lanes are in use.
    pub limits: Vec<(Micros, u32)>,
    /// Where the limit was cut because the provider refused requests.
    pub cuts: Vec<CutFrame>,
}

/// A cut of the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CutFrame {
    /// When.
    pub at_us: Micros,
    /// From how many lanes.
    pub from: u32,
    /// To how many.
    pub to: u32,
}

impl Frame {
    /// The same, standing still for a reason that the log does not know; a run that is over is not.
    #[must_use]
    pub fn troubled(mut self, why: Option<String>) -> Self {
        self.trouble = why.filter(|_| self.status.is_live());
        if self.trouble.is_some() {
            self.eta = None;
        }
        self
    }
}

impl Batch {
    /// The run as it stands at `now` on its clock. Of a run at rest the log's last reading counts.
    #[must_use]
    pub fn frame(&self, state: &RunState, now: Micros, history: bool) -> Frame {
        let now = if state.status.is_live() { now.max(state.latest) } else { state.latest };
        let pass = current(state);
        let elapsed: Micros = state.passes.iter().map(|p| p.wall(now)).sum();
        let counts = self.counts();
        let calls = counts.queued + counts.running + ended(&counts) + counts.cancelled;
        let share = f64::from(calls) / f64::from(ended(&counts).max(1));
        let live = state.status.is_live();
        let expected = self.spent.filter(|_| live && ended(&counts) > 0);
        Frame {
            last_seq: state.last_seq,
            status: state.status,
            paused: state.paused,
            stopping: state.cancel_requested && live,
            trouble: None,
            now_us: now,
            elapsed_us: elapsed,
            calls,
            counts,
            documents: u32::try_from(self.left.len()).unwrap_or(u32::MAX),
            documents_done: self.documents_done,
            stages: self.stage_frames(state),
            throughput: if live { self.throughput(now) } else { 0.0 },
            mean_throughput: rate(ended(&counts), elapsed),
            in_flight: u32::try_from(self.open.len()).unwrap_or(u32::MAX),
            limit: pass.map_or(0, PassState::limit),
            limit_why: pass.and_then(|p| Some(p.limits.last()?.why)),
            eta: self.eta(now).filter(|_| live && !state.paused),
            cost_usd_micros: self.spent,
            expected_cost_usd_micros: expected
                .map(|spent| UsdMicros((spent.0 as f64 * share) as u64)),
            usage: self.usage,
            failures: self.failures(state),
            history: history.then(|| self.history_frame(state, now)),
        }
    }

    /// All calls by status.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.stages.iter().fold(Counts::default(), |mut sum, s| {
            sum.queued += s.counts.queued;
            sum.running += s.counts.running;
            sum.succeeded += s.counts.succeeded;
            sum.failed += s.counts.failed;
            sum.invalid += s.counts.invalid;
            sum.cancelled += s.counts.cancelled;
            sum
        })
    }

    fn stage_frames(&self, state: &RunState) -> Vec<StageFrame> {
        let stages = self.stages.iter().zip(&state.header.plan.stages);
        let frame = |(tally, stage): (&super::Tally, &crate::PlannedStage)| {
            let c = &tally.counts;
            StageFrame {
                id: stage.id.to_string(),
                name: stage_name(state, stage),
                needs: stage.needs.clone(),
                calls: c.queued + c.running + ended(c) + c.cancelled,
                waiting: c.queued,
                running: c.running,
                done: c.succeeded,
                failed: c.failed + c.invalid,
                cancelled: c.cancelled,
                mean_us: (tally.attempts > 0)
                    .then(|| Micros((tally.busy / u128::from(tally.attempts)) as u64)),
                simulated: state.header.is_simulated(stage),
            }
        };
        stages.map(frame).collect()
    }

    /// Calls that ended a second, over the last whole seconds.
    fn throughput(&self, now: Micros) -> f64 {
        let second = now.0 / 1_000_000;
        let first = second.saturating_sub(NOW_S);
        let ended: u32 = self.recent.range(first..second).map(|(_, n)| n).sum();
        match second - first {
            0 => rate(self.recent.values().sum(), now),
            seconds => f64::from(ended) / seconds as f64,
        }
    }

    /// Lanes that were busy, point by point up to now; what is under way counts too.
    fn busy(&self, now: Micros) -> Vec<f64> {
        let width = self.history.width();
        let mut busy: Vec<f64> = self.history.points().iter().map(|p| p.busy_us as f64).collect();
        let places = (now.0 / width.0 + 1) as usize;
        busy.resize(places.max(busy.len()).min(2 * 240), 0.0);
        for start in self.open.values() {
            let first = (start.0 / width.0) as usize;
            for (place, sum) in busy.iter_mut().enumerate().skip(first) {
                let from = (place as u64 * width.0).max(start.0);
                let to = ((place as u64 + 1) * width.0).min(now.0);
                *sum += to.saturating_sub(from) as f64;
            }
        }
        for (place, sum) in busy.iter_mut().enumerate() {
            let time = now.0.saturating_sub(place as u64 * width.0).clamp(1, width.0);
            *sum /= time as f64;
        }
        busy
    }

    fn eta(&self, now: Micros) -> Option<Eta> {
        let stages = self.stages.iter().map(|s| StageWork {
            left: s.counts.queued + s.counts.running,
            ended: ended(&s.counts),
            attempts: s.attempts,
            busy: s.busy as f64,
            squares: s.squares as f64,
        });
        let stages: Vec<_> = stages.collect();
        let begun = self.open.values().map(|start| now.since(*start)).sum();
        let busy = self.busy(now);
        // The last quarter, and not the point that has only begun.
        let whole = busy.get(..busy.len().saturating_sub(1)).unwrap_or_default();
        let recent = whole.len() - (whole.len() / 4).max(10).min(whole.len());
        eta(&stages, begun, whole.get(recent..)?, self.history.width())
    }

    fn history_frame(&self, state: &RunState, now: Micros) -> HistoryFrame {
        let changes = current(state).map(|p| p.limits.as_slice()).unwrap_or_default();
        let lanes = current(state).map_or(0, |p| p.lanes);
        let step = changes.len().div_ceil(LIMITS).max(1);
        let mut limits: Vec<_> = changes.iter().step_by(step).map(|l| (l.at, l.limit)).collect();
        limits.extend(changes.last().map(|l| (l.at, l.limit)));
        limits.dedup();
        if limits.first().is_none_or(|(at, _)| !at.is_zero()) {
            limits.insert(0, (Micros::ZERO, changes.first().map_or(lanes, |l| l.limit)));
        }
        let cuts = changes.windows(2).filter_map(|pair| match pair {
            [before, cut] if cut.why == LimitReason::RateLimited => {
                Some(CutFrame { at_us: cut.at, from: before.limit, to: cut.limit })
            }
            _ => None,
        });
        let mut cuts: Vec<_> = cuts.collect();
        cuts.drain(..cuts.len().saturating_sub(CUTS));
        HistoryFrame {
            width_us: self.history.width(),
            points: self.history.points().to_vec(),
            in_flight: self.busy(now),
            limits,
            cuts,
        }
    }
}

/// The pass that runs, else the last that began, else the first parallel one.
fn current(state: &RunState) -> Option<&PassState> {
    let passes = || state.passes.iter();
    let running = passes().rfind(|p| p.status == PassStatus::Running);
    let begun = running.or(passes().rfind(|p| p.start.is_some()));
    begun.or(state.pass(PassMode::Parallel)).or(state.passes.first())
}

const fn ended(counts: &Counts) -> u32 {
    counts.succeeded + counts.failed + counts.invalid
}

fn rate(calls: u32, time: Micros) -> f64 {
    if time.is_zero() { 0.0 } else { f64::from(calls) / time.as_secs_f64() }
}

/// What a stage is called: its name, or the names of its tasks where it has none.
pub(super) fn stage_name(state: &RunState, stage: &crate::PlannedStage) -> String {
    if !stage.name.is_empty() {
        return stage.name.clone();
    }
    let task = |place: &u32| Some(state.header.tasks.get(*place as usize)?.name.as_str());
    let names: Vec<_> = stage.tasks.iter().filter_map(task).collect();
    names.join(", ")
}
