//! The beginning of a run: everything that must be there before its first call, or not at all.

use lanes_model::{DocumentInfo, EventKind, Micros, RunEvent, RunHeader, RunId, RunSummary, Seq};
use sqlx::SqliteConnection;

use crate::{Store, StoreError, documents, log, runs};

/// What [`Store::create_run`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// It made the run; this is the first event of its log.
    New(RunEvent),
    /// The same request made this run before.
    Existing(RunId),
}

impl Store {
    /// Creates a run in one transaction: its texts and the links to them, the first event of its
    /// log (1, at zero), its summary, and what recognises the same request when it comes again.
    ///
    /// `texts` are those that may not be stored yet; the header's other documents must be.
    /// `idempotency` is the key that the caller chose and a hash of what was asked for.
    ///
    /// # Errors
    /// [`StoreError::IdempotencyMismatch`] when the key was used for another request;
    /// [`StoreError::Conflict`] when there is a run of this id, or the summary is of another one;
    /// [`StoreError::NotFound`] when a document's text is missing.
    pub async fn create_run(
        &self,
        header: &RunHeader,
        summary: &RunSummary,
        texts: &[(DocumentInfo, String)],
        idempotency: Option<(&str, &str)>,
    ) -> Result<Created, StoreError> {
        if summary.id != header.id {
            let detail = format!("the summary is of run {}, not of {}", summary.id, header.id);
            return Err(StoreError::Conflict { detail, source: None });
        }
        let mut tx = self.write().await?;
        if let Some((key, hash)) = idempotency
            && let Some(run) = earlier(&mut tx, key, hash).await?
        {
            return Ok(Created::Existing(run));
        }
        let id = header.id.as_str();
        let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?1)")
            .bind(id)
            .fetch_one(&mut *tx)
            .await?;
        if taken {
            let detail = format!("there is already a run {id}");
            return Err(StoreError::Conflict { detail, source: None });
        }
        runs::write_summary(&mut tx, summary, true).await?;
        for (info, text) in texts {
            documents::write(&mut tx, info, text, false).await?;
        }
        let read = header.documents.iter().chain(texts.iter().map(|(info, _)| info));
        documents::link(&mut tx, &header.id, &read.map(|d| &d.id).collect::<Vec<_>>()).await?;
        let kind = EventKind::RunCreated { header: Box::new(header.clone()) };
        let event = RunEvent { seq: Seq(1), at: Micros::ZERO, kind };
        log::insert(&mut tx, &header.id, event.seq, event.at, &event.kind).await?;
        if let Some((key, hash)) = idempotency {
            sqlx::query("INSERT INTO idempotency (key, request_hash, run) VALUES (?1, ?2, ?3)")
                .bind(key)
                .bind(hash)
                .bind(id)
                .execute(&mut *tx)
                .await?;
        }
        tx.commit().await?;
        Ok(Created::New(event))
    }
}

/// The run that this request made earlier, if it did.
async fn earlier(
    conn: &mut SqliteConnection,
    key: &str,
    hash: &str,
) -> Result<Option<RunId>, StoreError> {
    let known: Option<(String, String)> =
        sqlx::query_as("SELECT request_hash, run FROM idempotency WHERE key = ?1")
            .bind(key)
            .fetch_optional(conn)
            .await?;
    match known {
        Some((known, _)) if known != hash => Err(StoreError::IdempotencyMismatch),
        known => Ok(known.map(|(_, run)| RunId(run))),
    }
}
