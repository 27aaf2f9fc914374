//! Answers of the response cache: found by a key that means nothing here, and forgotten, the least
//! recently used first, when they take too much room.

use lanes_model::Usage;
use sqlx::SqliteConnection;

use crate::store::{from_sql, time_key, to_sql};
use crate::{Store, StoreError};

/// What a row counts for besides its text.
const ROW: u64 = 256;

/// Names an answer: a hash over everything that makes two calls the same.
pub type AnswerKey = [u8; 32];

/// A complete answer. There is no place in it for a failure or for a reason why it is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// Its text.
    pub text: String,
    /// Tokens used when it was asked for.
    pub usage: Usage,
    /// The model that gave it.
    pub model: String,
}

/// What is to be noted of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerNote {
    /// It is new.
    Given(StoredAnswer),
    /// It was used again.
    Used,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerTotals {
    /// Answers.
    pub entries: u64,
    /// What they count for in the limit.
    pub bytes: u64,
}

impl Store {
    /// The answer of that key. That it was used is noted by [`Store::note_answers`].
    ///
    /// # Errors
    /// When the database cannot be read, or what it holds is no answer.
    pub async fn answer(&self, key: &AnswerKey) -> Result<Option<StoredAnswer>, StoreError> {
        let row: Option<(String, String, String)> = sqlx::query_as(
            "SELECT text, usage, model FROM answers WHERE key = ?1 AND finish = 'stop'",
        )
        .bind(key.as_slice())
        .fetch_optional(self.reader())
        .await?;
        let Some((text, usage, model)) = row else { return Ok(None) };
        let usage = serde_json::from_str(&usage).map_err(json)?;
        Ok(Some(StoredAnswer { text, usage, model }))
    }

    /// Notes, in this order and in one transaction, what was given and what was used, at `at` (RFC
    /// 3339 in UTC); then forgets the least recently used until the rest counts for at most
    /// `most_bytes`.
    ///
    /// # Errors
    /// Why the database did not take it; then it took nothing.
    pub async fn note_answers(
        &self,
        notes: &[(AnswerKey, AnswerNote)],
        at: &str,
        most_bytes: u64,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let used: i64 = sqlx::query_scalar("SELECT coalesce(max(used), 0) FROM answers")
            .fetch_one(&mut *tx)
            .await?;
        for (place, (key, note)) in (used + 1..).zip(notes) {
            match note {
                AnswerNote::Given(answer) => put(&mut tx, key, answer, at, place).await?,
                AnswerNote::Used => touch(&mut tx, key, at, place).await?,
            }
        }
        evict(&mut tx, most_bytes).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets every answer.
    ///
    /// # Errors
    /// Why the database did not; then it forgot none.
    pub async fn purge_answers(&self) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("DELETE FROM answers").execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// How much is kept.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn answer_totals(&self) -> Result<AnswerTotals, StoreError> {
        let (entries, bytes): (i64, i64) =
            sqlx::query_as("SELECT count(*), coalesce(sum(bytes), 0) FROM answers")
                .fetch_one(self.reader())
                .await?;
        Ok(AnswerTotals { entries: from_sql(entries), bytes: from_sql(bytes) })
    }
}

async fn put(
    conn: &mut SqliteConnection,
    key: &AnswerKey,
    answer: &StoredAnswer,
    at: &str,
    place: i64,
) -> Result<(), StoreError> {
    let bytes = (answer.text.len() + answer.model.len()) as u64 + ROW;
    sqlx::query(
        "INSERT INTO answers
            (key, text, usage, finish, model, created_key, bytes, used, last_used_key)
         VALUES (?1, ?2, ?3, 'stop', ?4, ?5, ?6, ?7, ?5)
         ON CONFLICT (key) DO UPDATE SET text = excluded.text, usage = excluded.usage,
            created_key = excluded.created_key, bytes = excluded.bytes, used = excluded.used,
            last_used_key = excluded.last_used_key",
    )
    .bind(key.as_slice())
    .bind(&answer.text)
    .bind(serde_json::to_string(&answer.usage).map_err(json)?)
    .bind(&answer.model)
    .bind(time_key(at))
    .bind(to_sql(bytes))
    .bind(place)
    .execute(conn)
    .await?;
    Ok(())
}

async fn touch(
    conn: &mut SqliteConnection,
    key: &AnswerKey,
    at: &str,
    place: i64,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE answers SET used = ?2, last_used_key = ?3 WHERE key = ?1")
        .bind(key.as_slice())
        .bind(place)
        .bind(time_key(at))
        .execute(conn)
        .await?;
    Ok(())
}

async fn evict(conn: &mut SqliteConnection, most_bytes: u64) -> Result<(), StoreError> {
    let all: i64 = sqlx::query_scalar("SELECT coalesce(sum(bytes), 0) FROM answers")
        .fetch_one(&mut *conn)
        .await?;
    if from_sql(all) <= most_bytes {
        return Ok(());
    }
    // The newest come first; where the sum goes over the limit, the rest goes.
    sqlx::query(
        "DELETE FROM answers WHERE key IN (
            SELECT key FROM (
                SELECT key, sum(bytes) OVER (ORDER BY used DESC) AS so_far FROM answers)
            WHERE so_far > ?1)",
    )
    .bind(to_sql(most_bytes))
    .execute(conn)
    .await?;
    Ok(())
}

fn json(source: serde_json::Error) -> StoreError {
    StoreError::Json { what: "the tokens of a cached answer".to_owned(), source }
}
