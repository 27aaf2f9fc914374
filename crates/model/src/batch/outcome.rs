//! [`Outcome`]: what a run of one pass comes to in a few figures, for whoever asked for it in one
//! request.

use serde::Serialize;

use super::Batch;
use crate::comparison::wall;
use crate::event::Usage;
use crate::view::Counts;
use crate::{Micros, Mode, PassMode, RunId, RunState, RunStatus, UsdMicros, work};

/// A run that is over, in a few figures. What is not known is null.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// The run.
    pub id: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// How it executed.
    pub mode: Mode,
    /// Calls by status.
    pub counts: Counts,
    /// Calls that could be under way at once.
    pub workers: u32,
    /// The total time: from the first call admitted to the last result.
    pub total_us: Option<Micros>,
    /// The time of the calls' successful attempts, added up.
    pub work_us: Option<Micros>,
    /// `work_us` ÷ `total_us`: how many times sooner it was done than the same work one after another.
    pub speedup: Option<f64>,
    /// `speedup` ÷ `workers`.
    pub efficiency: Option<f64>,
    /// Whether the speedup is an estimate: of a parallel run nobody has measured how long its calls
    /// would have taken one after another; a run in mode `compare` measures it.
    pub speedup_estimated: bool,
    /// Tokens of all attempts.
    pub tokens: Usage,
    /// Cost of all attempts, where the price is known.
    pub cost_usd_micros: Option<UsdMicros>,
}

impl Outcome {
    /// The figures of a run and its sums.
    #[must_use]
    pub fn of(state: &RunState, batch: &Batch) -> Self {
        let pass = state.pass(PassMode::Parallel).or(state.passes.first());
        let total = pass.and_then(wall);
        let worked = pass.map(work);
        let ratio = total.zip(worked).filter(|(total, _)| !total.is_zero());
        let speedup = ratio.map(|(total, work)| work.as_secs_f64() / total.as_secs_f64());
        let workers = pass.map_or(1, |p| p.lanes.max(1));
        Self {
            id: state.header.id.clone(),
            status: state.status,
            mode: state.header.spec.mode,
            counts: batch.counts(),
            workers,
            total_us: total,
            work_us: total.and(worked),
            speedup,
            efficiency: speedup.map(|speedup| speedup / f64::from(workers)),
            speedup_estimated: workers > 1,
            tokens: batch.usage,
            cost_usd_micros: batch.spent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Script};

    fn outcome(script: &Script) -> Outcome {
        let state = testing::run(script);
        let batch = Batch::of(&state);
        Outcome::of(&state, &batch)
    }

    #[test]
    fn two_workers_that_are_always_busy_are_twice_as_fast() {
        let done = outcome(&Script::plain(Mode::Parallel, 2, &[1_000, 1_000, 1_000, 1_000]));
        assert_eq!((done.workers, done.speedup_estimated), (2, true));
        let (total, work) = (done.total_us.unwrap().0, done.work_us.unwrap().0);
        assert_eq!(work, 2 * total);
        assert_eq!((done.speedup, done.efficiency), (Some(2.0), Some(1.0)));
        assert_eq!(done.counts.succeeded, 4);
        assert!(done.cost_usd_micros.is_some() && done.tokens.output > 0);
    }

    #[test]
    fn one_after_another_is_measured_and_not_estimated() {
        let done = outcome(&Script::plain(Mode::Sequential, 4, &[1_000, 1_000]));
        assert_eq!((done.workers, done.speedup_estimated), (1, false));
        assert_eq!((done.speedup, done.efficiency), (Some(1.0), Some(1.0)));
    }

    #[test]
    fn before_it_has_ended_no_figure_is_made_up() {
        let log = testing::simulate(&Script::plain(Mode::Parallel, 2, &[1_000, 1_000]));
        let state = RunState::fold(&log[..4]).unwrap();
        let done = Outcome::of(&state, &Batch::of(&state));
        assert_eq!((done.total_us, done.work_us, done.speedup), (None, None, None));
    }
}
