//! The sample records of shipped workflows: shown, and taken in as documents so that a run can be made
//! of them.

use lanes_model::{DocumentId, WorkflowId};

use super::Service;
use crate::{ServiceError, shipped};

pub use crate::shipped::SampleRecord;

impl Service {
    /// The sample records of a workflow; none for one that somebody made, unless it was copied from a
    /// shipped one and is still named after it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn workflow_samples(
        &self,
        id: &WorkflowId,
    ) -> Result<&'static [SampleRecord], ServiceError> {
        self.workflow(id)?;
        Ok(shipped::records(id.as_str()))
    }

    /// Takes the sample records of a workflow in as documents, those that are there already once; says
    /// their ids in order.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn add_workflow_samples(
        &self,
        id: &WorkflowId,
    ) -> Result<Vec<DocumentId>, ServiceError> {
        let records = self.workflow_samples(id)?;
        let mut ids = Vec::with_capacity(records.len());
        for record in records {
            let name = format!("{}.txt", record.name);
            ids.push(self.add_text_document(&name, record.text).await?);
        }
        Ok(ids)
    }
}
