//! [`Service`]: start, follow, stop, list and delete runs.

mod answers;
mod control;
mod documents;
mod health;
mod pieces;
mod process;
mod read;
mod retry;
mod start;
mod tasks;
mod trial;
mod unkept;
mod workflows;

pub use control::RunChange;
pub use documents::{DocumentPreview, DocumentView, Rejected, Upload};
pub use health::{EndpointHealth, ProviderHealth};
pub use process::{ProcessEvent, ProcessRequest, ProcessStart, Processing};
pub use retry::RetryRequest;
pub use tasks::TaskFormat;
#[cfg(any(test, fuzzing))]
pub(crate) use tasks::read_tasks;
pub use trial::{Preview, PreviewPart, Trial, TrialRequest};
pub use workflows::{PlacedError, SampleRecord, WorkflowFile, blank_workflow, workflow_toml};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use lanes_model::options::form;
use lanes_model::{
    EventKind, Limits, ProviderInfo, RunId, RunSpec, RunSummary, sample::SampleInfo,
};
use lanes_provider::ProviderConfig;
use lanes_store::{Entry, EventWriter, Store};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::ServiceError;
use crate::background::Background;
use crate::cache::ResponseCache;
use crate::catalogue::{Catalogue, SAMPLE_INFOS};
use crate::door::DoorTotalsKept;
use crate::extract::Extractor;
use crate::hub::Hub;
use crate::observe::{Load, Observer};
use crate::routing::Targets;

/// Uploaded files looked at, at the same time.
const READING: usize = 4;

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
    /// Whether calls may run at the same time; otherwise only runs in mode sequential are taken.
    pub parallel: bool,
    /// What happens to interrupted runs.
    pub resume: ResumePolicy,
    /// What is wrong with a latency profile of the simulator, if anything. The program says so, for
    /// the service knows the simulator as a provider like any other.
    pub latency_problem: fn(&str) -> Option<String>,
    /// Reads uploaded files.
    pub extractor: Extractor,
    /// Who is told of every event.
    pub observers: Vec<Arc<dyn Observer>>,
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

pub(crate) struct Inner {
    pub(crate) store: Store,
    writer: EventWriter,
    pub(crate) hub: Arc<Hub>,
    catalogue: Catalogue,
    stopping: AtomicBool,
    /// Whether runs in another mode than sequential are taken.
    pub(crate) parallel: bool,
    targets: Targets,
    cache: Arc<ResponseCache>,
    door: Arc<DoorTotalsKept>,
    pub(crate) background: Background,
    /// Held while tasks and workflows are changed, so that what was checked still holds when it is written.
    task_changes: tokio::sync::Mutex<()>,
    extractor: Extractor,
    /// Held while failed calls are reopened.
    retries: tokio::sync::Mutex<()>,
    /// The large run at rest that was looked at last.
    pub(crate) looked_at: crate::reader::LookedAt,
    /// Runs that ended lately and whose texts are not kept.
    unkept: unkept::Unkept,
    /// How many uploaded files are in memory at once.
    reading: Semaphore,
    /// Ends with the last run's task; see [`Service::shutdown`].
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
}

impl Inner {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    pub(crate) fn targets(&self) -> &Targets {
        &self.targets
    }

    pub(crate) fn cache(&self) -> &Arc<ResponseCache> {
        &self.cache
    }

    pub(crate) fn door(&self) -> &Arc<DoorTotalsKept> {
        &self.door
    }
}

impl Service {
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn shared(&self) -> Arc<Inner> {
        Arc::clone(&self.inner)
    }

    /// Opens the service over a store. Runs that were going on when the program ended are marked
    /// interrupted, and taken up again when the policy says so.
    ///
    /// # Errors
    /// A provider configured wrongly, or a store that fails.
    pub async fn open(config: ServiceConfig) -> Result<Self, ServiceError> {
        let hub = Arc::new(Hub::new(config.observers));
        let publish = Arc::clone(&hub);
        let (writer, _) = EventWriter::spawn(config.store.clone(), move |run, event| {
            publish.committed(run, event);
        });
        let service = Self {
            inner: Arc::new(Inner {
                cache: ResponseCache::new(config.store.clone()),
                door: Arc::default(),
                store: config.store,
                writer,
                hub,
                catalogue: Catalogue::new(config.providers, config.limits, config.latency_problem)?,
                background: Background::default(),
                stopping: AtomicBool::new(false),
                parallel: config.parallel,
                targets: Targets::default(),
                task_changes: tokio::sync::Mutex::default(),
                extractor: config.extractor,
                retries: tokio::sync::Mutex::default(),
                looked_at: crate::reader::LookedAt::default(),
                unkept: unkept::Unkept::default(),
                reading: Semaphore::new(READING),
                tasks: std::sync::Mutex::default(),
            }),
        };
        let simulated = service.inner.catalogue.providers.iter().filter(|p| p.simulated);
        service.inner.hub.tally.know_simulated(simulated.map(|p| p.id.clone()));
        service.load_tasks().await?;
        service.load_workflows().await?;
        let interrupted = service.mark_interrupted().await?;
        if config.resume == ResumePolicy::Auto {
            for run in interrupted {
                let taken_up = async {
                    let state = service.stored_state(&run).await?;
                    service.take_up(&run, state).await
                };
                if let Err(error) = taken_up.await {
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
            let mut state = self.inner.counted_state(run).await?;
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

    /// The shipped samples with their sizes.
    #[must_use]
    pub fn samples(&self) -> &'static [SampleInfo] {
        &SAMPLE_INFOS
    }

    /// The configured providers, the default first; without those that are for single stages of
    /// workflows.
    #[must_use]
    pub fn providers(&self) -> &[ProviderInfo] {
        self.inner.catalogue.of_runs()
    }

    /// The name of any provider, also of one for single stages.
    #[must_use]
    pub fn provider_name(&self, id: &str) -> Option<String> {
        self.inner.catalogue.providers.iter().find(|p| p.id == id).map(|p| p.name.clone())
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.inner.catalogue.limits
    }

    /// What a form says of the options of a run that is to be repeated; see
    /// [`lanes_model::options::form`].
    #[must_use]
    pub fn option_lines(&self, spec: &RunSpec) -> String {
        let catalogue = &self.inner.catalogue;
        form::lines(spec, &catalogue.choices(&catalogue.tasks(), &[]))
    }

    /// Whether a run could be taken now.
    ///
    /// # Errors
    /// Why not.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        if self.inner.stopping.load(Ordering::Relaxed) {
            return Err(ServiceError::Stopping);
        }
        if let Some(trouble) = self.trouble() {
            return Err(ServiceError::NotWritten(trouble));
        }
        Ok(self.inner.store.is_writable().await?)
    }

    /// Why runs stand still, and what to do about it, while their log cannot be written.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.inner.writer.trouble()
    }

    /// The wall clock, RFC 3339 in UTC.
    #[must_use]
    pub fn wall_clock(&self) -> String {
        Timestamp::now().to_string()
    }

    /// What is going on in this process.
    #[must_use]
    pub fn load(&self) -> Load {
        self.inner.hub.load()
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
        for control in self.inner.hub.controls() {
            control.interrupt();
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
        self.inner.background.stop();
        if let Err(error) = self.inner.flush_figures().await {
            tracing::warn!(%error, "the last figures will be counted at the next start");
        }
        self.inner.cache.flush().await;
    }
}
