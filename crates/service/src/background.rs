//! What goes on beside the requests while the program runs: messages to webhooks.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::webhooks::{Hooks, RetrySteps, Vault, dispatch};
use crate::{Service, ServiceError};

/// The file with the key of the webhooks' secrets, in the data directory.
const KEY_FILE: &str = "webhooks.key";

/// What goes on beside the requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BackgroundConfig {
    /// Where the key of the webhooks' secrets is kept.
    pub data_dir: PathBuf,
    /// Where people reach the page, for links; without a slash at its end.
    pub public_url: String,
    /// Whether webhooks may lead to this machine and to private networks, and without TLS.
    pub allow_private: bool,
    /// When messages that did not arrive are tried again.
    pub retry: RetrySteps,
}

/// Its state, part of the service's.
#[derive(Default)]
pub(crate) struct Background {
    /// Told when there is something in the outbox.
    pub(crate) outbox: Notify,
    public_url: OnceLock<String>,
    hooks: OnceLock<Arc<Hooks>>,
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
        let mut tasks = background.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(dispatcher);
        Ok(())
    }
}
