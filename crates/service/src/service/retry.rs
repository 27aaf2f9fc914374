//! Trying failed calls of a run again, once it is over.

use lanes_model::batch::{Reopen, reopened};
use lanes_model::{EventKind, FailureKind, FieldError, RunId, RunStatus};
use lanes_store::Entry;
use serde::Deserialize;

use super::Service;
use crate::ServiceError;

/// Which failed calls to try again; nothing given: all. The body of `POST
/// /api/runs/{id}/retry-failed`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// Those of this stage, by its id.
    #[serde(default)]
    pub stage: Option<String>,
    /// Those that failed in this way.
    #[serde(default)]
    pub kind: Option<FailureKind>,
}

impl Service {
    /// Puts failed calls of a run that is over back to waiting, with those that were skipped for want
    /// of their answers, and the run goes on. Says how many they are.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Invalid`] for a stage that the run does not have, or
    /// [`ServiceError::Conflict`] when it is not over or nothing of that kind failed.
    pub async fn retry_failed(
        &self,
        run: &RunId,
        request: RetryRequest,
    ) -> Result<u32, ServiceError> {
        let conflict = |why: &str| Err(ServiceError::Conflict(why.to_owned()));
        // Two requests at once must not both take the run up.
        let _one = self.inner.retries.lock().await;
        if self.inner.hub.is_live(run) {
            return conflict("The run is going on: failed calls can be retried once it is over.");
        }
        let mut state = self.stored_state(run).await?;
        match state.status {
            RunStatus::Interrupted => {
                return conflict("The run was interrupted: resume it, and retry once it is over.");
            }
            RunStatus::Cancelled => {
                return conflict("The run was cancelled: start it again to get the rest.");
            }
            _ => {}
        }
        if state.passes.len() > 1 {
            return conflict(
                "A comparison measures its passes against each other, and calls tried again later \
                 would falsify that: start it again.",
            );
        }
        let stages = &state.header.plan.stages;
        if let Some(stage) = &request.stage
            && !stages.iter().any(|s| s.id.as_str() == stage)
        {
            let detail = format!("The run has no stage “{stage}”.");
            return Err(ServiceError::Invalid(vec![FieldError::new("/stage", detail)]));
        }
        let which = Reopen { stage: request.stage, kind: request.kind };
        let found = reopened(&state, &which);
        let count = found.iter().map(|(_, calls)| calls.len()).sum::<usize>();
        if count == 0 {
            return conflict("No such call of the run has failed.");
        }
        let entries = found.into_iter().map(|(pass, calls)| Entry {
            run: run.clone(),
            at: state.latest,
            kind: EventKind::CallsReopened { pass, calls },
        });
        let entries: Vec<_> = entries.collect();
        self.can_go_on(&state)?;
        for (_, event) in self.inner.store.append(&entries).await? {
            let _ = state.apply(&event);
        }
        self.go_on(run, state).await?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }
}
