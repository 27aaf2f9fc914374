//! Uploaded documents: taken in, listed, shown, deleted; and what a run of them is about.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek};

use jiff::Timestamp;
use lanes_documents::{
    Content, Extracted, MAX_FILE_BYTES, MAX_RECORDS, Options, Reason, Refusal, Table, image_tokens,
};
use lanes_model::{DocumentId, DocumentInfo, FieldError};
use lanes_provider::tokens;
use lanes_store::{NewContent, NewRecord, Page, StoredDocument};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::Service;
use super::start::hex;
use crate::ServiceError;

/// The most documents a run may name.
const MAX_DOCUMENTS: usize = 10_000;
/// The most characters of a preview.
const PREVIEW: u32 = 2_000;
/// The most rows of one.
const PREVIEW_ROWS: u32 = 20;
/// The longest name of a file, in characters.
const LONGEST_NAME: usize = 200;

/// A file that was sent.
#[derive(Debug)]
pub struct Upload {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub file: File,
}

/// A document as callers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DocumentView {
    /// Names it.
    pub id: String,
    /// The file's name.
    pub name: String,
    /// What it is.
    pub media_type: String,
    /// The length of the file.
    pub bytes: u64,
    /// Pages, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pages: Option<u32>,
    /// The length of its text in tokens.
    pub tokens: u64,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// When it was uploaded first.
    pub created_at: String,
    /// How many records a table has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// The columns of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The column of a table that holds the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_column: Option<String>,
    /// What to know of how it was read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether the same file was there already.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

impl DocumentView {
    fn of(document: StoredDocument, duplicate: bool) -> Self {
        Self {
            id: document.id.0,
            name: document.name,
            media_type: document.media_type,
            bytes: document.file_bytes,
            pages: document.pages,
            tokens: document.tokens,
            sha256: document.sha256,
            created_at: document.created_at,
            records: document.records,
            columns: document.columns,
            text_column: document.text_column,
            notes: document.notes,
            duplicate,
        }
    }
}

/// A file that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Rejected {
    /// Its name.
    pub name: String,
    /// Why, for programs.
    #[schema(value_type = String)]
    pub reason: Reason,
    /// Why, for people.
    pub detail: String,
}

/// A document and the beginning of what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct DocumentPreview {
    /// The document.
    #[serde(flatten)]
    pub document: DocumentView,
    /// The first characters of its text; of a table, of its first record.
    pub preview: String,
    /// The first rows of a table.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<Value>,
}

/// What a run is about.
pub(super) struct RunInput {
    /// In a few words, for the run's title.
    pub(super) subject: String,
    /// The documents, a table as its records.
    pub(super) documents: Vec<DocumentInfo>,
    /// Texts that came with the request.
    pub(super) texts: Vec<(DocumentInfo, String)>,
}

impl Service {
    /// Takes a file in. One that is not taken is no error of the service.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn add_document(
        &self,
        upload: Upload,
        text_column: Option<&str>,
    ) -> Result<Result<DocumentView, Rejected>, ServiceError> {
        self.check_kept()?;
        let name = file_name(&upload.name);
        let options = Options { text_column: text_column.map(str::to_owned) };
        match self.read_upload(&name, upload.file, &options).await {
            Ok(Outcome::Known(document)) => Ok(Ok(DocumentView::of(document, true))),
            Ok(Outcome::New(document, content)) => {
                self.inner.store.add_document(&document, &content).await?;
                Ok(Ok(DocumentView::of(document, false)))
            }
            Err(Failed::Refused(Refusal { reason, detail })) => {
                Ok(Err(Rejected { name, reason, detail }))
            }
            Err(Failed::Service(error)) => Err(error),
        }
    }

    async fn read_upload(
        &self,
        name: &str,
        file: File,
        options: &Options,
    ) -> Result<Outcome, Failed> {
        let slot = self.inner.reading.acquire().await;
        let of = name.to_owned();
        let looked = tokio::task::spawn_blocking(move || look(&of, file)).await;
        let Looked { mut file, bytes, sha256, plain, data } =
            looked.map_err(|e| not_read(&e))?.map_err(|e| not_read(&e))?;
        if bytes > MAX_FILE_BYTES {
            return Err(Refusal::too_large().into());
        }
        let usual = DocumentId(sha256.chars().take(32).collect());
        if options.text_column.is_none()
            && let Some(known) = self.known(&usual).await?
        {
            return Ok(Outcome::Known(known));
        }
        let extracted = match plain {
            Some(extracted) => extracted?,
            None => {
                file.rewind().map_err(|e| not_read(&e))?;
                self.inner.extractor.extract(name, file, options).await?
            }
        };
        drop(slot);
        // Another column makes another document of the same file.
        let id = match (&extracted.content, &options.text_column) {
            (Content::Table(_), Some(column)) => {
                let hash = Sha256::digest(format!("{sha256}\ntext_column={column}"));
                DocumentId(hex(&hash).chars().take(32).collect())
            }
            _ => usual,
        };
        if options.text_column.is_some()
            && let Some(known) = self.known(&id).await?
        {
            return Ok(Outcome::Known(known));
        }
        let known = Known { id, name: name.to_owned(), bytes, sha256, data };
        let measured = tokio::task::spawn_blocking(move || measure(known, extracted)).await;
        let (document, content) = measured.map_err(|e| not_read(&e))?;
        Ok(Outcome::New(document, content))
    }

    /// Takes a text in as if somebody had uploaded it as a file of that name.
    pub(super) async fn add_text_document(
        &self,
        name: &str,
        text: &str,
    ) -> Result<DocumentId, ServiceError> {
        let sha256 = hex(&Sha256::digest(text.as_bytes()));
        let id = DocumentId(sha256.chars().take(32).collect());
        if self.known(&id).await?.is_some() {
            return Ok(id);
        }
        let known = Known {
            id: id.clone(),
            name: name.to_owned(),
            bytes: text.len() as u64,
            sha256,
            data: None,
        };
        let extracted = Extracted {
            media_type: "text/plain".to_owned(),
            pages: None,
            content: Content::Text(text.to_owned()),
            notes: Vec::new(),
        };
        let (document, content) = measure(known, extracted);
        self.inner.store.add_document(&document, &content).await?;
        Ok(id)
    }

    async fn known(&self, id: &DocumentId) -> Result<Option<StoredDocument>, ServiceError> {
        Ok(self.inner.store.uploaded(id).await?)
    }

    /// A page of the uploaded documents, newest first.
    ///
    /// # Errors
    /// A cursor that this list did not give, or a store that fails.
    pub async fn documents(
        &self,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<DocumentView>, ServiceError> {
        let page = self.inner.store.uploads(limit, cursor).await?;
        Ok(Page {
            items: page.items.into_iter().map(|d| DocumentView::of(d, false)).collect(),
            next_cursor: page.next_cursor,
            total: page.total,
        })
    }

    /// Those of the documents that are there, in the order asked for.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn documents_of(&self, ids: &[String]) -> Result<Vec<DocumentView>, ServiceError> {
        let mut found = self.inner.store.uploaded_of(ids).await?;
        let found = ids.iter().filter_map(|id| found.remove(id));
        Ok(found.map(|d| DocumentView::of(d, false)).collect())
    }

    /// A document with the beginning of what it says.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn document_preview(&self, id: &str) -> Result<DocumentPreview, ServiceError> {
        let store = &self.inner.store;
        let id = DocumentId(id.to_owned());
        let document = self.known(&id).await?.ok_or_else(|| no_document(id.as_str()))?;
        let first = match document.records {
            Some(_) => store.records_of(&id, 1).await?.into_iter().next().map(|d| d.id),
            None => None,
        };
        let preview = store.text_preview(first.as_ref().unwrap_or(&id), PREVIEW).await?;
        let rows = store.rows_of(&id, PREVIEW_ROWS).await?;
        let rows = rows.iter().filter_map(|row| serde_json::from_str(row).ok()).collect();
        Ok(DocumentPreview { document: DocumentView::of(document, false), preview, rows })
    }

    /// An uploaded image: its media type and the file.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], also when it is none; or a store that fails.
    pub async fn document_image(&self, id: &str) -> Result<(String, Vec<u8>), ServiceError> {
        let id = DocumentId(id.to_owned());
        self.known(&id).await?.ok_or_else(|| no_document(id.as_str()))?;
        let content = self.inner.store.document_content(&id).await?;
        content
            .and_then(|content| content.image)
            .ok_or_else(|| ServiceError::NotFound("The document is not an image.".to_owned()))
    }

    /// Deletes a document. Runs that read it keep what they read.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn delete_document(&self, id: &str) -> Result<(), ServiceError> {
        match self.inner.store.delete_upload(&DocumentId(id.to_owned())).await? {
            true => Ok(()),
            false => Err(no_document(id)),
        }
    }

    /// What a run of uploaded documents is about. Every document that is not there or too long is told
    /// with its place.
    /// `cut` says that long ones are cut.
    pub(super) async fn uploaded_input(
        &self,
        ids: &[String],
        cut: bool,
    ) -> Result<RunInput, ServiceError> {
        const PLACE: &str = "/input/document_ids";
        let wrong = |detail: String| ServiceError::Invalid(vec![FieldError::new(PLACE, detail)]);
        if ids.len() > MAX_DOCUMENTS {
            return Err(wrong(format!("A run takes at most {MAX_DOCUMENTS} documents.")));
        }
        let store = &self.inner.store;
        let found = store.uploaded_of(ids).await?;
        let (mut documents, mut errors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let most = self.limits().max_text_bytes as u64;
        for (n, id) in ids.iter().enumerate() {
            let place = format!("{PLACE}/{n}");
            let Some(document) = found.get(id) else {
                let short: String = id.chars().take(40).collect();
                let detail = format!("There is no document “{short}”: upload it first.");
                errors.push(FieldError::new(place, detail));
                continue;
            };
            if !seen.insert(id) {
                let detail = format!("“{}” is chosen twice.", document.name);
                errors.push(FieldError::new(place, detail));
                continue;
            }
            let records = match document.records {
                Some(_) => store.records_of(&document.id, u32::MAX).await?,
                None => vec![DocumentInfo {
                    id: document.id.clone(),
                    name: document.name.clone(),
                    bytes: document.text_bytes,
                    tokens: document.tokens,
                }],
            };
            if let Some(long) = records.iter().find(|r| r.bytes > most && !cut) {
                errors.push(FieldError::new(place, too_long(long, most)));
            }
            documents.extend(records);
            if documents.len() > MAX_RECORDS {
                return Err(wrong(format!(
                    "A run takes at most {MAX_RECORDS} records: choose fewer."
                )));
            }
        }
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let names: Vec<_> = ids.iter().filter_map(|id| found.get(id)).map(|d| &d.name).collect();
        let subject = match names.as_slice() {
            [one] => (*one).clone(),
            many => format!("{} documents", many.len()),
        };
        Ok(RunInput { subject, documents, texts: Vec::new() })
    }
}

/// A text is never cut silently: one that is too long is refused with its length.
fn too_long(document: &DocumentInfo, most: u64) -> String {
    format!(
        "“{}” has {} bytes of text ({} tokens), and a call takes at most {most} bytes: have long \
         documents cut into pieces (“long”: “chunk”), or split it into several files.",
        document.name, document.bytes, document.tokens
    )
}

fn no_document(id: &str) -> ServiceError {
    let short: String = id.chars().take(40).collect();
    ServiceError::NotFound(format!("There is no document “{short}”."))
}

/// What came of a file.
enum Outcome {
    Known(StoredDocument),
    New(StoredDocument, NewContent),
}

enum Failed {
    Refused(Refusal),
    Service(ServiceError),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ServiceError> for Failed {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

fn not_read(error: &dyn std::fmt::Display) -> Failed {
    tracing::error!(%error, "an uploaded file could not be read");
    let detail = format!("The file could not be read here: {error}.");
    Refusal::new(Reason::OverLimit, detail).into()
}

struct Looked {
    file: File,
    bytes: u64,
    sha256: String,
    /// What it says, when it needs no process of its own.
    plain: Option<Result<Extracted, Refusal>>,
    /// The whole file, of an image.
    data: Option<Vec<u8>>,
}

/// Hashes a file, and reads it if it is nothing but text.
fn look(name: &str, mut file: File) -> std::io::Result<Looked> {
    file.rewind()?;
    let mut content = Vec::new();
    Read::by_ref(&mut file).take(MAX_FILE_BYTES + 1).read_to_end(&mut content)?;
    let sha256 = hex(&Sha256::digest(&content));
    let plain = lanes_documents::plain(name, &content);
    let is_image =
        matches!(&plain, Some(Ok(extracted)) if matches!(extracted.content, Content::Image { .. }));
    let bytes = content.len() as u64;
    Ok(Looked { file, bytes, sha256, plain, data: is_image.then_some(content) })
}

struct Known {
    id: DocumentId,
    name: String,
    bytes: u64,
    sha256: String,
    data: Option<Vec<u8>>,
}

/// Counts tokens and makes of a file what is stored.
fn measure(known: Known, extracted: Extracted) -> (StoredDocument, NewContent) {
    let Extracted { media_type, pages, content, notes } = extracted;
    let Known { id, name, bytes, sha256, data } = known;
    let (mut records, mut columns, mut text_column) = (None, Vec::new(), None);
    let (content, text_bytes, tokens) = match content {
        Content::Text(text) => {
            let (length, tokens) = (text.len() as u64, tokens::count(&text));
            (NewContent::Text(text), length, tokens)
        }
        Content::Image { width, height } => {
            let text = format!("[{name}]");
            let (length, tokens) = (text.len() as u64, image_tokens(width, height));
            (NewContent::Image { text, data: data.unwrap_or_default() }, length, tokens)
        }
        Content::Table(table) => {
            columns.clone_from(&table.columns);
            text_column = table.columns.get(table.text_column).cloned();
            let rows = rows(&id, &name, table);
            records = Some(rows.len() as u64);
            let length = rows.iter().map(|r| r.info.bytes).sum();
            let tokens = rows.iter().map(|r| r.info.tokens).sum();
            (NewContent::Records(rows), length, tokens)
        }
    };
    let document = StoredDocument {
        id,
        name,
        media_type,
        file_bytes: bytes,
        text_bytes,
        tokens,
        pages,
        sha256,
        created_at: Timestamp::now().to_string(),
        notes,
        records,
        columns,
        text_column,
    };
    (document, content)
}

/// The records of a table.
fn rows(table_id: &DocumentId, name: &str, table: Table) -> Vec<NewRecord> {
    let Table { columns, text_column, rows } = table;
    let record = |(n, row): (usize, Vec<String>)| {
        let text = row.get(text_column).cloned().unwrap_or_default();
        let fields: Map<String, Value> =
            columns.iter().cloned().zip(row.into_iter().map(Value::String)).collect();
        let id = hex(&Sha256::digest(format!("{table_id}\nrecord {n}")));
        NewRecord {
            info: DocumentInfo {
                id: DocumentId(id.chars().take(32).collect()),
                name: format!("{name} #{}", n + 1),
                bytes: text.len() as u64,
                tokens: tokens::count(&text),
            },
            row: Value::Object(fields).to_string(),
            text,
        }
    };
    rows.into_iter().enumerate().map(record).collect()
}

/// The name of a file as it is kept: the last part of a path, without characters that do not show.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let shown: String = last.chars().filter(|c| !c.is_control()).collect();
    let shown = shown.trim();
    if shown.trim_matches('.').is_empty() {
        return "file".to_owned();
    }
    match shown.rsplit_once('.') {
        // A long name keeps its end, which says what it is.
        Some((stem, end)) if shown.chars().count() > LONGEST_NAME && end.len() < 10 => {
            let stem: String = stem.chars().take(LONGEST_NAME).collect();
            format!("{stem}.{end}")
        }
        _ => shown.chars().take(LONGEST_NAME).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_folders_and_what_does_not_show() {
        assert_eq!(file_name("../../etc/a\0b\n.txt"), "ab.txt");
        assert_eq!(file_name("C:\\files\\a.pdf"), "a.pdf");
        for nothing in ["  ", "..", "a/..", "."] {
            assert_eq!(file_name(nothing), "file");
        }
        let long = format!("{}.docx", "x".repeat(1_000));
        assert!(file_name(&long).ends_with(".docx") && file_name(&long).len() < 210);
    }

    #[test]
    fn a_document_that_is_too_long_is_told_with_its_length() {
        let long = DocumentInfo { id: "d".into(), name: "a.txt".to_owned(), bytes: 9, tokens: 3 };
        assert!(
            too_long(&long, 5).contains("9 bytes of text (3 tokens), and a call takes at most 5")
        );
    }
}
