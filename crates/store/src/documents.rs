//! Texts. They are named by their content, so that the same text is stored once.
//!
//! A text that came with a run goes with the last run that reads it; one that was stored for its own
//! sake stays.

use lanes_model::{DocumentId, DocumentInfo, RunId};
use sqlx::SqliteConnection;

use crate::store::to_sql;
use crate::{Store, StoreError};

impl Store {
    /// Stores a text for its own sake: it stays when the runs that read it are deleted. Storing it
    /// again gives it the new name.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_document(&self, info: &DocumentInfo, text: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        write(&mut tx, info, text, true).await?;
        Ok(tx.commit().await?)
    }

    /// A document's text.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn document_text(&self, id: &DocumentId) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT text FROM documents WHERE id = ?1")
            .bind(id.as_str())
            .fetch_optional(self.reader())
            .await?)
    }
}

/// Writes a text unless it is there; `keep` says that it was stored for its own sake.
pub(crate) async fn write(
    conn: &mut SqliteConnection,
    info: &DocumentInfo,
    text: &str,
    keep: bool,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO documents (id, name, bytes, tokens, kept, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, kept = 1 WHERE excluded.kept",
    )
    .bind(info.id.as_str())
    .bind(&info.name)
    .bind(to_sql(info.bytes))
    .bind(to_sql(info.tokens))
    .bind(keep)
    .bind(text)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a run reads texts.
pub(crate) async fn link(
    conn: &mut SqliteConnection,
    run: &RunId,
    documents: &[&DocumentId],
) -> Result<(), StoreError> {
    let ids = list(documents)?;
    let missing: Option<String> = sqlx::query_scalar(
        "SELECT value FROM json_each(?1)
         WHERE NOT EXISTS (SELECT 1 FROM documents WHERE id = value) LIMIT 1",
    )
    .bind(&ids)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(id) = missing {
        return Err(StoreError::NotFound { what: "document", id });
    }
    sqlx::query(
        "INSERT OR IGNORE INTO run_documents (run, document) SELECT ?1, value FROM json_each(?2)",
    )
    .bind(run.as_str())
    .bind(&ids)
    .execute(conn)
    .await?;
    Ok(())
}

fn list<T: serde::Serialize>(ids: &[T]) -> Result<String, StoreError> {
    serde_json::to_string(ids)
        .map_err(|source| StoreError::Json { what: "a list of documents".to_owned(), source })
}

/// The texts that a run reads.
pub(crate) async fn of_run(
    conn: &mut SqliteConnection,
    run: &RunId,
) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar("SELECT document FROM run_documents WHERE run = ?1")
        .bind(run.as_str())
        .fetch_all(conn)
        .await?)
}

/// Deletes those of the texts that nothing uses any more.
pub(crate) async fn collect(
    conn: &mut SqliteConnection,
    documents: &[String],
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM documents WHERE id IN (SELECT value FROM json_each(?1)) AND NOT kept
         AND NOT EXISTS (SELECT 1 FROM run_documents WHERE document = documents.id)",
    )
    .bind(list(documents)?)
    .execute(conn)
    .await?;
    Ok(())
}
