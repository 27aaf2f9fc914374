//! The two bars of the report: wall times from zero on one scale, the lower bound and what is saved.

use lanes_model::{
    LowerBound, Micros, PassMode, PassState, RunState, format, lower_bound, sequential_time,
};

/// The bars of a run whose two passes have ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Wall time of the sequential pass.
    pub sequential: Micros,
    /// Wall time of the parallel pass.
    pub parallel: Micros,
    /// Whether that is reckoned from a sample of its calls.
    pub estimated: bool,
    /// Lanes of the parallel pass.
    pub lanes: u32,
    /// The lower bound of the parallel pass.
    pub bound: Option<LowerBound>,
}

impl Bars {
    /// The bars, when both passes have ended.
    #[must_use]
    pub fn of(state: &RunState) -> Option<Self> {
        let ended = |mode| state.pass(mode).filter(|p| p.end.is_some());
        let (parallel, sequential) = (ended(PassMode::Parallel)?, ended(PassMode::Sequential)?);
        Some(Self {
            sequential: sequential_time(state)?,
            estimated: sequential.calls.len() < parallel.calls.len(),
            parallel: parallel.wall(state.latest),
            lanes: parallel.lanes,
            bound: bound(state, parallel),
        })
    }

    /// The time saved; `None` when Parallel took as long or longer.
    #[must_use]
    pub fn saved(&self) -> Option<Micros> {
        (self.sequential > self.parallel).then(|| self.sequential.since(self.parallel))
    }

    /// The length of a time when the longer bar is `longest` long.
    #[must_use]
    pub fn length(&self, time: Micros, longest: f64) -> f64 {
        let max = self.sequential.max(self.parallel).0.max(1);
        time.0 as f64 / max as f64 * longest
    }

    /// The chart in words.
    #[must_use]
    pub fn describe(&self) -> String {
        let bound = self
            .bound
            .map(|b| format!(", lower bound {}", format::seconds(b.us)))
            .unwrap_or_default();
        format!(
            "Sequential {}{}, parallel {}{bound}.",
            if self.estimated { "≈ " } else { "" },
            format::seconds_table(self.sequential),
            format::seconds_table(self.parallel),
        )
    }
}

/// The lower bound of a pass under the limits of the run's provider.
#[must_use]
pub fn bound(state: &RunState, pass: &PassState) -> Option<LowerBound> {
    let (rpm, tpm) = state.header.rates(pass);
    lower_bound(&state.header.plan, pass, rpm, tpm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::fixture;

    #[test]
    fn bars_share_one_scale_from_zero() {
        let bars = Bars::of(&fixture::finished("Text")).unwrap();
        assert_eq!(bars.sequential, Micros(4_000_000));
        assert_eq!(bars.parallel, Micros(2_500_000));
        assert_eq!(bars.length(bars.sequential, 620.0), 620.0);
        assert_eq!(bars.length(bars.parallel, 620.0), 387.5);
        assert_eq!(bars.saved(), Some(Micros(1_500_000)));
    }

    #[test]
    fn a_run_in_progress_has_no_bars() {
        assert_eq!(Bars::of(&fixture::started("Text")), None);
    }
}
