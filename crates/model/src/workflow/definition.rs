//! A workflow as somebody writes it: in a request, in the page's editor, in a file.

use serde::{Deserialize, Serialize};

use super::{Stage, Workflow, WorkflowId};
use crate::{Task, TaskDefinition};

/// What somebody says of a workflow. What is missing reads as empty, so that it can be named with the
/// rest of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WorkflowDefinition {
    /// The name used in requests.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// Tasks of its own. In a file each is a table `[[task]]`.
    #[serde(alias = "task", skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskDefinition>,
    /// Its stages. In a file each is a table `[[stage]]`.
    #[serde(alias = "stage")]
    pub stages: Vec<Stage>,
    /// As answers say it of a workflow; it changes nothing here.
    #[serde(skip_serializing)]
    pub built_in: bool,
}

impl From<WorkflowDefinition> for Workflow {
    fn from(it: WorkflowDefinition) -> Self {
        Workflow {
            id: WorkflowId(it.id.trim().to_owned()),
            name: it.name.trim().to_owned(),
            about: it.about.trim().to_owned(),
            built_in: false,
            tasks: it.tasks.into_iter().map(Task::from).collect(),
            stages: it.stages,
        }
    }
}

impl From<Workflow> for WorkflowDefinition {
    fn from(it: Workflow) -> Self {
        WorkflowDefinition {
            id: it.id.0,
            name: it.name,
            about: it.about,
            tasks: it.tasks.into_iter().map(TaskDefinition::from).collect(),
            stages: it.stages,
            built_in: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::built_in;

    #[test]
    fn a_workflow_that_was_shown_can_be_sent_back() {
        let workflow = Workflow {
            id: WorkflowId("w".to_owned()),
            name: "W".to_owned(),
            built_in: true,
            tasks: vec![Task { built_in: false, ..built_in().remove(0) }],
            stages: vec![Stage { tasks: vec!["summary".into()], ..Stage::default() }],
            ..Workflow::default()
        };
        let shown = serde_json::to_string(&workflow).unwrap();
        let read: WorkflowDefinition = serde_json::from_str(&shown).unwrap();
        let expected = Workflow { built_in: false, ..workflow };
        assert_eq!(Workflow::from(read), expected);
        let again = Workflow::from(WorkflowDefinition::from(expected.clone()));
        assert_eq!(again, expected);
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_unknown_is_refused() {
        let one: WorkflowDefinition = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
        let expected = WorkflowDefinition { id: "a".to_owned(), ..WorkflowDefinition::default() };
        assert_eq!(one, expected);
        assert!(serde_json::from_str::<WorkflowDefinition>(r#"{"steps":[]}"#).is_err());
    }
}
