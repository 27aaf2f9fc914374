//! The door for OpenAI's clients: a chat completion that somebody else asks for, passed on to a provider
//! through the engine, so that limits, retries, breakers, fallbacks and the cache hold for it as for any
//! run, and its use is counted.
//!
//! Each request is a plan of one call that the engine carries out. It is not stored: it has no place in
//! the list of runs. Whoever asked is told each piece as it comes; once one has been told, nothing is
//! begun again. When the receiver is dropped the request is, too.

mod ask;
mod job;
mod redacted;
mod telling;
mod totals;

use std::sync::Arc;

use futures::Stream;
use lanes_engine::{Clock, Job, RetryPolicy, RunClock, RunControl, execute};
use lanes_model::{Failure, Micros, RunState};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::ServiceError;
use crate::service::Service;

pub use ask::{DoorAsk, DoorError, DoorModel};
pub use totals::DoorTotals;
pub(crate) use totals::Totals as DoorTotalsKept;

use job::{Passing, Question};
use redacted::Restoring;
use telling::{Counting, Telling};
use totals::Ended;

/// What whoever asked is told, in this order: who answers, piece by piece, how it ended.
#[derive(Debug, Clone, PartialEq)]
pub enum DoorNews {
    /// An answer is on its way.
    Answers(DoorHead),
    /// A piece of it: the data of an event of a stream, or the whole body of a plain answer.
    Data(String),
    /// It is over. Nothing follows.
    Ended(Result<(), Failure>),
}

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorHead {
    /// The provider's id.
    pub provider: String,
    /// The model that was asked.
    pub model: String,
    /// Whether the answer came from the cache; nothing when it was not looked for there.
    pub cached: Option<bool>,
    /// Which attempt answers, from 1; 0 when it came from the cache.
    pub attempt: u32,
    /// From how many places of the request personal data was taken; nothing when that was not asked for.
    pub redacted: Option<u32>,
}

/// An answer that is on its way. Dropping it ends the request.
pub struct DoorAnswer {
    news: mpsc::UnboundedReceiver<DoorNews>,
    _task: AbortOnDrop,
}

impl DoorAnswer {
    /// What is told next; nothing after the end.
    pub async fn next(&mut self) -> Option<DoorNews> {
        self.news.recv().await
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = DoorNews> + Send {
        futures::stream::unfold(self, |mut answer| async move {
            let news = answer.next().await?;
            Some((news, answer))
        })
    }
}

struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Service {
    /// Passes a chat completion on.
    ///
    /// # Errors
    /// What is wrong with it before anybody is asked; what goes wrong later is told with the answer.
    pub async fn pass_on(&self, mut ask: DoorAsk) -> Result<DoorAnswer, DoorError> {
        let inner = self.inner();
        if inner.is_stopping() {
            return Err(DoorError::Stopping);
        }
        // From here on nobody sees it: not the provider, and not the cache.
        let restoring = match ask.redact || self.limits().redact {
            true => {
                // A request can be long.
                let hidden = spawn_blocking(move || {
                    let redaction = redacted::hide(&mut ask.body)?;
                    Ok((ask, Restoring::new(redaction)))
                });
                let (hidden, restoring) =
                    hidden.await.map_err(|error| DoorError::Internal(error.to_string()))??;
                ask = hidden;
                Some(restoring)
            }
            false => None,
        };
        let choice = ask::choose(inner.catalogue(), &ask)?;
        let header = Arc::new(job::header(inner.catalogue(), &choice, &ask));
        let state = RunState::begin(&job::first_event(&header))
            .map_err(|error| DoorError::Internal(error.to_string()))?;
        let (limiter, routes) = inner.targets().of_run(inner.catalogue(), &header.spec, &[]);
        let (told, news) = mpsc::unbounded_channel();
        let counted = Ended::new(Arc::clone(inner.door()), &choice);
        let key = ask.use_cache.then(|| job::key(inner.catalogue(), &choice, &ask));
        let looks = key.is_some();
        let cache = key.map(|key| inner.cache().of_key(key, choice.model.clone()));
        let question = Arc::new(Question::new(&ask));
        let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(Micros::ZERO));
        let telling = Telling::new(told, looks, Arc::clone(&header), ask.include_usage, restoring);
        let telling = Arc::new(telling);
        let job = Job {
            state,
            provider: Arc::new(Passing::new(routes, Arc::clone(&question), Arc::clone(&telling))),
            records: question,
            sink: Arc::new(Counting::new(counted, telling)),
            clock,
            limiter,
            cache,
            // What has been told cannot be taken back.
            retry: RetryPolicy { after_text: false, ..RetryPolicy::default() },
            control: RunControl::new(),
        };
        let task = tokio::spawn(async move {
            execute(job).await;
        });
        Ok(DoorAnswer { news, _task: AbortOnDrop(task) })
    }

    /// The models that can be asked for, each under every name it has.
    #[must_use]
    pub fn door_models(&self) -> Vec<DoorModel> {
        ask::models(self.inner().catalogue())
    }

    /// What went through the door since the program began.
    #[must_use]
    pub fn door_totals(&self) -> Vec<DoorTotals> {
        self.inner().door().all()
    }
}

impl From<DoorError> for ServiceError {
    fn from(error: DoorError) -> Self {
        match error {
            DoorError::Stopping => Self::Stopping,
            other => Self::NotFound(other.to_string()),
        }
    }
}
