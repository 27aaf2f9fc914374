//! Rules of alerts, how they stand and how they stood. What they mean is the service's matter; here they
//! are JSON.
//!
//! Rule: a change, its place in the history and the message that tells of it are written together.

use crate::store::time_key;
use crate::{Message, Store, StoreError, outbox};

/// So much of the history is kept.
const KEPT: i64 = 1_000;

/// A change of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertChange {
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// For the history, as JSON.
    pub body: String,
    /// What webhooks are told.
    pub message: Option<Message>,
}

impl Store {
    /// The rules with their ids, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert_rules(&self) -> Result<Vec<(String, String)>, StoreError> {
        let rules = sqlx::query_as("SELECT id, body FROM alert_rules ORDER BY created_key, id");
        Ok(rules.fetch_all(self.reader()).await?)
    }

    /// Keeps a rule, made at `at` (RFC 3339 in UTC); one whose id is there is replaced in its place.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_alert_rule(&self, id: &str, body: &str, at: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO alert_rules (id, body, created_key) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        )
        .bind(id)
        .bind(body)
        .bind(time_key(at))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a rule and how it stands. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_alert_rule(&self, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let deleted =
            sqlx::query("DELETE FROM alert_rules WHERE id = ?1").bind(id).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(deleted.rows_affected() > 0)
    }

    /// How the rules stand: by their ids.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert_states(&self) -> Result<Vec<(String, String)>, StoreError> {
        Ok(sqlx::query_as("SELECT rule, body FROM alert_states").fetch_all(self.reader()).await?)
    }

    /// Keeps how a rule stands, and what has changed with that.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_alert_state(
        &self,
        rule: &str,
        state: &str,
        change: Option<&AlertChange>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO alert_states (rule, body)
             SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM alert_rules WHERE id = ?1)
             ON CONFLICT (rule) DO UPDATE SET body = excluded.body",
        )
        .bind(rule)
        .bind(state)
        .execute(&mut *tx)
        .await?;
        if let Some(change) = change {
            sqlx::query("INSERT INTO alert_history (rule, at_us, body) VALUES (?1, ?2, ?3)")
                .bind(rule)
                .bind(change.at_us)
                .bind(&change.body)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "DELETE FROM alert_history WHERE id <= (SELECT max(id) FROM alert_history) - ?1",
            )
            .bind(KEPT)
            .execute(&mut *tx)
            .await?;
            if let Some(message) = &change.message {
                outbox::put(&mut tx, message).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// The latest changes, newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn alert_history(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let bodies = sqlx::query_scalar("SELECT body FROM alert_history ORDER BY id DESC LIMIT ?1");
        Ok(bodies.bind(limit).fetch_all(self.reader()).await?)
    }
}
