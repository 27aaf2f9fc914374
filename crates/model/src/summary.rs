//! A run in one line, for lists. Stored beside the log, so that a list reads no logs.

use serde::{Deserialize, Serialize};

use crate::{
    Comparison, Mode, PassMode, RunId, RunState, RunStatus, UsdMicros, comparison, main_failure,
};

/// A run in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunSummary {
    /// The run.
    pub id: RunId,
    /// Its heading.
    pub title: String,
    /// When it was asked for, RFC 3339 in UTC.
    pub created_at: String,
    /// How it stands.
    pub status: RunStatus,
    /// Whether it goes on but for the user's pause. Lists ask the run itself: what is stored may be old.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// How it executes.
    pub mode: Mode,
    /// Ids of its tasks.
    pub tasks: Vec<String>,
    /// How many documents.
    pub documents: u32,
    /// Lanes of its parallel pass (1 when it has none).
    pub concurrency: u32,
    /// The provider's id.
    pub provider: String,
    /// The name of the provider that people read.
    pub provider_name: String,
    /// The model.
    pub model: String,
    /// Whether its figures are simulated.
    pub simulated: bool,
    /// Wall time of the parallel pass, or of the only one, once it ended, µs.
    pub wall_us: Option<u64>,
    /// Sequential ÷ parallel wall time, when both passes are complete.
    pub speedup: Option<f64>,
    /// Calls over all passes.
    pub calls: u32,
    /// Calls that failed.
    pub failed: u32,
    /// Calls that needed more than one attempt.
    pub retried: u32,
    /// The reason that most failed calls share, in a few words.
    pub failure: Option<String>,
    /// Cost of all attempts; `None` when no price is known.
    pub cost_usd_micros: Option<UsdMicros>,
}

impl RunSummary {
    /// The summary of a run as it stands.
    #[must_use]
    pub fn of(state: &RunState) -> Self {
        let header = &state.header;
        let calls = || state.passes.iter().flat_map(|p| &p.calls);
        let number = |found: usize| u32::try_from(found).unwrap_or(u32::MAX);
        let parallel = state.pass(PassMode::Parallel);
        let main = parallel.or(state.passes.first());
        let mut costs = calls().flat_map(|c| &c.attempts).filter_map(|a| a.cost_usd_micros);
        // With a price, no attempts cost nothing; without one, what they cost is not known.
        let first = costs.next().or(header.provider.price.map(|_| UsdMicros(0)));
        Self {
            id: header.id.clone(),
            title: header.title.clone(),
            created_at: header.created_at.clone(),
            status: state.status,
            paused: state.paused && state.status == RunStatus::Running,
            mode: header.spec.mode,
            tasks: header.tasks.iter().map(|t| t.id.0.clone()).collect(),
            documents: number(header.documents.len()),
            concurrency: parallel.map_or(1, |p| p.lanes),
            provider: header.provider.id.clone(),
            provider_name: header.provider.name.clone(),
            model: header.spec.model.clone(),
            simulated: header.provider.simulated,
            wall_us: main.and_then(comparison::wall).map(|wall| wall.0),
            speedup: Comparison::of(state).map(|c| c.speedup),
            calls: number(calls().count()),
            failed: number(calls().filter(|c| c.status().is_failure()).count()),
            retried: number(calls().filter(|c| c.attempts.len() > 1).count()),
            failure: main_failure(state).map(|kind| kind.label().to_owned()),
            cost_usd_micros: first.map(|first| std::iter::once(first).chain(costs).sum()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Script, Try};

    #[test]
    fn a_finished_comparison_is_summed_up_over_both_passes() {
        let state = testing::run(&Script::plain(Mode::Compare, 2, &[1_000, 1_000]));
        let summary = RunSummary::of(&state);
        assert_eq!((summary.status, summary.concurrency), (RunStatus::Succeeded, 2));
        assert_eq!((summary.wall_us, summary.speedup), (Some(1_000_000), Some(2.0)));
        assert_eq!((summary.calls, summary.failed, summary.retried), (4, 0, 0));
        assert_eq!(summary.cost_usd_micros, Some(UsdMicros(4 * 42)));
        assert_eq!(
            (summary.tasks.as_slice(), summary.documents),
            (["summary".to_owned()].as_slice(), 2)
        );
    }

    #[test]
    fn failures_and_retries_are_counted_by_call() {
        let fails = Try { ttft: 10, generating: 0, fails: Some(5) };
        let answers = Try { fails: None, ..fails };
        let calls = vec![vec![fails, answers], vec![fails, fails, fails], vec![answers]];
        let state = testing::run(&Script { calls, ..Script::plain(Mode::Parallel, 2, &[]) });
        let summary = RunSummary::of(&state);
        assert_eq!((summary.calls, summary.failed, summary.retried), (3, 1, 2));
        assert_eq!(summary.failure.as_deref(), Some("Server error"));
        assert_eq!(summary.status, RunStatus::Partial);
    }

    #[test]
    fn what_is_not_known_is_missing() {
        let log = testing::simulate(&Script::plain(Mode::Sequential, 4, &[1_000]));
        let mut state = RunState::fold(&log[..4]).unwrap();
        let summary = RunSummary::of(&state);
        assert_eq!((summary.wall_us, summary.speedup, summary.failure), (None, None, None));
        assert_eq!((summary.cost_usd_micros, summary.concurrency), (Some(UsdMicros(0)), 1));
        state.header.provider.price = None;
        assert_eq!(RunSummary::of(&state).cost_usd_micros, None);
    }
}
