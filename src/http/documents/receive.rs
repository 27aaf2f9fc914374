//! Takes in the files of a form as they come.

use std::io::Write;

use axum::extract::multipart::{Field, Multipart, MultipartError, MultipartRejection};
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use lanes_documents::MAX_FILE_BYTES;
use lanes_model::FieldError;
use lanes_service::{Service, Upload};

use super::super::Problem;
use super::{Added, MAX_UPLOAD};

/// The most files of one request.
const MAX_FILES: usize = 10_000;
/// Files that wait on the disk for their turn: up to here `text_column` may come after them.
const WAITING: usize = 64;
/// Files taken in at the same time.
const AT_ONCE: usize = 4;
/// The longest name of a column.
const LONGEST_COLUMN: usize = 1_000;

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
