//! Tasks as files: TOML, which people write, or JSON, which programs do. In TOML a schema is a text
//! with JSON in it: TOML has neither its `null` nor its order.

use lanes_model::{FieldError, Output, Task, TaskDefinition, TaskFile, TaskId, Temperature};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Service;
use crate::{Export, ServiceError};

/// How a file of tasks is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl TaskFormat {
    /// The form of that name, `toml` or `json`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// The form of a file that nobody has said the form of.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        // A TOML file may begin with a table's name in brackets, but that is no JSON.
        let json = text.trim_start().starts_with('{')
            || serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if json { Self::Json } else { Self::Toml }
    }
}

impl Service {
    /// One task as a file, or all that are not built in.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Export`] when it cannot be written.
    pub fn export_tasks(
        &self,
        one: Option<&TaskId>,
        format: TaskFormat,
    ) -> Result<Export, ServiceError> {
        let (name, tasks) = match one {
            Some(id) => (format!("task-{id}"), vec![self.task(id)?]),
            None => {
                let custom = self.tasks().into_iter().filter(|task| !task.built_in);
                ("tasks".to_owned(), custom.collect())
            }
        };
        let (extension, media_type, body) = match format {
            TaskFormat::Toml => ("toml", "application/toml", toml_text(&tasks)?),
            TaskFormat::Json => ("json", "application/json", json_text(tasks)?),
        };
        Ok(Export { file_name: format!("lanes-{name}.{extension}"), media_type, body })
    }

    /// Keeps the tasks of a file, all or none: a list under `tasks`, or a single task. `replace` says
    /// that one whose id is there takes the place of that one.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with every problem at its place in the file, or a store that fails.
    pub async fn import_tasks(
        &self,
        format: TaskFormat,
        text: &str,
        replace: bool,
    ) -> Result<Vec<Task>, ServiceError> {
        let file = read(format, text).map_err(|wrong| ServiceError::Invalid(vec![wrong]))?;
        if file.tasks.is_empty() {
            let wrong = FieldError::new("/tasks", "There is no task in the file.");
            return Err(ServiceError::Invalid(vec![wrong]));
        }
        self.keep_all(file.tasks, replace).await
    }
}

pub(crate) fn read(format: TaskFormat, text: &str) -> Result<TaskFile, FieldError> {
    // Some editors begin a file with it.
    let text = text.trim_start_matches('\u{feff}');
    match format {
        TaskFormat::Json => {
            let value: Value = serde_json::from_str(text)
                .map_err(|e| FieldError::new("", format!("The file is not JSON: {e}.")))?;
            let value = match value {
                Value::Array(list) => serde_json::json!({ "tasks": list }),
                Value::Object(map) if !map.contains_key("tasks") => {
                    serde_json::json!({ "tasks": [map] })
                }
                other => other,
            };
            placed(value)
        }
        TaskFormat::Toml => {
            let mut table: toml::Table = toml::from_str(text).map_err(|e| {
                // What follows the first line draws the place with marks below it.
                let line =
                    e.span().map(|at| text.get(..at.start).unwrap_or("").matches('\n').count());
                let line = line.map(|n| format!(" at line {}", n + 1)).unwrap_or_default();
                FieldError::new("", format!("The file is not TOML{line}: {}.", e.message()))
            })?;
            if !table.contains_key("tasks") {
                let one = toml::Value::Table(std::mem::take(&mut table));
                table.insert("tasks".to_owned(), toml::Value::Array(vec![one]));
            }
            placed(toml::Value::Table(table))
        }
    }
}

/// The value as tasks, or where in it something is of the wrong kind.
pub(in crate::service) fn placed<'de, T: DeserializeOwned>(
    value: impl serde::Deserializer<'de, Error: std::fmt::Display>,
) -> Result<T, FieldError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer = String::new();
        for segment in error.path().iter() {
            use serde_path_to_error::Segment as S;
            match segment {
                S::Seq { index } => pointer.push_str(&format!("/{index}")),
                S::Map { key } | S::Enum { variant: key } => pointer.push_str(&format!("/{key}")),
                S::Unknown => {}
            }
        }
        let detail = error.inner().to_string();
        FieldError::new(pointer, format!("{}.", detail.trim_end().trim_end_matches('.')))
    })
}

fn json_text(tasks: Vec<Task>) -> Result<String, ServiceError> {
    let file = TaskFile { tasks: tasks.into_iter().map(TaskDefinition::from).collect() };
    let text = serde_json::to_string_pretty(&file);
    Ok(text.map_err(|e| ServiceError::Export(e.to_string()))? + "\n")
}

#[derive(Serialize)]
struct TomlFile<'a> {
    tasks: Vec<TomlTask<'a>>,
}

/// A task as it stands in a TOML file.
#[derive(Serialize)]
pub(in crate::service) struct TomlTask<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    system_message: &'a str,
    prompt: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<Temperature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typical_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<TomlOutput<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum TomlOutput<'a> {
    Labels(&'a [String]),
    Schema(&'a str),
}

impl<'a> From<&'a TaskDefinition> for TomlTask<'a> {
    fn from(task: &'a TaskDefinition) -> Self {
        Self {
            id: &task.id,
            name: &task.name,
            system_message: &task.system_message,
            prompt: &task.prompt,
            max_tokens: task.max_tokens,
            temperature: task.temperature,
            typical_tokens: task.typical_tokens,
            output: match &task.output {
                Output::Text => None,
                Output::Labels(labels) => Some(TomlOutput::Labels(labels)),
                Output::Schema(schema) => Some(TomlOutput::Schema(schema.as_str())),
            },
        }
    }
}

fn toml_text(tasks: &[Task]) -> Result<String, ServiceError> {
    let definitions: Vec<_> = tasks.iter().cloned().map(TaskDefinition::from).collect();
    let tasks = definitions.iter().map(TomlTask::from);
    let file = TomlFile { tasks: tasks.collect() };
    toml::to_string_pretty(&file).map_err(|e| ServiceError::Export(e.to_string()))
}
