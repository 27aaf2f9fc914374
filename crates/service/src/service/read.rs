//! What is known of runs: their states, lists and totals, and what past calls teach about later ones.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::Stream;
use jiff::Timestamp;
use lanes_model::{
    Applied, Micros, RunEvent, RunId, RunState, RunSummary, Seq, TextCount, estimate::TaskHistory,
};
use lanes_provider::tokens;
use lanes_store::{CallRecord, Page, RunFilter, StoreError, Totals};

use super::{Inner, Service};
use crate::{ServiceError, WatchItem, watch};

/// Calls of one task that an estimate is based on, at most.
const HISTORY: u32 = 40;
/// Events read from the store at a time.
const PAGE: u32 = 5_000;
/// Between two tries to write the end of a run.
const AGAIN: Duration = Duration::from_millis(500);

impl Service {
    /// A run as it stands, and the reading of its clock.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a log that cannot be read.
    pub async fn state(&self, run: &RunId) -> Result<(RunState, Micros), ServiceError> {
        if let Some(found) = self.inner.hub.state(run) {
            return Ok(found);
        }
        let state = self.stored_state(run).await?;
        let now = state.latest;
        Ok((state, now))
    }

    pub(super) async fn stored_state(&self, run: &RunId) -> Result<RunState, ServiceError> {
        self.inner.stored_state(run).await
    }

    /// Follows a run from an event on: the log, then what happens, then the end.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn watch(
        &self,
        run: &RunId,
        after: Seq,
    ) -> Result<impl Stream<Item = Result<WatchItem, ServiceError>> + Send + use<>, ServiceError>
    {
        let (hub, store) = (Arc::clone(&self.inner.hub), self.inner.store.clone());
        watch::watch(hub, store, self.inner.writer.troubles(), run.clone(), after).await
    }

    /// Runs in one line each, newest first.
    ///
    /// # Errors
    /// A cursor that this service did not give, or a store that fails.
    pub async fn list(&self, filter: &RunFilter) -> Result<Page<RunSummary>, ServiceError> {
        let mut page = self.inner.store.runs(filter).await?;
        for run in page.items.iter_mut().filter(|run| run.status.is_live()) {
            run.paused = self.inner.hub.is_paused(&run.id);
        }
        Ok(page)
    }

    /// Figures over all runs.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn totals(&self) -> Result<Totals, ServiceError> {
        Ok(self.inner.store.totals().await?)
    }

    /// The text that a run is about.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn input_text(&self, state: &RunState) -> Result<String, ServiceError> {
        let document = state.header.documents.first().map(|d| d.id.clone());
        let text = match document {
            Some(id) => self.inner.store.document_text(&id).await?,
            None => None,
        };
        let text = text.filter(|_| !state.header.spec.figures_only);
        text.ok_or_else(|| ServiceError::NotFound("The run's text is not stored.".to_owned()))
    }

    /// What calls took lately, task by task, on a provider's model.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn history(
        &self,
        provider: &str,
        model: &str,
    ) -> Result<Vec<TaskHistory>, ServiceError> {
        let rows = self.inner.store.task_history(provider, model, HISTORY).await?;
        Ok(rows
            .into_iter()
            .map(|r| TaskHistory {
                task: r.task.as_str().into(),
                samples: r.samples,
                duration_us: r.duration_us,
                ttft_us: r.ttft_us,
                output_tokens: r.output_tokens,
                deviation_us: r.deviation_us,
            })
            .collect())
    }

    /// The size of a text. Counting a long one takes a while and is done off the async threads.
    pub async fn count(&self, text: &str) -> TextCount {
        let owned = text.to_owned();
        match tokio::task::spawn_blocking(move || tokens::count(&owned)).await {
            Ok(tokens) => TextCount::exact(text, tokens),
            Err(_) => TextCount::guess(text),
        }
    }
}

impl Inner {
    /// A run's state from its stored log.
    pub(crate) async fn stored_state(&self, run: &RunId) -> Result<RunState, ServiceError> {
        if let Some(state) = self.unkept.get(run, self.store.last_seq(run).await?) {
            return Ok(state);
        }
        self.fold_stored(run, |_, _| ()).await
    }

    /// A run's state from its stored log; each event but the first is shown once it is folded.
    pub(crate) async fn fold_stored(
        &self,
        run: &RunId,
        mut show: impl FnMut(&RunState, &RunEvent),
    ) -> Result<RunState, ServiceError> {
        let mut page = self.store.events(run, Seq(0), PAGE).await?;
        let Some(first) = page.first() else {
            return Err(ServiceError::no_run(run.as_str()));
        };
        let mut state = RunState::begin(first)?;
        while let Some(last) = page.last().map(|e| e.seq) {
            for event in &page {
                if state.apply(event) == Applied::Yes {
                    show(&state, event);
                }
            }
            page = self.store.events(run, last, PAGE).await?;
        }
        Ok(state)
    }

    /// Waits until the log of a run that came to rest is written to its end, and then writes what lists
    /// and estimates need of it. It is tried until the store takes it, or the program ends: what is
    /// missing then is taken up at the next start.
    pub(super) async fn settled(&self, run: &RunId) {
        let mut told = false;
        while let Err(error) = self.settle(run).await {
            let hopeless = !matches!(error, ServiceError::Store(_))
                || matches!(error, ServiceError::Store(StoreError::Closed));
            if hopeless || self.stopping.load(Ordering::Relaxed) {
                tracing::error!(%run, %error, "the end of the run could not be written");
                return;
            }
            if !std::mem::replace(&mut told, true) {
                tracing::error!(%run, %error, "the end of the run is not written yet");
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn settle(&self, run: &RunId) -> Result<(), ServiceError> {
        self.writer.flush().await?;
        let told = |state: &RunState| (RunSummary::of(state), call_records(state));
        // Everything is written, and so the hub knows it; a second copy of a large run is much.
        let (summary, records) = match self.hub.live(run) {
            Some(live) => live.read(|state, _, _| told(state)),
            None => told(&self.stored_state(run).await?),
        };
        self.store.put_summary(&summary).await?;
        self.fill_messages(run, &summary).await?;
        self.store.record_calls(&records).await?;
        Ok(())
    }
}

/// What the successful calls of a run took, for estimates of later ones. Calls that were made to fail
/// or to be slow say nothing of later ones.
fn call_records(state: &RunState) -> Vec<CallRecord> {
    let header = &state.header;
    if header.spec.faults.is_some() {
        return Vec::new();
    }
    let ended_at = Timestamp::now().to_string();
    let calls = state.passes.iter().flat_map(|p| p.calls.iter().zip(&header.plan.calls));
    calls
        .filter_map(|(call, planned)| {
            let attempt = call.successful()?;
            let task = header.tasks.get(planned.task as usize)?;
            let usage = attempt.usage.unwrap_or_default();
            let first = attempt.first_token.or(attempt.end)?;
            Some(CallRecord {
                task: task.id.to_string(),
                provider: header.spec.provider.clone(),
                model: header.spec.model.clone(),
                duration_us: attempt.end?.since(attempt.start).0,
                ttft_us: first.since(attempt.start).0,
                input_tokens: usage.input,
                output_tokens: usage.output,
                ended_at: ended_at.clone(),
            })
        })
        .collect()
}
