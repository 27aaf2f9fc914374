//! The ways of doing the same work, and how they compare.

use lanes_model::{CallStatus, Micros, Mode, PassMode, RunView};
use serde::{Deserialize, Serialize};

/// One way of doing the work.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Way {
    /// The endpoint, or the mode.
    pub(super) name: String,
    /// The run behind it.
    pub(super) run: String,
    pub(super) calls: u64,
    pub(super) failed: u64,
    pub(super) workers: u32,
    /// From the first call admitted to the last result, as the server says.
    pub(super) time_us: Option<Micros>,
    /// What the client waited for, uploads and answers included.
    pub(super) client_us: Option<Micros>,
    /// The speedup that the run itself gives: work ÷ time; of a comparison the measured one.
    pub(super) estimated_speedup: Option<f64>,
    /// The time of one call after another ÷ this time, both measured here.
    pub(super) speedup: Option<f64>,
    /// `speedup` ÷ workers.
    pub(super) efficiency: Option<f64>,
    /// Its work: what one call after another is expected to take.
    pub(super) estimated_sequential_us: Option<Micros>,
}

/// A batch's last event, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Outcome {
    pub(super) id: String,
    pub(super) counts: lanes_model::view::Counts,
    pub(super) workers: u32,
    pub(super) total_us: Option<Micros>,
    pub(super) work_us: Option<Micros>,
    pub(super) speedup: Option<f64>,
}

/// A batch, by its last event and the time it took as its client saw it.
pub(super) fn way(outcome: Outcome, taken: std::time::Duration) -> Way {
    let counts = outcome.counts;
    let failed = counts.failed + counts.invalid;
    let others = counts.succeeded + counts.cancelled + counts.queued + counts.running;
    Way {
        name: String::new(),
        run: outcome.id,
        calls: u64::from(others + failed),
        failed: u64::from(failed),
        workers: outcome.workers,
        time_us: outcome.total_us,
        client_us: Some(Micros(u64::try_from(taken.as_micros()).unwrap_or(u64::MAX))),
        estimated_speedup: outcome.speedup,
        speedup: None,
        efficiency: None,
        estimated_sequential_us: outcome.work_us,
    }
}

/// The passes of a run.
pub(super) fn ways(run: &RunView) -> Vec<Way> {
    let of = |pass: &lanes_model::view::PassView| {
        let work = pass.work_us.zip(pass.wall_us).filter(|(_, wall)| !wall.is_zero());
        let failed = pass.calls.iter().filter(|call| {
            matches!(call.status, CallStatus::Failed | CallStatus::Invalid | CallStatus::Cancelled)
        });
        let failed = failed.count() as u64;
        let counts = &run.counts;
        let of_run = u64::from(counts.failed + counts.invalid + counts.cancelled);
        // Of a run too large to list its calls, the run's figures.
        let listed = !pass.calls.is_empty();
        Way {
            name: match run.mode {
                Mode::Compare => format!("mode compare, {}", pass.mode.id()),
                mode => format!("mode {}", mode.id()),
            },
            run: run.id.to_string(),
            calls: if listed {
                pass.calls.len() as u64
            } else {
                of_run + u64::from(counts.succeeded)
            },
            failed: if listed { failed } else { of_run },
            workers: pass.concurrency,
            time_us: pass.wall_us,
            client_us: None,
            estimated_speedup: work.map(|(work, wall)| work.as_secs_f64() / wall.as_secs_f64()),
            speedup: match pass.mode {
                PassMode::Parallel => run.comparison.as_ref().map(|c| c.speedup),
                PassMode::Sequential => None,
            },
            efficiency: None,
            estimated_sequential_us: pass.work_us,
        }
    };
    run.passes.iter().map(of).collect()
}

/// The mean time of those that did one call after another.
pub(super) fn sequential(ways: &[Way]) -> Option<Micros> {
    let times: Vec<u64> =
        ways.iter().filter(|w| w.workers == 1).filter_map(|w| Some(w.time_us?.0)).collect();
    let count = u64::try_from(times.len()).ok().filter(|&count| count > 0)?;
    Some(Micros(times.iter().sum::<u64>() / count))
}

/// Speedups by what was measured; a comparison has its own.
pub(super) fn measure(ways: &mut [Way]) {
    let base = sequential(ways);
    for way in ways {
        let times = base.zip(way.time_us).filter(|(_, time)| !time.is_zero());
        let measured = times.map(|(base, time)| base.as_secs_f64() / time.as_secs_f64());
        way.speedup = way.speedup.or(measured);
        way.efficiency = way.speedup.map(|speedup| speedup / f64::from(way.workers.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn took(seconds: u64, workers: u32) -> Way {
        let counts = lanes_model::view::Counts { succeeded: 4, ..Default::default() };
        let outcome = Outcome {
            id: "a".to_owned(),
            counts,
            workers,
            total_us: Some(Micros::from_secs(seconds)),
            work_us: None,
            speedup: None,
        };
        way(outcome, std::time::Duration::from_secs(seconds))
    }

    #[test]
    fn speedups_are_against_the_mean_of_what_ran_one_by_one() {
        let mut ways = vec![took(8, 1), took(12, 1), took(5, 4)];
        measure(&mut ways);
        assert_eq!(sequential(&ways), Some(Micros::from_secs(10)));
        assert_eq!((ways[2].speedup, ways[2].efficiency), (Some(2.0), Some(0.5)));
        assert_eq!(ways[0].speedup, Some(1.25));
        assert_eq!((ways[2].calls, ways[2].failed), (4, 0));
    }

    #[test]
    fn with_nothing_to_measure_by_no_speedup_is_made_up() {
        let mut ways = vec![took(5, 4)];
        measure(&mut ways);
        assert_eq!((ways[0].speedup, ways[0].efficiency), (None, None));
    }
}
