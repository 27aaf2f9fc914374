//! Looking after the database: how large it is, a copy of it while it is in use, what is old.

use std::path::Path;

use lanes_model::RunId;

use crate::store::{from_sql, time_key, to_sql};
use crate::{Store, StoreError};

/// How much room the database takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Size {
    /// The file, without its write-ahead log.
    pub file: u64,
    /// Of it what holds data: the rest is used again before the file grows.
    pub used: u64,
}

/// A run at rest, for deciding what to let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldRun {
    /// Which.
    pub run: RunId,
    /// When it was asked for, RFC 3339 in UTC without its final Z.
    pub created: String,
}

impl Store {
    /// How much room it takes.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn size(&self) -> Result<Size, StoreError> {
        let (pages, free, page): (i64, i64, i64) = sqlx::query_as(
            "SELECT (SELECT page_count FROM pragma_page_count),
                    (SELECT freelist_count FROM pragma_freelist_count),
                    (SELECT page_size FROM pragma_page_size)",
        )
        .fetch_one(self.reader())
        .await?;
        let (pages, free, page) = (from_sql(pages), from_sql(free), from_sql(page));
        Ok(Size { file: pages * page, used: pages.saturating_sub(free) * page })
    }

    /// The runs that are at rest, the oldest first: at most `limit`, and only those asked for before
    /// `before` (RFC 3339 in UTC), if that is given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn old_runs(
        &self,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OldRun>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as(
            "SELECT id, created_key FROM runs
             WHERE status NOT IN ('queued', 'running') AND (?1 IS NULL OR created_key < ?1)
             ORDER BY created_key, id LIMIT ?2",
        )
        .bind(before.map(time_key))
        .bind(to_sql(u64::from(limit)))
        .fetch_all(self.reader())
        .await?;
        Ok(rows.into_iter().map(|(run, created)| OldRun { run: RunId(run), created }).collect())
    }

    /// Writes a copy of the whole database to a file that is not there yet. Others read and write
    /// meanwhile; the copy is as everything was at one moment.
    ///
    /// # Errors
    /// A file that is there, a folder that cannot be written, or a database that cannot be read.
    pub async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        // Made first, and empty, so that nobody else can ever read it.
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(to)?;
        let mut connection = self.writing_connection().await?;
        let copied = sqlx::query("VACUUM INTO ?1").bind(to.to_string_lossy().as_ref());
        match copied.execute(&mut *connection).await {
            Ok(_) => Ok(()),
            Err(error) => {
                // Half a copy is none.
                let _ = std::fs::remove_file(to);
                Err(error.into())
            }
        }
    }

    /// Gives room that holds nothing back to the file system. Takes as long as copying the database, and
    /// as much room meanwhile; nothing is written until it is done.
    ///
    /// # Errors
    /// Why the database did not do it; then everything is as it was.
    pub async fn shrink(&self) -> Result<(), StoreError> {
        let mut connection = self.writing_connection().await?;
        sqlx::query("VACUUM").execute(&mut *connection).await?;
        // The log has all of it once more.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *connection).await?;
        Ok(())
    }
}
