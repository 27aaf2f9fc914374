//! Where the engine's ports meet the provider, the texts and the log: no logic, only translation.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, CallRequest, EventSink, Provider, RecordSource};
use lanes_model::{
    CallId, DocumentInfo, EventKind, Failure, FailureKind, Micros, Progress, RunHeader, RunId,
};
use lanes_provider::{ChatRequest, Client};
use lanes_store::{EventWriter, Store};
use tokio::sync::OnceCell;

use crate::hub::Hub;

/// Sends calls through one provider's client.
pub(crate) struct ClientProvider(pub(crate) Client);

impl Provider for ClientProvider {
    fn attempt(
        &self,
        request: Arc<CallRequest>,
        on_text: Box<dyn FnMut(&str) + Send>,
    ) -> BoxFuture<'static, Result<Answer, Failure>> {
        let client = self.0.clone();
        async move {
            let request = ChatRequest {
                model: request.model.clone(),
                system: request.system.clone(),
                user: request.user.clone(),
                max_tokens: request.max_tokens,
                headers: Vec::new(),
            };
            let answer = client.chat(&request, on_text).await?;
            Ok(Answer {
                text: answer.text,
                usage: answer.usage,
                cost: answer.cost,
                finish: answer.finish,
            })
        }
        .boxed()
    }
}

/// Makes each call's request from the run's header and the stored texts.
pub(crate) struct StoredRecords(Arc<Records>);

struct Records {
    store: Store,
    header: Arc<RunHeader>,
    /// The text of a run that has but one: it is read once, not for each call.
    only: OnceCell<Arc<str>>,
}

impl StoredRecords {
    pub(crate) fn new(store: Store, header: Arc<RunHeader>) -> Self {
        Self(Arc::new(Records { store, header, only: OnceCell::new() }))
    }
}

impl RecordSource for StoredRecords {
    fn request(&self, call: CallId) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>> {
        let records = Arc::clone(&self.0);
        async move {
            let header = &records.header;
            let task = header.task_of(call).ok_or_else(|| missing("The task"))?;
            let document = header.document_of(call).ok_or_else(|| missing("The document"))?;
            let text = records.text(document).await?;
            Ok(Arc::new(CallRequest {
                model: header.spec.model.clone(),
                system: task.system_message.clone(),
                user: task.user_message(&text),
                max_tokens: task.max_tokens,
            }))
        }
        .boxed()
    }
}

impl Records {
    async fn text(&self, document: &DocumentInfo) -> Result<Arc<str>, Failure> {
        match self.header.documents.as_slice() {
            [_] => self.only.get_or_try_init(|| self.read(document)).await.cloned(),
            _ => self.read(document).await,
        }
    }

    async fn read(&self, document: &DocumentInfo) -> Result<Arc<str>, Failure> {
        let text = self.store.document_text(&document.id).await.map_err(|e| {
            Failure::new(
                FailureKind::InvalidRequest,
                format!("The document's text cannot be read: {e}"),
            )
        })?;
        Ok(text.ok_or_else(|| missing("The document's text"))?.into())
    }
}

fn missing(what: &str) -> Failure {
    Failure::new(FailureKind::InvalidRequest, format!("{what} is missing."))
}

/// Gives events to the writer, which commits and then publishes them, and text to the hub.
pub(crate) struct LogSink {
    pub(crate) run: RunId,
    pub(crate) writer: EventWriter,
    pub(crate) hub: Arc<Hub>,
}

impl EventSink for LogSink {
    fn append(&self, at: Micros, kind: EventKind) {
        self.writer.append(self.run.clone(), at, kind);
    }

    fn progress(&self, progress: Progress) {
        self.hub.progress(&self.run, progress);
    }
}
