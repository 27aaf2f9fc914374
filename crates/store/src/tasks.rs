//! Tasks that people made. Whether one is right is the service's matter; here it is kept as it came.

use lanes_model::{Task, TaskId};

use crate::store::time_key;
use crate::{Store, StoreError};

impl Store {
    /// All tasks, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read, or what it holds is no task.
    pub async fn tasks(&self) -> Result<Vec<Task>, StoreError> {
        let bodies: Vec<String> =
            sqlx::query_scalar("SELECT body FROM tasks ORDER BY created_key, rowid")
                .fetch_all(self.reader())
                .await?;
        bodies.iter().map(|body| serde_json::from_str(body).map_err(json)).collect()
    }

    /// Keeps these tasks, all or none, at `at` (RFC 3339 in UTC). One whose id is there replaces it in
    /// its place.
    ///
    /// # Errors
    /// Why the database did not take them; then it took none.
    pub async fn put_tasks(&self, tasks: &[Task], at: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        for task in tasks {
            sqlx::query(
                "INSERT INTO tasks (id, name, body, created_key, updated_key)
                 VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT (id) DO UPDATE SET
                     name = excluded.name, body = excluded.body, updated_key = excluded.updated_key",
            )
            .bind(task.id.as_str())
            .bind(&task.name)
            .bind(serde_json::to_string(task).map_err(json)?)
            .bind(time_key(at))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// Forgets a task. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_task(&self, id: &TaskId) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query("DELETE FROM tasks WHERE id = ?1")
            .bind(id.as_str())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        tx.commit().await?;
        Ok(gone > 0)
    }
}

fn json(source: serde_json::Error) -> StoreError {
    StoreError::Json { what: "a task".to_owned(), source }
}
