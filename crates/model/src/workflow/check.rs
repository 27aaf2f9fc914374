//! What can be wrong with a workflow's definition. Every problem is said at once, each at its place,
//! and a cycle by the names of its stages.

use super::{Scope, Stage, StageId, Workflow};
use crate::prompt::{Part, Placeholder, parts};
use crate::spec::shorten;
use crate::{FieldError, Task, TaskId};

/// The most stages of a workflow.
pub const MOST_STAGES: usize = 32;
/// The most tasks of a stage, and of a workflow's own.
pub const MOST_TASKS: usize = 64;
/// The most calls at once that a stage may ask for; more than a run has lanes is no limit.
const MOST_AT_ONCE: u32 = 10_000;
/// The most characters of an id.
const LONGEST_ID: usize = 64;

/// What a workflow can refer to.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowChoices<'a> {
    /// The tasks that every workflow can use.
    pub tasks: &'a [Task],
    /// Ids of the configured providers.
    pub providers: &'a [(String, Vec<String>)],
}

/// What is wrong with an id of somebody's making, if anything.
#[must_use]
pub fn id_problem(id: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if id.is_empty() {
        Some("The id is empty: give it one of lower case letters, digits, - and _.".to_owned())
    } else if id.len() > LONGEST_ID || !id.chars().all(good) {
        Some(format!(
            "“{}” is no id: use at most {LONGEST_ID} lower case letters, digits, - and _.",
            shorten(id)
        ))
    } else {
        None
    }
}

impl Workflow {
    /// Every problem of the definition, at its place; none when it can run.
    #[must_use]
    pub fn problems(&self, choices: &WorkflowChoices<'_>) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if let Some(problem) = id_problem(self.id.as_str()) {
            errors.push(FieldError::new("/id", problem));
        }
        if self.name.trim().is_empty() || self.name.chars().count() > 100 {
            errors.push(FieldError::new("/name", "Give it a name of at most 100 characters."));
        }
        for (i, task) in self.tasks.iter().enumerate() {
            let place = format!("/tasks/{i}");
            if let Some(problem) = id_problem(task.id.as_str()) {
                errors.push(FieldError::new(format!("{place}/id"), problem));
            }
            if self.tasks.iter().take(i).any(|other| other.id == task.id) {
                errors.push(FieldError::new(
                    format!("{place}/id"),
                    format!("There are two tasks “{}”: name each once.", task.id),
                ));
            }
            errors.extend(
                task.problems()
                    .into_iter()
                    .map(|e| FieldError { pointer: format!("{place}{}", e.pointer), ..e }),
            );
        }
        if self.stages.is_empty() {
            errors.push(FieldError::new("/stages", "A workflow needs at least one stage."));
        }
        if self.stages.len() > MOST_STAGES || self.tasks.len() > MOST_TASKS {
            errors.push(FieldError::new(
                "/stages",
                format!("A workflow has at most {MOST_STAGES} stages and {MOST_TASKS} own tasks."),
            ));
            return errors;
        }
        for (i, stage) in self.stages.iter().enumerate() {
            self.check_stage(i, stage, choices, &mut errors);
        }
        if let Some(cycle) = self.cycle() {
            let names: Vec<_> = cycle.iter().map(|id| format!("“{id}”")).collect();
            let place = cycle.first().and_then(|id| self.place(id)).unwrap_or_default();
            errors.push(FieldError::new(
                format!("/stages/{place}/needs"),
                format!(
                    "These stages need each other in a circle: {}. Take one of the needs away.",
                    names.join(" → ")
                ),
            ));
        }
        errors
    }

    fn check_stage(
        &self,
        i: usize,
        stage: &Stage,
        choices: &WorkflowChoices<'_>,
        errors: &mut Vec<FieldError>,
    ) {
        let mut wrong = |field: &str, detail: String| {
            errors.push(FieldError::new(format!("/stages/{i}{field}"), detail));
        };
        if let Some(problem) = id_problem(stage.id.as_str()) {
            wrong("/id", problem);
        } else if self.stages.iter().take(i).any(|other| other.id == stage.id) {
            wrong("/id", format!("There are two stages “{}”: name each once.", stage.id));
        }
        if stage.tasks.is_empty() || stage.tasks.len() > MOST_TASKS {
            wrong("/tasks", format!("A stage has from 1 to {MOST_TASKS} tasks."));
        }
        for (place, need) in stage.needs.iter().enumerate() {
            let field = format!("/needs/{place}");
            match self.place(need) {
                None => wrong(
                    &field,
                    format!("There is no stage “{}” to need.", shorten(need.as_str())),
                ),
                Some(other) if other == i => {
                    wrong(&field, format!("The stage “{need}” cannot need itself."));
                }
                Some(_) if stage.needs.iter().take(place).any(|other| other == need) => {
                    wrong(&field, format!("The stage “{need}” is named twice."));
                }
                Some(_) => {}
            }
        }
        for (place, id) in stage.tasks.iter().enumerate() {
            let field = format!("/tasks/{place}");
            if stage.tasks.iter().take(place).any(|other| other == id) {
                wrong(&field, format!("The task “{id}” is listed twice; name each task once."));
            }
            match self.task(id, choices.tasks) {
                None => wrong(&field, format!("There is no task “{}”.", shorten(id.as_str()))),
                Some(task) => {
                    for problem in self.prompt_problems(stage, task) {
                        wrong(&field, problem);
                    }
                }
            }
        }
        if let Some(asked) = stage.concurrency
            && !(1..=MOST_AT_ONCE).contains(&asked)
        {
            let most = MOST_AT_ONCE;
            wrong("/concurrency", format!("Concurrency is {asked}; it must be from 1 to {most}."));
        }
        if let Some(provider) = &stage.provider
            && !choices.providers.iter().any(|(id, _)| id == provider)
        {
            wrong("/provider", format!("There is no provider “{}”.", shorten(provider)));
        }
    }

    /// What is wrong with the placeholders of a task's prompt in this stage.
    fn prompt_problems(&self, stage: &Stage, task: &Task) -> Vec<String> {
        let mut problems = Vec::new();
        for part in parts(&task.prompt) {
            let placeholder = match part {
                Part::Literal(_) => continue,
                Part::Unknown(braces) => {
                    problems.push(format!(
                        "The prompt of “{}” has “{}”, which is no placeholder: use {{{{text}}}} or \
                         {{{{stage.output}}}}.",
                        task.id,
                        shorten(braces)
                    ));
                    continue;
                }
                Part::Placeholder(placeholder) => placeholder,
            };
            let Placeholder::Output { stage: named, task: one } = placeholder else {
                if stage.scope == Scope::All {
                    problems.push(format!(
                        "The prompt of “{}” has {{{{text}}}}, and the stage “{}” is about all records, \
                         not about one: use {{{{stage.output}}}}.",
                        task.id, stage.id
                    ));
                }
                continue;
            };
            let other = self.stages.iter().find(|s| s.id.as_str() == named);
            let needed = stage.needs.iter().any(|need| need.as_str() == named);
            match other {
                None => problems.push(format!(
                    "The prompt of “{}” has {placeholder}, and there is no stage “{}”.",
                    task.id,
                    shorten(named)
                )),
                Some(_) if !needed => problems.push(format!(
                    "The prompt of “{}” has {placeholder}: the stage “{}” must need “{named}” for \
                     that.",
                    task.id, stage.id
                )),
                Some(other) => {
                    if let Some(one) = one
                        && !other.tasks.iter().any(|id| id.as_str() == one)
                    {
                        problems.push(format!(
                            "The prompt of “{}” has {placeholder}, and “{named}” has no task “{}”.",
                            task.id,
                            shorten(one)
                        ));
                    }
                }
            }
        }
        problems
    }

    /// A task that this workflow can use.
    #[must_use]
    pub fn task<'a>(&'a self, id: &TaskId, common: &'a [Task]) -> Option<&'a Task> {
        self.tasks.iter().chain(common).find(|task| &task.id == id)
    }

    /// Stages that need one another in a circle, the first once more at the end.
    fn cycle(&self) -> Option<Vec<StageId>> {
        // What is left after taking away, again and again, the stages that need none of the others.
        let mut left: Vec<&Stage> = self.stages.iter().collect();
        loop {
            let before = left.len();
            let ids: Vec<_> = left.iter().map(|stage| stage.id.clone()).collect();
            left.retain(|stage| {
                stage.needs.iter().any(|need| need != &stage.id && ids.contains(need))
            });
            if left.len() == before {
                break;
            }
        }
        // Each of them needs another of them: whoever follows these comes by a stage twice.
        let mut path: Vec<StageId> = vec![left.first()?.id.clone()];
        loop {
            let last = path.last()?;
            let stage = left.iter().find(|stage| &stage.id == last)?;
            let next = stage
                .needs
                .iter()
                .find(|need| *need != last && left.iter().any(|s| &s.id == *need))?
                .clone();
            let seen = path.iter().position(|id| id == &next);
            path.push(next);
            if let Some(first) = seen {
                // From what needs to what is needed; people read it in the order of execution.
                let mut cycle = path.split_off(first);
                cycle.reverse();
                return Some(cycle);
            }
        }
    }
}

#[cfg(test)]
mod tests;
