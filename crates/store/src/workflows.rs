//! Workflows that people made. Whether one is right is the service's matter; here it is kept as it came.

use lanes_model::{Workflow, WorkflowId};

use crate::store::time_key;
use crate::{Store, StoreError};

impl Store {
    /// All workflows, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read, or what it holds is no workflow.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, StoreError> {
        let bodies: Vec<String> =
            sqlx::query_scalar("SELECT body FROM workflows ORDER BY created_key, rowid")
                .fetch_all(self.reader())
                .await?;
        bodies.iter().map(|body| serde_json::from_str(body).map_err(json)).collect()
    }

    /// Keeps a workflow, at `at` (RFC 3339 in UTC). One whose id is there is replaced in its place.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_workflow(&self, workflow: &Workflow, at: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query(
            "INSERT INTO workflows (id, name, body, created_key, updated_key)
             VALUES (?1, ?2, ?3, ?4, ?4)
             ON CONFLICT (id) DO UPDATE SET
                 name = excluded.name, body = excluded.body, updated_key = excluded.updated_key",
        )
        .bind(workflow.id.as_str())
        .bind(&workflow.name)
        .bind(serde_json::to_string(workflow).map_err(json)?)
        .bind(time_key(at))
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Forgets a workflow. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_workflow(&self, id: &WorkflowId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query("DELETE FROM workflows WHERE id = ?1")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(gone > 0)
    }
}

fn json(source: serde_json::Error) -> StoreError {
    StoreError::Json { what: "a workflow".to_owned(), source }
}
