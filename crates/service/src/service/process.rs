//! A batch in one request: documents and what to do with them, carried out as an ordinary run, its
//! results as they come.

use std::collections::HashSet;

use futures::{Stream, StreamExt, stream};
use lanes_model::batch::{CallRow, Outcome};
use lanes_model::{EventKind, Mode, RunId, RunRequest, Seq, spec::InputRequest};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DocumentView, Service};
use crate::{RunReader, ServiceError, WatchItem};

/// What to do with documents that are there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessRequest {
    /// Which tasks.
    pub tasks: Vec<String>,
    /// Or which workflow.
    pub workflow: Option<String>,
    /// By default the first configured.
    pub provider: Option<String>,
    /// By default the provider's first.
    pub model: Option<String>,
    /// Whether calls run at the same time: as many as the program allows, or as there are.
    pub parallel: bool,
}

/// A batch that goes on.
pub struct Processing {
    /// Its run.
    pub run: RunId,
    reader: RunReader,
    service: Service,
}

/// How a batch begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProcessStart {
    /// Its run.
    pub id: RunId,
    /// How it executes.
    pub mode: Mode,
    /// How many calls there are to make.
    pub calls: usize,
    /// How many of them run at the same time.
    pub workers: u32,
}

/// What happens in a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum ProcessEvent {
    /// A call is over, with an answer or without.
    Result(Box<CallRow>),
    /// All of them are; nothing follows.
    Complete(Box<Outcome>),
}

impl Service {
    /// Whether runs of a mode are taken.
    pub(super) fn check_mode(&self, mode: Mode) -> Result<(), ServiceError> {
        if self.inner.parallel || mode == Mode::Sequential {
            return Ok(());
        }
        Err(ServiceError::Conflict(
            "Parallel processing is switched off on this server (LANES_ENABLE_PARALLEL=false): use \
             mode sequential, or have it switched on."
                .to_owned(),
        ))
    }

    /// Whether calls may run at the same time.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] when they may not.
    pub fn check_parallel(&self) -> Result<(), ServiceError> {
        self.check_mode(Mode::Parallel)
    }

    /// Starts a batch as a run of these documents, each once.
    ///
    /// # Errors
    /// [`ServiceError::Conflict`] where calls may not run at the same time; otherwise as
    /// [`Service::start`].
    pub async fn process(
        &self,
        documents: &[DocumentView],
        request: ProcessRequest,
    ) -> Result<Processing, ServiceError> {
        let mode = if request.parallel { Mode::Parallel } else { Mode::Sequential };
        self.check_mode(mode)?;
        let mut ids: Vec<String> = Vec::with_capacity(documents.len());
        let (mut records, mut seen) = (0, HashSet::new());
        for document in documents {
            if seen.insert(&document.id) {
                ids.push(document.id.clone());
                records += document.records.unwrap_or(1);
            }
        }
        // More workers than calls would have nothing to do, and count as idle.
        let tasks = self.calls_of_each(&request);
        let most = u64::from(self.limits().max_concurrency);
        let workers = records.saturating_mul(tasks).clamp(1, most.max(1));
        let request = RunRequest {
            input: InputRequest { document_ids: Some(ids), ..InputRequest::default() },
            tasks: request.tasks,
            workflow: request.workflow,
            mode: Some(mode.id().to_owned()),
            concurrency: i64::try_from(workers).ok().filter(|_| request.parallel),
            provider: request.provider,
            model: request.model,
            ..RunRequest::default()
        };
        let run = self.start(&request, None).await?.id;
        let reader = self.reader(&run).await?;
        Ok(Processing { run, reader, service: self.clone() })
    }

    /// How many calls a document gets at the most.
    fn calls_of_each(&self, request: &ProcessRequest) -> u64 {
        let workflow = request.workflow.as_deref().and_then(|id| {
            let workflows = self.workflows();
            let found = workflows.iter().find(|w| w.id.as_str() == id)?;
            Some(found.stages.iter().map(|s| s.tasks.len()).sum())
        });
        workflow.unwrap_or(request.tasks.len()) as u64
    }
}

impl Processing {
    /// How it begins.
    #[must_use]
    pub fn start(&self) -> ProcessStart {
        self.reader.read(|state, _, _| ProcessStart {
            id: self.run.clone(),
            mode: state.header.spec.mode,
            calls: state.passes.iter().map(|p| p.calls.len()).sum(),
            workers: state.passes.first().map_or(1, |p| p.lanes),
        })
    }

    /// Its results as they come, then its figures. Nobody need read it for the run to go on.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn events(
        &self,
    ) -> Result<impl Stream<Item = Result<ProcessEvent, ServiceError>> + Send + use<>, ServiceError>
    {
        let items = self.service.watch(&self.run, Seq(0)).await?.boxed();
        let state = (items, self.reader.clone(), false);
        Ok(stream::unfold(state, |(mut items, reader, over)| async move {
            if over {
                return None;
            }
            while let Some(item) = items.next().await {
                let event = match item {
                    Ok(WatchItem::Event(event)) => match event.kind {
                        EventKind::CallEnded { pass, call, .. } => reader
                            .read(|state, _, _| CallRow::of(state, pass, call))
                            .map(|row| ProcessEvent::Result(Box::new(row))),
                        _ => None,
                    },
                    Ok(WatchItem::End(_)) => {
                        let outcome = reader.read(|state, batch, _| Outcome::of(state, batch));
                        let event = ProcessEvent::Complete(Box::new(outcome));
                        return Some((Ok(event), (items, reader, true)));
                    }
                    Ok(WatchItem::Progress(_) | WatchItem::Clock(_) | WatchItem::Trouble(_)) => {
                        None
                    }
                    Err(error) => return Some((Err(error), (items, reader, true))),
                };
                if let Some(event) = event {
                    return Some((Ok(event), (items, reader, false)));
                }
            }
            None
        }))
    }
}
