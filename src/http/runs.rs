//! Runs over REST.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lanes_model::{FieldError, Mode, RunId, RunRequest, RunStatus, RunView};
use lanes_service::{ExportFormat, RunChange, RunFilter, Service, StreamFormat, export as exports};

use super::body::{file, parse};
use super::refusals::{Body, Conflict, Missing, Unchanged, Wrong};
use super::shapes::{ExportAs, Named, RunList};
use super::{Problem, batch, etag};

/// The most runs in one page of the list.
const MAX_LIMIT: u32 = 200;

/// Starts a run: tasks, or a workflow, on a sample, a text or documents.
#[utoipa::path(
    post,
    path = "/api/runs",
    operation_id = "start_run",
    tag = "Runs",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters: the same key with the same body gives the same run, with another body 422")
    ),
    request_body(
        content = RunRequest,
        examples(
            ("tasks" = (summary = "Two tasks on a sample", value = json!({
                "input": { "sample": "ai-technology" },
                "tasks": ["summary", "keywords"], "mode": "parallel"
            }))),
            ("text" = (summary = "A text, one call after the other", value = json!({
                "input": { "text": "Lanes runs tasks side by side." },
                "tasks": ["sentiment"], "mode": "sequential"
            }))),
            ("workflow" = (summary = "A workflow", value = json!({
                "input": { "sample": "business-report" }, "workflow": "six-tasks",
                "mode": "parallel", "concurrency": 4
            })))
        )
    ),
    responses(
        (status = 201, description = "It is started", body = Named, headers(("Location" = String, description = "Where it is"))),
        Body,
        Conflict
    ),
)]
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request: RunRequest = parse(&headers, body)?;
    let key = match headers.get("idempotency-key").map(|v| v.to_str()) {
        None => None,
        Some(Ok(key)) if (1..=255).contains(&key.len()) => Some(key),
        Some(_) => {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "An Idempotency-Key has 1 to 255 visible ASCII characters.",
            ));
        }
    };
    let id = service.start(&request, key).await?.id.0;
    let location = [(header::LOCATION, format!("/api/runs/{id}"))];
    Ok((StatusCode::CREATED, location, Json(Named { id })).into_response())
}

/// The runs, newest first.
#[utoipa::path(
    get,
    path = "/api/runs",
    operation_id = "list_runs",
    tag = "Runs",
    params(
        ("limit" = Option<u32>, Query, description = "How many, 1 to 200; by default 50", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("mode" = Option<Mode>, Query, description = "Only those"),
        ("status" = Option<RunStatus>, Query, description = "Only those"),
        ("q" = Option<String>, Query, description = "What their titles have in them")
    ),
    responses(
        (status = 200, description = "A page of them", body = RunList),
        Wrong
    ),
)]
pub async fn list(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (filter, errors) = filter(query.as_deref().unwrap_or(""));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let page = service.list(&filter).await?;
    let (items, next_cursor, total) = (page.items, page.next_cursor, page.total);
    Ok(Json(RunList { items, next_cursor, total }).into_response())
}

/// The query of the list; every wrong parameter is named.
fn filter(query: &str) -> (RunFilter, Vec<FieldError>) {
    let mut filter = RunFilter { limit: 50, ..RunFilter::default() };
    let mut errors = Vec::new();
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
    for (name, value) in pairs {
        if value.is_empty() {
            continue;
        }
        match name.as_str() {
            "limit" => match value.parse() {
                Ok(n) if (1..=MAX_LIMIT).contains(&n) => filter.limit = n,
                _ => errors.push(FieldError::new(
                    "/limit",
                    format!("limit must be a number from 1 to {MAX_LIMIT}."),
                )),
            },
            "cursor" => filter.cursor = Some(value),
            "q" => filter.search = Some(value),
            "mode" => match value.parse::<Mode>() {
                Ok(mode) => filter.mode = Some(mode),
                Err(e) => errors.push(FieldError::new("/mode", format!("{e}."))),
            },
            "status" => match RunStatus::from_id(&value) {
                Some(status) => filter.status = Some(status),
                None => {
                    let known: Vec<_> = RunStatus::ALL.iter().map(|s| s.id()).collect();
                    let detail = format!("status must be one of {}.", known.join(", "));
                    errors.push(FieldError::new("/status", detail));
                }
            },
            _ => {}
        }
    }
    (filter, errors)
}

/// A run as it stands. Above 500 calls its calls are left out and counted: read them at `/calls`.
#[utoipa::path(
    get,
    path = "/api/runs/{id}",
    operation_id = "show_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag of the answer before: 304 when nothing has happened since")
    ),
    responses(
        (status = 200, description = "The run", body = RunView, headers(("ETag" = String, description = "Made of `last_seq` and `status`"))),
        Unchanged,
        Missing
    ),
)]
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let run = service.reader(&RunId(id)).await?;
    let trouble = run.read(|state, _, _| service.trouble().filter(|_| state.status.is_live()));
    let tag = run.read(|state, _, _| {
        let held = if trouble.is_some() { "-held" } else { "" };
        format!("{}-{}{held}", state.last_seq, state.status.id())
    });
    Ok(etag::answer(&headers, &tag, || {
        let mut view = run.read(|state, _, now| match state.is_large() {
            true => RunView::without_calls(state, now),
            false => RunView::of(state, now),
        });
        view.trouble = trouble;
        Json(view).into_response()
    }))
}

/// Deletes a run that is over.
#[utoipa::path(
    delete,
    path = "/api/runs/{id}",
    operation_id = "delete_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    responses(
        (status = 204, description = "It is gone"),
        Missing,
        Conflict
    ),
)]
pub async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete(&RunId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a run: what there is of it is kept.
#[utoipa::path(
    post,
    path = "/api/runs/{id}/cancel",
    operation_id = "cancel_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    responses(
        (status = 202, description = "It is done", body = Named),
        Missing,
        Conflict
    ),
)]
pub async fn cancel(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    service.cancel(&RunId(id.clone())).await?;
    Ok((StatusCode::ACCEPTED, Json(Named { id })).into_response())
}

/// Pauses a run: nothing starts, what is under way goes on.
#[utoipa::path(
    post,
    path = "/api/runs/{id}/pause",
    operation_id = "pause_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    responses(
        (status = 202, description = "It is done", body = Named),
        Missing,
        Conflict
    ),
)]
pub async fn pause(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    service.pause(&RunId(id.clone())).await?;
    Ok((StatusCode::ACCEPTED, Json(Named { id })).into_response())
}

/// Changes a run while it goes on.
#[utoipa::path(
    patch,
    path = "/api/runs/{id}",
    operation_id = "change_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    request_body(content = RunChange, example = json!({ "concurrency": 2 })),
    responses(
        (status = 202, description = "It is done", body = Named),
        Body,
        Missing,
        Conflict
    ),
)]
pub async fn change(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let change: RunChange = parse(&headers, body)?;
    service.change(&RunId(id.clone()), change).await?;
    Ok((StatusCode::ACCEPTED, Json(Named { id })).into_response())
}

/// Lets a paused or interrupted run go on.
#[utoipa::path(
    post,
    path = "/api/runs/{id}/resume",
    operation_id = "resume_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run")
    ),
    responses(
        (status = 202, description = "It is done", body = Named),
        Missing,
        Conflict
    ),
)]
pub async fn resume(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    service.resume(&RunId(id.clone())).await?;
    Ok((StatusCode::ACCEPTED, Json(Named { id })).into_response())
}

/// A run as a file.
#[utoipa::path(
    get,
    path = "/api/runs/{id}/export",
    operation_id = "export_run",
    tag = "Runs",
    params(
        ("id" = String, Path, description = "The run"),
        ("format" = Option<ExportAs>, Query, description = "By default `json`")
    ),
    responses(
        (status = 200, description = "The file", content((serde_json::Value = "application/json"), (String = "application/jsonl"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet"), (String = "text/markdown"), (String = "image/svg+xml"))),
        Missing,
        Wrong
    ),
)]
pub async fn export(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let format = pairs.iter().find(|(k, _)| k == "format").map_or("json", |(_, v)| v.as_str());
    let reader = service.reader(&RunId(id)).await?;
    let is_large = reader.read(|state, _, _| state.is_large());
    // These two are another document, or a whole, for a run that is small.
    let whole = |f: &StreamFormat| matches!(f, StreamFormat::Markdown | StreamFormat::Json);
    if let Some(streamed) = StreamFormat::from_id(format).filter(|f| is_large || !whole(f)) {
        return Ok(batch::download(reader, streamed));
    }
    let (state, now) = reader.read(|state, _, now| (state.clone(), now));
    let format = match format {
        "json" => ExportFormat::Json,
        "md" => ExportFormat::Markdown,
        "svg" => {
            let short: String = state.header.id.as_str().chars().take(8).collect();
            let name = format!("lanes-run-{short}.svg");
            return Ok(file(&name, "image/svg+xml", app::charts::run_svg(&state)));
        }
        _ => {
            return Err(Problem::invalid(vec![FieldError::new(
                "/format",
                "format must be one of json, jsonl, csv, parquet, md, svg.",
            )]));
        }
    };
    let export = exports::export(&state, now, format)?;
    Ok(file(&export.file_name, export.media_type, export.body))
}
