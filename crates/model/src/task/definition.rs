//! A task as somebody writes it: in a request, in the page's form, in a file.

use serde::{Deserialize, Serialize};

use super::{Output, Task, Temperature};
use crate::TaskId;

/// What somebody says of a task. What is missing reads as empty, so that it can be named with the rest
/// of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskDefinition {
    /// The name used in requests.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// The instruction, sent as the system message.
    pub system_message: String,
    /// The user message, with its placeholders.
    pub prompt: String,
    /// The longest answer allowed, in tokens.
    pub max_tokens: u32,
    /// How freely the model chooses its words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// What the answer must look like.
    #[serde(skip_serializing_if = "Output::is_text")]
    pub output: Output,
    /// How long an answer is expected to be, in tokens; by default made of what is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typical_tokens: Option<u32>,
    /// As answers say it of a task; it changes nothing here.
    #[serde(skip_serializing)]
    pub built_in: bool,
}

/// Tasks in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskFile {
    /// The tasks, in order.
    pub tasks: Vec<TaskDefinition>,
}

impl From<TaskDefinition> for Task {
    fn from(it: TaskDefinition) -> Self {
        Task {
            typical_tokens: it.typical_tokens.or(Some(typical(&it))),
            id: TaskId(it.id.trim().to_owned()),
            name: it.name.trim().to_owned(),
            system_message: it.system_message,
            prompt: it.prompt,
            max_tokens: it.max_tokens,
            temperature: it.temperature,
            output: it.output,
            built_in: false,
        }
    }
}

impl From<Task> for TaskDefinition {
    fn from(it: Task) -> Self {
        let mut one = TaskDefinition {
            id: it.id.0,
            name: it.name,
            system_message: it.system_message,
            prompt: it.prompt,
            max_tokens: it.max_tokens,
            temperature: it.temperature,
            output: it.output,
            ..TaskDefinition::default()
        };
        // What would be made of it anyhow need not be said.
        one.typical_tokens = it.typical_tokens.filter(|tokens| *tokens != typical(&one));
        one
    }
}

/// How long an answer probably is.
fn typical(it: &TaskDefinition) -> u32 {
    let likely = match &it.output {
        Output::Text => 120,
        // A label of a few words.
        Output::Labels(_) => 4,
        Output::Schema(_) => 80,
    };
    likely.min(it.max_tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_was_shown_can_be_sent_back() {
        let mut task = super::super::built_in().remove(1);
        task.temperature = Temperature::of(0.2);
        task.output = Output::Labels(vec!["A".to_owned(), "B".to_owned()]);
        let shown = serde_json::to_string(&task).unwrap();
        let read: TaskDefinition = serde_json::from_str(&shown).unwrap();
        assert_eq!(Task::from(read), Task { built_in: false, ..task.clone() });
        let again = Task::from(TaskDefinition::from(task.clone()));
        assert_eq!(again, Task { built_in: false, ..task });
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_unknown_is_refused() {
        let one: TaskDefinition = serde_json::from_str(r#"{"id":"a"}"#).unwrap();
        assert_eq!(one, TaskDefinition { id: "a".to_owned(), ..TaskDefinition::default() });
        assert!(serde_json::from_str::<TaskDefinition>(r#"{"idd":"a"}"#).is_err());
    }

    #[test]
    fn a_label_is_expected_to_be_short() {
        let labels = Output::Labels(vec!["A".to_owned(), "B".to_owned()]);
        let one = TaskDefinition { output: labels, max_tokens: 300, ..TaskDefinition::default() };
        assert_eq!(Task::from(one).expected_tokens(1_000), 4);
    }
}
