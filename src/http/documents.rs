//! Documents over REST, and the same upload as a plain form. Files go to the disk as they come, never
//! whole into memory; one that is rejected never fails the others.

mod receive;

use app::server::{Chosen, Doc, FormState, Prefill};
use axum::Json;
use axum::body::Body;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, post};
use lanes_model::FieldError;
use lanes_service::{DocumentPreview, DocumentView, Rejected, Service};
use leptos::prelude::provide_context;
use serde::Serialize;
use utoipa::ToSchema;

use super::refusals::{Body as BodyRefused, Missing, Unchanged, Wrong};
use super::shapes::{DocumentList, UploadForm};
use super::{AppState, Problem, etag, page};
pub use receive::{Received, receive, receive_with};

/// The most that one request may bring, all files together.
pub(super) const MAX_UPLOAD: usize = 2 << 30;
/// The most documents in one page of the list.
const MAX_LIMIT: u32 = 200;

/// What came of an upload.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Added {
    /// Taken in, in the order sent.
    pub documents: Vec<DocumentView>,
    /// Not taken in, and why.
    pub rejected: Vec<Rejected>,
}

/// `POST /api/documents`, with room for files.
pub fn upload() -> MethodRouter<AppState> {
    post(create).layer(DefaultBodyLimit::max(MAX_UPLOAD))
}

/// Takes in files: each as a part named `file`. One that cannot be taken never fails the others.
#[utoipa::path(
    post,
    path = "/api/documents",
    operation_id = "upload_documents",
    tag = "Documents",
    request_body(
        content = UploadForm,
        content_type = "multipart/form-data",
        example = json!({ "file": "A short text about lanes." })
    ),
    responses(
        (status = 201, description = "What was taken in, and what was not", body = Added),
        BodyRefused
    ),
)]
async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Response, Problem> {
    let added = receive(&service, &headers, body).await?;
    Ok((StatusCode::CREATED, Json(added)).into_response())
}

/// `POST /documents`, from the Workbench.
pub fn upload_form() -> MethodRouter<AppState> {
    post(create_form).layer(DefaultBodyLimit::max(MAX_UPLOAD))
}

/// The most documents that an address of the Workbench names.
const MOST_NAMED: usize = 50;

/// The page's own code asks for JSON. Without JavaScript the answer is the Workbench again: at an
/// address that names the documents, or at once when there is more to tell.
async fn create_form(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Response {
    let added = match receive(&state.service, &headers, body).await {
        Ok(added) => added,
        Err(problem) => return problem.into_response(),
    };
    let rejected: Vec<String> =
        added.rejected.iter().map(|r| format!("{}: {}", r.name, r.detail)).collect();
    let documents: Vec<Doc> = added.documents.into_iter().map(Doc::of).collect();
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    if accept.starts_with("application/json") {
        return Json(Chosen { documents, rejected }).into_response();
    }
    if rejected.is_empty() && documents.len() <= MOST_NAMED {
        let ids: Vec<_> = documents.iter().map(|d| d.id.as_str()).collect();
        return Redirect::to(&format!("/?documents={}", ids.join(","))).into_response();
    }
    let first = app::server::first_visit(&state.service);
    let form = FormState { prefill: Prefill { documents, rejected, ..first }, errors: Vec::new() };
    let mut again = Request::new(Body::empty());
    *again.uri_mut() = Uri::from_static("/");
    page::render(state, move || provide_context(form.clone()), again).await
}

/// `POST /documents/{id}/delete`
pub async fn delete_form(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete_document(&id).await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The uploaded documents, newest first.
#[utoipa::path(
    get,
    path = "/api/documents",
    operation_id = "list_documents",
    tag = "Documents",
    params(
        ("limit" = Option<u32>, Query, description = "How many, 1 to 200; by default 50", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")
    ),
    responses(
        (status = 200, description = "A page of them", body = DocumentList),
        Unchanged,
        Wrong
    ),
)]
pub async fn list(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(query.as_deref().unwrap_or("")).unwrap_or_default();
    let one = |name: &str| pairs.iter().find(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| v);
    let limit = one("limit").map_or(Some(50), |n| n.parse().ok());
    let Some(limit) = limit.filter(|n| (1..=MAX_LIMIT).contains(n)) else {
        return Err(Problem::invalid(vec![FieldError::new(
            "/limit",
            format!("limit must be a number from 1 to {MAX_LIMIT}."),
        )]));
    };
    let page = service.documents(limit, one("cursor").map(String::as_str)).await?;
    let (items, next_cursor, total) = (page.items, page.next_cursor, page.total);
    Ok(etag::json(&headers, &DocumentList { items, next_cursor, total }))
}

/// A document and the beginning of what it says.
#[utoipa::path(
    get,
    path = "/api/documents/{id}",
    operation_id = "show_document",
    tag = "Documents",
    params(
        ("id" = String, Path, description = "The document")
    ),
    responses(
        (status = 200, description = "The document", body = DocumentPreview),
        Unchanged,
        Missing
    ),
)]
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(etag::json(&headers, &service.document_preview(&id).await?))
}

/// An image, as it was uploaded.
#[utoipa::path(
    get,
    path = "/api/documents/{id}/content",
    operation_id = "document_content",
    tag = "Documents",
    params(
        ("id" = String, Path, description = "The document")
    ),
    responses(
        (status = 200, description = "The image", content((Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/webp"))),
        Missing
    ),
)]
pub async fn content(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (media_type, data) = service.document_image(&id).await?;
    let headers = [
        (header::CONTENT_TYPE, media_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, data).into_response())
}

/// Deletes a document. Runs that read it keep what they read.
#[utoipa::path(
    delete,
    path = "/api/documents/{id}",
    operation_id = "delete_document",
    tag = "Documents",
    params(
        ("id" = String, Path, description = "The document")
    ),
    responses(
        (status = 204, description = "It is gone"),
        Missing
    ),
)]
pub async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete_document(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
