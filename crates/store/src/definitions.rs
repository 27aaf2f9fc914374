//! What people define and may change: tasks and workflows. Whether a definition is right is the service's
//! matter; here it is kept as it came, as JSON under its id.

use lanes_model::{Task, TaskId, Workflow, WorkflowId};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::time_key;
use crate::{Store, StoreError};

/// A table of definitions: its statements, and what one of them is called in an error.
struct Table {
    all: &'static str,
    put: &'static str,
    delete: &'static str,
    one: &'static str,
}

macro_rules! table {
    ($name:literal, $one:literal) => {
        Table {
            all: concat!("SELECT body FROM ", $name, " ORDER BY created_key, rowid"),
            put: concat!(
                "INSERT INTO ",
                $name,
                " (id, name, body, created_key, updated_key) VALUES (?1, ?2, ?3, ?4, ?4)
                 ON CONFLICT (id) DO UPDATE SET
                     name = excluded.name, body = excluded.body, updated_key = excluded.updated_key"
            ),
            delete: concat!("DELETE FROM ", $name, " WHERE id = ?1"),
            one: $one,
        }
    };
}

const TASKS: Table = table!("tasks", "a task");
const WORKFLOWS: Table = table!("workflows", "a workflow");

impl Table {
    fn json(&self) -> impl Fn(serde_json::Error) -> StoreError {
        let what = self.one;
        move |source| StoreError::Json { what: what.to_owned(), source }
    }
}

impl Store {
    /// All tasks that people made, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read, or what it holds is no task.
    pub async fn tasks(&self) -> Result<Vec<Task>, StoreError> {
        self.definitions(&TASKS).await
    }

    /// Keeps these tasks, all or none, at `at` (RFC 3339 in UTC). One whose id is there replaces it in
    /// its place.
    ///
    /// # Errors
    /// Why the database did not take them; then it took none.
    pub async fn put_tasks(&self, tasks: &[Task], at: &str) -> Result<(), StoreError> {
        let named = tasks.iter().map(|task| (task.id.as_str(), task.name.as_str(), task));
        self.put_definitions(&TASKS, named, at).await
    }

    /// Forgets a task. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_task(&self, id: &TaskId) -> Result<bool, StoreError> {
        self.delete_definition(&TASKS, id.as_str()).await
    }

    /// All workflows that people made, in the order in which they were made.
    ///
    /// # Errors
    /// When the database cannot be read, or what it holds is no workflow.
    pub async fn workflows(&self) -> Result<Vec<Workflow>, StoreError> {
        self.definitions(&WORKFLOWS).await
    }

    /// Keeps a workflow, at `at` (RFC 3339 in UTC). One whose id is there is replaced in its place.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn put_workflow(&self, workflow: &Workflow, at: &str) -> Result<(), StoreError> {
        let named = [(workflow.id.as_str(), workflow.name.as_str(), workflow)];
        self.put_definitions(&WORKFLOWS, named, at).await
    }

    /// Forgets a workflow. Says whether it was there.
    ///
    /// # Errors
    /// Why the database did not take it.
    pub async fn delete_workflow(&self, id: &WorkflowId) -> Result<bool, StoreError> {
        self.delete_definition(&WORKFLOWS, id.as_str()).await
    }

    async fn definitions<T: DeserializeOwned>(&self, table: &Table) -> Result<Vec<T>, StoreError> {
        let bodies: Vec<String> = sqlx::query_scalar(table.all).fetch_all(self.reader()).await?;
        bodies.iter().map(|body| serde_json::from_str(body).map_err(table.json())).collect()
    }

    /// Keeps definitions, each with its id and its name, all or none.
    async fn put_definitions<'a, T: Serialize + 'a>(
        &self,
        table: &Table,
        named: impl IntoIterator<Item = (&'a str, &'a str, &'a T)>,
        at: &str,
    ) -> Result<(), StoreError> {
        let bodies = named.into_iter().map(|(id, name, definition)| {
            let body = serde_json::to_string(definition).map_err(table.json())?;
            Ok((id, name, body))
        });
        let bodies = bodies.collect::<Result<Vec<_>, StoreError>>()?;
        let mut tx = self.write().await?;
        for (id, name, body) in bodies {
            let put = sqlx::query(table.put).bind(id).bind(name).bind(body).bind(time_key(at));
            put.execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }

    async fn delete_definition(&self, table: &Table, id: &str) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let gone = sqlx::query(table.delete).bind(id).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(gone > 0)
    }
}
