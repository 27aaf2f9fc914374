//! Workflows over REST: what there is, what people make of them, and the sample records of those that
//! are shipped.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lanes_model::{Workflow, WorkflowDefinition, WorkflowId};
use lanes_service::{Service, WorkflowFile};

use super::body::parse;
use super::refusals::{Body, Conflict, Missing, Unchanged, Wrong};
use super::shapes::{Checked, DocumentIds, Found, Records};
use super::tasks::{asked, download, known, sent_file, utf8};
use super::{Problem, etag};

/// The workflows there are.
#[utoipa::path(
    get,
    path = "/api/workflows",
    operation_id = "list_workflows",
    tag = "Workflows",
    responses(
        (status = 200, description = "All of them", body = Vec<Workflow>),
        Unchanged
    ),
)]
pub async fn list(State(service): State<Service>, headers: HeaderMap) -> Response {
    etag::json(&headers, &service.workflows())
}

/// Makes a workflow.
#[utoipa::path(
    post,
    path = "/api/workflows",
    operation_id = "create_workflow",
    tag = "Workflows",
    request_body(
        content = WorkflowDefinition,
        example = json!({
            "id": "two-steps", "name": "Two steps",
            "stages": [
                { "id": "first", "tasks": ["summary"] },
                { "id": "second", "tasks": ["keywords"], "needs": ["first"] }
            ]
        })
    ),
    responses(
        (status = 201, description = "It is made", body = Workflow),
        Body,
        Conflict
    ),
)]
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: WorkflowDefinition = parse(&headers, body)?;
    Ok(created(service.create_workflow(definition).await?))
}

/// Makes a copy of a workflow under a name of its own.
#[utoipa::path(
    post,
    path = "/api/workflows/{id}/copy",
    operation_id = "copy_workflow",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "six-tasks")
    ),
    responses(
        (status = 201, description = "It is made", body = Workflow),
        Missing,
        Conflict,
        Wrong
    ),
)]
pub async fn copy(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    Ok(created(service.copy_workflow(&WorkflowId(id)).await?))
}

fn created(workflow: Workflow) -> Response {
    let location = [(header::LOCATION, format!("/api/workflows/{}", workflow.id))];
    (StatusCode::CREATED, location, Json(workflow)).into_response()
}

/// A workflow; with `format` as a file.
#[utoipa::path(
    get,
    path = "/api/workflows/{id}",
    operation_id = "show_workflow",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "six-tasks"),
        ("format" = Option<String>, Query, description = "`toml` or `json`: as a file", example = "toml")
    ),
    responses(
        (status = 200, description = "The workflow, or the file", content((Workflow = "application/json"), (String = "application/toml"))),
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
    let id = WorkflowId(id);
    match asked(query.as_deref(), "format") {
        None => Ok(etag::json(&headers, &service.workflow(&id)?)),
        Some(format) => Ok(download(service.export_workflow(&id, known(&format)?)?)),
    }
}

/// Puts another definition in the place of a workflow. Those that are shipped cannot be changed.
#[utoipa::path(
    put,
    path = "/api/workflows/{id}",
    operation_id = "replace_workflow",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "two-steps")
    ),
    request_body(
        content = WorkflowDefinition,
        example = json!({
            "id": "two-steps", "name": "Two steps",
            "stages": [
                { "id": "first", "tasks": ["summary"] },
                { "id": "second", "tasks": ["keywords"], "needs": ["first"] }
            ]
        })
    ),
    responses(
        (status = 200, description = "As it is now", body = Workflow),
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
) -> Result<Json<Workflow>, Problem> {
    let definition: WorkflowDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_workflow(&WorkflowId(id), definition).await?))
}

/// Deletes a workflow. Runs that used it keep what they had.
#[utoipa::path(
    delete,
    path = "/api/workflows/{id}",
    operation_id = "delete_workflow",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "two-steps")
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
    service.delete_workflow(&WorkflowId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes in a workflow from a file, as TOML or JSON.
#[utoipa::path(
    post,
    path = "/api/workflows/import",
    operation_id = "import_workflow",
    tag = "Workflows",
    params(
        ("replace" = Option<bool>, Query, description = "Take the place of what has the same id")
    ),
    request_body(
        content((WorkflowDefinition = "application/json", example = json!({
            "id": "one-step", "name": "One step",
            "stages": [{ "id": "only", "tasks": ["summary"] }]
        })), (String = "application/toml"))
    ),
    responses(
        (status = 201, description = "It is made", body = Workflow),
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
    let file = WorkflowFile { format, text: utf8(&body)? };
    let replace = asked(query.as_deref(), "replace").is_some_and(|v| v == "true" || v == "1");
    Ok(created(service.import_workflow(file, replace).await?))
}

/// What is wrong with a workflow, with places and lines. Keeps nothing.
#[utoipa::path(
    post,
    path = "/api/workflows/check",
    operation_id = "check_workflow",
    tag = "Workflows",
    request_body(
        content((WorkflowDefinition = "application/json", example = json!({
            "id": "loop", "name": "Loop",
            "stages": [{ "id": "a", "tasks": ["summary"], "needs": ["a"] }]
        })), (String = "application/toml"))
    ),
    responses(
        (status = 200, description = "What was found", body = Checked),
        Body
    ),
)]
pub async fn check(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (format, body) = sent_file(&headers, body)?;
    let errors = service.check_workflow_file(WorkflowFile { format, text: utf8(&body)? });
    let errors = errors.err().unwrap_or_default().into_iter();
    let errors = errors.map(|found| Found { error: found.error, line: found.line });
    let errors: Vec<_> = errors.collect();
    Ok(Json(Checked { valid: errors.is_empty(), errors }).into_response())
}

/// Sample records to try a shipped workflow on.
#[utoipa::path(
    get,
    path = "/api/workflows/{id}/samples",
    operation_id = "workflow_samples",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "six-tasks")
    ),
    responses(
        (status = 200, description = "All of them", body = Records),
        Missing
    ),
)]
pub async fn samples(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let records = service.workflow_samples(&WorkflowId(id))?.to_vec();
    Ok(Json(Records { records }).into_response())
}

/// Takes the sample records of a workflow in as documents.
#[utoipa::path(
    post,
    path = "/api/workflows/{id}/samples",
    operation_id = "add_workflow_samples",
    tag = "Workflows",
    params(
        ("id" = String, Path, description = "The workflow", example = "six-tasks")
    ),
    responses(
        (status = 201, description = "The documents", body = DocumentIds),
        Missing
    ),
)]
pub async fn add_samples(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let document_ids = service.add_workflow_samples(&WorkflowId(id)).await?;
    Ok((StatusCode::CREATED, Json(DocumentIds { document_ids })).into_response())
}
