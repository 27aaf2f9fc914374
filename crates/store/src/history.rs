//! What past calls teach about future ones: means over the latest calls of each task.

use std::collections::BTreeSet;

use crate::store::{from_sql, time_key, to_sql};
use crate::{Store, StoreError};

/// Calls kept for each task of a model; older ones are forgotten.
const KEPT: i64 = 500;

/// One call that succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRecord {
    /// The task's id.
    pub task: String,
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Time of the successful attempt, µs.
    pub duration_us: u64,
    /// Time to its first token, µs.
    pub ttft_us: u64,
    /// Tokens of the prompt.
    pub input_tokens: u64,
    /// Tokens of the answer.
    pub output_tokens: u64,
    /// When it ended, RFC 3339 in UTC.
    pub ended_at: String,
}

/// The means of one task's latest calls, rounded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskHistoryRow {
    /// The task's id.
    pub task: String,
    /// How many calls the means are over, at least 1.
    pub samples: u32,
    /// Mean time of a call, µs.
    pub duration_us: u64,
    /// Mean time to the first token, µs.
    pub ttft_us: u64,
    /// Mean length of an answer, tokens.
    pub output_tokens: u64,
    /// Standard deviation of the time of a call, µs.
    pub deviation_us: u64,
}

impl Store {
    /// Remembers calls, and forgets those that are older than the latest 500 of the same task,
    /// provider and model.
    ///
    /// # Errors
    /// Why the database did not take them; then it took none.
    pub async fn record_calls(&self, calls: &[CallRecord]) -> Result<(), StoreError> {
        if calls.is_empty() {
            return Ok(());
        }
        let mut tx = self.write().await?;
        for call in calls {
            sqlx::query(
                "INSERT INTO call_history (task, provider, model, duration_us, ttft_us,
                    input_tokens, output_tokens, ended_key)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )
            .bind(&call.task)
            .bind(&call.provider)
            .bind(&call.model)
            .bind(to_sql(call.duration_us))
            .bind(to_sql(call.ttft_us))
            .bind(to_sql(call.input_tokens))
            .bind(to_sql(call.output_tokens))
            .bind(time_key(&call.ended_at))
            .execute(&mut *tx)
            .await?;
        }
        let kinds: BTreeSet<_> = calls.iter().map(|c| (&c.provider, &c.model, &c.task)).collect();
        for (provider, model, task) in kinds {
            sqlx::query(
                "DELETE FROM call_history WHERE id IN (
                    SELECT id FROM call_history WHERE provider = ?1 AND model = ?2 AND task = ?3
                    ORDER BY ended_key DESC, id DESC LIMIT -1 OFFSET ?4)",
            )
            .bind(provider)
            .bind(model)
            .bind(task)
            .bind(KEPT)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// For each task that this model has done, the means over its latest calls, `per_task_limit` at
    /// the most (500 are kept), in the order of the tasks' ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn task_history(
        &self,
        provider: &str,
        model: &str,
        per_task_limit: u32,
    ) -> Result<Vec<TaskHistoryRow>, StoreError> {
        let rows: Vec<(String, u32, i64, i64, i64, f64)> = sqlx::query_as(
            "SELECT task, count(*),
                    CAST(round(avg(duration_us)) AS INTEGER),
                    CAST(round(avg(ttft_us)) AS INTEGER),
                    CAST(round(avg(output_tokens)) AS INTEGER),
                    avg(1.0 * duration_us * duration_us) - avg(duration_us) * avg(duration_us)
             FROM (SELECT task, duration_us, ttft_us, output_tokens,
                          row_number() OVER (
                              PARTITION BY task ORDER BY ended_key DESC, id DESC) AS place
                   FROM call_history WHERE provider = ?1 AND model = ?2)
             WHERE place <= ?3 GROUP BY task ORDER BY task",
        )
        .bind(provider)
        .bind(model)
        .bind(per_task_limit)
        .fetch_all(self.reader())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(task, samples, duration, ttft, output, variance)| TaskHistoryRow {
                task,
                samples,
                duration_us: from_sql(duration),
                ttft_us: from_sql(ttft),
                output_tokens: from_sql(output),
                // Rounding may bring the variance of equal times below zero.
                deviation_us: variance.max(0.0).sqrt().round() as u64,
            })
            .collect())
    }
}
