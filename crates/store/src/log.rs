//! The logs: appending and reading events.
//!
//! Numbers are given here, inside the transaction that writes: 1, 2, 3 … for each run, without gaps.
//! Who must not wait for the disk uses [`EventWriter`](crate::EventWriter).

use std::collections::HashMap;
use std::fmt::Write as _;

use lanes_model::{EventKind, Micros, RunEvent, RunId, Seq};
use sqlx::{AssertSqlSafe, SqliteConnection};

use crate::store::{from_sql, to_sql};
use crate::{Store, StoreError, outbox};

/// Something to append to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// To which run's.
    pub run: RunId,
    /// When it happened, on the run's clock.
    pub at: Micros,
    /// What happened.
    pub kind: EventKind,
}

/// What to do with an entry that cannot ever be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hopeless {
    /// Refuse the whole batch.
    Refuse,
    /// Leave it out, so that it does not hold up the others.
    LeaveOut,
}

impl Store {
    /// Appends all or none, in one transaction, and returns what was written, in the same order.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a run was never created or is deleted; then nothing is
    /// written. Otherwise why the database did not take it.
    pub async fn append(&self, batch: &[Entry]) -> Result<Vec<(RunId, RunEvent)>, StoreError> {
        let seqs = self.append_numbered(batch, Hopeless::Refuse).await?;
        Ok(batch
            .iter()
            .zip(seqs)
            .filter_map(|(entry, seq)| {
                let event = RunEvent { seq: seq?, at: entry.at, kind: entry.kind.clone() };
                Some((entry.run.clone(), event))
            })
            .collect())
    }

    /// The numbers that the entries got, `None` for one that was left out.
    pub(crate) async fn append_numbered(
        &self,
        batch: &[Entry],
        hopeless: Hopeless,
    ) -> Result<Vec<Option<Seq>>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.write().await?;
        let mut last: HashMap<&RunId, Option<Seq>> = HashMap::new();
        let mut seqs = Vec::with_capacity(batch.len());
        let mut rows = Vec::with_capacity(batch.len());
        for entry in batch {
            let run = &entry.run;
            let before = match last.get(run) {
                Some(known) => *known,
                None => {
                    let found = last_of(&mut tx, run).await?;
                    if found.is_none() && hopeless == Hopeless::LeaveOut {
                        tracing::warn!(%run, "events of a run that is not stored are left out");
                    }
                    last.insert(run, found);
                    found
                }
            };
            let seq = match (before, hopeless) {
                (None, Hopeless::Refuse) => return Err(StoreError::no_run(run)),
                (None, Hopeless::LeaveOut) => None,
                (Some(before), _) => {
                    let seq = before.next();
                    match self.row(run, seq, entry.at, &entry.kind) {
                        Ok(row) => {
                            rows.push(row);
                            Some(seq)
                        }
                        Err(error) if hopeless == Hopeless::LeaveOut => {
                            tracing::error!(%error, "an event is left out");
                            None
                        }
                        Err(error) => return Err(error),
                    }
                }
            };
            if seq.is_some() {
                last.insert(run, seq);
            }
            seqs.push(seq);
        }
        insert_all(&mut tx, &rows).await?;
        outbox::announce(&mut tx, batch, &seqs).await?;
        tx.commit().await?;
        Ok(seqs)
    }

    /// An event as it is written here.
    fn row<'a>(
        &self,
        run: &'a RunId,
        seq: Seq,
        at: Micros,
        kind: &EventKind,
    ) -> Result<Row<'a>, StoreError> {
        match self.keeps_texts() {
            true => Row::new(run, seq, at, kind),
            false => Row::new(run, seq, at, &kind.clone().figures()),
        }
    }

    /// Up to `limit` events of a log, those after `after`, in order. Empty when there are none, and
    /// when there is no such run.
    ///
    /// # Errors
    /// When the database or an event in it cannot be read.
    pub async fn events(
        &self,
        run: &RunId,
        after: Seq,
        limit: u32,
    ) -> Result<Vec<RunEvent>, StoreError> {
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT seq, at_us, body FROM events WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )
        .bind(run.as_str())
        .bind(to_sql(after.0))
        .bind(limit)
        .fetch_all(self.reader())
        .await?;
        rows.into_iter()
            .map(|(seq, at, body)| {
                let kind = serde_json::from_str(&body).map_err(|source| StoreError::Json {
                    what: format!("event {seq} of run {run}"),
                    source,
                })?;
                Ok(RunEvent { seq: Seq(from_sql(seq)), at: Micros(from_sql(at)), kind })
            })
            .collect()
    }

    /// The number of a log's last event; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_seq(&self, run: &RunId) -> Result<Option<Seq>, StoreError> {
        let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM events WHERE run = ?1")
            .bind(run.as_str())
            .fetch_one(self.reader())
            .await?;
        Ok(last.map(from_sql).map(Seq))
    }
}

/// The last number of a run that exists (zero before its first event), `None` when there is no such
/// run.
async fn last_of(conn: &mut SqliteConnection, run: &RunId) -> Result<Option<Seq>, StoreError> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT coalesce((SELECT max(seq) FROM events WHERE run = runs.id), 0)
         FROM runs WHERE id = ?1",
    )
    .bind(run.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(found.map(from_sql).map(Seq))
}

/// One event as it is written.
struct Row<'a> {
    run: &'a RunId,
    seq: Seq,
    at: Micros,
    body: String,
}

impl<'a> Row<'a> {
    fn new(run: &'a RunId, seq: Seq, at: Micros, kind: &EventKind) -> Result<Self, StoreError> {
        let what = |source| StoreError::Json { what: format!("event {seq} of run {run}"), source };
        Ok(Self { run, seq, at, body: serde_json::to_string(kind).map_err(what)? })
    }
}

/// Writes one event under a number.
pub(crate) async fn insert(
    conn: &mut SqliteConnection,
    run: &RunId,
    seq: Seq,
    at: Micros,
    kind: &EventKind,
) -> Result<(), StoreError> {
    insert_all(conn, &[Row::new(run, seq, at, kind)?]).await
}

/// The most rows in one statement.
const ROWS: usize = 64;
/// Up to so many rows each number has a statement; above it only the multiples.
const FEW: usize = 16;

/// Writes events, many in one statement: each statement is a turn of SQLite's thread, and changing
/// threads costs more than the row. Most commits are one or two of them, and there are few numbers of
/// rows, so that there are few statements to prepare.
async fn insert_all(conn: &mut SqliteConnection, mut rows: &[Row<'_>]) -> Result<(), StoreError> {
    while !rows.is_empty() {
        let n = match rows.len().min(ROWS) {
            few @ ..=FEW => few,
            many => many - many % FEW,
        };
        let (now, later) = rows.split_at(n);
        let mut sql = String::from("INSERT INTO events (run, seq, at_us, kind, body) VALUES ");
        for first in (1..=4 * n).step_by(4) {
            let comma = if first == 1 { "" } else { ", " };
            let (seq, at, body) = (first + 1, first + 2, first + 3);
            // Writing to a string cannot fail.
            let _ = write!(
                sql,
                "{comma}(?{first}, ?{seq}, ?{at}, json_extract(?{body}, '$.type'), ?{body})"
            );
        }
        // Only numbers of parameters are in the text.
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in now {
            query = query
                .bind(row.run.as_str())
                .bind(to_sql(row.seq.0))
                .bind(to_sql(row.at.0))
                .bind(row.body.as_str());
        }
        query.execute(&mut *conn).await?;
        rows = later;
    }
    Ok(())
}
