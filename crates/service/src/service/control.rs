//! What can be done with a run that is there: cancel, pause, resume, change, wait for it, delete.

use std::time::Duration;

use lanes_engine::RunControl;
use lanes_model::{
    EventKind, FieldError, PassMode, PassState, PassStatus, Priority, RunId, RunState, RunStatus,
    RunSummary,
};
use serde::Deserialize;

use super::Service;
use crate::ServiceError;
use crate::routing;

/// What was asked for is waited for until the log has it, at most this long.
const TAKEN_UP: Duration = Duration::from_secs(5);

/// What to change of a run that is going on. The body of `PATCH /api/runs/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunChange {
    /// Lanes of its parallel passes.
    #[serde(default)]
    pub concurrency: Option<i64>,
    /// `interactive` or `batch`.
    #[serde(default)]
    pub priority: Option<String>,
}

impl Service {
    /// Stops a run: no new call starts, what there is of it is kept.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] when the run is already over.
    pub async fn cancel(&self, run: &RunId) -> Result<(), ServiceError> {
        if let Some(control) = self.inner.hub.control(run) {
            control.cancel();
            return Ok(());
        }
        let status = self.reader(run).await?.read(|state, _, _| state.status);
        Err(ServiceError::Conflict(format!("The run is already over ({}).", status.id())))
    }

    /// Pauses a run that is going on: nothing starts, what is under way goes on.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] when it is not going on.
    pub async fn pause(&self, run: &RunId) -> Result<(), ServiceError> {
        self.live(run).await?.pause();
        self.wait_until(run, TAKEN_UP, |state| state.paused || !state.status.is_live()).await;
        Ok(())
    }

    /// Changes how a run that is going on is carried out; what is not given stays as it is.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] for a concurrency out of range, [`ServiceError::NotFound`], or
    /// [`ServiceError::Conflict`] when it is not going on.
    pub async fn change(&self, run: &RunId, change: RunChange) -> Result<(), ServiceError> {
        let most = self.limits().max_concurrency;
        let lanes =
            change.concurrency.map(|n| u32::try_from(n).ok().filter(|n| (1..=most).contains(n)));
        let mut errors = Vec::new();
        if lanes == Some(None) {
            let detail = format!("The concurrency must be a number from 1 to {most}.");
            errors.push(FieldError::new("/concurrency", detail));
        }
        let priority = change.priority.as_deref().map(Priority::from_id);
        if priority == Some(None) {
            errors.push(FieldError::new("/priority", "The priority must be interactive or batch."));
        }
        if change == RunChange::default() {
            errors.push(FieldError::new("", "Give a concurrency, a priority or both."));
        }
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let control = self.live(run).await?;
        if let Some(lanes) = lanes.flatten() {
            control.use_lanes(lanes);
            let over = |p: &PassState| {
                p.mode != PassMode::Parallel
                    || matches!(p.status, PassStatus::Completed | PassStatus::Cancelled)
            };
            let used = |state: &RunState| {
                !state.status.is_live()
                    || state.passes.iter().all(|p| over(p) || p.limit() == lanes)
            };
            self.wait_until(run, TAKEN_UP, used).await;
        }
        if let Some(priority) = priority.flatten()
            && let Some(routes) = self.inner.hub.routes(run)
            && let Some(now) = self.inner.hub.now(run)
        {
            routes.set_priority(priority);
            let kind = EventKind::PriorityChanged { priority };
            self.inner.writer.append(run.clone(), now, kind);
        }
        Ok(())
    }

    /// The controls of a run that is going on.
    async fn live(&self, run: &RunId) -> Result<RunControl, ServiceError> {
        if let Some(control) = self.inner.hub.control(run) {
            return Ok(control);
        }
        let status = self.reader(run).await?.read(|state, _, _| state.status);
        Err(ServiceError::Conflict(format!("The run is not going on; it is {}.", status.id())))
    }

    /// Lets a paused run go on, or takes an interrupted one up again: finished calls are kept, the
    /// others run.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Conflict`] when it is neither.
    pub async fn resume(&self, run: &RunId) -> Result<(), ServiceError> {
        if self.inner.hub.is_paused(run)
            && let Some(control) = self.inner.hub.control(run)
        {
            control.go_on();
            self.wait_until(run, TAKEN_UP, |state| !state.paused).await;
            return Ok(());
        }
        if let Some(live) = self.inner.hub.live(run) {
            return Err(not_resumable(live.read(|state, _, _| state.status)));
        }
        let state = self.stored_state(run).await?;
        let paused = state.paused;
        self.take_up(run, state).await?;
        if let Some(control) = self.inner.hub.control(run).filter(|_| paused) {
            control.go_on();
            self.wait_until(run, TAKEN_UP, |state| !state.paused).await;
        }
        Ok(())
    }

    /// Takes an interrupted run up again; if it was paused, it stays so.
    pub(super) async fn take_up(&self, run: &RunId, state: RunState) -> Result<(), ServiceError> {
        if state.status != RunStatus::Interrupted || self.inner.hub.is_live(run) {
            return Err(not_resumable(state.status));
        }
        self.go_on(run, state).await
    }

    /// Sets the engine to work on a run that is at rest and has calls to carry out.
    pub(super) async fn go_on(&self, run: &RunId, state: RunState) -> Result<(), ServiceError> {
        self.can_go_on(&state)?;
        self.inner.flush_figures().await?;
        if self.inner.store.counted(run).await?.is_none() {
            self.inner.counted_state(run).await?;
        }
        let mut summary = RunSummary::of(&state);
        summary.status = RunStatus::Running;
        self.inner.store.put_summary(&summary).await?;
        self.execute(state, None);
        // Whoever asks for the run next is to find it going on.
        self.wait_until(run, TAKEN_UP, |state| state.status == RunStatus::Running).await;
        Ok(())
    }

    /// Whether the providers of a run are still there, as its log knows them.
    pub(super) fn can_go_on(&self, state: &RunState) -> Result<(), ServiceError> {
        if state.header.spec.figures_only {
            return Err(ServiceError::Conflict(
                "The text of this run was not kept, only its figures: it cannot go on. Start it again \
                 with the text."
                    .to_owned(),
            ));
        }
        if let Some(provider) = routing::missing(&self.inner.catalogue, &state.header) {
            return Err(ServiceError::Conflict(format!(
                "The provider “{provider}” is not configured any more."
            )));
        }
        if routing::changed(&self.inner.catalogue, &state.header) {
            return Err(ServiceError::Conflict(
                "The endpoints of this run's providers are others now, so its log could not say \
                 who answers: configure them as they were, or start a new run."
                    .to_owned(),
            ));
        }
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
        let Some(live) = self.inner.hub.live(run) else { return };
        let mut events = live.watch();
        let waiting = async {
            while !live.read(|state, _, _| wanted(state)) {
                // Over, or so busy that it is certainly going on.
                if events.recv().await.is_err() {
                    return;
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

fn not_resumable(status: RunStatus) -> ServiceError {
    ServiceError::Conflict(format!(
        "Only a paused or interrupted run can be resumed; this one is {}.",
        status.id()
    ))
}
