//! Tasks over REST: what there is, and what people make of them.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lanes_model::{FieldError, Task, TaskDefinition, TaskId};
use lanes_service::{Export, Service, TaskFormat, Trial, TrialRequest};
use serde_json::json;

use super::Problem;
use super::runs::{file, parse};

/// `GET /api/tasks`
pub async fn list(State(service): State<Service>) -> Json<Vec<Task>> {
    Json(service.tasks())
}

/// `POST /api/tasks`
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: TaskDefinition = parse(&headers, body)?;
    Ok(created(service.create_task(definition).await?))
}

/// `POST /api/tasks/{id}/copy`
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

/// `GET /api/tasks/{id}`, with `?format=toml|json` as a file.
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = TaskId(id);
    match asked(query.as_deref(), "format") {
        None => Ok(Json(service.task(&id)?).into_response()),
        Some(format) => Ok(download(service.export_tasks(Some(&id), known(&format)?)?)),
    }
}

/// `PUT /api/tasks/{id}`
pub async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Task>, Problem> {
    let definition: TaskDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_task(&TaskId(id), definition).await?))
}

/// `DELETE /api/tasks/{id}`
pub async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete_task(&TaskId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/tasks/export?format=toml|json`: all that are not built in.
pub async fn export(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let format = asked(query.as_deref(), "format").unwrap_or_else(|| "toml".to_owned());
    Ok(download(service.export_tasks(None, known(&format)?)?))
}

/// `POST /api/tasks/import`, with `?replace=true` in place of those whose ids are there.
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
    let ids: Vec<_> = tasks.into_iter().map(|task| task.id).collect();
    Ok((StatusCode::CREATED, Json(json!({ "imported": ids }))).into_response())
}

/// `POST /api/tasks/try`
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
