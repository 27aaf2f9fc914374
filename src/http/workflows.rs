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
use serde_json::json;

use super::Problem;
use super::runs::parse;
use super::tasks::{asked, download, known, sent_file, utf8};

/// `GET /api/workflows`
pub async fn list(State(service): State<Service>) -> Json<Vec<Workflow>> {
    Json(service.workflows())
}

/// `POST /api/workflows`
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: WorkflowDefinition = parse(&headers, body)?;
    Ok(created(service.create_workflow(definition).await?))
}

/// `POST /api/workflows/{id}/copy`
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

/// `GET /api/workflows/{id}`, with `?format=toml|json` as a file.
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = WorkflowId(id);
    match asked(query.as_deref(), "format") {
        None => Ok(Json(service.workflow(&id)?).into_response()),
        Some(format) => Ok(download(service.export_workflow(&id, known(&format)?)?)),
    }
}

/// `PUT /api/workflows/{id}`
pub async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Workflow>, Problem> {
    let definition: WorkflowDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_workflow(&WorkflowId(id), definition).await?))
}

/// `DELETE /api/workflows/{id}`
pub async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete_workflow(&WorkflowId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/workflows/import`, with `?replace=true` in place of the one whose id is there.
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

/// `POST /api/workflows/check`: what is wrong with a definition, with places and lines; keeps nothing.
pub async fn check(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let (format, body) = sent_file(&headers, body)?;
    let errors = service.check_workflow_file(WorkflowFile { format, text: utf8(&body)? });
    let errors = errors.err().unwrap_or_default().into_iter().map(|found| {
        json!({ "pointer": found.error.pointer, "detail": found.error.detail, "line": found.line })
    });
    let errors: Vec<_> = errors.collect();
    Ok(Json(json!({ "valid": errors.is_empty(), "errors": errors })).into_response())
}

/// `GET /api/workflows/{id}/samples`
pub async fn samples(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let records = service.workflow_samples(&WorkflowId(id))?;
    Ok(Json(json!({ "records": records })).into_response())
}

/// `POST /api/workflows/{id}/samples`: takes them in as documents.
pub async fn add_samples(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let ids = service.add_workflow_samples(&WorkflowId(id)).await?;
    Ok((StatusCode::CREATED, Json(json!({ "document_ids": ids }))).into_response())
}
