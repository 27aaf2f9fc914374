//! What a run shows as a whole: Sequential against Parallel, and the sentence above the report.

use serde::{Deserialize, Serialize};

use crate::format::{count, plural, seconds_headline, speedup};
use crate::sort::sorted;
use crate::{
    CallState, CallStatus, FailureKind, Micros, PassMode, PassState, PassStatus, RunState,
    RunStatus,
};

/// Sequential against Parallel: the same calls, each pass on its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Comparison {
    /// Sequential ÷ parallel wall time; below 1 when Parallel was slower.
    pub speedup: f64,
    /// 1 − parallel ÷ sequential wall time; negative when Parallel was slower.
    pub time_saved: f64,
    /// Speedup ÷ lanes of the parallel pass.
    pub parallel_efficiency: f64,
    /// Of how many documents the sequential pass was measured, where that was a sample: what it would
    /// need for all of them is estimated by the work that the parallel pass had with the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_documents: Option<u32>,
}

impl Comparison {
    /// The comparison of a run whose two passes are complete. `None` for other runs, and when a
    /// pass has no answer at all: there is nothing to compare then.
    #[must_use]
    pub fn of(state: &RunState) -> Option<Self> {
        let (parallel, sequential) = complete_pair(state)?;
        let has_answer = |p: &PassState| p.calls.iter().any(succeeded);
        if !has_answer(parallel) || !has_answer(sequential) {
            return None;
        }
        let (p, s) = (wall(parallel)?.as_secs_f64(), sequential_time(state)?.as_secs_f64());
        let last = sequential.calls.len().checked_sub(1);
        let sample = sequential.calls.len() < parallel.calls.len();
        let last = last.filter(|_| sample).and_then(|last| state.header.plan.calls.get(last));
        (p > 0.0 && s > 0.0).then(|| Self {
            sample_documents: last.and_then(|call| call.document).map(|last| last + 1),
            speedup: s / p,
            time_saved: 1.0 - p / s,
            parallel_efficiency: s / p / f64::from(parallel.lanes.max(1)),
        })
    }
}

/// The wall time of a complete sequential pass; of one that executed a sample, what it would have needed
/// for all calls: as many times more as the parallel pass had work with all of them. `None` when it has
/// not ended, or nothing is known to reckon by.
#[must_use]
pub fn sequential_time(state: &RunState) -> Option<Micros> {
    let sequential = state.pass(PassMode::Sequential)?;
    let measured = wall(sequential)?;
    let Some(parallel) = state.pass(PassMode::Parallel) else { return Some(measured) };
    if sequential.calls.len() >= parallel.calls.len() {
        return Some(measured);
    }
    let time = |call: &CallState| span(call).map_or(0, |(from, to)| to.since(from).0);
    let all: u64 = parallel.calls.iter().map(time).sum();
    let sample: u64 = parallel.calls.iter().take(sequential.calls.len()).map(time).sum();
    let all = u128::from(measured.0) * u128::from(all);
    u64::try_from(all.checked_div(u128::from(sample))?).ok().map(Micros)
}

fn succeeded(call: &CallState) -> bool {
    call.status() == CallStatus::Succeeded
}

fn complete_pair(state: &RunState) -> Option<(&PassState, &PassState)> {
    let complete = |mode| state.pass(mode).filter(|p| p.status == PassStatus::Completed);
    Some((complete(PassMode::Parallel)?, complete(PassMode::Sequential)?))
}

/// The wall time of a pass that has ended.
pub(crate) fn wall(pass: &PassState) -> Option<Micros> {
    pass.end.map(|end| pass.wall(end))
}

/// The speedup of the part of a compare run that is done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SoFar {
    /// Time Sequential needs ÷ time Parallel took, for the calls that Parallel has finished.
    pub value: f64,
    /// Whether Sequential has not finished some of them; for these it is taken to need the time
    /// that Parallel took.
    pub estimated: bool,
}

/// The speedup so far: the time Sequential needs for the calls that Parallel has finished ÷ the time
/// Parallel took to finish them. `None` until Parallel has finished one, and for runs with one pass.
#[must_use]
pub fn speedup_so_far(state: &RunState, now: Micros) -> Option<SoFar> {
    if let Some(done) = Comparison::of(state) {
        let estimated = done.sample_documents.is_some();
        return Some(SoFar { value: done.speedup, estimated });
    }
    let parallel = state.pass(PassMode::Parallel)?;
    let sequential = state.pass(PassMode::Sequential)?;
    let start = parallel.start?;
    let mut took = Micros::ZERO;
    let mut guessed = Micros::ZERO;
    let mut measured = Vec::new();
    let mut estimated = false;
    let mut others = sequential.calls.iter();
    for call in &parallel.calls {
        let other = others.next();
        let Some((from, to)) = span(call) else { continue };
        took = took.max(to.min(now.max(from)).since(start));
        match other.and_then(span) {
            Some(span) => measured.push(span),
            None => {
                guessed += to.since(from);
                estimated = true;
            }
        }
    }
    let needs = union(measured) + guessed;
    (took > Micros::ZERO).then(|| SoFar { value: needs.0 as f64 / took.0 as f64, estimated })
}

/// From the first attempt of a call to its end, once it has ended by itself.
fn span(call: &CallState) -> Option<(Micros, Micros)> {
    match call.status() {
        CallStatus::Succeeded | CallStatus::Failed | CallStatus::Invalid => {
            Some((call.start()?, call.end?))
        }
        _ => None,
    }
}

/// The time that spans cover together: calls may overlap even on one lane, because a call in backoff
/// gives its lane to another.
fn union(spans: Vec<(Micros, Micros)>) -> Micros {
    let mut reached = Micros::ZERO;
    let mut sum = Micros::ZERO;
    for (from, to) in sorted(spans) {
        sum += to.since(from.max(reached));
        reached = reached.max(to);
    }
    sum
}

/// The sentence above the report of a run that is over; `None` while it goes on.
#[must_use]
pub fn headline(state: &RunState) -> Option<String> {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let total = calls().count() as u64;
    let results = calls().filter(|c| succeeded(c)).count() as u64;
    let failed = calls().filter(|c| c.status().is_failure()).count() as u64;
    match state.status {
        RunStatus::Queued | RunStatus::Running => None,
        RunStatus::Cancelled => Some(stopped(state, "Cancelled", results, total)),
        RunStatus::Interrupted => Some(stopped(state, "Interrupted", results, total)),
        RunStatus::Failed => Some(all_failed(state, failed, total)),
        RunStatus::Succeeded | RunStatus::Partial => {
            let mut text = compared(state).or_else(|| single(state))?;
            if failed > 0 {
                text.push_str(&format!("; {} of {} failed", count(failed), plural(total, "call")));
            }
            Some(text)
        }
    }
}

fn compared(state: &RunState) -> Option<String> {
    let comparison = Comparison::of(state)?;
    let (parallel, _) = complete_pair(state)?;
    let p = seconds_headline(wall(parallel)?);
    let s = seconds_headline(sequential_time(state)?);
    if let Some(sample) = comparison.sample_documents {
        let all = count(u64::from(state.header.plan.documents));
        let factor = speedup(comparison.speedup);
        return Some(format!(
            "Parallel finished ≈ {factor} sooner: {p} instead of ≈ {s} (Sequential measured on {} of \
             {all} documents)",
            count(u64::from(sample))
        ));
    }
    Some(if p == s {
        format!("Parallel and Sequential took the same time: {p}")
    } else if comparison.speedup < 1.0 {
        format!("Parallel was slower: {p} instead of {s}")
    } else {
        match speedup(comparison.speedup).as_str() {
            "1.0×" => format!("Parallel finished sooner: {p} instead of {s}"),
            factor => format!("Parallel finished {factor} sooner: {p} instead of {s}"),
        }
    })
}

/// The first pass by itself: of a run with one pass, or whose passes cannot be compared.
fn single(state: &RunState) -> Option<String> {
    let pass = state.passes.first()?;
    let time = seconds_headline(wall(pass)?);
    let calls = plural(pass.calls.len() as u64, "call");
    Some(format!("{calls} in {time} on {}", plural(u64::from(pass.lanes), "lane")))
}

fn stopped(state: &RunState, word: &str, results: u64, total: u64) -> String {
    let Some(start) = state.passes.iter().filter_map(|p| p.start).min() else {
        return format!("{word} before the first call");
    };
    let ends = state.passes.iter().filter(|p| p.start.is_some());
    let end = ends.map(|p| p.end.unwrap_or(state.latest)).max().unwrap_or(state.latest);
    let have = if results == 1 { "has" } else { "have" };
    format!(
        "{word} after {}: {} of {} {have} a result",
        seconds_headline(end.since(start)),
        count(results),
        plural(total, "call"),
    )
}

fn all_failed(state: &RunState, failed: u64, total: u64) -> String {
    let subject = match (failed == total, total) {
        (true, 1) => "The call failed".to_owned(),
        (true, _) => format!("All {} failed", plural(total, "call")),
        (false, _) => format!("None of {} has a result", plural(total, "call")),
    };
    match main_failure(state) {
        Some(kind) => format!("{subject}: {}", kind.label()),
        None => subject,
    }
}

/// The kind of failure that most failed calls share; of several, the one that came first.
#[must_use]
pub fn main_failure(state: &RunState) -> Option<FailureKind> {
    // How many there are of each kind, in the order in which the kinds came.
    let mut kinds: Vec<(FailureKind, u32)> = Vec::new();
    let calls = state.passes.iter().flat_map(|p| &p.calls);
    let failed = calls.filter(|c| c.status().is_failure());
    for failure in failed.filter_map(|c| c.failure.as_ref()) {
        match kinds.iter_mut().find(|(kind, _)| *kind == failure.kind) {
            Some((_, n)) => *n += 1,
            None => kinds.push((failure.kind, 1)),
        }
    }
    // Of several largest, this finds the last one: that is the first that came.
    kinds.into_iter().rev().max_by_key(|&(_, n)| n).map(|(kind, _)| kind)
}

#[cfg(test)]
mod tests;
