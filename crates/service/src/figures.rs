//! The figures of the dashboard and the alerts: written down and made whole.
//!
//! Events are counted in memory when they are folded into a live run's state (`tally`), and written
//! every few seconds together with how far each run's log has gone into the figures. What a crash leaves out is
//! read from the logs of the runs concerned at the next start.

use jiff::Timestamp;
use lanes_model::{Micros, PassId, RunId, RunState};
use lanes_store::Counted;

use crate::ServiceError;
use crate::service::Inner;
use crate::tally::Pending;

/// Logs older than this are not read again: no page shows what they say.
const DAYS: i64 = 8;
/// Minutes are kept so long, seconds; hours for a year and some.
const MINUTES_KEPT: i64 = 2 * 86_400;
const HOURS_KEPT: i64 = 400 * 86_400;

/// The minute of an event of a stored log: by the wall clock at the start of its pass. Time in which
/// the run was interrupted is not in it.
fn stored_minute(state: &RunState, pass: PassId, at: Micros) -> i64 {
    let pass = state.passes.get(usize::from(pass.0));
    let started = pass.and_then(|p| p.started_at.as_deref()).unwrap_or(&state.header.created_at);
    let started = started.parse::<Timestamp>().unwrap_or_default();
    let since = at.since(pass.and_then(|p| p.start).unwrap_or_default());
    started
        .as_second()
        .saturating_add(i64::try_from(since.0 / 1_000_000).unwrap_or(0))
        .div_euclid(60)
        * 60
}

impl Inner {
    /// Writes what has been counted.
    pub(crate) async fn flush_figures(&self) -> Result<(), ServiceError> {
        let _one = self.background.flushing.lock().await;
        let taken = std::mem::take(&mut *self.hub.tally.pending());
        if taken.runs.is_empty() && taken.cells.is_empty() {
            return Ok(());
        }
        let runs: Vec<_> =
            taken.runs.iter().map(|(run, counted)| (run.clone(), *counted)).collect();
        let written = self.store.add_figures(&taken.rows(), &runs, None).await;
        if let Err(error) = written {
            // Not lost: it is added to what came meanwhile, which is of later events.
            let mut pending = self.hub.tally.pending();
            for ((start, key), figures) in taken.cells {
                pending.add(start, key, &figures);
            }
            for (run, counted) in taken.runs {
                pending.runs.entry(run).or_insert(counted);
            }
            return Err(error.into());
        }
        Ok(())
    }

    /// A run's state from its stored log, which is counted as far as it was not before.
    pub(crate) async fn counted_state(&self, run: &RunId) -> Result<RunState, ServiceError> {
        let before = self.store.counted(run).await?;
        let mut found = Pending::default();
        let tally = &self.hub.tally;
        let state = self
            .fold_stored(run, |state, event| {
                if before.is_none_or(|seq| event.seq > seq)
                    && let Some((pass, key, figures)) = tally.found(state, event)
                {
                    found.add(stored_minute(state, pass, event.at), key, &figures);
                }
            })
            .await?;
        let counted = [(run.clone(), Counted { seq: state.last_seq, at_rest: true })];
        self.store.add_figures(&found.rows(), &counted, Some((run, before))).await?;
        Ok(state)
    }

    /// Counts what no figure knows of: runs of a version without figures, and what a crash left out.
    /// Says how many runs.
    pub(crate) async fn count_missing(&self) -> Result<usize, ServiceError> {
        let since = Timestamp::now().as_second() - DAYS * 86_400;
        let since = Timestamp::from_second(since).unwrap_or_default().to_string();
        let mut count = 0;
        for run in self.store.uncounted_runs(&since).await? {
            if self.hub.is_live(&run) {
                continue;
            }
            match self.counted_state(&run).await {
                Ok(_) => count += 1,
                // It was deleted meanwhile.
                Err(ServiceError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(count)
    }

    /// Forgets figures that no page shows.
    pub(crate) async fn forget_figures(&self) -> Result<(), ServiceError> {
        let now = Timestamp::now().as_second();
        Ok(self.store.forget_figures(now - MINUTES_KEPT, now - HOURS_KEPT).await?)
    }
}
