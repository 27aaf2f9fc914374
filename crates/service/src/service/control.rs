//! What can be done with a run that is there: cancel, resume, wait for it, delete.

use std::time::Duration;

use lanes_model::{RunId, RunState, RunStatus, RunSummary};

use super::Service;
use crate::ServiceError;
use crate::hub::Live;

/// A run that is resumed is waited for until it goes on, at most this long.
const TAKEN_UP: Duration = Duration::from_secs(5);

impl Service {
    /// Stops a run: no new call starts, what there is of it is kept.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] when the run is already over.
    pub async fn cancel(&self, run: &RunId) -> Result<(), ServiceError> {
        if let Some(stop) = self.inner.hub.stop_handle(run) {
            stop.cancel();
            return Ok(());
        }
        let status = self.state(run).await?.0.status;
        Err(ServiceError::Conflict(format!("The run is already over ({}).", status.id())))
    }

    /// Takes an interrupted run up again: finished calls are kept, the others run.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] when it is not interrupted.
    pub async fn resume(&self, run: &RunId) -> Result<(), ServiceError> {
        let (state, _) = self.state(run).await?;
        if state.status != RunStatus::Interrupted || self.inner.hub.is_live(run) {
            return Err(ServiceError::Conflict(format!(
                "Only an interrupted run can be resumed; this one is {}.",
                state.status.id()
            )));
        }
        if self.inner.catalogue.client(&state.header.spec.provider).is_none() {
            return Err(ServiceError::Conflict(format!(
                "The provider “{}” is not configured any more.",
                state.header.spec.provider
            )));
        }
        let mut summary = RunSummary::of(&state);
        summary.status = RunStatus::Running;
        self.inner.store.put_summary(&summary).await?;
        self.execute(state);
        // Whoever asks for the run next is to find it going on.
        self.wait_until(run, TAKEN_UP, |state| state.status.is_live()).await;
        Ok(())
    }

    /// Waits until a live run's state is as wanted, but no longer than `limit`. Returns at once for a
    /// run that is not live.
    pub async fn wait_until(
        &self,
        run: &RunId,
        limit: Duration,
        wanted: impl Fn(&RunState) -> bool,
    ) {
        let Some(mut seen) = self.inner.hub.subscribe(run) else { return };
        let waiting = async {
            while !wanted(&seen.state) {
                match seen.live.recv().await {
                    Ok(Live::Event(event)) => {
                        let _ = seen.state.apply(&event);
                    }
                    Ok(Live::Progress(_)) => {}
                    // Over, or so busy that it is certainly going on.
                    Err(_) => return,
                }
            }
        };
        // Too late is as good as never: the caller goes on with what there is.
        let _ = tokio::time::timeout(limit, waiting).await;
    }

    /// Deletes a run with its log and the texts that no other run uses.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] while it is going on.
    pub async fn delete(&self, run: &RunId) -> Result<(), ServiceError> {
        if self.inner.hub.is_live(run) {
            return Err(ServiceError::Conflict(
                "The run is going on: cancel it before deleting it.".to_owned(),
            ));
        }
        if self.inner.store.delete_run(run).await? {
            Ok(())
        } else {
            Err(ServiceError::no_run(run.as_str()))
        }
    }
}
