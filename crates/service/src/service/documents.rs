//! Uploaded documents: listed, shown, deleted. How a file becomes one stands in [`intake`], what a run
//! of some of them is about in [`input`].

mod input;
mod intake;

use lanes_documents::Reason;
use lanes_model::DocumentId;
use lanes_store::{Page, StoredDocument};
use serde::Serialize;
use serde_json::Value;

pub(super) use self::input::RunInput;
pub use self::intake::Upload;
use super::Service;
use crate::ServiceError;

/// The most characters of a preview.
const PREVIEW: u32 = 2_000;
/// The most rows of one.
const PREVIEW_ROWS: u32 = 20;

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

impl Service {
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
}

fn no_document(id: &str) -> ServiceError {
    let short: String = id.chars().take(40).collect();
    ServiceError::NotFound(format!("There is no document “{short}”."))
}
