//! Addresses that want to be told. What is told, and who has been told, is in `outbox`.
//!
//! Rule: a secret comes in and goes out as it is given, encrypted; nothing here can read it.

use sqlx::FromRow;

use crate::store::time_key;
use crate::{Store, StoreError};

/// An address that wants to be told, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredWebhook {
    /// Names it.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// The kinds of message that it wants.
    pub events: Vec<String>,
    /// What messages are signed with, encrypted.
    pub secret: Vec<u8>,
    /// Whether messages go there.
    pub enabled: bool,
    /// Why the program switched it off, when it did.
    pub note: Option<String>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
}

impl std::fmt::Debug for StoredWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredWebhook")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

#[derive(FromRow)]
struct Row {
    id: String,
    name: String,
    url: String,
    events: String,
    secret: Vec<u8>,
    enabled: bool,
    note: Option<String>,
    created_key: String,
}

impl Row {
    fn read(self) -> Result<StoredWebhook, StoreError> {
        let events = serde_json::from_str(&self.events).map_err(|source| StoreError::Json {
            what: format!("the events of webhook {}", self.id),
            source,
        })?;
        Ok(StoredWebhook {
            id: self.id,
            name: self.name,
            url: self.url,
            events,
            secret: self.secret,
            enabled: self.enabled,
            note: self.note,
            created_at: format!("{}Z", self.created_key),
        })
    }
}

impl Store {
    /// All of them, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn webhooks(&self) -> Result<Vec<StoredWebhook>, StoreError> {
        let rows: Vec<Row> = sqlx::query_as("SELECT * FROM webhooks ORDER BY created_key, id")
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(Row::read).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn webhook(&self, id: &str) -> Result<Option<StoredWebhook>, StoreError> {
        let row: Option<Row> = sqlx::query_as("SELECT * FROM webhooks WHERE id = ?1")
            .bind(id)
            .fetch_optional(self.reader())
            .await?;
        row.map(Row::read).transpose()
    }

    /// Keeps one; one of the same id is replaced, but for its secret and the time it was made at. What
    /// waits for one that is switched off is given up.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_webhook(&self, webhook: &StoredWebhook) -> Result<(), StoreError> {
        let events = serde_json::to_string(&webhook.events).map_err(|source| StoreError::Json {
            what: "the events of a webhook".to_owned(),
            source,
        })?;
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO webhooks (id, name, url, events, secret, enabled, note, created_key)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, url = excluded.url,
                events = excluded.events, enabled = excluded.enabled, note = excluded.note",
        )
        .bind(&webhook.id)
        .bind(&webhook.name)
        .bind(&webhook.url)
        .bind(events)
        .bind(&webhook.secret)
        .bind(webhook.enabled)
        .bind(&webhook.note)
        .bind(time_key(&webhook.created_at))
        .execute(&mut *tx)
        .await?;
        if !webhook.enabled {
            give_up(&mut tx, &webhook.id).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Switches one off and says why; what waits for it is given up.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn switch_off_webhook(&self, id: &str, why: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE webhooks SET enabled = 0, note = ?2 WHERE id = ?1")
            .bind(id)
            .bind(why)
            .execute(&mut *tx)
            .await?;
        give_up(&mut tx, id).await?;
        Ok(tx.commit().await?)
    }

    /// Forgets one, with the record of what went there. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_webhook(&self, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let deleted =
            sqlx::query("DELETE FROM webhooks WHERE id = ?1").bind(id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }
}

async fn give_up(conn: &mut sqlx::SqliteConnection, id: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE webhook_deliveries SET state = 'failed' WHERE webhook = ?1 AND state = 'waiting'",
    )
    .bind(id)
    .execute(conn)
    .await?;
    Ok(())
}
