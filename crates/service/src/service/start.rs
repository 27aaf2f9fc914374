//! Starting a run: the request checked, its text and plan stored, the engine set to work.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::Timestamp;
use lanes_engine::{Clock, Job, RetryPolicy, RunClock, RunControl, execute};
use lanes_model::options::form;
use lanes_model::{
    DocumentId, DocumentInfo, EventKind, FieldError, Input, Micros, Plan, PlannedStage, RunHeader,
    RunId, RunRequest, RunSpec, RunState, RunSummary, Seq, Stage, Task, sample,
};
use lanes_provider::tokens;
use lanes_store::Created;
use sha2::{Digest, Sha256};

use super::documents::RunInput;
use super::{Service, Started, tasks};
use crate::ServiceError;
use crate::adapter::{LogSink, RoutedProvider};
use crate::catalogue::{Catalogue, SAMPLE_INFOS, TaskList};
use crate::records::StoredRecords;
use crate::routing;

/// What a run carries out, whatever it is about.
struct Planned {
    /// The name of its workflow, if it has one.
    workflow: Option<String>,
    tasks: Vec<Task>,
    stages: Vec<PlannedStage>,
}

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
        let workflows = catalogue.workflows();
        let choices = catalogue.choices(&tasks, &workflows);
        let mut spec = request.check(&choices).map_err(ServiceError::Invalid)?;
        check_price(&spec, catalogue)?;
        self.check_mode(spec.mode)?;
        let planned = self.planned(&spec, &tasks)?;
        let mut input = self.input(&spec, request).await?;
        let pieces = self.pieces(&spec, &input).await?;
        let text = self.take_texts(&mut spec, &mut input)?;
        let mut header = self.header(spec, &input.subject, input.documents, planned)?;
        header.plan = header.plan.in_pieces(&header.tasks, pieces);
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
                &input.texts,
                hash.as_ref().map(|(key, hash)| (*key, hash.as_str())),
            )
            .await?;
        match created {
            Created::Existing(id) => Ok(Started { id, new: false }),
            Created::New(first) => {
                let state = RunState::begin(&first)?;
                self.execute(state, text);
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
            let (tasks, workflows) = (catalogue.tasks(), catalogue.workflows());
            let others = request.check(&catalogue.choices(&tasks, &workflows));
            wrong.extend(others.err().unwrap_or_default());
            Err(ServiceError::Invalid(wrong))
        };
        answer.map_err(|error| match error {
            ServiceError::Invalid(errors) => ServiceError::Invalid(form::placed(options, errors)),
            other => other,
        })
    }

    /// What the run is about.
    async fn input(&self, spec: &RunSpec, request: &RunRequest) -> Result<RunInput, ServiceError> {
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
            Input::Documents(ids) => {
                return self.uploaded_input(ids, spec.piece_tokens.is_some()).await;
            }
        };
        let id = DocumentId(hex(&Sha256::digest(text.as_bytes())).chars().take(32).collect());
        let document = DocumentInfo { id, name, bytes: text.len() as u64, tokens };
        Ok(RunInput {
            subject: document.name.clone(),
            documents: vec![document.clone()],
            texts: vec![(document, text)],
        })
    }

    /// What the run carries out: its tasks side by side, or the stages of its workflow.
    fn planned(&self, spec: &RunSpec, known: &TaskList) -> Result<Planned, ServiceError> {
        let catalogue = &self.inner.catalogue;
        let Some(id) = &spec.workflow else {
            tasks::check_plain(spec, known)?;
            let tasks: Vec<Task> =
                spec.tasks.iter().filter_map(|id| known.find(id).cloned()).collect();
            let count = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
            let stages = Plan::new(spec.mode, spec.race, spec.concurrency, count, 0).stages;
            return Ok(Planned { workflow: None, tasks, stages });
        };
        let workflows = catalogue.workflows();
        let workflow = workflows
            .iter()
            .find(|w| &w.id == id)
            .ok_or_else(|| ServiceError::NotFound(format!("There is no workflow “{id}”.")))?;
        // A task or a provider that it uses may be gone since it was made.
        let problems = workflow.problems(&catalogue.workflow_choices(known));
        if !problems.is_empty() {
            let problems = problems.into_iter().map(|e| {
                FieldError::new("/workflow", format!("{} ({}{})", e.detail, id, e.pointer))
            });
            return Err(ServiceError::Invalid(problems.collect()));
        }
        let own = |stage: &Stage| catalogue.providers_of(stage, &spec.provider);
        let (tasks, stages) = workflow.planned(&known.tasks, own);
        Ok(Planned { workflow: Some(workflow.name.clone()), tasks, stages })
    }

    fn header(
        &self,
        spec: RunSpec,
        subject: &str,
        documents: Vec<DocumentInfo>,
        planned: Planned,
    ) -> Result<RunHeader, ServiceError> {
        let catalogue = &self.inner.catalogue;
        let Planned { workflow, tasks, stages } = planned;
        let provider = catalogue
            .client(&spec.provider)
            .ok_or_else(|| {
                ServiceError::NotFound(format!("There is no provider “{}”.", spec.provider))
            })?
            .info(&spec.model);
        let title = match (workflow, tasks.as_slice()) {
            (Some(name), _) => format!("{subject}, {name}"),
            (None, [one]) => format!("{subject}, {}", one.name),
            (None, many) => format!("{subject}, {} tasks", many.len()),
        };
        let records = u32::try_from(documents.len()).unwrap_or(u32::MAX);
        Ok(RunHeader {
            id: RunId(uuid::Uuid::now_v7().to_string()),
            title,
            created_at: Timestamp::now().to_string(),
            routes: routing::infos(catalogue, &spec, &stages),
            plan: Plan::of_stages(spec.mode, spec.race, spec.concurrency, stages, records),
            spec,
            tasks,
            documents,
            provider,
        })
    }

    /// Runs a fresh or interrupted run in the background until it ends; `text` is what it is about, where
    /// that is not kept.
    pub(super) fn execute(&self, state: RunState, text: Option<String>) {
        let inner = Arc::clone(&self.inner);
        let run = state.header.id.clone();
        if routing::missing(&inner.catalogue, &state.header).is_some() {
            return;
        }
        let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(state.latest));
        let control = RunControl::new();
        let (limiter, routes) =
            inner.targets.of_run(&inner.catalogue, &state.header.spec, &state.header.plan.stages);
        limiter.set_priority(state.priority);
        let live = (Arc::clone(&clock), control.clone(), Arc::clone(&limiter));
        inner.hub.insert(run.clone(), state.clone(), live.0, live.1, live.2);
        let header = Arc::new(state.header.clone());
        let cache = header
            .spec
            .cache
            .then(|| inner.cache.of_run(Arc::clone(&header), inner.catalogue.base_urls()));
        let job = Job {
            provider: Arc::new(RoutedProvider::new(
                routes,
                &run,
                state.header.spec.faults.as_ref(),
            )),
            records: Arc::new(StoredRecords::new(
                inner.store.clone(),
                header,
                text,
                inner.catalogue.limits.redact,
            )),
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
            inner.settled(&run).await;
            inner.keep_for_a_while(&run);
            inner.hub.remove(&run);
            inner.background.outbox.notify_one();
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

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
