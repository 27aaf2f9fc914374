//! Tasks over REST: what there is, and what people make of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lanes_model::{FieldError, Task, TaskDefinition, TaskFile, TaskId};
use lanes_service::{Export, Service, TaskFormat, Trial, TrialRequest};

use super::body::{file, parse};
use super::refusals::{Body, Conflict, Missing, Unchanged, Wrong};
use super::shapes::Imported;
use super::{Problem, etag};

/// The tasks there are, the built-in ones first.
#[utoipa::path(
    get,
    path = "/api/tasks",
    operation_id = "list_tasks",
    tag = "Tasks",
    responses(
        (status = 200, description = "All of them", body = Vec<Task>),
        Unchanged
    ),
)]
pub async fn list(State(service): State<Service>, headers: HeaderMap) -> Response {
    etag::json(&headers, &service.tasks())
}

/// Makes a task.
#[utoipa::path(
    post,
    path = "/api/tasks",
    operation_id = "create_task",
    tag = "Tasks",
    request_body(
        content = TaskDefinition,
        example = json!({
            "id": "tone", "name": "Tone", "prompt": "Which tone has this text?\n\n{{text}}",
            "max_tokens": 50
        })
    ),
    responses(
        (status = 201, description = "It is made", body = Task),
        Body,
        Conflict
    ),
)]
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: TaskDefinition = parse(&headers, body)?;
    Ok(created(service.create_task(definition).await?))
}

/// Makes a copy of a task under a name of its own.
#[utoipa::path(
    post,
    path = "/api/tasks/{id}/copy",
    operation_id = "copy_task",
    tag = "Tasks",
    params(
        ("id" = String, Path, description = "The task", example = "summary")
    ),
    responses(
        (status = 201, description = "It is made", body = Task),
        Missing,
        Conflict
    ),
)]
pub async fn copy(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(created(service.copy_task(&TaskId(id)).await?))
}

fn created(task: Task) -> Response {
    let location = [(header::LOCATION, format!("/api/tasks/{}", task.id))];
    (StatusCode::CREATED, location, Json(task)).into_response()
}

/// A task; with `format` as a file.
#[utoipa::path(
    get,
    path = "/api/tasks/{id}",
    operation_id = "show_task",
    tag = "Tasks",
    params(
        ("id" = String, Path, description = "The task", example = "summary"),
        ("format" = Option<String>, Query, description = "`toml` or `json`: as a file", example = "toml")
    ),
    responses(
        (status = 200, description = "The task, or the file", content((Task = "application/json"), (String = "application/toml"))),
        Unchanged,
        Missing,
        Wrong
    ),
)]
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = TaskId(id);
    match asked(query.as_deref(), "format") {
        None => Ok(etag::json(&headers, &service.task(&id)?)),
        Some(format) => Ok(download(service.export_tasks(Some(&id), known(&format)?)?)),
    }
}

/// Puts another definition in the place of a task. Built-in ones cannot be changed.
#[utoipa::path(
    put,
    path = "/api/tasks/{id}",
    operation_id = "replace_task",
    tag = "Tasks",
    params(
        ("id" = String, Path, description = "The task", example = "tone")
    ),
    request_body(
        content = TaskDefinition,
        example = json!({
            "id": "tone", "name": "Tone", "prompt": "Which tone has this text?\n\n{{text}}",
            "max_tokens": 50
        })
    ),
    responses(
        (status = 200, description = "As it is now", body = Task),
        Body,
        Missing,
        Conflict
    ),
)]
pub async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Task>, Problem> {
    let definition: TaskDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_task(&TaskId(id), definition).await?))
}

/// Deletes a task. Runs that used it keep what they had.
#[utoipa::path(
    delete,
    path = "/api/tasks/{id}",
    operation_id = "delete_task",
    tag = "Tasks",
    params(
        ("id" = String, Path, description = "The task", example = "tone")
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
    service.delete_task(&TaskId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All tasks that are not built in, as a file.
#[utoipa::path(
    get,
    path = "/api/tasks/export",
    operation_id = "export_tasks",
    tag = "Tasks",
    params(
        ("format" = Option<String>, Query, description = "`toml` or `json`: as a file", example = "toml")
    ),
    responses(
        (status = 200, description = "The file", content((String = "application/toml"), (TaskFile = "application/json"))),
        Wrong
    ),
)]
pub async fn export(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let format = asked(query.as_deref(), "format").unwrap_or_else(|| "toml".to_owned());
    Ok(download(service.export_tasks(None, known(&format)?)?))
}

/// Takes in tasks from a file, as TOML or JSON: all of them or, if one is wrong, none.
#[utoipa::path(
    post,
    path = "/api/tasks/import",
    operation_id = "import_tasks",
    tag = "Tasks",
    params(
        ("replace" = Option<bool>, Query, description = "Take the place of what has the same id")
    ),
    request_body(
        content((TaskFile = "application/json", example = json!({ "tasks": [{
            "id": "mood", "name": "Mood", "prompt": "Which mood has this?\n\n{{text}}",
            "max_tokens": 20
        }] })), (String = "application/toml"))
    ),
    responses(
        (status = 201, description = "Their ids", body = Imported),
        Body,
        Conflict
    ),
)]
pub async fn import(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (format, body) = sent_file(&headers, body)?;
    let text = utf8(&body)?;
    let replace = asked(query.as_deref(), "replace").is_some_and(|v| v == "true" || v == "1");
    let tasks = service.import_tasks(format, text, replace).await?;
    let imported = tasks.into_iter().map(|task| task.id).collect();
    Ok((StatusCode::CREATED, Json(Imported { imported })).into_response())
}

/// Tries a task once, without keeping anything. Costs one call.
#[utoipa::path(
    post,
    path = "/api/tasks/try",
    operation_id = "try_task",
    tag = "Tasks",
    request_body(
        content = TrialRequest,
        example = json!({
            "task": { "id": "tone", "name": "Tone", "prompt": "{{text}}", "max_tokens": 50 },
            "sample": "ai-technology"
        })
    ),
    responses(
        (status = 200, description = "The prompt as sent, and what came of it", body = Trial),
        Body
    ),
)]
pub async fn attempt(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Trial>, Problem> {
    let request: TrialRequest = parse(&headers, body)?;
    Ok(Json(service.try_task(request).await?))
}

pub(super) fn asked(query: Option<&str>, name: &str) -> Option<String> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.unwrap_or("")).unwrap_or_default();
    pairs.into_iter().find(|(k, _)| k == name).map(|(_, v)| v)
}

pub(super) fn known(format: &str) -> Result<TaskFormat, Problem> {
    TaskFormat::from_id(format).ok_or_else(|| {
        Problem::invalid(vec![FieldError::new("/format", "format must be one of toml, json.")])
    })
}

pub(super) fn download(export: Export) -> Response {
    file(&export.file_name, export.media_type, export.body)
}

/// A definition that is sent as a file: how it is written, and what it says.
pub(super) fn sent_file(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(TaskFormat, Bytes), Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let format = match essence.as_str() {
        "application/toml" | "text/x-toml" => TaskFormat::Toml,
        json if json == "application/json" || json.ends_with("+json") => TaskFormat::Json,
        _ => {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Send TOML or JSON, with the header Content-Type: application/toml or \
                 application/json.",
            ));
        }
    };
    let body = body.map_err(|e| Problem::new(e.status(), e.body_text()))?;
    Ok((format, body))
}

/// The text of a file.
pub(super) fn utf8(body: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(body)
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The file is not UTF-8."))
}
