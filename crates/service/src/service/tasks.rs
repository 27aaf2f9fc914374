//! Tasks that people make: kept in the store, offered beside the built-in ones. A run has its tasks in
//! its own log, so that nothing here changes what it was.

use jiff::Timestamp;
use lanes_model::{
    FieldError, RunSpec, Task, TaskDefinition, TaskId,
    prompt::{Placeholder, placeholders},
};

use super::Service;
use crate::ServiceError;
use crate::catalogue::TaskList;
use crate::output::OutputCheck;

mod file;

pub use file::TaskFormat;
#[cfg(any(test, fuzzing))]
pub(crate) use file::read as read_tasks;
pub(super) use file::{TomlTask, placed};

/// What stands in addresses where a task's id could.
const RESERVED: [&str; 5] = ["copy", "export", "import", "new", "try"];
/// The most tasks that people can make.
const MOST_TASKS: usize = 1_000;

impl Service {
    /// The tasks there are, the built-in ones first.
    #[must_use]
    pub fn tasks(&self) -> Vec<Task> {
        self.inner.catalogue.tasks().tasks.clone()
    }

    /// A task.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn task(&self, id: &TaskId) -> Result<Task, ServiceError> {
        self.inner.catalogue.tasks().find(id).cloned().ok_or_else(|| no_task(id))
    }

    /// Keeps a new task.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong with it, [`ServiceError::Conflict`] when
    /// its id is taken, or a store that fails.
    pub async fn create_task(&self, definition: TaskDefinition) -> Result<Task, ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        let task = checked(definition).map_err(ServiceError::Invalid)?;
        let list = self.inner.catalogue.tasks();
        if list.find(&task.id).is_some() {
            return Err(ServiceError::Conflict(format!(
                "There is a task “{}” already: choose another id.",
                task.id
            )));
        }
        check_number(&list, 1)?;
        self.keep_tasks(std::slice::from_ref(&task)).await?;
        Ok(task)
    }

    /// Puts a task in the place of one that is there. Its id stays.
    ///
    /// # Errors
    /// As [`Service::create_task`]; [`ServiceError::NotFound`]; [`ServiceError::Conflict`] for a task
    /// that is built in.
    pub async fn replace_task(
        &self,
        id: &TaskId,
        definition: TaskDefinition,
    ) -> Result<Task, ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        self.changeable(id)?;
        let named = definition.id.trim().to_owned();
        let mut wrong = Vec::new();
        if !named.is_empty() && named != id.as_str() {
            let detail = format!("The id of “{id}” cannot be changed: copy the task instead.");
            wrong.push(FieldError::new("/id", detail));
        }
        let task = match checked(TaskDefinition { id: id.to_string(), ..definition }) {
            Ok(task) => task,
            Err(errors) => {
                wrong.extend(errors);
                return Err(ServiceError::Invalid(wrong));
            }
        };
        if !wrong.is_empty() {
            return Err(ServiceError::Invalid(wrong));
        }
        self.keep_tasks(std::slice::from_ref(&task)).await?;
        Ok(task)
    }

    /// Forgets a task. Runs that used it keep it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], [`ServiceError::Conflict`] for a task that is built in, or a store
    /// that fails.
    pub async fn delete_task(&self, id: &TaskId) -> Result<(), ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        self.changeable(id)?;
        self.inner.store.delete_task(id).await?;
        self.load_tasks().await
    }

    /// What a copy of a task would be: the same with an id that is free. Nothing is kept yet.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`].
    pub fn copy_of_task(&self, id: &TaskId) -> Result<TaskDefinition, ServiceError> {
        let list = self.inner.catalogue.tasks();
        let task = list.find(id).cloned().ok_or_else(|| no_task(id))?;
        // Room for what is put behind it.
        let stem: String = id.as_str().chars().take(50).collect();
        let free = (1..)
            .map(|n: u32| match n {
                1 => format!("{stem}-copy"),
                n => format!("{stem}-copy-{n}"),
            })
            .find(|candidate| list.find(&TaskId::from(candidate.as_str())).is_none());
        let name: String = task.name.chars().take(90).collect();
        Ok(TaskDefinition {
            id: free.unwrap_or_default(),
            name: format!("{name} (copy)"),
            ..TaskDefinition::from(task)
        })
    }

    /// Keeps a copy of a task.
    ///
    /// # Errors
    /// As [`Service::copy_of_task`] and [`Service::create_task`].
    pub async fn copy_task(&self, id: &TaskId) -> Result<Task, ServiceError> {
        self.create_task(self.copy_of_task(id)?).await
    }

    /// Keeps tasks that were read from a file, all or none. `replace` says that one whose id is there
    /// takes the place of that one.
    async fn keep_all(
        &self,
        definitions: Vec<TaskDefinition>,
        replace: bool,
    ) -> Result<Vec<Task>, ServiceError> {
        let _changing = self.inner.task_changes.lock().await;
        let list = self.inner.catalogue.tasks();
        let mut tasks: Vec<Task> = Vec::new();
        let mut errors = Vec::new();
        for (i, definition) in definitions.into_iter().enumerate() {
            let id = TaskId(definition.id.trim().to_owned());
            let mut wrong = |detail| errors.push(FieldError::new(format!("/tasks/{i}/id"), detail));
            if tasks.iter().any(|other| other.id == id) {
                wrong(format!("There are two tasks “{id}” in the file: name each once."));
            }
            match list.find(&id) {
                Some(there) if there.built_in => {
                    wrong(format!("The task “{id}” is built in: give this one another id."));
                }
                Some(_) if !replace => {
                    wrong(format!(
                        "There is a task “{id}” already: replace it or rename this one."
                    ));
                }
                _ => {}
            }
            match checked(definition) {
                Ok(task) => tasks.push(task),
                Err(problems) => errors.extend(
                    problems
                        .into_iter()
                        .map(|e| FieldError { pointer: format!("/tasks/{i}{}", e.pointer), ..e }),
                ),
            }
        }
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let new = tasks.iter().filter(|task| list.find(&task.id).is_none()).count();
        check_number(&list, new)?;
        self.keep_tasks(&tasks).await?;
        Ok(tasks)
    }

    async fn keep_tasks(&self, tasks: &[Task]) -> Result<(), ServiceError> {
        self.inner.store.put_tasks(tasks, &Timestamp::now().to_string()).await?;
        self.load_tasks().await
    }

    /// Reads what is kept.
    pub(super) async fn load_tasks(&self) -> Result<(), ServiceError> {
        self.inner.catalogue.set_tasks(self.inner.store.tasks().await?);
        Ok(())
    }

    /// Whether a task is there and not built in.
    fn changeable(&self, id: &TaskId) -> Result<(), ServiceError> {
        if self.task(id)?.built_in {
            return Err(ServiceError::Conflict(format!(
                "The task “{id}” is built in and cannot be changed: copy it and change the copy."
            )));
        }
        Ok(())
    }
}

fn no_task(id: &TaskId) -> ServiceError {
    let id: String = id.as_str().chars().filter(|c| !c.is_control()).take(40).collect();
    ServiceError::NotFound(format!("There is no task “{id}”."))
}

fn check_number(list: &TaskList, new: usize) -> Result<(), ServiceError> {
    let custom = list.tasks.iter().filter(|task| !task.built_in).count();
    if custom + new > MOST_TASKS {
        return Err(ServiceError::Conflict(format!(
            "There can be {MOST_TASKS} tasks besides the built-in ones: delete some first."
        )));
    }
    Ok(())
}

/// The task, once everything about it is right.
pub(super) fn checked(definition: TaskDefinition) -> Result<Task, Vec<FieldError>> {
    let task = Task::from(definition);
    let mut errors = task.definition_problems();
    if RESERVED.contains(&task.id.as_str()) {
        errors.push(FieldError::new(
            "/id",
            format!("“{}” means something else here: choose another id.", task.id),
        ));
    }
    if !errors.iter().any(|e| e.pointer.starts_with("/output"))
        && let Err(problem) = OutputCheck::new(&task.output)
    {
        errors.push(FieldError::new("/output/schema", problem));
    }
    if errors.is_empty() { Ok(task) } else { Err(errors) }
}

/// Tasks that use answers of stages have a place in workflows alone.
pub(super) fn check_plain(spec: &RunSpec, list: &TaskList) -> Result<(), ServiceError> {
    let mut errors = Vec::new();
    for (i, id) in spec.tasks.iter().enumerate() {
        let prompt = list.find(id).map_or("", |task| task.prompt.as_str());
        if let Some(needed) = placeholders(prompt).find(|p| *p != Placeholder::Text) {
            errors.push(FieldError::new(
                format!("/tasks/{i}"),
                format!(
                    "The task “{id}” uses {needed}, the answer of a stage: run it in a workflow."
                ),
            ));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(ServiceError::Invalid(errors)) }
}
