//! Documents that were uploaded: stored, listed, found, deleted. Their texts are those of
//! `documents`; a table has a row here for each of its records, too.
//!
//! Rule: deleting takes a document out of every list at once, and its texts as soon as no run reads
//! them.

use std::collections::HashMap;

use lanes_model::{DocumentId, DocumentInfo};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::cursor::Cursor;
use crate::store::{from_sql, time_key, to_sql};
use crate::{Page, Store, StoreError};

/// Records written with one statement: each has nine values, and SQLite takes 32,766.
const AT_ONCE: usize = 1_000;

/// An uploaded document, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Names it.
    pub id: DocumentId,
    /// The file's name.
    pub name: String,
    /// What it is, such as `application/pdf`.
    pub media_type: String,
    /// The length of the file.
    pub file_bytes: u64,
    /// The length of its text, in bytes of UTF-8; of a table, that of all its records.
    pub text_bytes: u64,
    /// The length of its text in tokens.
    pub tokens: u64,
    /// Pages, where there are any.
    pub pages: Option<u32>,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// When it was uploaded, RFC 3339 in UTC.
    pub created_at: String,
    /// What to know of how it was read.
    pub notes: Vec<String>,
    /// How many records it has, when it is a table.
    pub records: Option<u64>,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// The column of the text.
    pub text_column: Option<String>,
}

/// A record of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRecord {
    /// As a run knows it.
    pub info: DocumentInfo,
    /// Its text.
    pub text: String,
    /// The whole row, a JSON object.
    pub row: String,
}

/// What a document holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewContent {
    /// A text.
    Text(String),
    /// A table.
    Records(Vec<NewRecord>),
    /// An image; the text is what stands in its place.
    Image {
        /// In its place.
        text: String,
        /// The file.
        data: Vec<u8>,
    },
}

/// What a call on a document is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentContent {
    /// Its text.
    pub text: String,
    /// The image, if it is one: its media type and the file.
    pub image: Option<(String, Vec<u8>)>,
}

impl Store {
    /// Stores an uploaded document with all its records, in one transaction.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn add_document(
        &self,
        document: &StoredDocument,
        content: &NewContent,
    ) -> Result<(), StoreError> {
        let (text, data, records) = match content {
            NewContent::Text(text) => (text.as_str(), None, [].as_slice()),
            NewContent::Image { text, data } => {
                (text.as_str(), Some(data.as_slice()), [].as_slice())
            }
            NewContent::Records(records) => ("", None, records.as_slice()),
        };
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO documents (id, name, media_type, file_bytes, bytes, tokens, pages, sha256,
                created_key, notes, records, columns, text_column, kept, text, data)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1, ?14, ?15)
             ON CONFLICT (id) DO UPDATE SET kept = 1, name = excluded.name,
                media_type = excluded.media_type, file_bytes = excluded.file_bytes,
                pages = excluded.pages, sha256 = excluded.sha256,
                created_key = excluded.created_key, notes = excluded.notes,
                records = excluded.records, columns = excluded.columns,
                text_column = excluded.text_column",
        )
        .bind(document.id.as_str())
        .bind(&document.name)
        .bind(&document.media_type)
        .bind(to_sql(document.file_bytes))
        .bind(to_sql(document.text_bytes))
        .bind(to_sql(document.tokens))
        .bind(document.pages)
        .bind(&document.sha256)
        .bind(time_key(&document.created_at))
        .bind(json(&document.notes)?)
        .bind(document.records.map(to_sql))
        .bind(if document.records.is_some() { Some(json(&document.columns)?) } else { None })
        .bind(document.text_column.as_deref())
        .bind(text)
        .bind(data)
        .execute(&mut *tx)
        .await?;
        for (n, some) in records.chunks(AT_ONCE).enumerate() {
            write_records(&mut tx, &document.id, n * AT_ONCE, some).await?;
        }
        Ok(tx.commit().await?)
    }

    /// An uploaded document that nobody has deleted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn uploaded(&self, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
        let mut found = self.uploaded_of(std::slice::from_ref(&id.0)).await?;
        Ok(found.remove(id.as_str()))
    }

    /// Those of the documents that are there, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn uploaded_of(
        &self,
        ids: &[String],
    ) -> Result<HashMap<String, StoredDocument>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, name, media_type, file_bytes, bytes, tokens, pages, sha256, created_key,
                notes, records, columns, text_column
             FROM documents
             WHERE id IN (SELECT value FROM json_each(?1)) AND kept AND parent IS NULL
                AND sha256 <> ''",
        )
        .bind(json(ids)?)
        .fetch_all(self.reader())
        .await?;
        let found = rows.iter().map(|row| {
            let document = read(row)?;
            Ok((document.id.0.clone(), document))
        });
        found.collect()
    }

    /// A page of the uploaded documents, newest first.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database cannot be read.
    pub async fn uploads(
        &self,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<StoredDocument>, StoreError> {
        let start = cursor.map_or(Ok(Cursor::start()), Cursor::from_text)?;
        let mut tx = self.reader().begin().await?;
        let mut rows = sqlx::query(
            "SELECT id, name, media_type, file_bytes, bytes, tokens, pages, sha256, created_key,
                notes, records, columns, text_column
             FROM documents
             WHERE kept AND parent IS NULL AND sha256 <> '' AND (created_key, id) < (?1, ?2)
             ORDER BY created_key DESC, id DESC LIMIT ?3",
        )
        .bind(start.created_key)
        .bind(start.id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        let total: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM documents WHERE kept AND parent IS NULL AND sha256 <> ''",
        )
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more);
        let next_cursor = last
            .map(|row| {
                let (created_key, id) = (row.try_get("created_key")?, row.try_get("id")?);
                Ok::<_, StoreError>(Cursor { created_key, id }.to_text())
            })
            .transpose()?;
        let items = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { items, next_cursor, total: from_sql(total) })
    }

    /// Takes a document out of the lists; its texts go now, or with the last run that reads them.
    /// Returns whether it was there.
    ///
    /// # Errors
    /// Why the database did not do it; then everything is still there.
    pub async fn delete_upload(&self, id: &DocumentId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let deleted = sqlx::query(
            "UPDATE documents SET kept = 0
             WHERE id = ?1 AND kept AND parent IS NULL AND sha256 <> ''",
        )
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if deleted == 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE documents SET kept = 0 WHERE parent = ?1")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "DELETE FROM documents WHERE (id = ?1 OR parent = ?1)
             AND NOT EXISTS (SELECT 1 FROM run_documents WHERE document = documents.id)",
        )
        .bind(id.as_str())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The records of a table, in order, at most so many.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records_of(
        &self,
        table: &DocumentId,
        limit: u32,
    ) -> Result<Vec<DocumentInfo>, StoreError> {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT id, name, bytes, tokens FROM documents WHERE parent = ?1 ORDER BY place LIMIT ?2",
        )
        .bind(table.as_str())
        .bind(limit)
        .fetch_all(self.reader())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, name, bytes, tokens)| DocumentInfo {
                id: DocumentId(id),
                name,
                bytes: from_sql(bytes),
                tokens: from_sql(tokens),
            })
            .collect())
    }

    /// The first rows of a table, whole, each a JSON object.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn rows_of(&self, table: &DocumentId, limit: u32) -> Result<Vec<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT coalesce(record, '{}') FROM documents WHERE parent = ?1 ORDER BY place LIMIT ?2",
        )
        .bind(table.as_str())
        .bind(limit)
        .fetch_all(self.reader())
        .await?)
    }

    /// The first characters of a document's text.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn text_preview(&self, id: &DocumentId, most: u32) -> Result<String, StoreError> {
        let text: Option<String> =
            sqlx::query_scalar("SELECT substr(text, 1, ?2) FROM documents WHERE id = ?1")
                .bind(id.as_str())
                .bind(most)
                .fetch_optional(self.reader())
                .await?;
        Ok(text.unwrap_or_default())
    }

    /// What a call on a document is given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn document_content(
        &self,
        id: &DocumentId,
    ) -> Result<Option<DocumentContent>, StoreError> {
        let row: Option<(String, String, Option<Vec<u8>>)> =
            sqlx::query_as("SELECT text, media_type, data FROM documents WHERE id = ?1")
                .bind(id.as_str())
                .fetch_optional(self.reader())
                .await?;
        Ok(row.map(|(text, media_type, data)| DocumentContent {
            text,
            image: data.map(|data| (media_type, data)),
        }))
    }
}

async fn write_records(
    conn: &mut SqliteConnection,
    table: &DocumentId,
    first: usize,
    records: &[NewRecord],
) -> Result<(), StoreError> {
    let mut query: QueryBuilder<Sqlite> = QueryBuilder::new(
        "INSERT INTO documents (id, name, bytes, tokens, kept, text, parent, place, record) ",
    );
    query.push_values(records.iter().zip(first..), |mut row, (record, place)| {
        row.push_bind(record.info.id.as_str())
            .push_bind(&record.info.name)
            .push_bind(to_sql(record.info.bytes))
            .push_bind(to_sql(record.info.tokens))
            .push_bind(true)
            .push_bind(&record.text)
            .push_bind(table.as_str())
            .push_bind(to_sql(place as u64))
            .push_bind(&record.row);
    });
    query.push(" ON CONFLICT (id) DO UPDATE SET kept = 1, parent = excluded.parent");
    query.build().execute(conn).await?;
    Ok(())
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value)
        .map_err(|source| StoreError::Json { what: "a document".to_owned(), source })
}

fn read(row: &SqliteRow) -> Result<StoredDocument, StoreError> {
    let id: String = row.try_get("id")?;
    let list = |text: Option<String>| -> Result<Vec<String>, StoreError> {
        serde_json::from_str(text.as_deref().unwrap_or("[]"))
            .map_err(|source| StoreError::Json { what: format!("document {id}"), source })
    };
    let number = |column: &str| -> Result<u64, StoreError> { Ok(from_sql(row.try_get(column)?)) };
    let created: String = row.try_get("created_key")?;
    Ok(StoredDocument {
        name: row.try_get("name")?,
        media_type: row.try_get("media_type")?,
        file_bytes: number("file_bytes")?,
        text_bytes: number("bytes")?,
        tokens: number("tokens")?,
        pages: row.try_get("pages")?,
        sha256: row.try_get("sha256")?,
        created_at: format!("{created}Z"),
        notes: list(row.try_get("notes")?)?,
        records: row.try_get::<Option<i64>, _>("records")?.map(from_sql),
        columns: list(row.try_get("columns")?)?,
        text_column: row.try_get("text_column")?,
        id: DocumentId(id),
    })
}
