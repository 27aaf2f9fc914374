//! [`Tally`]: counts calls as their events are folded, for the dashboard and the alerts.
//!
//! In memory alone: `figures` writes it down. It is on the way of every event, so that it does little.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use lanes_model::{
    AttemptEnd, CallEnd, CallId, EventKind, FailureKind, Micros, PassId, RouteId, RunEvent,
    RunHeader, RunId, RunState, Seq, Usage,
};
use lanes_store::{Counted, FigureKey, FigureRow, Figures};

use crate::observe::Observer;

/// What is counted and not written yet.
#[derive(Default)]
pub(crate) struct Tally {
    pending: Mutex<Pending>,
    /// Providers that are simulated.
    simulated: OnceLock<HashSet<String>>,
}

/// Sums by minute, and how far each run has gone into them.
#[derive(Default)]
pub(crate) struct Pending {
    /// By the start of the minute, seconds since 1970.
    pub(crate) cells: HashMap<(i64, FigureKey), Figures>,
    pub(crate) runs: HashMap<RunId, Counted>,
}

impl Pending {
    pub(crate) fn add(&mut self, minute: i64, key: FigureKey, figures: &Figures) {
        self.cells.entry((minute, key)).or_default().merge(figures);
    }

    fn reached(&mut self, run: &RunId, seq: Seq, at_rest: bool) {
        match self.runs.get_mut(run) {
            Some(known) => *known = Counted { seq, at_rest },
            None => drop(self.runs.insert(run.clone(), Counted { seq, at_rest })),
        }
    }

    /// For the store.
    pub(crate) fn rows(&self) -> Vec<FigureRow> {
        let row = |((start, key), figures): (&(i64, FigureKey), &Figures)| FigureRow {
            start: *start,
            key: key.clone(),
            figures: *figures,
        };
        self.cells.iter().map(row).collect()
    }
}

/// The minute that goes on.
fn this_minute() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_secs() / 60 * 60).unwrap_or(i64::MAX)
}

impl Tally {
    pub(crate) fn pending(&self) -> MutexGuard<'_, Pending> {
        // Sums are changed as a whole.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which providers are simulated. Said once.
    pub(crate) fn know_simulated(&self, providers: impl Iterator<Item = String>) {
        // A second time would say the same.
        let _ = self.simulated.set(providers.collect());
    }

    fn is_simulated(&self, header: &RunHeader, provider: &str) -> bool {
        match provider == header.provider.id {
            true => header.provider.simulated,
            false => self.simulated.get().is_some_and(|known| known.contains(provider)),
        }
    }

    /// What an event adds to the figures, and in which pass.
    pub(crate) fn found(
        &self,
        state: &RunState,
        event: &RunEvent,
    ) -> Option<(PassId, FigureKey, Figures)> {
        match &event.kind {
            EventKind::AttemptEnded { pass, call, number, end } => {
                let (usage, cost) = match end {
                    AttemptEnd::Succeeded { usage, cost_usd_micros, .. } => {
                        (Some(*usage), *cost_usd_micros)
                    }
                    AttemptEnd::Failed { usage, cost_usd_micros, .. }
                    | AttemptEnd::Cancelled { usage, cost_usd_micros } => {
                        (*usage, *cost_usd_micros)
                    }
                };
                let usage = usage?;
                let attempt = state.attempt(*pass, *call, *number);
                let figures = Figures {
                    input_tokens: usage.input,
                    output_tokens: usage.output,
                    cost_usd_micros: cost.map(|c| c.0).unwrap_or_default(),
                    ..Figures::default()
                };
                Some((*pass, self.key(&state.header, *call, attempt.map(|a| a.route)), figures))
            }
            EventKind::CallEnded { pass, call, end } => {
                let found = state.call(*pass, *call)?;
                let mut figures = Figures { calls: 1, ..Figures::default() };
                figures.retried = u64::from(found.tries().len() > 1);
                let route = match end {
                    CallEnd::Succeeded { cached_usage: Some(usage), .. } => {
                        figures.cached = 1;
                        figures.saved_tokens = usage.input + usage.output;
                        figures.saved_usd_micros = saved(&state.header, *call, usage);
                        None
                    }
                    CallEnd::Succeeded { .. } => {
                        let from = found.tries().first().map_or(event.at, |a| a.start);
                        figures.times.add(event.at.since(from));
                        found.successful().map(|a| a.route)
                    }
                    // Never sent: neither a call that was made nor a failure of one.
                    CallEnd::Failed { failure, .. }
                        if matches!(
                            failure.kind,
                            FailureKind::BudgetReached | FailureKind::Skipped
                        ) =>
                    {
                        return None;
                    }
                    CallEnd::Failed { .. } => {
                        figures.failed = 1;
                        found.tries().last().map(|a| a.route)
                    }
                    CallEnd::Cancelled { .. } => return None,
                };
                Some((*pass, self.key(&state.header, *call, route), figures))
            }
            _ => None,
        }
    }

    fn key(&self, header: &RunHeader, call: CallId, route: Option<RouteId>) -> FigureKey {
        let (provider, model) = header.place_of(call, route);
        FigureKey {
            provider: provider.to_owned(),
            model: model.to_owned(),
            task: header.task_of(call).map(|task| task.id.to_string()).unwrap_or_default(),
            simulated: self.is_simulated(header, provider),
        }
    }
}

impl Observer for Tally {
    fn event(&self, state: &RunState, event: &RunEvent, _: Micros) {
        let run = &state.header.id;
        if event.kind.is_terminal() {
            return self.pending().reached(run, event.seq, true);
        }
        if let Some((_, key, figures)) = self.found(state, event) {
            let mut pending = self.pending();
            pending.add(this_minute(), key, &figures);
            pending.reached(run, event.seq, false);
        }
    }
}

/// What an answer from the response cache did not cost, when the price is known.
fn saved(header: &RunHeader, call: CallId, usage: &Usage) -> u64 {
    let own = header.choice_of(call) == (header.spec.provider.as_str(), header.spec.model.as_str());
    header.provider.price.filter(|_| own).map(|price| price.cost(usage).0).unwrap_or_default()
}
