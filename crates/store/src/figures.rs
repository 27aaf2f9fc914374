//! Sums over calls by minute and by hour, for the dashboard and the alerts: what these show costs the
//! same however long the logs are.
//!
//! Rule: what is added and how far the logs have gone into it are written together, so that nothing is
//! counted twice or left out, whatever ends the program.

use std::fmt::Write as _;

use lanes_model::{Histogram, RunId, RunStatus, Seq};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row};

use crate::store::{from_sql, time_key, to_sql};
use crate::{Store, StoreError};

/// A minute and an hour, in seconds.
const SPANS: [i64; 2] = [60, 3_600];
/// The columns that are summed up, but for those of the histogram.
const SUMS: [&str; 9] = [
    "calls",
    "failed",
    "retried",
    "cached",
    "saved_tokens",
    "saved_usd_micros",
    "input_tokens",
    "output_tokens",
    "cost_usd_micros",
];

/// What calls are told apart by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FigureKey {
    /// The provider that answered, or that was to.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// The task's id.
    pub task: String,
    /// Whether the provider is simulated.
    pub simulated: bool,
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Calls that were sent, or answered from the response cache, and have ended.
    pub calls: u64,
    /// Those of them without an answer.
    pub failed: u64,
    /// Those with more than one attempt.
    pub retried: u64,
    /// Those that the response cache answered.
    pub cached: u64,
    /// Tokens that these did not use.
    pub saved_tokens: u64,
    /// What these did not cost, as far as the price is known.
    pub saved_usd_micros: u64,
    /// Prompt tokens of all attempts.
    pub input_tokens: u64,
    /// Answer tokens of all attempts.
    pub output_tokens: u64,
    /// What all attempts cost, as far as prices are known.
    pub cost_usd_micros: u64,
    /// The times of calls that were sent and answered.
    pub times: Histogram,
}

impl Figures {
    /// Adds others.
    pub fn merge(&mut self, other: &Self) {
        let (mine, theirs) = (self.sums(), other.sums());
        let mut sums = [0; SUMS.len()];
        for ((sum, a), b) in sums.iter_mut().zip(mine).zip(theirs) {
            *sum = a + b;
        }
        let mut times = self.times;
        times.merge(&other.times);
        *self = Self::of(sums, times);
    }

    /// In the order of the columns.
    const fn sums(&self) -> [u64; SUMS.len()] {
        [
            self.calls,
            self.failed,
            self.retried,
            self.cached,
            self.saved_tokens,
            self.saved_usd_micros,
            self.input_tokens,
            self.output_tokens,
            self.cost_usd_micros,
        ]
    }

    const fn of(sums: [u64; SUMS.len()], times: Histogram) -> Self {
        let [calls, failed, retried, cached, saved_tokens, saved_usd_micros, input, output, cost] =
            sums;
        Self {
            calls,
            failed,
            retried,
            cached,
            saved_tokens,
            saved_usd_micros,
            input_tokens: input,
            output_tokens: output,
            cost_usd_micros: cost,
            times,
        }
    }
}

/// Sums over the calls of some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureRow {
    /// Its beginning, seconds since 1970.
    pub start: i64,
    /// Of which calls.
    pub key: FigureKey,
    /// The sums.
    pub figures: Figures,
}

/// How far a run's log has gone into the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Its last event there.
    pub seq: Seq,
    /// Whether it was at rest there.
    pub at_rest: bool,
}

/// The names of all columns that are summed up, each as `with` writes it.
fn columns(with: impl Fn(&str) -> String) -> String {
    let times = (0..Histogram::BUCKETS).map(|bucket| format!("t{bucket:02}"));
    let names = SUMS.iter().map(|&name| name.to_owned()).chain(times);
    names.map(|name| with(&name)).collect::<Vec<_>>().join(", ")
}

impl Store {
    /// Adds to the figures; `rows` begin at whole minutes. With `only_if`, nothing is added unless that
    /// run's log has gone as far into them as is said. Says whether it was added.
    ///
    /// # Errors
    /// Why the database did not take it; then it took nothing.
    pub async fn add_figures(
        &self,
        rows: &[FigureRow],
        runs: &[(RunId, Counted)],
        only_if: Option<(&RunId, Option<Seq>)>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        if let Some((run, expected)) = only_if {
            let found: Option<i64> =
                sqlx::query_scalar("SELECT seq FROM figure_runs WHERE run = ?1")
                    .bind(run.as_str())
                    .fetch_optional(&mut *tx)
                    .await?;
            if found.map(|seq| Seq(from_sql(seq))) != expected {
                return Ok(false);
            }
        }
        // All rows in one statement, as JSON: each statement is a turn of SQLite's thread.
        let mut values = Vec::new();
        for (row, span) in rows.iter().flat_map(|row| SPANS.map(|span| (row, span))) {
            let FigureKey { provider, model, task, simulated } = &row.key;
            let start = row.start - row.start.rem_euclid(span);
            let mut value = vec![
                json!(span),
                json!(start),
                json!(provider),
                json!(model),
                json!(task),
                json!(u8::from(*simulated)),
            ];
            let numbers = row.figures.sums().into_iter().chain(row.figures.times.counts);
            value.extend(numbers.map(|n| json!(to_sql(n))));
            values.push(serde_json::Value::Array(value));
        }
        if !values.is_empty() {
            let mut sql = format!(
                "INSERT INTO figures (span, start, provider, model, task, simulated, {}) SELECT ",
                columns(str::to_owned)
            );
            for place in 0..6 + SUMS.len() + Histogram::BUCKETS {
                let comma = if place == 0 { "" } else { ", " };
                // Writing to a string cannot fail.
                let _ = write!(sql, "{comma}json_extract(value, '$[{place}]')");
            }
            let _ = write!(
                sql,
                " FROM json_each(?1) WHERE true
                 ON CONFLICT (span, start, provider, model, task, simulated) DO UPDATE SET {}",
                columns(|name| format!("{name} = {name} + excluded.{name}"))
            );
            // Only names of columns and numbers are in the text.
            sqlx::query(AssertSqlSafe(sql))
                .bind(serde_json::Value::Array(values).to_string())
                .execute(&mut *tx)
                .await?;
        }
        let runs: Vec<_> =
            runs.iter().map(|(run, c)| json!([run.as_str(), c.seq.0, c.at_rest as u8])).collect();
        sqlx::query(
            "INSERT INTO figure_runs (run, seq, at_rest)
             SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
                    json_extract(value, '$[2]')
             FROM json_each(?1)
             WHERE EXISTS (SELECT 1 FROM runs WHERE id = json_extract(value, '$[0]'))
             ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, at_rest = excluded.at_rest",
        )
        .bind(serde_json::Value::Array(runs).to_string())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Sums from `from` on (seconds since 1970), in steps of so many seconds, which are whole minutes;
    /// by whole hours, in steps of whole hours, when that is enough. In order of time.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn figures(&self, from: i64, step_s: i64) -> Result<Vec<FigureRow>, StoreError> {
        let span = if step_s % 3_600 == 0 && from % 3_600 == 0 { 3_600 } else { 60 };
        self.summed(span, from, step_s.max(span)).await
    }

    /// Sums over all minutes from that one on (seconds since 1970).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn figures_since(&self, from: i64) -> Result<Vec<FigureRow>, StoreError> {
        // One step that nothing is beyond.
        self.summed(60, from, i64::MAX).await
    }

    async fn summed(
        &self,
        span: i64,
        from: i64,
        step_s: i64,
    ) -> Result<Vec<FigureRow>, StoreError> {
        let sql = format!(
            "SELECT start / ?3 * ?3, provider, model, task, simulated, {} FROM figures
             WHERE span = ?1 AND start >= ?2 GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5",
            columns(|name| format!("sum({name})"))
        );
        // Only names of columns are in the text.
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(span)
            .bind(from)
            .bind(step_s)
            .fetch_all(self.reader())
            .await?;
        let read = |row: sqlx::sqlite::SqliteRow| {
            let number = |place: usize| row.try_get::<i64, _>(5 + place).map(from_sql);
            let mut sums = [0; SUMS.len()];
            for (place, sum) in sums.iter_mut().enumerate() {
                *sum = number(place)?;
            }
            let mut times = Histogram::default();
            for (bucket, count) in times.counts.iter_mut().enumerate() {
                *count = number(SUMS.len() + bucket)?;
            }
            Ok(FigureRow {
                start: row.try_get(0)?,
                key: FigureKey {
                    provider: row.try_get(1)?,
                    model: row.try_get(2)?,
                    task: row.try_get(3)?,
                    simulated: row.try_get(4)?,
                },
                figures: Figures::of(sums, times),
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// How far a run's log has gone into the figures.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn counted(&self, run: &RunId) -> Result<Option<Seq>, StoreError> {
        let seq: Option<i64> = sqlx::query_scalar("SELECT seq FROM figure_runs WHERE run = ?1")
            .bind(run.as_str())
            .fetch_optional(self.reader())
            .await?;
        Ok(seq.map(|seq| Seq(from_sql(seq))))
    }

    /// Runs at rest, begun since then (RFC 3339 in UTC), that may not be whole in the figures.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn uncounted_runs(&self, since: &str) -> Result<Vec<RunId>, StoreError> {
        let ids: Vec<String> = sqlx::query_scalar(
            "SELECT id FROM runs LEFT JOIN figure_runs ON figure_runs.run = runs.id
             WHERE created_key >= ?1 AND status NOT IN ('queued', 'running')
               AND coalesce(at_rest, 0) = 0
             ORDER BY created_key DESC",
        )
        .bind(time_key(since))
        .fetch_all(self.reader())
        .await?;
        Ok(ids.into_iter().map(RunId).collect())
    }

    /// How many runs begun since then (RFC 3339 in UTC) stand how.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_counts(&self, since: &str) -> Result<Vec<(RunStatus, u64)>, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT status, count(*) FROM runs WHERE created_key >= ?1 GROUP BY status",
        )
        .bind(time_key(since))
        .fetch_all(self.reader())
        .await?;
        let known = rows
            .into_iter()
            .filter_map(|(status, count)| Some((RunStatus::from_id(&status)?, from_sql(count))));
        Ok(known.collect())
    }

    /// Forgets minutes and hours that began before these times, seconds since 1970.
    ///
    /// # Errors
    /// Why the database did not do it.
    pub async fn forget_figures(&self, minutes: i64, hours: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for (span, before) in SPANS.into_iter().zip([minutes, hours]) {
            sqlx::query("DELETE FROM figures WHERE span = ?1 AND start < ?2")
                .bind(span)
                .bind(before)
                .execute(&mut *tx)
                .await?;
        }
        Ok(tx.commit().await?)
    }
}
