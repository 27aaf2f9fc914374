//! Large runs over REST: their calls page by page, their timeline window by window, downloads of any
//! size, and another try for what failed.

use std::io::{self, Write};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};
use lanes_model::batch::{CallQuery, CallSort, Timeline, Window};
use lanes_model::{CallId, CallStatus, FieldError, Micros, PassId, RunId};
use lanes_service::{RetryRequest, RunReader, Service, StreamFormat, export};
use serde_json::json;
use tokio::sync::mpsc;

use super::Problem;
use super::body::parse;
use super::refusals::{Body as BodyRefused, Conflict, Missing, Wrong};
use super::shapes::{CallList, CallOrder, Retried};

/// The most calls in one page.
const MAX_LIMIT: usize = 500;
/// A download is written in parts of this size; so many may wait for the reader.
const PART: usize = 64 * 1024;
const PARTS: usize = 4;

/// Tries the failed calls of a run again, once it is over: all, or those of a stage or a kind of failure.
#[utoipa::path(
    post,
    path = "/api/runs/{id}/retry-failed",
    operation_id = "retry_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    request_body(content = Option<RetryRequest>, example = json!({ "kind": "server_error" })),
    responses(
        (status = 202, description = "The run goes on", body = Retried),
        BodyRefused,
        Missing,
        Conflict
    ),
)]
pub async fn retry(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let empty = body.as_ref().is_ok_and(|body| body.is_empty());
    let request: RetryRequest =
        if empty { RetryRequest::default() } else { parse(&headers, body)? };
    let calls = service.retry_failed(&RunId(id.clone()), request).await?;
    Ok((StatusCode::ACCEPTED, Json(Retried { id, calls })).into_response())
}

/// The calls of a run, page by page.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/calls",
    operation_id = "list_calls",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("limit" = Option<u32>, Query, description = "How many, 1 to 500; by default 50", minimum = 1, maximum = 500),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("status" = Option<CallStatus>, Query, description = "Only those"),
        ("task" = Option<String>, Query, description = "Only those of this task"),
        ("document" = Option<String>, Query, description = "Only those of this document, by id or name"),
        ("stage" = Option<String>, Query, description = "Only those of this stage"),
        ("call" = Option<u32>, Query, description = "Only the one of this number"),
        ("q" = Option<String>, Query, description = "What their output or their document's name has in it"),
        ("sort" = Option<CallOrder>, Query, description = "By default `plan`")
    ),
    responses(
        (status = 200, description = "A page of them", body = CallList),
        Missing,
        Wrong
    ),
)]
pub async fn calls(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (query, errors) = call_query(query.as_deref().unwrap_or(""));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let (items, next) = service.reader(&RunId(id)).await?.read(|state, _, _| query.page(state));
    let next_cursor = next.map(|(pass, call)| format!("{}.{}", pass.0, call.0));
    Ok(Json(CallList { items, next_cursor }).into_response())
}

/// The query of the list of calls; every wrong parameter is named.
fn call_query(query: &str) -> (CallQuery, Vec<FieldError>) {
    let mut wanted = CallQuery { limit: 50, ..CallQuery::default() };
    let mut errors = Vec::new();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
        let mut wrong = |detail: String| errors.push(FieldError::new(format!("/{name}"), detail));
        match name.as_str() {
            "limit" => match value.parse() {
                Ok(n) if (1..=MAX_LIMIT).contains(&n) => wanted.limit = n,
                _ => wrong(format!("limit must be a number from 1 to {MAX_LIMIT}.")),
            },
            "status" => match status(&value) {
                Some(status) => wanted.status = Some(status),
                None => wrong(
                    "status must be one of queued, running, succeeded, failed, invalid, cancelled."
                        .to_owned(),
                ),
            },
            "sort" => match CallSort::from_id(&value) {
                Some(sort) => wanted.sort = sort,
                None => wrong("sort must be one of plan, document, duration.".to_owned()),
            },
            "cursor" => match cursor(&value) {
                Some(after) => wanted.after = Some(after),
                None => wrong("This is no cursor of this list: begin again.".to_owned()),
            },
            "call" => match value.parse() {
                Ok(call) => wanted.call = Some(call),
                Err(_) => wrong("call must be the number of a call.".to_owned()),
            },
            "task" => wanted.task = Some(value),
            "document" => wanted.document = Some(value),
            "stage" => wanted.stage = Some(value),
            "q" => wanted.search = Some(value),
            _ => {}
        }
    }
    (wanted, errors)
}

fn cursor(text: &str) -> Option<(PassId, CallId)> {
    let (pass, call) = text.split_once('.')?;
    Some((PassId(pass.parse().ok()?), CallId(call.parse().ok()?)))
}

fn status(id: &str) -> Option<CallStatus> {
    serde_json::from_value(json!(id)).ok()
}

/// What a chart of a window of time needs: attempts one by one while they are few, else a letter for each cell of lane and time.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/timeline",
    operation_id = "run_timeline",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("from_us" = Option<u64>, Query, description = "From when"),
        ("to_us" = Option<u64>, Query, description = "Until when"),
        ("lanes" = Option<u32>, Query, description = "The most rows; by default 64"),
        ("width" = Option<u32>, Query, description = "The most cells of a row; by default 600")
    ),
    responses(
        (status = 200, description = "The window", body = Timeline),
        Missing,
        Wrong
    ),
)]
pub async fn timeline(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let mut errors = Vec::new();
    let mut number = |name: &str, otherwise: u64| {
        let value = pairs.iter().find(|(k, v)| k == name && !v.is_empty());
        value.map_or(otherwise, |(_, v)| {
            v.parse().unwrap_or_else(|_| {
                let detail = format!("{name} must be a whole number from 0.");
                errors.push(FieldError::new(format!("/{name}"), detail));
                otherwise
            })
        })
    };
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let window = Window {
        from: Micros(number("from_us", 0)),
        to: Micros(number("to_us", u64::MAX)),
        lanes: small(number("lanes", 64)),
        width: small(number("width", 600)),
    };
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let timeline =
        service.reader(&RunId(id)).await?.read(|state, _, now| Timeline::of(state, now, window));
    Ok(Json(timeline).into_response())
}

/// A run as a download, written while it is read.
pub fn download(run: RunReader, format: StreamFormat) -> Response {
    let (title, id) = run.read(|s, _, _| (s.header.title.clone(), s.header.id.to_string()));
    let name = export::file_name(&title, &id, format.extension());
    let (sender, parts) = mpsc::channel(PARTS);
    tokio::task::spawn_blocking(move || {
        let mut out = Parts { sender: sender.clone(), part: Vec::with_capacity(PART) };
        let written = format.write(&run, &mut out).and_then(|()| {
            out.send().map_err(|e| lanes_service::ServiceError::Export(e.to_string()))
        });
        if let Err(error) = written {
            // Nobody may be reading any more; whoever is must not take it for the whole.
            let _ = sender.blocking_send(Err(io::Error::other(error.to_string())));
        }
    });
    let body = stream::unfold(parts, |mut parts| async move {
        let part: Result<Bytes, io::Error> = parts.recv().await?;
        Some((part, parts))
    });
    // Who compresses it asks once more at its end.
    let body = body.fuse();
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// Gathers what is written into parts and gives them to the response, which sets the pace.
struct Parts {
    sender: mpsc::Sender<Result<Bytes, io::Error>>,
    part: Vec<u8>,
}

impl Parts {
    fn send(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART));
        if part.is_empty() {
            return Ok(());
        }
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.blocking_send(Ok(part.into())).map_err(gone)
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // The end of the file sends the rest: flushing early would make many small parts.
        Ok(())
    }
}
