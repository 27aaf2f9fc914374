//! API keys and the sessions of browsers: rows and nothing more. What is right and who may what is the
//! service's matter; here there is no secret, only hashes.

use crate::{Store, StoreError};

/// A key as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct StoredKey {
    /// The part that is not secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is good for: `read`, `run` or `admin`.
    pub scope: String,
    /// Argon2id, as a PHC string.
    pub hash: String,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<String>,
}

/// A session to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSession {
    /// SHA-256 of what the browser has.
    pub id: [u8; 32],
    /// The key that it was opened with; none for the token of the environment.
    pub key: Option<String>,
    /// When it ends, in seconds since 1970.
    pub expires: i64,
}

impl Store {
    /// All keys, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn api_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        let all = sqlx::query_as("SELECT * FROM api_keys ORDER BY created_at, rowid");
        Ok(all.fetch_all(self.reader()).await?)
    }

    /// One key.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn api_key(&self, id: &str) -> Result<Option<StoredKey>, StoreError> {
        let one = sqlx::query_as("SELECT * FROM api_keys WHERE id = ?1").bind(id);
        Ok(one.fetch_optional(self.reader()).await?)
    }

    /// Keeps a new key.
    ///
    /// # Errors
    /// When there is one of that id, or the database does not take it.
    pub async fn put_api_key(&self, key: &StoredKey) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO api_keys (id, name, scope, hash, created_at, expires_at, last_used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&key.id)
        .bind(&key.name)
        .bind(&key.scope)
        .bind(&key.hash)
        .bind(&key.created_at)
        .bind(&key.expires_at)
        .bind(&key.last_used_at)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a key and the sessions that were opened with it. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_api_key(&self, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query("DELETE FROM api_keys WHERE id = ?1").bind(id);
        let gone = gone.execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(gone > 0)
    }

    /// Notes when a key was used.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn touch_api_key(&self, id: &str, at: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let note = sqlx::query("UPDATE api_keys SET last_used_at = ?2 WHERE id = ?1");
        note.bind(id).bind(at).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Keeps a session; those that have ended by `now` (seconds since 1970) go.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_session(&self, session: &NewSession, now: i64) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let over = sqlx::query("DELETE FROM sessions WHERE expires <= ?1").bind(now);
        over.execute(&mut *tx).await?;
        sqlx::query("INSERT INTO sessions (id, key, expires) VALUES (?1, ?2, ?3)")
            .bind(session.id.as_slice())
            .bind(&session.key)
            .bind(session.expires)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// The key of a session that has not ended by `now`; the inner value is none for a session of the
    /// environment's token, the outer when there is no such session.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn session(
        &self,
        id: &[u8; 32],
        now: i64,
    ) -> Result<Option<Option<String>>, StoreError> {
        let found = sqlx::query_scalar("SELECT key FROM sessions WHERE id = ?1 AND expires > ?2");
        Ok(found.bind(id.as_slice()).bind(now).fetch_optional(self.reader()).await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_session(&self, id: &[u8; 32]) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query("DELETE FROM sessions WHERE id = ?1").bind(id.as_slice());
        gone.execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}
