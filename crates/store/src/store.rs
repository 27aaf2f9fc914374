//! [`Store`] itself: the connections, the transactions, and what concerns the whole database.
//!
//! One connection writes and a few read, so that writers queue here instead of meeting SQLite's
//! lock. No method asks for a second connection while it holds one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqlitePool, Transaction};

use crate::StoreError;

/// The database. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    writer: SqlitePool,
    reader: SqlitePool,
    in_memory: bool,
    /// Whether logs are written without texts.
    figures_only: AtomicBool,
}

/// Sums over everything stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Runs.
    pub runs: u64,
    /// What runs with a real provider cost, in micro-dollars, where the price was known.
    pub cost_usd_micros: u64,
    /// What simulated runs would have cost, in micro-dollars. Nobody paid it.
    pub simulated_cost_usd_micros: u64,
}

impl Store {
    pub(crate) fn new(writer: SqlitePool, reader: SqlitePool, in_memory: bool) -> Self {
        let figures_only = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { writer, reader, in_memory, figures_only }) }
    }

    /// From now on logs are written without what people and models wrote: figures alone.
    pub fn keep_figures_only(&self) {
        self.inner.figures_only.store(true, Ordering::Relaxed);
    }

    /// Whether texts and answers are kept.
    #[must_use]
    pub fn keeps_texts(&self) -> bool {
        !self.inner.figures_only.load(Ordering::Relaxed)
    }

    /// For reading.
    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.inner.reader
    }

    /// The one connection that writes, for what cannot be part of a transaction.
    pub(crate) async fn writing_connection(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.inner.writer.acquire().await?)
    }

    /// The one connection that writes, for tests that break it.
    #[cfg(test)]
    pub(crate) fn writer(&self) -> &SqlitePool {
        &self.inner.writer
    }

    /// For writing: a transaction that holds the write lock from its start. It is rolled back
    /// unless it is committed, also when the caller's future is dropped.
    pub(crate) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        const BEGIN: &str = "BEGIN IMMEDIATE";
        let writer = &self.inner.writer;
        match writer.begin_with(BEGIN).await {
            // On some errors, a full disk among them, SQLite ends the transaction by itself. sqlx
            // then believes for ever that one is open: only another connection helps.
            Err(sqlx::Error::InvalidSavePointStatement) if !self.inner.in_memory => {
                let stuck = writer.acquire().await?;
                if let Err(error) = stuck.close().await {
                    tracing::debug!(%error, "closing a connection failed");
                }
                Ok(writer.begin_with(BEGIN).await?)
            }
            begun => Ok(begun?),
        }
    }

    /// Finishes what is under way and closes every connection. Everything asked later is
    /// [`StoreError::Closed`].
    pub async fn close(&self) {
        self.inner.reader.close().await;
        // The last to close carries the write-ahead log over into the file.
        self.inner.writer.close().await;
    }

    /// Writes a row to find out whether that works.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn is_writable(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO health (id, checks) VALUES (1, 1)
             ON CONFLICT (id) DO UPDATE SET checks = checks + 1",
        )
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Sums over everything stored.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn totals(&self) -> Result<Totals, StoreError> {
        let (runs, real, simulated): (i64, i64, i64) = sqlx::query_as(
            "SELECT count(*),
                    coalesce(sum(cost_usd_micros) FILTER (WHERE NOT simulated), 0),
                    coalesce(sum(cost_usd_micros) FILTER (WHERE simulated), 0)
             FROM runs",
        )
        .fetch_one(self.reader())
        .await?;
        Ok(Totals {
            runs: from_sql(runs),
            cost_usd_micros: from_sql(real),
            simulated_cost_usd_micros: from_sql(simulated),
        })
    }
}

/// A count as SQLite keeps it: its integers are signed.
pub(crate) fn to_sql(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

/// A count as it was before [`to_sql`].
pub(crate) fn from_sql(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// An RFC 3339 time in UTC as text that sorts by time, whatever number of decimals it has.
pub(crate) fn time_key(rfc3339: &str) -> &str {
    rfc3339.trim_end_matches('Z').trim_end_matches("+00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_sort_as_text_whatever_their_decimals() {
        let times = [
            "2026-11-21T03:55:07Z",
            "2026-11-21T03:55:07.05Z",
            "2026-11-21T03:55:07.5+00:00",
            "2026-11-21T03:55:07.512345Z",
            "2026-11-21T03:55:08Z",
        ];
        assert!(times.map(time_key).is_sorted());
    }

    #[tokio::test]
    async fn a_full_disk_is_told_from_other_trouble_and_writing_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
        let text = "x".repeat(1 << 20);
        let document = lanes_model::DocumentInfo {
            id: "d".into(),
            name: "d".to_owned(),
            bytes: 1 << 20,
            tokens: 1,
        };
        // The limit belongs to the connection and holds as long as it is used.
        let pages: i64 =
            sqlx::query_scalar("PRAGMA page_count").fetch_one(store.writer()).await.unwrap();
        assert!(pages < 100);
        sqlx::query("PRAGMA max_page_count = 100").execute(store.writer()).await.unwrap();
        let full = store.put_document(&document, &text).await;
        assert!(matches!(full, Err(StoreError::Full { .. })), "{full:?}");
        // The transaction is gone, and not in the way of the next one.
        store.is_writable().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 100000").execute(store.writer()).await.unwrap();
        store.put_document(&document, &text).await.unwrap();
        assert_eq!(store.document_text(&document.id).await.unwrap(), Some(text));
    }

    #[tokio::test]
    async fn a_database_held_by_another_program_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lanes.db");
        let patience = std::time::Duration::from_millis(1);
        let store = crate::open::open_waiting(&path, patience).await.unwrap();
        let other = crate::open::open_waiting(&path, patience).await.unwrap();
        let held = other.write().await.unwrap();
        let locked = store.is_writable().await;
        assert!(matches!(locked, Err(StoreError::Locked { .. })), "{locked:?}");
        assert_eq!(store.totals().await.unwrap(), Totals::default());
        held.rollback().await.unwrap();
        store.is_writable().await.unwrap();
    }
}
