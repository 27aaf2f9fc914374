//! [`Service`]: start, follow, stop, list and delete runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::Stream;
use jiff::Timestamp;
use lanes_engine::{Clock, Job, RetryPolicy, RunClock, RunLimiter, StopHandle, execute};
use lanes_model::{
    DocumentId, DocumentInfo, EventKind, FieldError, Input, Limits, Micros, Plan, ProviderInfo,
    RunHeader, RunId, RunRequest, RunSpec, RunState, RunStatus, RunSummary, Seq, Task, TextCount,
    estimate::TaskHistory,
    sample::{self, SampleInfo},
};
use lanes_provider::{ProviderConfig, tokens};
use lanes_store::{CallRecord, Created, Entry, EventWriter, Page, RunFilter, Store, Totals};
use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::adapter::{ClientProvider, LogSink, StoredRecords};
use crate::catalogue::{Catalogue, SAMPLE_INFOS};
use crate::hub::{Hub, Live};
use crate::limiters::Limiters;
use crate::{ServiceError, WatchItem, watch};

/// Calls of one task that an estimate is based on, at most.
const HISTORY: u32 = 40;
/// A run that is resumed is waited for until it goes on, at most this long.
const TAKEN_UP: Duration = Duration::from_secs(5);
/// Events read from the store at a time.
const PAGE: u32 = 5_000;

/// What happens at start to runs that the program's end interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResumePolicy {
    /// They go on by themselves.
    Auto,
    /// They wait until somebody says so.
    #[default]
    Ask,
}

/// What the service is made of.
pub struct ServiceConfig {
    /// Where runs are kept.
    pub store: Store,
    /// The providers, the default first; at least one.
    pub providers: Vec<ProviderConfig>,
    /// What requests may ask for.
    pub limits: Limits,
    /// What happens to interrupted runs.
    pub resume: ResumePolicy,
    /// What is wrong with a latency profile of the simulator, if anything. The program says so, for
    /// the service knows the simulator as a provider like any other.
    pub latency_problem: fn(&str) -> Option<String>,
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The run.
    pub id: RunId,
    /// Whether this request made it; `false` when its idempotency key had been used before.
    pub new: bool,
}

/// The program's one API. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    writer: EventWriter,
    hub: Arc<Hub>,
    catalogue: Catalogue,
    stopping: AtomicBool,
    limiters: Limiters,
    /// Ends with the last run's task; see [`Service::shutdown`].
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Service {
    /// Opens the service over a store. Runs that were going on when the program ended are marked
    /// interrupted, and taken up again when the policy says so.
    ///
    /// # Errors
    /// A provider configured wrongly, or a store that fails.
    pub async fn open(config: ServiceConfig) -> Result<Self, ServiceError> {
        let hub = Arc::new(Hub::default());
        let publish = Arc::clone(&hub);
        let (writer, _) = EventWriter::spawn(config.store.clone(), move |run, event| {
            publish.committed(run, event);
        });
        let service = Self {
            inner: Arc::new(Inner {
                store: config.store,
                writer,
                hub,
                catalogue: Catalogue::new(config.providers, config.limits, config.latency_problem)?,
                stopping: AtomicBool::new(false),
                limiters: Limiters::default(),
                tasks: std::sync::Mutex::default(),
            }),
        };
        let interrupted = service.mark_interrupted().await?;
        if config.resume == ResumePolicy::Auto {
            for run in interrupted {
                if let Err(error) = service.resume(&run).await {
                    tracing::warn!(%run, %error, "the run cannot be taken up again");
                }
            }
        }
        Ok(service)
    }

    /// Runs the log of which stops in the middle belong to an earlier process: they get their
    /// closing event at the time of the last one, so that the time between does not count.
    async fn mark_interrupted(&self) -> Result<Vec<RunId>, ServiceError> {
        let store = &self.inner.store;
        let runs = store.live_runs().await?;
        for run in &runs {
            let mut state = self.stored_state(run).await?;
            if state.status.is_live() {
                let entry =
                    Entry { run: run.clone(), at: state.latest, kind: EventKind::RunInterrupted };
                for (_, event) in store.append(&[entry]).await? {
                    let _ = state.apply(&event);
                }
            }
            store.put_summary(&RunSummary::of(&state)).await?;
        }
        Ok(runs)
    }

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
        let spec = request.check(&catalogue.choices()).map_err(ServiceError::Invalid)?;
        check_price(&spec, catalogue)?;
        let (document, text) = self.document(&spec, request).await?;
        let header = self.header(spec, document.clone())?;
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

    fn header(&self, spec: RunSpec, document: DocumentInfo) -> Result<RunHeader, ServiceError> {
        let catalogue = &self.inner.catalogue;
        let tasks: Vec<Task> =
            spec.tasks.iter().filter_map(|id| catalogue.task(id).cloned()).collect();
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
            spec,
            tasks,
            documents: vec![document],
            provider,
        })
    }

    /// Runs a fresh or interrupted run in the background until it ends.
    fn execute(&self, state: RunState) {
        let inner = Arc::clone(&self.inner);
        let run = state.header.id.clone();
        let Some(client) = inner.catalogue.client(&state.header.spec.provider).cloned() else {
            return;
        };
        let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(state.latest));
        let stop = StopHandle::new();
        inner.hub.insert(run.clone(), state.clone(), Arc::clone(&clock), stop.clone());
        let limiter = inner.limiters.of(&state.header);
        let told = Arc::clone(&limiter);
        let client = client.listened_to(Arc::new(move |limits| told.observe(limits)));
        let job = Job {
            provider: Arc::new(ClientProvider::new(client, state.header.spec.faults.as_ref())),
            records: Arc::new(StoredRecords::new(
                inner.store.clone(),
                Arc::new(state.header.clone()),
            )),
            sink: Arc::new(LogSink {
                run: run.clone(),
                writer: inner.writer.clone(),
                hub: Arc::clone(&inner.hub),
            }),
            clock,
            limiter: Arc::new(RunLimiter::new(limiter)),
            retry: RetryPolicy::default(),
            stop,
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

    async fn stored_state(&self, run: &RunId) -> Result<RunState, ServiceError> {
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
        watch::watch(Arc::clone(&self.inner.hub), self.inner.store.clone(), run.clone(), after)
            .await
    }

    /// Runs in one line each, newest first.
    ///
    /// # Errors
    /// A cursor that this service did not give, or a store that fails.
    pub async fn list(&self, filter: &RunFilter) -> Result<Page<RunSummary>, ServiceError> {
        Ok(self.inner.store.runs(filter).await?)
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

    /// The tasks there are.
    #[must_use]
    pub fn tasks(&self) -> &[Task] {
        &self.inner.catalogue.tasks
    }

    /// The shipped samples with their sizes.
    #[must_use]
    pub fn samples(&self) -> &'static [SampleInfo] {
        &SAMPLE_INFOS
    }

    /// The configured providers, the default first.
    #[must_use]
    pub fn providers(&self) -> &[ProviderInfo] {
        &self.inner.catalogue.providers
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.catalogue.limits
    }

    /// Whether a run could be taken now.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        if self.inner.stopping.load(Ordering::Relaxed) {
            return Err(ServiceError::Stopping);
        }
        Ok(self.inner.store.is_writable().await?)
    }

    /// The wall clock, RFC 3339 in UTC.
    #[must_use]
    pub fn wall_clock(&self) -> String {
        Timestamp::now().to_string()
    }

    /// How many runs are going on in this process.
    #[must_use]
    pub fn live_runs(&self) -> usize {
        self.inner.hub.len()
    }

    /// Takes no new run, gives calls in flight back to the log as interrupted, and returns once
    /// everything is written.
    pub async fn shutdown(&self) {
        self.inner.stopping.store(true, Ordering::Relaxed);
        for stop in self.inner.hub.stop_handles() {
            stop.interrupt();
        }
        let tasks = {
            let mut tasks =
                self.inner.tasks.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            std::mem::take(&mut *tasks)
        };
        for task in tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a run's task ended badly");
            }
        }
        if let Err(error) = self.inner.writer.flush().await {
            tracing::error!(%error, "the last events could not be written");
        }
    }
}

impl Inner {
    /// A run's state from its stored log.
    async fn stored_state(&self, run: &RunId) -> Result<RunState, ServiceError> {
        let mut page = self.store.events(run, Seq(0), PAGE).await?;
        let Some(first) = page.first() else {
            return Err(ServiceError::no_run(run.as_str()));
        };
        let mut state = RunState::begin(first)?;
        while let Some(last) = page.last().map(|e| e.seq) {
            for event in &page {
                let _ = state.apply(event);
            }
            page = self.store.events(run, last, PAGE).await?;
        }
        Ok(state)
    }

    /// Writes what lists and estimates need of a run that came to rest.
    async fn settle(&self, run: &RunId) {
        let result = async {
            let state = self.stored_state(run).await?;
            self.store.put_summary(&RunSummary::of(&state)).await?;
            self.store.record_calls(&call_records(&state)).await?;
            Ok::<_, ServiceError>(())
        };
        if let Err(error) = result.await {
            tracing::error!(%run, %error, "the run's summary could not be written");
        }
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
