//! What a run is expected to take and cost, before it starts and while it goes on.
//!
//! The expected time of a call comes from the last calls of its task on the same model, or else from
//! the provider's stated pace; the schedule is the one the engine would make. Estimates are marked
//! as such wherever they are shown.

use serde::{Deserialize, Serialize};

use crate::bound::rate_bound;
use crate::schedule::{Lanes, place_all};
use crate::spread::{Uncertain, longest};
use crate::{
    AttemptResult, CallId, CallState, LaneId, Micros, PassId, PassMode, PassState, PassStatus,
    Plan, PlannedCall, ProviderInfo, RunState, Scope, Task, TaskId, Usage, UsdMicros,
};

/// The last calls of a task on one model, as means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskHistory {
    /// Which task.
    pub task: TaskId,
    /// How many calls the means are over.
    pub samples: u32,
    /// From start to end of a successful attempt, µs.
    pub duration_us: u64,
    /// Time to first token, µs.
    pub ttft_us: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// Standard deviation of the duration, µs.
    #[serde(default)]
    pub deviation_us: u64,
}

/// A call in an expected schedule. Times count from the start of its pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledCall {
    /// Which.
    pub call: CallId,
    /// On which lane.
    pub lane: LaneId,
    /// Expected start; the real one of a call that has started.
    pub start: Micros,
    /// Expected end.
    pub end: Micros,
}

/// What a pass is expected to take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassEstimate {
    /// How it executes.
    pub mode: PassMode,
    /// Its wall time: to the end of the schedule, later by as much as the last lane is likely to be
    /// late, or longer when a rate limit does not allow that.
    pub wall: Micros,
    /// Its calls, in the order of the plan.
    pub calls: Vec<ScheduledCall>,
}

/// What a run is expected to take and cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// In order of execution.
    pub passes: Vec<PassEstimate>,
    /// Cost of one pass; `None` when the price is not known.
    pub cost_per_pass: Option<UsdMicros>,
    /// The smallest number of past calls that an expectation rests on; 0 when there is a task
    /// without history.
    pub samples: u32,
}

/// What one call is expected to take and use.
struct Expected {
    time: Micros,
    /// Variance of the time, s².
    variance: f64,
    usage: Usage,
}

/// What is taken to be known of the spread before the first call weighs as much as that many calls.
const PRIOR_SAMPLES: f64 = 4.0;

/// Tokens that the prompt adds around the document and the system message.
const PROMPT_OVERHEAD_TOKENS: u64 = 12;

/// About how many tokens the prompt of a task on a document has.
#[must_use]
pub fn prompt_tokens(task: &Task, document_tokens: u64) -> u64 {
    // About four bytes make a token.
    let system = task.system_message.len() as u64 / 4;
    document_tokens.saturating_add(system).saturating_add(PROMPT_OVERHEAD_TOKENS)
}

fn expected(
    task: &Task,
    history: Option<&TaskHistory>,
    document_tokens: u64,
    provider: &ProviderInfo,
) -> Expected {
    let history = history.filter(|h| h.samples > 0);
    let output = history.map_or_else(|| task.expected_tokens(document_tokens), |h| h.output_tokens);
    let pace = &provider.pace;
    let time = match (history, pace.millitokens_per_s) {
        (Some(h), _) => h.duration_us,
        (None, 0) => pace.whole_us.max(pace.ttft_us),
        (None, rate) => {
            let generating = u128::from(output) * 1_000_000_000 / u128::from(rate);
            pace.ttft_us.saturating_add(u64::try_from(generating).unwrap_or(u64::MAX))
        }
    };
    let input = prompt_tokens(task, document_tokens);
    let usage = Usage { input, output, cached: 0, estimated: true };
    let prior = time as f64 / 1e6 * f64::from(pace.cv_permille) / 1e3;
    let (n, seen) =
        history.map_or((0.0, 0.0), |h| (f64::from(h.samples), h.deviation_us as f64 / 1e6));
    let variance = (prior * prior * PRIOR_SAMPLES + seen * seen * n) / (PRIOR_SAMPLES + n);
    Expected { time: Micros(time), variance, usage }
}

/// When the last lane of a pass is expected to end.
fn expected_end(schedule: &[ScheduledCall], calls: &[Option<Expected>], lanes: u32) -> Micros {
    let mut sums = vec![Uncertain { mean: 0.0, variance: 0.0 }; lanes.max(1) as usize];
    for c in schedule {
        if let (Some(sum), Some(Some(call))) =
            (sums.get_mut(usize::from(c.lane.0)), calls.get(c.call.index()))
        {
            sum.mean = sum.mean.max(c.end.as_secs_f64());
            sum.variance += call.variance;
        }
    }
    let last = longest(sums.into_iter().filter(|s| s.mean > 0.0));
    Micros(last.map_or(0, |l| (l.mean * 1e6).round() as u64))
}

/// What a run of `plan` is expected to take and cost. `tasks` and `documents` (their lengths in
/// tokens) are in the order that the plan's calls refer to.
#[must_use]
pub fn estimate(
    tasks: &[(&Task, Option<&TaskHistory>)],
    documents: &[u64],
    plan: &Plan,
    provider: &ProviderInfo,
) -> Estimate {
    let calls: Vec<Option<Expected>> = plan
        .calls
        .iter()
        .map(|c| {
            let &(task, history) = tasks.get(c.task as usize)?;
            let tokens = input_tokens(tasks, documents, plan, c);
            // Answers on pieces that only follow one another need no request.
            let joined = task.joins_parts() && c.piece.is_none();
            let cut = c.document.is_some_and(|d| !plan.pieces_of(d).is_empty());
            (!(joined && cut)).then(|| expected(task, history, tokens, provider))
        })
        .collect();
    let known = || calls.iter().flatten();
    let requests = known().count() as u64;
    let tokens = || known().map(|c| c.usage.input.saturating_add(c.usage.output));
    let all = tokens().fold(0, u64::saturating_add);
    let limit = rate_bound(requests, 1, provider.rpm).max(rate_bound(
        all,
        tokens().max().unwrap_or_default(),
        provider.tpm,
    ));
    let passes = plan
        .passes
        .iter()
        .map(|pass| {
            let waiting = (0..).map(CallId).zip(&calls).filter(|(call, _)| pass.executes(*call));
            let waiting = waiting
                .filter_map(|(call, known)| Some((Micros::ZERO, call, known.as_ref()?.time)));
            let schedule = place_all(plan, Lanes::new(pass.lanes), waiting.collect(), &[]);
            let end = schedule.iter().map(|c| c.end).max().unwrap_or_default();
            let wall = end.max(expected_end(&schedule, &calls, pass.lanes)).max(limit);
            PassEstimate { mode: pass.mode, wall, calls: schedule }
        })
        .collect();
    Estimate {
        passes,
        cost_per_pass: provider.price.map(|price| known().map(|c| price.cost(&c.usage)).sum()),
        samples: tasks.iter().map(|(_, h)| h.map_or(0, |h| h.samples)).min().unwrap_or(0),
    }
}

/// About how many tokens go into the prompt of a call: those of its document, or of none when it is
/// about all of them, and what the stages before it are expected to answer.
fn input_tokens(
    tasks: &[(&Task, Option<&TaskHistory>)],
    documents: &[u64],
    plan: &Plan,
    call: &PlannedCall,
) -> u64 {
    let of = |document: u32| documents.get(document as usize).copied().unwrap_or_default();
    let pieces = call.document.map(|document| plan.pieces_of(document)).unwrap_or_default();
    let own = match call.piece {
        Some(piece) => pieces.get(piece as usize).map_or(0, |p| p.tokens),
        None if pieces.is_empty() => call.document.map_or(0, of),
        // What its pieces are expected to answer stands for it.
        None => {
            let each = tasks.get(call.task as usize).map(|(task, _)| task);
            let answers = pieces.iter().map(|p| each.map_or(0, |t| t.expected_tokens(p.tokens)));
            answers.fold(0, u64::saturating_add)
        }
    };
    let Some(stage) = plan.stages.get(usize::from(call.stage)) else { return own };
    let needed = stage.needs.iter().filter_map(|need| plan.stages.get(usize::from(*need)));
    let needed = needed.filter(|need| !need.pieces);
    let answers = needed.map(|need| {
        let each = |document: u64| -> u64 {
            let known = need.tasks.iter().filter_map(|task| tasks.get(*task as usize));
            known.map(|(task, _)| task.expected_tokens(document)).sum()
        };
        match (need.scope, call.document) {
            (Scope::Record, None) => documents.iter().map(|tokens| each(*tokens)).sum(),
            _ => each(own),
        }
    });
    answers.fold(own, u64::saturating_add)
}

/// The expected schedule of the calls that have not ended, for drawing ahead of the present, at
/// `now` on the run's clock. Calls under way end when they are expected to, and not before `now`;
/// the others follow on the lanes as these fall free. A pass that has not begun starts at its own
/// zero. A call that the other pass has answered is expected to take as long as it did there. Empty
/// for a run that is not going on; only calls under way once it is being cancelled.
#[must_use]
pub fn remaining(
    state: &RunState,
    estimate: &Estimate,
    now: Micros,
) -> Vec<(PassId, ScheduledCall)> {
    let mut out = Vec::new();
    if !state.status.is_live() {
        return out;
    }
    for (i, pass) in state.passes.iter().enumerate() {
        if matches!(pass.status, PassStatus::Completed | PassStatus::Cancelled) {
            continue;
        }
        let Ok(id) = u8::try_from(i) else { break };
        let times = expected_times(state, estimate, i);
        let plan = &state.header.plan;
        let schedule = remaining_in(plan, pass, &times, now, !state.cancel_requested);
        out.extend(schedule.into_iter().map(|call| (PassId(id), call)));
    }
    out
}

/// How long each call of a pass is expected to take.
fn expected_times(state: &RunState, estimate: &Estimate, pass: usize) -> Vec<Option<Micros>> {
    let count = state.passes.get(pass).map_or(0, |p| p.calls.len());
    let mut times = vec![None; count];
    for c in estimate.passes.get(pass).map(|p| p.calls.as_slice()).unwrap_or_default() {
        if let Some(time) = times.get_mut(c.call.index()) {
            *time = Some(c.end.since(c.start));
        }
    }
    let others = state.passes.iter().enumerate().filter(|&(i, _)| i != pass);
    for (time, call) in others.flat_map(|(_, p)| (0..).zip(&p.calls)) {
        if let (Some(time), Some(a)) = (times.get_mut::<usize>(time), call.successful()) {
            *time = a.end.map(|end| end.since(a.start)).or(*time);
        }
    }
    times
}

fn remaining_in(
    plan: &Plan,
    pass: &PassState,
    times: &[Option<Micros>],
    now: Micros,
    starts_calls: bool,
) -> Vec<ScheduledCall> {
    let zero = pass.start.unwrap_or(now);
    let now = now.since(zero);
    let mut out = Vec::new();
    let mut waiting: Vec<(Micros, CallId, Micros)> = Vec::new();
    let mut free = vec![now; pass.lanes.clamp(1, u32::from(u16::MAX)) as usize];
    for ((call, c), &time) in (0..).map(CallId).zip(&pass.calls).zip(times) {
        let Some(time) = time.filter(|_| c.ended.is_none()) else { continue };
        match c.attempts.last().filter(|a| a.end.is_none()) {
            Some(a) => {
                let start = a.start.since(zero);
                let end = (start + time).max(now);
                if let Some(lane) = free.get_mut(usize::from(a.lane.0)) {
                    *lane = end;
                }
                out.push(ScheduledCall { call, lane: a.lane, start, end });
            }
            None if starts_calls => waiting.push((due(c).since(zero).max(now), call, time)),
            None => {}
        }
    }
    // Nothing new begins on a lane that is closed.
    let open = pass.limit().clamp(1, u32::from(u16::MAX)) as usize;
    let lanes: Lanes = (0..).map(LaneId).zip(free).take(open).collect();
    let under_way: Vec<_> = out.iter().map(|c| (c.call, c.end)).collect();
    out.extend(place_all(plan, lanes, waiting, &under_way));
    out
}

/// When a waiting call may start: at the end of its backoff, or at once.
fn due(call: &CallState) -> Micros {
    let failed = call.attempts.last().filter(|a| a.result == AttemptResult::Failed);
    failed.and_then(|a| a.retry_at).unwrap_or_default()
}

#[cfg(test)]
mod tests;
