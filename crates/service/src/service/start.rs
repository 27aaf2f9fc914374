//! Starting a run: the request checked, its text and plan stored, the engine set to work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use lanes_engine::{Clock, Job, RetryPolicy, RunClock, RunControl, execute};
use lanes_model::options::form;
use lanes_model::{
    DocumentId, DocumentInfo, EventKind, FieldError, Input, Micros, Plan, RunHeader, RunId,
    RunRequest, RunSpec, RunState, RunSummary, Seq, Task, sample,
};
use lanes_provider::tokens;
use lanes_store::Created;
use sha2::{Digest, Sha256};

use super::{Service, Started, tasks};
use crate::ServiceError;
use crate::adapter::{LogSink, RoutedProvider, StoredRecords};
use crate::catalogue::{Catalogue, SAMPLE_INFOS, TaskList};
use crate::routing;

impl Service {
    /// Starts a run. With an idempotency key, the same request made twice gives the same run.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with every problem of the request, or a store that fails.
    pub async fn start(
        &self,
        request: &RunRequest,
        idempotency_key: Option<&str>,
    ) -> Result<Started, ServiceError> {
        if self.inner.stopping.load(Ordering::Relaxed) {
            return Err(ServiceError::Stopping);
        }
        let catalogue = &self.inner.catalogue;
        let tasks = catalogue.tasks();
        let spec = request.check(&catalogue.choices(&tasks)).map_err(ServiceError::Invalid)?;
        check_price(&spec, catalogue)?;
        tasks::check_plain(&spec, &tasks)?;
        let (document, text) = self.document(&spec, request).await?;
        let header = self.header(spec, document.clone(), &tasks)?;
        let hash = idempotency_key.map(|key| (key, request_hash(request)));
        let state = RunState::begin(&lanes_model::RunEvent {
            seq: Seq(1),
            at: Micros::ZERO,
            kind: EventKind::RunCreated { header: Box::new(header.clone()) },
        })?;
        let created = self
            .inner
            .store
            .create_run(
                &header,
                &RunSummary::of(&state),
                &[(document, text)],
                hash.as_ref().map(|(key, hash)| (*key, hash.as_str())),
            )
            .await?;
        match created {
            Created::Existing(id) => Ok(Started { id, new: false }),
            Created::New(first) => {
                let state = RunState::begin(&first)?;
                self.execute(state);
                Ok(Started { id: header.id, new: true })
            }
        }
    }

    /// Starts a run as a form asks for it: with the lines of its options; see
    /// [`lanes_model::options::form`].
    ///
    /// # Errors
    /// As [`Service::start`]; fallbacks that are wrong have the place of their line.
    pub async fn start_form(
        &self,
        mut request: RunRequest,
        options: &str,
    ) -> Result<Started, ServiceError> {
        let mut wrong = form::apply(options, &mut request);
        let answer = if wrong.is_empty() {
            self.start(&request, None).await
        } else {
            let catalogue = &self.inner.catalogue;
            let others = request.check(&catalogue.choices(&catalogue.tasks()));
            wrong.extend(others.err().unwrap_or_default());
            Err(ServiceError::Invalid(wrong))
        };
        answer.map_err(|error| match error {
            ServiceError::Invalid(errors) => ServiceError::Invalid(form::placed(options, errors)),
            other => other,
        })
    }

    /// The run's document and its text.
    async fn document(
        &self,
        spec: &RunSpec,
        request: &RunRequest,
    ) -> Result<(DocumentInfo, String), ServiceError> {
        let (name, text, tokens) = match &spec.input {
            Input::Sample(id) => {
                let found = sample::find(id).zip(SAMPLE_INFOS.iter().find(|i| &i.id == id));
                let (sample, info) = found
                    .ok_or_else(|| ServiceError::NotFound(format!("There is no sample “{id}”.")))?;
                (sample.name.to_owned(), sample.text.to_owned(), info.tokens)
            }
            Input::Text => {
                let text = request.input.text.clone().unwrap_or_default();
                let tokens = self.count(&text).await.tokens;
                (title_of(&text), text, tokens)
            }
            Input::Documents(_) => {
                return Err(ServiceError::Invalid(vec![FieldError::new(
                    "/input/document_ids",
                    "Stored documents cannot be used yet: give a sample or a text.",
                )]));
            }
        };
        let id = DocumentId(hex(&Sha256::digest(text.as_bytes())).chars().take(32).collect());
        Ok((DocumentInfo { id, name, bytes: text.len() as u64, tokens }, text))
    }

    fn header(
        &self,
        spec: RunSpec,
        document: DocumentInfo,
        known: &TaskList,
    ) -> Result<RunHeader, ServiceError> {
        let catalogue = &self.inner.catalogue;
        let tasks: Vec<Task> = spec.tasks.iter().filter_map(|id| known.find(id).cloned()).collect();
        let provider = catalogue
            .client(&spec.provider)
            .ok_or_else(|| {
                ServiceError::NotFound(format!("There is no provider “{}”.", spec.provider))
            })?
            .info(&spec.model);
        let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
        let title = match tasks.as_slice() {
            [one] => format!("{}, {}", document.name, one.name),
            many => format!("{}, {} tasks", document.name, many.len()),
        };
        Ok(RunHeader {
            id: RunId(uuid::Uuid::now_v7().to_string()),
            title,
            created_at: Timestamp::now().to_string(),
            plan: Plan::new(spec.mode, spec.race, spec.concurrency, count, 1),
            routes: routing::infos(catalogue, &spec),
            spec,
            tasks,
            documents: vec![document],
            provider,
        })
    }

    /// Runs a fresh or interrupted run in the background until it ends.
    pub(super) fn execute(&self, state: RunState) {
        let inner = Arc::clone(&self.inner);
        let run = state.header.id.clone();
        if routing::missing(&inner.catalogue, &state.header.spec).is_some() {
            return;
        }
        let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(state.latest));
        let control = RunControl::new();
        let (limiter, routes) = inner.targets.of_run(&inner.catalogue, &state.header.spec);
        limiter.set_priority(state.priority);
        let live = (Arc::clone(&clock), control.clone(), Arc::clone(&limiter));
        inner.hub.insert(run.clone(), state.clone(), live.0, live.1, live.2);
        let header = Arc::new(state.header.clone());
        let base_url = inner.catalogue.base_url(&header.spec.provider).unwrap_or_default();
        let cache = header.spec.cache.then(|| inner.cache.of_run(Arc::clone(&header), base_url));
        let job = Job {
            provider: Arc::new(RoutedProvider::new(
                routes,
                &run,
                state.header.spec.faults.as_ref(),
            )),
            records: Arc::new(StoredRecords::new(inner.store.clone(), header)),
            sink: Arc::new(LogSink {
                run: run.clone(),
                writer: inner.writer.clone(),
                hub: Arc::clone(&inner.hub),
            }),
            clock,
            limiter,
            cache,
            retry: RetryPolicy::default(),
            control,
            state,
        };
        let task = tokio::spawn(async move {
            // The tokenizer's tables take 60 MB and a moment to load: not before there is a run, and
            // not in the time of its first pass.
            if let Err(error) = tokio::task::spawn_blocking(tokens::warm_up).await {
                tracing::error!(%error, "the tokenizer's tables could not be loaded");
            }
            execute(job).await;
            if let Err(error) = inner.writer.flush().await {
                tracing::error!(%run, %error, "the last events could not be written");
            }
            inner.settle(&run).await;
            inner.hub.remove(&run);
        });
        let mut tasks = self.inner.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        tasks.retain(|t| !t.is_finished());
        tasks.push(task);
    }
}

/// A name for a pasted text: its first words.
fn title_of(text: &str) -> String {
    let line: String = text
        .split_whitespace()
        .take(8)
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    match line.char_indices().nth(48) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None if line.is_empty() => "Pasted text".to_owned(),
        None => line,
    }
}

/// Tells two requests with the same idempotency key apart.
fn request_hash(request: &RunRequest) -> String {
    let body = serde_json::to_vec(request).unwrap_or_default();
    hex(&Sha256::digest(&body))
}

/// A spending limit can be kept only where the price is known.
fn check_price(spec: &RunSpec, catalogue: &Catalogue) -> Result<(), ServiceError> {
    let price = catalogue.client(&spec.provider).and_then(|c| c.info(&spec.model).price);
    if spec.budget.cost().is_some() && price.is_none() {
        return Err(ServiceError::Invalid(vec![FieldError::new(
            "/budget/max_cost_usd_micros",
            format!(
                "The price of “{}” is not known, so a spending limit cannot be kept: leave it out, or \
                 set a deadline.",
                spec.model
            ),
        )]));
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
