//! Runs in one line: writing, listing, deleting.
//!
//! A run is created by [`Store::create_run`] alone; here it is updated, found and deleted. Lists
//! read no logs.

use lanes_model::{Mode, RunId, RunStatus, RunSummary};
use sqlx::SqliteConnection;

use crate::cursor::Cursor;
use crate::documents;
use crate::store::{from_sql, time_key, to_sql};
use crate::{Store, StoreError};

/// Which runs to list. The default is the newest of all, up to no row: set `limit`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    /// Those of this mode.
    pub mode: Option<Mode>,
    /// Those that stand so.
    pub status: Option<RunStatus>,
    /// Those whose title contains this, in upper or lower case; blanks around it do not count.
    pub search: Option<String>,
    /// The most on one page.
    pub limit: u32,
    /// From where the last page ended: its `next_cursor`.
    pub cursor: Option<String>,
}

/// Some of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// What is on this page.
    pub items: Vec<T>,
    /// What to ask for the next page with; `None` on the last.
    pub next_cursor: Option<String>,
    /// How many match on all pages.
    pub total: u64,
}

impl Store {
    /// Replaces the summary of a run.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run: one that was deleted does not come back.
    pub async fn put_summary(&self, summary: &RunSummary) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        write_summary(&mut tx, summary, false).await?;
        Ok(tx.commit().await?)
    }

    /// The summary of a run.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn summary(&self, run: &RunId) -> Result<Option<RunSummary>, StoreError> {
        let found: Option<String> = sqlx::query_scalar("SELECT summary FROM runs WHERE id = ?1")
            .bind(run.as_str())
            .fetch_optional(self.reader())
            .await?;
        found.map(|json| read_summary(run.as_str(), &json)).transpose()
    }

    /// A page of runs, newest first. Runs that come or go meanwhile do not shift the pages.
    ///
    /// # Errors
    /// [`StoreError::BadCursor`], or when the database cannot be read.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Page<RunSummary>, StoreError> {
        let start = match &filter.cursor {
            None => Cursor::start(),
            Some(text) => Cursor::from_text(text)?,
        };
        let mode = filter.mode.map(Mode::id);
        let status = filter.status.map(RunStatus::id);
        let search = filter.search.as_deref().map(|s| s.trim().to_lowercase());
        let search = search.filter(|s| !s.is_empty());
        // One snapshot for the rows and their number.
        let mut tx = self.reader().begin().await?;
        // `instr` in place of LIKE: nothing in the text searched for is special.
        let mut rows: Vec<(String, String, String)> = sqlx::query_as(
            "SELECT created_key, id, summary FROM runs
             WHERE (created_key, id) < (?1, ?2)
               AND (?3 IS NULL OR mode = ?3)
               AND (?4 IS NULL OR status = ?4)
               AND (?5 IS NULL OR instr(title_key, ?5) > 0)
             ORDER BY created_key DESC, id DESC LIMIT ?6",
        )
        .bind(start.created_key)
        .bind(start.id)
        .bind(mode)
        .bind(status)
        .bind(search.as_deref())
        .bind(i64::from(filter.limit) + 1)
        .fetch_all(&mut *tx)
        .await?;
        let total: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM runs
             WHERE (?1 IS NULL OR mode = ?1)
               AND (?2 IS NULL OR status = ?2)
               AND (?3 IS NULL OR instr(title_key, ?3) > 0)",
        )
        .bind(mode)
        .bind(status)
        .bind(search.as_deref())
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;

        let more = rows.len() > filter.limit as usize;
        rows.truncate(filter.limit as usize);
        let next_cursor = rows.last().filter(|_| more).map(|(created_key, id, _)| {
            Cursor { created_key: created_key.clone(), id: id.clone() }.to_text()
        });
        let items = rows.iter().map(|(_, id, json)| read_summary(id, json));
        Ok(Page { items: items.collect::<Result<_, _>>()?, next_cursor, total: from_sql(total) })
    }

    /// Runs whose summary says queued or running, oldest first. Right after the start nothing can
    /// be: these are to be marked as interrupted.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn live_runs(&self) -> Result<Vec<RunId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM runs WHERE status IN ('queued', 'running') ORDER BY created_key, id",
        )
        .fetch_all(self.reader())
        .await?;
        Ok(ids.into_iter().map(RunId).collect())
    }

    /// Deletes a run: its log, its summary, and its texts as far as no other run reads them and
    /// nobody stored them for their own sake. Returns whether there was one.
    ///
    /// # Errors
    /// Why the database did not do it; then everything is still there.
    pub async fn delete_run(&self, run: &RunId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let read = documents::of_run(&mut tx, run).await?;
        // Takes the log, the links and the idempotency key along: their tables cascade.
        let deleted = sqlx::query("DELETE FROM runs WHERE id = ?1")
            .bind(run.as_str())
            .execute(&mut *tx)
            .await?;
        documents::collect(&mut tx, &read).await?;
        tx.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

/// Writes a summary: of a run that is `new`, or over that of one that exists.
pub(crate) async fn write_summary(
    conn: &mut SqliteConnection,
    summary: &RunSummary,
    new: bool,
) -> Result<(), StoreError> {
    let json = serde_json::to_string(summary).map_err(|source| StoreError::Json {
        what: format!("the summary of run {}", summary.id),
        source,
    })?;
    let statement = if new {
        "INSERT INTO runs
            (id, created_key, title_key, mode, status, simulated, cost_usd_micros, summary)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    } else {
        "UPDATE runs SET created_key = ?2, title_key = ?3, mode = ?4, status = ?5, simulated = ?6,
            cost_usd_micros = ?7, summary = ?8
         WHERE id = ?1"
    };
    let written = sqlx::query(statement)
        .bind(summary.id.as_str())
        .bind(time_key(&summary.created_at))
        .bind(summary.title.to_lowercase())
        .bind(summary.mode.id())
        .bind(summary.status.id())
        .bind(summary.simulated)
        .bind(summary.cost_usd_micros.map(|cost| to_sql(cost.0)))
        .bind(json)
        .execute(conn)
        .await?;
    if written.rows_affected() == 0 { Err(StoreError::no_run(&summary.id)) } else { Ok(()) }
}

fn read_summary(id: &str, json: &str) -> Result<RunSummary, StoreError> {
    serde_json::from_str(json)
        .map_err(|source| StoreError::Json { what: format!("the summary of run {id}"), source })
}
