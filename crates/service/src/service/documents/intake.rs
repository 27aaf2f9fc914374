//! How a file becomes a document: hashed, recognised if it was there already, read by a process of its
//! own unless it is nothing but text, and measured.

use std::fs::File;
use std::io::{Read, Seek};

use jiff::Timestamp;
use lanes_documents::{
    Content, Extracted, MAX_FILE_BYTES, Options, Reason, Refusal, Table, image_tokens,
};
use lanes_model::{DocumentId, DocumentInfo};
use lanes_provider::tokens;
use lanes_store::{NewContent, NewRecord, StoredDocument};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::super::Service;
use super::super::start::hex;
use super::{DocumentView, Rejected};
use crate::ServiceError;

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
    pub(in crate::service) async fn add_text_document(
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
}
