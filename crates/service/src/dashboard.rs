//! The last hour, day or week in figures: for the page and for REST. Reads sums, never a log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lanes_model::{Histogram, Micros, RunStatus};
use lanes_store::{FigureRow, Figures};
use serde::Serialize;

use crate::{Service, ServiceError};

/// What time the dashboard is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, utoipa::ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum DashboardRange {
    /// An hour by minutes.
    Hour,
    /// A day by half hours.
    #[default]
    Day,
    /// A week by six hours.
    Week,
}

impl DashboardRange {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// The name in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
        }
    }

    /// The range of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.id() == id)
    }

    /// The length of a step in seconds, and how many there are.
    const fn steps(self) -> (i64, i64) {
        match self {
            Self::Hour => (60, 60),
            Self::Day => (1_800, 48),
            Self::Week => (6 * 3_600, 28),
        }
    }
}

/// Calls in figures.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, utoipa::ToSchema)]
pub struct FigureView {
    /// Calls that were sent, or answered from the response cache, and have ended.
    pub calls: u64,
    /// Those of them without an answer.
    pub failed: u64,
    /// Their share; null without calls.
    pub error_rate: Option<f64>,
    /// Calls with more than one attempt.
    pub retried: u64,
    /// Calls that the response cache answered.
    pub cached: u64,
    /// Half of the answered calls took no longer, µs; within `quantile_error` of it.
    pub p50_us: Option<Micros>,
    /// 95 in 100 of them took no longer, µs; as above.
    pub p95_us: Option<Micros>,
    /// Prompt tokens of all attempts.
    pub input_tokens: u64,
    /// Answer tokens of all attempts.
    pub output_tokens: u64,
    /// What attempts at real providers cost, micro-dollars, as far as prices are known.
    pub cost_usd_micros: u64,
    /// What simulated attempts would have cost. Nobody paid it.
    pub simulated_cost_usd_micros: u64,
    /// Tokens that answers from the cache did not use.
    pub saved_tokens: u64,
    /// What these did not cost at real providers.
    pub saved_usd_micros: u64,
    /// What these would not have cost, simulated.
    pub simulated_saved_usd_micros: u64,
}

/// Runs that were begun in the time, by how they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct RunCounts {
    /// All of them.
    pub started: u64,
    /// Waiting or going on.
    pub live: u64,
    /// Every call has an answer.
    pub succeeded: u64,
    /// Some calls have failed.
    pub partial: u64,
    /// No call has an answer.
    pub failed: u64,
    /// Stopped by the user.
    pub cancelled: u64,
    /// Ended with the program.
    pub interrupted: u64,
}

/// A step of the time.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct SlotFigures {
    /// Its beginning, RFC 3339 in UTC.
    pub start: String,
    /// Its calls.
    #[serde(flatten)]
    pub figures: FigureView,
}

/// One model of one provider.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ModelFigures {
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Whether its figures are simulated.
    pub simulated: bool,
    /// Its calls.
    #[serde(flatten)]
    pub figures: FigureView,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TaskFigures {
    /// Its id.
    pub task: String,
    /// Its calls.
    #[serde(flatten)]
    pub figures: FigureView,
}

/// The figures of some time.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Dashboard {
    /// `hour`, `day` or `week`.
    pub range: &'static str,
    /// When they were taken, RFC 3339 in UTC.
    pub at: String,
    /// From when on.
    pub from: String,
    /// The length of a step in seconds.
    pub step_s: i64,
    /// Times come from counts in buckets: they are within this share of the exact ones.
    pub quantile_error: f64,
    /// Runs begun in the time.
    pub runs: RunCounts,
    /// All calls that ended in the time.
    pub total: FigureView,
    /// Step by step, without a gap.
    pub slots: Vec<SlotFigures>,
    /// By provider and model, the most calls first.
    pub models: Vec<ModelFigures>,
    /// By task, the most calls first.
    pub tasks: Vec<TaskFigures>,
}

/// Sums with what was paid and what is only modelled apart.
#[derive(Clone, Copy, Default)]
struct Sum {
    real: Figures,
    simulated: Figures,
}

impl Sum {
    fn add(&mut self, row: &FigureRow) {
        match row.key.simulated {
            true => self.simulated.merge(&row.figures),
            false => self.real.merge(&row.figures),
        }
    }

    fn view(&self) -> FigureView {
        let mut all = self.real;
        all.merge(&self.simulated);
        FigureView {
            calls: all.calls,
            failed: all.failed,
            error_rate: (all.calls > 0).then(|| all.failed as f64 / all.calls as f64),
            retried: all.retried,
            cached: all.cached,
            p50_us: all.times.quantile(0.5),
            p95_us: all.times.quantile(0.95),
            input_tokens: all.input_tokens,
            output_tokens: all.output_tokens,
            cost_usd_micros: self.real.cost_usd_micros,
            simulated_cost_usd_micros: self.simulated.cost_usd_micros,
            saved_tokens: all.saved_tokens,
            saved_usd_micros: self.real.saved_usd_micros,
            simulated_saved_usd_micros: self.simulated.saved_usd_micros,
        }
    }
}

/// When the range begins that ends with the step in which `now` is, seconds since 1970.
fn beginning(range: DashboardRange, now: Timestamp) -> i64 {
    let (step, count) = range.steps();
    (now.as_second().div_euclid(step) + 1 - count) * step
}

fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// Puts sums together.
fn assemble(
    range: DashboardRange,
    now: Timestamp,
    rows: &[FigureRow],
    statuses: &[(RunStatus, u64)],
) -> Dashboard {
    let (step, count) = range.steps();
    let from = beginning(range, now);
    let mut total = Sum::default();
    let mut slots = BTreeMap::new();
    let mut models = BTreeMap::new();
    let mut tasks = BTreeMap::new();
    for row in rows {
        let key = &row.key;
        total.add(row);
        slots.entry(row.start).or_insert_with(Sum::default).add(row);
        let model = (key.provider.clone(), key.model.clone(), key.simulated);
        models.entry(model).or_insert_with(Sum::default).add(row);
        tasks.entry(key.task.clone()).or_insert_with(Sum::default).add(row);
    }
    let mut runs = RunCounts::default();
    for (status, n) in statuses {
        runs.started += n;
        *match status {
            RunStatus::Queued | RunStatus::Running => &mut runs.live,
            RunStatus::Succeeded => &mut runs.succeeded,
            RunStatus::Partial => &mut runs.partial,
            RunStatus::Failed => &mut runs.failed,
            RunStatus::Cancelled => &mut runs.cancelled,
            RunStatus::Interrupted => &mut runs.interrupted,
        } += n;
    }
    let mut models: Vec<_> = models
        .into_iter()
        .map(|((provider, model, simulated), sum)| ModelFigures {
            provider,
            model,
            simulated,
            figures: sum.view(),
        })
        .collect();
    models.sort_by_key(|m| std::cmp::Reverse(m.figures.calls));
    let task = |(task, sum): (String, Sum)| TaskFigures { task, figures: sum.view() };
    let mut tasks: Vec<_> = tasks.into_iter().map(task).collect();
    tasks.sort_by_key(|t| std::cmp::Reverse(t.figures.calls));
    let slot = |n: i64| {
        let start = from + n * step;
        let sum = slots.get(&start).copied().unwrap_or_default();
        SlotFigures { start: instant(start), figures: sum.view() }
    };
    Dashboard {
        range: range.id(),
        at: now.to_string(),
        from: instant(from),
        step_s: step,
        quantile_error: Histogram::ERROR,
        runs,
        total: total.view(),
        slots: (0..count).map(slot).collect(),
        models,
        tasks,
    }
}

impl Service {
    /// The figures of the latest time.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn dashboard(&self, range: DashboardRange) -> Result<Dashboard, ServiceError> {
        let inner = self.inner();
        inner.flush_figures().await?;
        let now = Timestamp::now();
        let from = beginning(range, now);
        let rows = inner.store.figures(from, range.steps().0).await?;
        let statuses = inner.store.run_counts(&instant(from)).await?;
        Ok(assemble(range, now, &rows, &statuses))
    }
}

#[cfg(test)]
mod tests {
    use lanes_store::FigureKey;

    use super::*;

    fn row(start: i64, task: &str, simulated: bool, calls: u64) -> FigureRow {
        let mut figures = Figures {
            calls,
            failed: 1,
            cost_usd_micros: 10 * calls,
            saved_usd_micros: 3,
            ..Figures::default()
        };
        (0..calls).for_each(|_| figures.times.add(Micros(1_000_000)));
        let (provider, model, task) = ("p".to_owned(), "m".to_owned(), task.to_owned());
        FigureRow { start, key: FigureKey { provider, model, task, simulated }, figures }
    }

    #[test]
    fn what_was_paid_and_what_was_simulated_stand_apart() {
        let now = Timestamp::from_second(7_210).unwrap();
        let rows = [row(7_200, "a", false, 4), row(7_140, "b", true, 6)];
        let statuses = [(RunStatus::Running, 1), (RunStatus::Failed, 2)];
        let found = assemble(DashboardRange::Hour, now, &rows, &statuses);
        assert_eq!((found.total.calls, found.total.failed), (10, 2));
        assert_eq!(found.total.error_rate, Some(0.2));
        assert_eq!((found.total.cost_usd_micros, found.total.simulated_cost_usd_micros), (40, 60));
        assert_eq!((found.total.saved_usd_micros, found.total.simulated_saved_usd_micros), (3, 3));
        assert_eq!((found.runs.started, found.runs.live, found.runs.failed), (3, 1, 2));
        assert_eq!(found.models.iter().map(|m| m.simulated).collect::<Vec<_>>(), [true, false]);
        assert_eq!(found.tasks.iter().map(|t| t.task.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }

    #[test]
    fn steps_have_no_gap_and_end_with_the_one_that_goes_on() {
        for range in DashboardRange::ALL {
            let now: Timestamp = "2026-11-21T16:42:58Z".parse().unwrap();
            let found = assemble(range, now, &[], &[]);
            let (step, count) = range.steps();
            assert_eq!(found.slots.len() as i64, count);
            let starts: Vec<i64> = found
                .slots
                .iter()
                .map(|s| s.start.parse::<Timestamp>().unwrap().as_second())
                .collect();
            assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == step));
            let last = starts[starts.len() - 1];
            assert!(last <= now.as_second() && now.as_second() < last + step);
            assert_eq!((found.total.p95_us, found.total.error_rate), (None, None));
        }
    }
}
