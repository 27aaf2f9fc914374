//! What goes on beside the requests while the program runs: messages to webhooks, figures written
//! down, alerts evaluated.

use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::service::Inner;
use crate::webhooks::{Hooks, RetrySteps, Vault, dispatch};
use crate::{Service, ServiceError};

/// The file with the key of the webhooks' secrets, in the data directory.
const KEY_FILE: &str = "webhooks.key";

/// How often figures are written.
const FIGURES: Duration = Duration::from_secs(2);
/// Figures are written so often for each time that old ones are forgotten: once an hour.
const FORGET: u32 = 1_800;

/// What goes on beside the requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackgroundConfig {
    /// Where the key of the webhooks' secrets is kept.
    pub data_dir: PathBuf,
    /// Where people reach the page, for links; without a slash at its end.
    pub public_url: String,
    /// Whether webhooks may lead to this machine and to private networks, and without TLS.
    pub allow_private: bool,
    /// When messages that did not arrive are tried again.
    pub retry: RetrySteps,
    /// How often alerts are evaluated.
    pub alerts_every: Duration,
}

impl Default for BackgroundConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::new(),
            public_url: String::new(),
            allow_private: false,
            retry: RetrySteps::default(),
            alerts_every: Duration::from_secs(10),
        }
    }
}

/// Its state, part of the service's.
#[derive(Default)]
pub(crate) struct Background {
    /// Told when there is something in the outbox.
    pub(crate) outbox: Notify,
    public_url: OnceLock<String>,
    hooks: OnceLock<Arc<Hooks>>,
    /// Held while figures are written.
    pub(crate) flushing: tokio::sync::Mutex<()>,
    /// Held while alerts are evaluated or their rules changed.
    pub(crate) alerting: tokio::sync::Mutex<()>,
    /// How many alerts fire.
    pub(crate) firing: AtomicUsize,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Background {
    /// What sends messages, once it is set up.
    pub(crate) fn hooks(&self) -> Option<Arc<Hooks>> {
        self.hooks.get().cloned()
    }

    /// Where people reach the page.
    pub(crate) fn public_url(&self) -> &str {
        self.public_url.get().map_or("", String::as_str)
    }

    /// Ends what goes on. A message under way is sent again after the next start.
    pub(crate) fn stop(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }
}

impl Service {
    /// Begins what goes on beside the requests, until [`Service::shutdown`]. To be called once.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when the key file cannot be used, in words that say which and why.
    pub fn start_background(&self, config: BackgroundConfig) -> Result<(), ServiceError> {
        let path = config.data_dir.join(KEY_FILE);
        let vault = Vault::open(&path).map_err(|error| {
            ServiceError::Conflict(format!("the file {} cannot be used: {error}", path.display()))
        })?;
        let hooks = Arc::new(Hooks::new(vault, config.allow_private, config.retry));
        let background = &self.inner().background;
        if background.hooks.set(Arc::clone(&hooks)).is_err() {
            return Err(ServiceError::Conflict("the background was started before".to_owned()));
        }
        // Set at the same time as the other, and so once.
        let _ = background.public_url.set(config.public_url);
        let dispatcher = tokio::spawn(dispatch(self.shared(), hooks));
        let (figures, alerts) = (figures(self.shared()), alerts(self.clone(), config.alerts_every));
        let mut tasks = background.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.extend([dispatcher, tokio::spawn(figures), tokio::spawn(alerts)]);
        Ok(())
    }
}

/// Counts what is missing, then writes what is counted, for ever.
async fn figures(inner: Arc<Inner>) {
    match inner.count_missing().await {
        Ok(0) => {}
        Ok(runs) => tracing::info!(runs, "runs were counted for the dashboard"),
        Err(error) => tracing::warn!(%error, "the dashboard may lack figures of earlier runs"),
    }
    let mut ticks = interval(FIGURES);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for tick in (0..FORGET).cycle() {
        ticks.tick().await;
        let mut done = inner.flush_figures().await;
        if tick == 0 {
            done = done.and(inner.forget_figures().await);
        }
        if let Err(error) = done {
            tracing::warn!(%error, "figures could not be written; trying again");
        }
    }
}

/// Evaluates alerts for ever.
async fn alerts(service: Service, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = service.evaluate_alerts(jiff::Timestamp::now()).await {
            tracing::warn!(%error, "alerts could not be evaluated");
        }
    }
}
