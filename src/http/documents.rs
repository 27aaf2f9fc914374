//! Documents over REST, and the same upload as a plain form. Files go to the disk as they come, never
//! whole into memory; one that is rejected never fails the others.

use std::io::Write;

use app::server::{Chosen, Doc, FormState, Prefill};
use axum::Json;
use axum::body::Body;
use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, post};
use futures::StreamExt;
use lanes_documents::MAX_FILE_BYTES;
use lanes_model::FieldError;
use lanes_service::{DocumentPreview, DocumentView, Rejected, Service, Upload};
use leptos::prelude::provide_context;
use serde::Serialize;
use utoipa::ToSchema;

use super::refusals::{Body as BodyRefused, Missing, Unchanged, Wrong};
use super::shapes::{DocumentList, UploadForm};
use super::{AppState, Problem, etag, page};

/// The most that one request may bring, all files together.
pub(super) const MAX_UPLOAD: usize = 2 << 30;
/// The most files of one request.
const MAX_FILES: usize = 10_000;
/// Files that wait on the disk for their turn: up to here `text_column` may come after them.
const WAITING: usize = 64;
/// Files taken in at the same time.
const AT_ONCE: usize = 4;
/// The longest name of a column.
const LONGEST_COLUMN: usize = 1_000;
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

/// Takes in every file of a form.
///
/// # Errors
/// When it is no form with files, is too large, or the store fails.
pub async fn receive(
    service: &Service,
    headers: &HeaderMap,
    body: Result<Multipart, MultipartRejection>,
) -> Result<Added, Problem> {
    let Received { added, files, .. } = receive_with(service, headers, body, None).await?;
    if files == 0 {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "There is no file in the form: send each as a part named “file”.",
        ));
    }
    Ok(added)
}

/// What a form held.
#[derive(Debug, Default)]
pub struct Received {
    /// What came of its files.
    pub added: Added,
    /// How many these were.
    pub files: usize,
    /// Its other fields, in order.
    pub fields: Vec<(String, String)>,
}

/// Takes in every file of a form and, where other fields are known, every `text` and those fields; one
/// that is not known is refused.
///
/// # Errors
/// When it is no form, is too large, has a field that is not known, or the store fails.
pub async fn receive_with(
    service: &Service,
    headers: &HeaderMap,
    body: Result<Multipart, MultipartRejection>,
    known: Option<&[&str]>,
) -> Result<Received, Problem> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or("");
    if !media_type.trim().to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Send the files as multipart/form-data, each as a part named “file”.",
        ));
    }
    let mut form = body.map_err(|e| Problem::new(StatusCode::BAD_REQUEST, e.body_text()))?;
    let (mut waiting, mut column) = (Vec::new(), None);
    let Received { mut added, mut files, mut fields } = Received::default();
    while let Some(mut part) = form.next_field().await.map_err(|e| broken(&e))? {
        match part.name() {
            Some("text_column") => {
                let name = small(&mut part).await?;
                column = Some(name.trim().to_owned()).filter(|c| !c.is_empty());
            }
            Some(kind) if kind == "file" || (kind == "text" && known.is_some()) => {
                let text = kind == "text";
                let mut name = part.file_name().unwrap_or_default().to_owned();
                let file = spool(&mut part).await?;
                // A form whose picker was left empty sends a part without a name and without content.
                let Spooled { file, bytes } = file;
                if name.is_empty() && bytes == 0 {
                    continue;
                }
                files += 1;
                if text && name.is_empty() {
                    name = format!("text-{files}.txt");
                }
                if files > MAX_FILES {
                    let detail = format!("A request may bring at most {MAX_FILES} files.");
                    return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
                }
                waiting.push(Upload { name, file });
                if waiting.len() >= WAITING {
                    take_in(service, &mut waiting, column.as_deref(), &mut added).await?;
                }
            }
            Some(name) if known.is_some_and(|known| known.contains(&name)) => {
                let name = name.to_owned();
                fields.push((name, small(&mut part).await?));
            }
            other if let Some(known) = known => {
                let name: String = other.unwrap_or_default().chars().take(40).collect();
                let detail = format!(
                    "There is no field “{name}”; send file, text, text_column or {}.",
                    known.join(", ")
                );
                return Err(Problem::invalid(vec![FieldError::new(format!("/{name}"), detail)]));
            }
            // What else a form holds is not about documents.
            _ => while part.chunk().await.map_err(|e| broken(&e))?.is_some() {},
        }
    }
    take_in(service, &mut waiting, column.as_deref(), &mut added).await?;
    Ok(Received { added, files, fields })
}

async fn take_in(
    service: &Service,
    waiting: &mut Vec<Upload>,
    column: Option<&str>,
    added: &mut Added,
) -> Result<(), Problem> {
    let uploads = std::mem::take(waiting);
    let mut results = futures::stream::iter(uploads)
        .map(|upload| service.add_document(upload, column))
        .buffered(AT_ONCE);
    while let Some(result) = results.next().await {
        match result? {
            Ok(document) => added.documents.push(document),
            Err(rejected) => added.rejected.push(rejected),
        }
    }
    // Files of one request that are the same, and were read side by side.
    let mut seen = std::collections::HashSet::new();
    for document in &mut added.documents {
        document.duplicate |= !seen.insert(document.id.clone());
    }
    Ok(())
}

struct Spooled {
    file: std::fs::File,
    bytes: u64,
}

/// Writes a part to a file that has no name and goes with its handle. Of one that is too large no more
/// than is needed to know so.
async fn spool(part: &mut Field<'_>) -> Result<Spooled, Problem> {
    let no_room = |error: std::io::Error| {
        tracing::error!(%error, "an upload cannot be written to the disk");
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "There is no room for the upload on the server's disk: free some and send it again.",
        )
    };
    let mut file = tempfile::tempfile().map_err(no_room)?;
    let mut bytes = 0u64;
    while let Some(chunk) = part.chunk().await.map_err(|e| broken(&e))? {
        if bytes <= MAX_FILE_BYTES {
            file.write_all(&chunk).map_err(no_room)?;
        }
        bytes = bytes.saturating_add(chunk.len() as u64);
    }
    Ok(Spooled { file, bytes })
}

async fn small(part: &mut Field<'_>) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.chunk().await.map_err(|e| broken(&e))? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST_COLUMN {
            return Err(Problem::invalid(vec![FieldError::new(
                format!("/{}", part.name().unwrap_or_default()),
                "A field other than a file or a text has at most 1,000 bytes.",
            )]));
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn broken(error: &MultipartError) -> Problem {
    let status = error.status();
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        let most = MAX_UPLOAD >> 30;
        let detail = format!("The request is larger than {most} GB: send the files in several.");
        return Problem::new(status, detail);
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        format!("The form cannot be read: {}.", error.body_text()),
    )
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
