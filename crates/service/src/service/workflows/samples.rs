//! The sample records of shipped workflows: shown, and taken in as documents so that a run can be made
//! of them.

use lanes_model::{DocumentId, WorkflowId};

use super::Service;
use crate::{ServiceError, shipped};

pub use crate::shipped::SampleRecord;

impl Service {
    /// The sample records of a workflow: those it was shipped with; of one that somebody made those of
    /// the shipped one it is named after as its copy, or else the sample texts.
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
