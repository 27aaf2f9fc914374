//! Workflows: those that Lanes ships and those that people make, offered side by side. A run has its
//! stages and tasks in its own log, so that nothing here changes what it was.

use jiff::Timestamp;
use lanes_model::{
    FieldError, Task, TaskDefinition, Workflow, WorkflowDefinition, WorkflowId, task,
};

use super::Service;
use crate::ServiceError;
use crate::catalogue::Catalogue;
use crate::output::OutputCheck;
use crate::shipped;

mod file;
mod samples;

pub use file::{PlacedError, WorkflowFile, workflow_toml};
pub use samples::SampleRecord;

/// What stands in addresses where a workflow's id could.
const RESERVED: [&str; 5] = ["check", "copy", "export", "import", "new"];
/// The most workflows that people can make.
const MOST_WORKFLOWS: usize = 500;

impl Service {
    /// The workflows there are, the shipped ones first.
    #[must_use]
    pub fn workflows(&self) -> Vec<Workflow> {
        self.inner.catalogue.workflows().as_ref().clone()
    }

    /// A workflow.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn workflow(&self, id: &WorkflowId) -> Result<Workflow, ServiceError> {
        let list = self.inner.catalogue.workflows();
        list.iter().find(|w| &w.id == id).cloned().ok_or_else(|| no_workflow(id))
    }

    /// What the tasks of a workflow's stages are: its own and those that all can use.
    #[must_use]
    pub fn tasks_of(&self, workflow: &Workflow) -> Vec<Task> {
        let common = self.inner.catalogue.tasks();
        let mut tasks: Vec<Task> = Vec::new();
        for id in workflow.stages.iter().flat_map(|stage| &stage.tasks) {
            if let Some(task) = workflow.task(id, &common.tasks)
                && tasks.iter().all(|known| &known.id != id)
            {
                tasks.push(task.clone());
            }
        }
        tasks
    }

    /// What is wrong with a definition; the workflow when nothing is.
    ///
    /// # Errors
    /// Every problem at its place.
    pub fn check_workflow(
        &self,
        definition: WorkflowDefinition,
    ) -> Result<Workflow, Vec<FieldError>> {
        checked(&self.inner.catalogue, definition)
    }

    /// Keeps a new workflow.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong with it, [`ServiceError::Conflict`] when
    /// its id is taken, or a store that fails.
    pub async fn create_workflow(
        &self,
        definition: WorkflowDefinition,
    ) -> Result<Workflow, ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        let workflow = self.check_workflow(definition).map_err(ServiceError::Invalid)?;
        let list = self.inner.catalogue.workflows();
        if list.iter().any(|w| w.id == workflow.id) {
            return Err(ServiceError::Conflict(format!(
                "There is a workflow “{}” already: choose another id.",
                workflow.id
            )));
        }
        if list.iter().filter(|w| !w.built_in).count() >= MOST_WORKFLOWS {
            return Err(ServiceError::Conflict(format!(
                "There can be {MOST_WORKFLOWS} workflows besides the shipped ones: delete some first."
            )));
        }
        self.keep_workflow(workflow).await
    }

    /// Puts a workflow in the place of one that is there. Its id stays.
    ///
    /// # Errors
    /// As [`Service::create_workflow`]; [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for one
    /// that is shipped.
    pub async fn replace_workflow(
        &self,
        id: &WorkflowId,
        definition: WorkflowDefinition,
    ) -> Result<Workflow, ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        self.changeable_workflow(id)?;
        let named = definition.id.trim().to_owned();
        let mut wrong = Vec::new();
        if !named.is_empty() && named != id.as_str() {
            let detail = format!("The id of “{id}” cannot be changed: duplicate it instead.");
            wrong.push(FieldError::new("/id", detail));
        }
        match self.check_workflow(WorkflowDefinition { id: id.to_string(), ..definition }) {
            Ok(workflow) if wrong.is_empty() => self.keep_workflow(workflow).await,
            Ok(_) => Err(ServiceError::Invalid(wrong)),
            Err(errors) => {
                wrong.extend(errors);
                Err(ServiceError::Invalid(wrong))
            }
        }
    }

    /// Forgets a workflow. Runs of it keep what they need.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] for one that is shipped, or a store that
    /// fails.
    pub async fn delete_workflow(&self, id: &WorkflowId) -> Result<(), ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        self.changeable_workflow(id)?;
        self.inner.store.delete_workflow(id).await?;
        self.load_workflows().await
    }

    /// What a copy of a workflow would be: the same with an id that is free. Nothing is kept yet.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn copy_of_workflow(&self, id: &WorkflowId) -> Result<WorkflowDefinition, ServiceError> {
        let workflow = self.workflow(id)?;
        let list = self.inner.catalogue.workflows();
        // Room for what is put behind it.
        let stem: String = id.as_str().chars().take(50).collect();
        let free = (1..)
            .map(|n: u32| match n {
                1 => format!("{stem}-copy"),
                n => format!("{stem}-copy-{n}"),
            })
            .find(|candidate| list.iter().all(|w| w.id.as_str() != candidate));
        let name: String = workflow.name.chars().take(90).collect();
        Ok(WorkflowDefinition {
            id: free.unwrap_or_default(),
            name: format!("{name} (copy)"),
            ..WorkflowDefinition::from(workflow)
        })
    }

    /// Keeps a copy of a workflow.
    ///
    /// # Errors
    /// As [`Service::copy_of_workflow`] and [`Service::create_workflow`].
    pub async fn copy_workflow(&self, id: &WorkflowId) -> Result<Workflow, ServiceError> {
        self.create_workflow(self.copy_of_workflow(id)?).await
    }

    async fn keep_workflow(&self, workflow: Workflow) -> Result<Workflow, ServiceError> {
        self.inner.store.put_workflow(&workflow, &Timestamp::now().to_string()).await?;
        self.load_workflows().await?;
        Ok(workflow)
    }

    /// Reads what is kept, and puts the shipped ones before it.
    pub(super) async fn load_workflows(&self) -> Result<(), ServiceError> {
        let mut list: Vec<Workflow> = shipped::workflows().to_vec();
        // One that was made before a workflow of its id came with the program: what is shipped counts.
        let kept = self.inner.store.workflows().await?;
        let new = |w: &Workflow| shipped::workflows().iter().all(|known| known.id != w.id);
        list.extend(kept.into_iter().filter(new));
        self.inner.catalogue.set_workflows(list);
        Ok(())
    }

    /// Whether a workflow is there and not shipped.
    fn changeable_workflow(&self, id: &WorkflowId) -> Result<(), ServiceError> {
        if self.workflow(id)?.built_in {
            return Err(ServiceError::Conflict(format!(
                "The workflow “{id}” comes with Lanes and cannot be changed: duplicate it and change \
                 the copy."
            )));
        }
        Ok(())
    }
}

fn no_workflow(id: &WorkflowId) -> ServiceError {
    let id: String = id.as_str().chars().filter(|c| !c.is_control()).take(40).collect();
    ServiceError::NotFound(format!("There is no workflow “{id}”."))
}

/// The workflow, once everything about it is right.
pub(crate) fn checked(
    catalogue: &Catalogue,
    definition: WorkflowDefinition,
) -> Result<Workflow, Vec<FieldError>> {
    let workflow = Workflow::from(definition);
    let tasks = catalogue.tasks();
    let mut errors = workflow.problems(&catalogue.workflow_choices(&tasks));
    if RESERVED.contains(&workflow.id.as_str()) {
        errors.push(FieldError::new(
            "/id",
            format!("“{}” means something else here: choose another id.", workflow.id),
        ));
    }
    for (i, own) in workflow.tasks.iter().enumerate() {
        let place = format!("/tasks/{i}/output");
        if !errors.iter().any(|e| e.pointer.starts_with(&place))
            && let Err(problem) = OutputCheck::new(&own.output)
        {
            errors.push(FieldError::new(format!("{place}/schema"), problem));
        }
    }
    if errors.is_empty() { Ok(workflow) } else { Err(errors) }
}

/// What somebody begins with who makes a workflow.
#[must_use]
pub fn blank_workflow() -> WorkflowDefinition {
    let summary = task::built_in().into_iter().next().map(|t| t.id).unwrap_or_default();
    let judge = TaskDefinition {
        id: "judge".to_owned(),
        name: "Judgement".to_owned(),
        system_message: "You judge texts. Answer in two sentences.".to_owned(),
        prompt: "<text>\n{{read.output}}\n</text>".to_owned(),
        max_tokens: 200,
        ..TaskDefinition::default()
    };
    let stage = |id: &str, task, needs: &[&str]| lanes_model::Stage {
        id: lanes_model::StageId(id.to_owned()),
        tasks: vec![task],
        needs: needs.iter().map(|n| lanes_model::StageId((*n).to_owned())).collect(),
        ..lanes_model::Stage::default()
    };
    WorkflowDefinition {
        id: "my-workflow".to_owned(),
        name: "My workflow".to_owned(),
        about: "Says in a sentence what it is for.".to_owned(),
        stages: vec![stage("read", summary, &[]), stage("decide", "judge".into(), &["read"])],
        tasks: vec![judge],
        ..WorkflowDefinition::default()
    }
}
