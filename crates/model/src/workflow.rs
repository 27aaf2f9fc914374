//! Workflows: stages of tasks that use one another's answers.
//!
//! A stage runs its tasks on every document, or once over all of them; it may need other stages, and
//! the prompts of its tasks may then use what those have answered. The check of a definition is in
//! `check`, what stands in a prompt's double braces in [`crate::prompt`].

mod check;
mod definition;
mod plan;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Task, TaskId};

pub use check::{MOST_STAGES, MOST_TASKS, WorkflowChoices, id_problem};
pub use definition::WorkflowDefinition;

/// Names a workflow: lower case letters, digits, `-` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowId(pub String);

/// Names a stage within its workflow: as [`WorkflowId`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageId(pub String);

impl WorkflowId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl StageId {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorkflowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one call of a stage is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Scope {
    /// One document: the stage has a call for each of them.
    #[default]
    Record,
    /// All documents together: the stage has one call for each of its tasks.
    All,
}

impl Scope {
    /// Whether it is one document, as unless something else is said.
    #[must_use]
    pub fn is_record(&self) -> bool {
        *self == Self::Record
    }
}

/// Tasks that run side by side.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stage {
    /// Names it within the workflow.
    pub id: StageId,
    /// The name people read; by default made of the id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it asks.
    pub tasks: Vec<TaskId>,
    /// The stages that must have answered before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<StageId>,
    /// The most calls of it that are under way at once; by default as many as the run has lanes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The provider it goes to; by default the run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The model it goes to; by default the run's or, with a provider of its own, that one's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What one call is about.
    #[serde(default, skip_serializing_if = "Scope::is_record")]
    pub scope: Scope,
}

impl Stage {
    /// The name people read.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().filter(|name| !name.trim().is_empty()).unwrap_or_else(|| {
            let words = self.id.as_str().replace(['-', '_'], " ");
            let mut letters = words.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        })
    }
}

/// Stages of tasks, a graph without cycles.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Workflow {
    /// Names it in requests.
    pub id: WorkflowId,
    /// The name people read.
    pub name: String,
    /// What it is for, in a sentence or two.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Whether Lanes ships it: then it can be copied and not changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub built_in: bool,
    /// Tasks of its own, besides those that all workflows can use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// Its stages, in the order in which people see them.
    pub stages: Vec<Stage>,
}

impl Workflow {
    /// The place of a stage.
    #[must_use]
    pub fn place(&self, id: &StageId) -> Option<usize> {
        self.stages.iter().position(|stage| &stage.id == id)
    }
}
