//! A batch in one request: files and texts as a form, and what to do with them. The answer is one JSON
//! document, or server-sent events as the results come.
//!
//! Documents and the run are kept like any others. When the client goes away the run goes on; with
//! `?on_disconnect=cancel` it is cancelled.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use futures::{StreamExt, stream};
use lanes_model::FieldError;
use lanes_model::batch::{CallRow, Outcome};
use lanes_service::{
    DocumentView, ProcessEvent, ProcessRequest, ProcessStart, Processing, Rejected, Service,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::documents::{Added, MAX_UPLOAD, Received, receive_with};
use super::refusals::{Body, Conflict};
use super::tasks::asked;
use super::{AppState, Problem, StopToken};

/// The fields of a form besides files and texts.
const FIELDS: [&str; 5] = ["task", "tasks", "workflow", "provider", "model"];

/// What a batch consists of. At least one file or text, and tasks or a workflow.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "described, not made: the parts are read as they come")]
pub struct BatchForm {
    /// A file; repeat the part for each.
    #[schema(value_type = Option<String>, format = Binary)]
    file: Option<Vec<u8>>,
    /// A text; repeat the part for each.
    text: Option<String>,
    /// A task's id; repeat the part for each.
    task: Option<String>,
    /// Ids of tasks with commas between them.
    tasks: Option<String>,
    /// A workflow's id, in place of tasks.
    workflow: Option<String>,
    /// Which provider; by default the first configured.
    provider: Option<String>,
    /// Which model; by default the provider's first.
    model: Option<String>,
    /// The column of tables that holds the text.
    text_column: Option<String>,
}

/// How a batch with a stream begins.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchStart {
    /// The run and its size.
    #[serde(flatten)]
    start: ProcessStart,
    /// What was taken in.
    documents: Vec<DocumentView>,
    /// What was not, and why.
    rejected: Vec<Rejected>,
}

/// A batch that is over.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchAnswer {
    /// The run.
    id: String,
    /// What was taken in.
    documents: Vec<DocumentView>,
    /// What was not, and why.
    rejected: Vec<Rejected>,
    /// Every call, in the order in which they ended.
    results: Vec<CallRow>,
    /// The figures.
    summary: Outcome,
}

/// The three operations' own limits of size.
pub fn one_answer() -> MethodRouter<AppState> {
    post(process).layer(DefaultBodyLimit::max(MAX_UPLOAD))
}

/// See [`one_answer`].
pub fn streamed() -> MethodRouter<AppState> {
    post(process_stream).layer(DefaultBodyLimit::max(MAX_UPLOAD))
}

/// See [`one_answer`].
pub fn fast() -> MethodRouter<AppState> {
    post(process_fast).layer(DefaultBodyLimit::max(MAX_UPLOAD))
}

/// Runs tasks or a workflow on files and texts, one call after the other, and answers when all of it
/// is done.
#[utoipa::path(
    post,
    path = "/api/process-batch",
    operation_id = "process_batch",
    tag = "Batches",
    params(("on_disconnect" = Option<OnDisconnect>, Query, description = "What becomes of the run when the client goes away; by default it goes on")),
    request_body(
        content = BatchForm,
        content_type = "multipart/form-data",
        example = json!({ "text": "A short text about lanes.", "tasks": "summary,keywords" })
    ),
    responses((status = 200, description = "Results and figures", body = BatchAnswer), Body),
)]
pub async fn process(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let cancel = on_disconnect(query.as_deref())?;
    let Begun { processing, added } = begin(&service, &headers, body, false).await?;
    let mut leaving = Leaving::new(&service, &processing, cancel, stop);
    let mut events = processing.events().await?.boxed();
    let mut results = Vec::new();
    while let Some(event) = events.next().await {
        match event? {
            ProcessEvent::Result(row) => results.push(*row),
            ProcessEvent::Complete(outcome) => {
                leaving.stayed();
                let Added { documents, rejected } = added;
                let (id, summary) = (processing.run.to_string(), *outcome);
                return Ok(
                    Json(BatchAnswer { id, documents, rejected, results, summary }).into_response()
                );
            }
        }
    }
    Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "Lanes is stopping; resume the run later."))
}

/// Runs tasks or a workflow on files and texts, one call after the other, with server-sent events:
/// `start`, `result` for each call as it ends, `complete` with the figures.
#[utoipa::path(
    post,
    path = "/api/process-batch-stream",
    operation_id = "process_batch_stream",
    tag = "Batches",
    params(("on_disconnect" = Option<OnDisconnect>, Query, description = "What becomes of the run when the client goes away; by default it goes on")),
    request_body(
        content = BatchForm,
        content_type = "multipart/form-data",
        example = json!({ "text": "A short text about lanes.", "tasks": "summary,keywords" })
    ),
    responses(
        (status = 200, description = "The events", body = serde_json::Value, content_type = "text/event-stream"),
        Body
    ),
)]
pub async fn process_stream(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let cancel = on_disconnect(query.as_deref())?;
    let begun = begin(&service, &headers, body, false).await?;
    events(&service, begun, cancel, stop).await
}

/// The same with calls side by side: as many as `LANES_MAX_CONCURRENCY` allows, or as there are. 409
/// where parallel processing is switched off.
#[utoipa::path(
    post,
    path = "/api/process-batch-fast",
    operation_id = "process_batch_fast",
    tag = "Batches",
    params(("on_disconnect" = Option<OnDisconnect>, Query, description = "What becomes of the run when the client goes away; by default it goes on")),
    request_body(
        content = BatchForm,
        content_type = "multipart/form-data",
        example = json!({ "text": "A short text about lanes.", "tasks": "summary,keywords" })
    ),
    responses(
        (status = 200, description = "The events", body = serde_json::Value, content_type = "text/event-stream"),
        Body,
        Conflict
    ),
)]
pub async fn process_fast(
    State(service): State<Service>,
    State(StopToken(stop)): State<StopToken>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    // Before the files are read: nobody uploads a gigabyte to hear that.
    service.check_parallel()?;
    let cancel = on_disconnect(query.as_deref())?;
    let begun = begin(&service, &headers, body, true).await?;
    events(&service, begun, cancel, stop).await
}

/// What becomes of a run when its client goes away.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "described, not made: the handler reads the names")]
pub enum OnDisconnect {
    /// It goes on.
    Continue,
    /// It is cancelled.
    Cancel,
}

fn on_disconnect(query: Option<&str>) -> Result<bool, Problem> {
    match asked(query, "on_disconnect").as_deref() {
        None | Some("" | "continue") => Ok(false),
        Some("cancel") => Ok(true),
        Some(_) => Err(Problem::invalid(vec![FieldError::new(
            "/on_disconnect",
            "on_disconnect must be continue or cancel.",
        )])),
    }
}

struct Begun {
    processing: Processing,
    added: Added,
}

/// Takes the documents in and starts the run.
async fn begin(
    service: &Service,
    headers: &HeaderMap,
    body: Result<Multipart, MultipartRejection>,
    parallel: bool,
) -> Result<Begun, Problem> {
    let Received { added, files, fields } =
        receive_with(service, headers, body, Some(&FIELDS)).await?;
    if files == 0 {
        return Err(Problem::invalid(vec![FieldError::new(
            "/file",
            "There is nothing to process: send each file as a part “file”, each text as “text”.",
        )]));
    }
    if added.documents.is_empty() {
        let errors = added.rejected.into_iter();
        let errors = errors.map(|r| FieldError::new("/file", format!("{}: {}", r.name, r.detail)));
        return Err(Problem::invalid(errors.collect()));
    }
    let mut request = ProcessRequest { parallel, ..ProcessRequest::default() };
    for (name, value) in fields {
        let value = value.trim().to_owned();
        match name.as_str() {
            _ if value.is_empty() => {}
            "task" | "tasks" => {
                let ids = value.split(',').map(str::trim).filter(|id| !id.is_empty());
                request.tasks.extend(ids.map(str::to_owned));
            }
            "workflow" => request.workflow = Some(value),
            "provider" => request.provider = Some(value),
            _ => request.model = Some(value),
        }
    }
    let processing = service.process(&added.documents, request).await?;
    Ok(Begun { processing, added })
}

/// The events of a batch.
async fn events(
    service: &Service,
    begun: Begun,
    cancel: bool,
    stop: tokio_util::sync::CancellationToken,
) -> Result<Response, Problem> {
    let Begun { processing, added: Added { documents, rejected } } = begun;
    let start = BatchStart { start: processing.start(), documents, rejected };
    let mut leaving = Leaving::new(service, &processing, cancel, stop.clone());
    let first = stream::iter([message("start", &start)]);
    let rest = processing.events().await?.map(move |event| match event {
        Ok(ProcessEvent::Result(row)) => message("result", &row),
        Ok(ProcessEvent::Complete(outcome)) => {
            leaving.stayed();
            message("complete", &outcome)
        }
        Err(error) => {
            tracing::error!(%error, "a batch's events broke off");
            message("error", &serde_json::json!({ "detail": "The run cannot be followed." }))
        }
    });
    let events = first.chain(rest).map(Ok::<_, Infallible>).take_until(stop.cancelled_owned());
    let alive = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(alive).into_response())
}

fn message(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}

/// Cancels a run whose client goes away, if it asked for that.
struct Leaving {
    service: Service,
    run: lanes_model::RunId,
    cancel: bool,
    stop: tokio_util::sync::CancellationToken,
}

impl Leaving {
    fn new(
        service: &Service,
        processing: &Processing,
        cancel: bool,
        stop: tokio_util::sync::CancellationToken,
    ) -> Self {
        Self { service: service.clone(), run: processing.run.clone(), cancel, stop }
    }

    /// The client has heard all of it.
    fn stayed(&mut self) {
        self.cancel = false;
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        // A stream also ends when the program does: then the run is interrupted, not cancelled.
        if !self.cancel || self.stop.is_cancelled() {
            return;
        }
        let (service, run) = (self.service.clone(), self.run.clone());
        tokio::spawn(async move {
            if let Err(error) = service.cancel(&run).await {
                tracing::debug!(%run, %error, "the run was over when its client went away");
            }
        });
    }
}
