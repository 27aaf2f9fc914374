//! What is told to webhooks, and who has been told.
//!
//! Rule: what a run's log says and what is to be told of it are written in one transaction
//! ([`announce`]), so that neither is there without the other, whatever ends the program. A message has
//! one id for good: a receiver that gets it twice can tell.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use lanes_model::{CallEnd, EventKind, FailureKind, RunId, RunStatus, Seq};
use sqlx::{FromRow, SqliteConnection};

use crate::log::Entry;
use crate::store::from_sql;
use crate::{Store, StoreError};

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Message {
    /// What receivers know it by.
    pub id: String,
    /// Its kind, such as `run.ended`.
    pub kind: String,
    /// The run that it is about.
    pub run: Option<String>,
    /// How that run stood then.
    pub status: Option<String>,
    /// When it happened, microseconds since 1970.
    pub at_us: i64,
    /// What is sent; not there before the run's figures are.
    pub payload: Option<String>,
}

/// A message that is to go to a webhook.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Due {
    /// Names the delivery.
    pub delivery: i64,
    /// Where to.
    pub webhook: String,
    /// How often it was tried since it was asked for last.
    pub tries: u32,
    /// What.
    #[sqlx(flatten)]
    pub message: Message,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct DeliveryAttempt {
    /// When it began, microseconds since 1970.
    pub at_us: i64,
    /// How long it took.
    pub duration_us: i64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why it did not arrive, in words.
    pub error: Option<String>,
    /// The first bytes of the answer, as text.
    pub answer: String,
}

/// What follows a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterAttempt {
    /// Nothing: it has arrived.
    Delivered,
    /// Nothing: it is given up.
    Failed,
    /// Another at this time, microseconds since 1970.
    Again(i64),
}

/// A delivery with its latest tries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Names it.
    pub id: i64,
    /// `waiting`, `delivered` or `failed`.
    pub state: String,
    /// When it is tried next, microseconds since 1970; says nothing unless it waits.
    pub next_us: i64,
    /// What.
    pub message: Message,
    /// What came of it.
    pub attempts: Vec<DeliveryAttempt>,
}

#[derive(FromRow)]
struct DeliveryRow {
    delivery: i64,
    state: String,
    next_us: i64,
    #[sqlx(flatten)]
    message: Message,
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
}

/// Writes down what is to be told of events that are being written.
pub(crate) async fn announce(
    conn: &mut SqliteConnection,
    batch: &[Entry],
    seqs: &[Option<Seq>],
) -> Result<(), StoreError> {
    let mut found = Vec::new();
    let mut budgets = BTreeSet::new();
    for (entry, seq) in batch.iter().zip(seqs) {
        let Some(seq) = seq else { continue };
        match &entry.kind {
            EventKind::RunEnded { status } => found.push((&entry.run, *seq, *status)),
            EventKind::CallEnded { end: CallEnd::Failed { failure, .. }, .. }
                if failure.kind == FailureKind::BudgetReached =>
            {
                budgets.insert(entry.run.as_str());
            }
            _ => {}
        }
    }
    if found.is_empty() && budgets.is_empty() {
        return Ok(());
    }
    let wanted: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM webhooks WHERE enabled)")
        .fetch_one(&mut *conn)
        .await?;
    if !wanted {
        return Ok(());
    }
    let at_us = now_us();
    let about = |run: &str, kind: &str, id: String, status: RunStatus| Message {
        id,
        kind: kind.to_owned(),
        run: Some(run.to_owned()),
        status: Some(status.id().to_owned()),
        at_us,
        payload: None,
    };
    for run in budgets {
        let id = format!("msg_{run}_budget");
        put(conn, &about(run, "budget.reached", id, RunStatus::Running)).await?;
    }
    for (run, Seq(seq), status) in found {
        let run = run.as_str();
        let id = |what: &str| format!("msg_{run}_{seq}_{what}");
        put(conn, &about(run, "run.ended", id("ended"), status)).await?;
        if matches!(status, RunStatus::Failed | RunStatus::Partial) {
            put(conn, &about(run, "run.failed", id("failed"), status)).await?;
        }
    }
    Ok(())
}

/// Writes a message for every webhook that wants its kind, once.
pub(crate) async fn put(conn: &mut SqliteConnection, message: &Message) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT OR IGNORE INTO webhook_messages (id, kind, run, status, at_us, payload)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (
            SELECT 1 FROM webhooks, json_each(webhooks.events) AS wanted
            WHERE webhooks.enabled AND wanted.value = ?2)",
    )
    .bind(&message.id)
    .bind(&message.kind)
    .bind(&message.run)
    .bind(&message.status)
    .bind(message.at_us)
    .bind(&message.payload)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT OR IGNORE INTO webhook_deliveries (webhook, message, state, next_us)
         SELECT webhooks.id, message.id, 'waiting', ?2
         FROM webhook_messages AS message, webhooks, json_each(webhooks.events) AS wanted
         WHERE message.id = ?1 AND webhooks.enabled AND wanted.value = message.kind",
    )
    .bind(&message.id)
    .bind(now_us())
    .execute(&mut *conn)
    .await?;
    Ok(())
}

impl Store {
    /// Keeps a message for one webhook, whatever kinds that wants. It is not tried before `next_us`.
    /// Gives the delivery's number.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_message_for(
        &self,
        webhook: &str,
        message: &Message,
        next_us: i64,
    ) -> Result<i64, StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO webhook_messages (id, kind, at_us, payload) VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(&message.id)
        .bind(&message.kind)
        .bind(message.at_us)
        .bind(&message.payload)
        .execute(&mut *tx)
        .await?;
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO webhook_deliveries (webhook, message, state, next_us)
             VALUES (?1, ?2, 'waiting', ?3) RETURNING id",
        )
        .bind(webhook)
        .bind(&message.id)
        .bind(next_us)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(id)
    }

    /// The messages about a run that have no payload yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn unfilled_messages(&self, run: &RunId) -> Result<Vec<Message>, StoreError> {
        let found = sqlx::query_as(
            "SELECT id, kind, run, status, at_us, payload FROM webhook_messages
             WHERE run = ?1 AND payload IS NULL",
        );
        Ok(found.bind(run.as_str()).fetch_all(self.reader()).await?)
    }

    /// Gives a message its payload, if it has none yet.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn fill_message(&self, id: &str, payload: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE webhook_messages SET payload = ?2 WHERE id = ?1 AND payload IS NULL")
            .bind(id)
            .bind(payload)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// What is to be sent now, at most so many to each webhook, the longest due first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn due_deliveries(
        &self,
        now_us: i64,
        per_webhook: u32,
    ) -> Result<Vec<Due>, StoreError> {
        let due = sqlx::query_as(
            "SELECT due.id AS delivery, due.webhook, due.tries, message.id, message.kind,
                    message.run, message.status, message.at_us, message.payload
             FROM (SELECT id, webhook, message, tries, next_us,
                          row_number() OVER (PARTITION BY webhook ORDER BY next_us, id) AS place
                   FROM webhook_deliveries WHERE state = 'waiting' AND next_us <= ?1) AS due
             JOIN webhook_messages AS message ON message.id = due.message
             JOIN webhooks ON webhooks.id = due.webhook AND webhooks.enabled
             WHERE place <= ?2 ORDER BY due.next_us, due.id",
        );
        Ok(due.bind(now_us).bind(per_webhook).fetch_all(self.reader()).await?)
    }

    /// When the next of those that wait is due after that time, microseconds since 1970.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn next_delivery(&self, after_us: i64) -> Result<Option<i64>, StoreError> {
        let next = sqlx::query_scalar(
            "SELECT min(next_us) FROM webhook_deliveries WHERE state = 'waiting' AND next_us > ?1",
        );
        Ok(next.bind(after_us).fetch_one(self.reader()).await?)
    }

    /// Writes down what came of a try, and what follows.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn record_attempt(
        &self,
        delivery: i64,
        attempt: &DeliveryAttempt,
        after: AfterAttempt,
    ) -> Result<(), StoreError> {
        let (state, next) = match after {
            AfterAttempt::Delivered => ("delivered", None),
            AfterAttempt::Failed => ("failed", None),
            AfterAttempt::Again(at) => ("waiting", Some(at)),
        };
        let mut tx = self.write().await?;
        let known = sqlx::query(
            "UPDATE webhook_deliveries
             SET state = ?2, tries = tries + 1, next_us = coalesce(?3, next_us) WHERE id = ?1",
        )
        .bind(delivery)
        .bind(state)
        .bind(next)
        .execute(&mut *tx)
        .await?;
        // Its webhook may have been deleted meanwhile.
        if known.rows_affected() > 0 {
            sqlx::query(
                "INSERT INTO webhook_attempts (delivery, at_us, duration_us, status, error, answer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )
            .bind(delivery)
            .bind(attempt.at_us)
            .bind(attempt.duration_us)
            .bind(attempt.status)
            .bind(&attempt.error)
            .bind(&attempt.answer)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Puts a delivery back to be tried at once, as if it never had been. Says whether there is such a
    /// one.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn redeliver(&self, webhook: &str, delivery: i64) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let done = sqlx::query(
            "UPDATE webhook_deliveries SET state = 'waiting', tries = 0, next_us = ?3
             WHERE webhook = ?1 AND id = ?2",
        )
        .bind(webhook)
        .bind(delivery)
        .bind(now_us())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    /// Deliveries to a webhook, newest first, those before a number when one is given.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries(
        &self,
        webhook: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        // One snapshot for the deliveries and what came of them.
        let mut tx = self.reader().begin().await?;
        let rows: Vec<DeliveryRow> = sqlx::query_as(
            "SELECT delivery.id AS delivery, delivery.state, delivery.next_us, message.id,
                    message.kind, message.run, message.status, message.at_us, message.payload
             FROM webhook_deliveries AS delivery
             JOIN webhook_messages AS message ON message.id = delivery.message
             WHERE delivery.webhook = ?1 AND delivery.id < ?2 ORDER BY delivery.id DESC LIMIT ?3",
        )
        .bind(webhook)
        .bind(before.unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(&mut *tx)
        .await?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for row in rows {
            let attempts = sqlx::query_as(
                "SELECT at_us, duration_us, status, error, answer FROM webhook_attempts
                 WHERE delivery = ?1 ORDER BY id DESC LIMIT 20",
            );
            deliveries.push(Delivery {
                id: row.delivery,
                state: row.state,
                next_us: row.next_us,
                message: row.message,
                attempts: attempts.bind(row.delivery).fetch_all(&mut *tx).await?,
            });
        }
        tx.commit().await?;
        Ok(deliveries)
    }

    /// Forgets messages that are older than that time and wait for nobody, with their deliveries. Says
    /// how many.
    ///
    /// # Errors
    /// Why the database did not do it.
    pub async fn forget_messages(&self, before_us: i64) -> Result<u64, StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query(
            "DELETE FROM webhook_messages WHERE at_us < ?1 AND NOT EXISTS (
                SELECT 1 FROM webhook_deliveries
                WHERE message = webhook_messages.id AND state = 'waiting')",
        )
        .bind(before_us)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(gone.rows_affected())
    }

    /// How many deliveries wait, over all webhooks.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn waiting_deliveries(&self) -> Result<u64, StoreError> {
        let count =
            sqlx::query_scalar("SELECT count(*) FROM webhook_deliveries WHERE state = 'waiting'");
        Ok(from_sql(count.fetch_one(self.reader()).await?))
    }
}
