//! Workflows as files: TOML, which people write, or JSON, which programs do. In TOML a schema is a text
//! with JSON in it: TOML has neither its `null` nor its order. What is wrong is told with its line.

use lanes_model::{FieldError, Scope, Stage, Workflow, WorkflowDefinition, WorkflowId};
use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::super::tasks::{TaskFormat, TomlTask, placed};
use super::Service;
use crate::{Export, ServiceError};

/// What is wrong, where, and in which line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedError {
    /// What, and at which place of the definition.
    pub error: FieldError,
    /// The line, from 1, when the text says it.
    pub line: Option<usize>,
}

/// A workflow's definition as a text.
#[derive(Debug, Clone, Copy)]
pub struct WorkflowFile<'a> {
    /// How it is written.
    pub format: TaskFormat,
    /// The text.
    pub text: &'a str,
}

impl WorkflowFile<'_> {
    /// The definition.
    ///
    /// # Errors
    /// Why it is none.
    pub fn read(&self) -> Result<WorkflowDefinition, PlacedError> {
        // Some editors begin a file with it.
        let text = self.text.trim_start_matches('\u{feff}');
        match self.format {
            TaskFormat::Json => {
                let value: serde_json::Value = serde_json::from_str(text).map_err(|e| {
                    let error = FieldError::new("", format!("The file is not JSON: {e}."));
                    PlacedError { error, line: Some(e.line()) }
                })?;
                placed(value).map_err(|error| PlacedError { error, line: None })
            }
            TaskFormat::Toml => {
                let table: toml::Table = toml::from_str(text).map_err(|e| {
                    // What follows the first line draws the place with marks below it.
                    let detail = format!("This is not TOML: {}.", e.message());
                    let line = e.span().map(|at| line_at(text, at.start));
                    PlacedError { error: FieldError::new("", detail), line }
                })?;
                placed(toml::Value::Table(table)).map_err(|error| self.with_line(error))
            }
        }
    }

    /// A problem with the line of its place.
    #[must_use]
    pub fn with_line(&self, error: FieldError) -> PlacedError {
        let line = match self.format {
            TaskFormat::Toml => line_of(self.text, &error.pointer),
            TaskFormat::Json => None,
        };
        PlacedError { error, line }
    }
}

/// The line at an offset, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

/// The line of a place, or of what it stands in when it is not there.
fn line_of(text: &str, pointer: &str) -> Option<usize> {
    let table = DeTable::parse(text).ok()?;
    let mut found = None;
    let mut table = Some(table.into_inner());
    let mut list = None;
    for segment in pointer.split('/').skip(1) {
        let value = match (table.take(), list.take()) {
            (Some(inner), _) => {
                let alias = segment.strip_suffix('s').unwrap_or(segment);
                let named = |(key, _): &(toml::Spanned<_>, _)| {
                    let key: &std::borrow::Cow<'_, str> = key.get_ref();
                    key == segment || (key == alias && matches!(segment, "tasks" | "stages"))
                };
                let Some((key, value)) = inner.into_iter().find(named) else { break };
                found = Some(key.span().start);
                value
            }
            (None, Some(inner)) => {
                let inner: toml::de::DeArray<'_> = inner;
                let Some(place) = segment.parse().ok() else { break };
                let Some(value) = inner.into_iter().nth(place) else { break };
                found = Some(value.span().start);
                value
            }
            (None, None) => break,
        };
        match value.into_inner() {
            DeValue::Table(inner) => table = Some(inner),
            DeValue::Array(inner) => list = Some(inner),
            _ => break,
        }
    }
    found.map(|offset| line_at(text, offset))
}

impl Service {
    /// A workflow as a file.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or [`ServiceError::Export`] when it cannot be written.
    pub fn export_workflow(
        &self,
        id: &WorkflowId,
        format: TaskFormat,
    ) -> Result<Export, ServiceError> {
        let workflow = self.workflow(id)?;
        let (extension, media_type, body) = match format {
            TaskFormat::Toml => ("toml", "application/toml", workflow_toml(&workflow.into())?),
            TaskFormat::Json => {
                let text = serde_json::to_string_pretty(&WorkflowDefinition::from(workflow));
                let text = text.map_err(|e| ServiceError::Export(e.to_string()))? + "\n";
                ("json", "application/json", text)
            }
        };
        Ok(Export { file_name: format!("lanes-workflow-{id}.{extension}"), media_type, body })
    }

    /// What is wrong with a definition in a file; the workflow when nothing is.
    ///
    /// # Errors
    /// Every problem with its place and its line.
    pub fn check_workflow_file(
        &self,
        file: WorkflowFile<'_>,
    ) -> Result<Workflow, Vec<PlacedError>> {
        let definition = file.read().map_err(|error| vec![error])?;
        self.check_workflow(definition)
            .map_err(|errors| errors.into_iter().map(|e| file.with_line(e)).collect())
    }

    /// Keeps the workflow of a file. `replace` says that it takes the place of one whose id is there.
    ///
    /// # Errors
    /// As [`Service::create_workflow`] and [`Service::replace_workflow`].
    pub async fn import_workflow(
        &self,
        file: WorkflowFile<'_>,
        replace: bool,
    ) -> Result<Workflow, ServiceError> {
        let with_line = |PlacedError { error, line }: PlacedError| match line {
            Some(line) => FieldError { detail: format!("Line {line}: {}", error.detail), ..error },
            None => error,
        };
        let definition = file.read().map_err(|e| ServiceError::Invalid(vec![with_line(e)]))?;
        let id = WorkflowId(definition.id.trim().to_owned());
        let kept = match replace && self.workflow(&id).is_ok() {
            true => self.replace_workflow(&id, definition).await,
            false => self.create_workflow(definition).await,
        };
        kept.map_err(|error| match error {
            ServiceError::Invalid(errors) => ServiceError::Invalid(
                errors.into_iter().map(|e| with_line(file.with_line(e))).collect(),
            ),
            other => other,
        })
    }
}

#[derive(Serialize)]
struct TomlFile<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    about: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stage: Vec<TomlStage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    task: Vec<TomlTask<'a>>,
}

#[derive(Serialize)]
struct TomlStage<'a> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    tasks: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    needs: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    concurrency: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Scope::is_record")]
    scope: Scope,
}

impl<'a> From<&'a Stage> for TomlStage<'a> {
    fn from(stage: &'a Stage) -> Self {
        Self {
            id: stage.id.as_str(),
            name: stage.name.as_deref(),
            tasks: stage.tasks.iter().map(|t| t.as_str()).collect(),
            needs: stage.needs.iter().map(|n| n.as_str()).collect(),
            concurrency: stage.concurrency,
            provider: stage.provider.as_deref(),
            model: stage.model.as_deref(),
            scope: stage.scope,
        }
    }
}

/// A definition as TOML, the stages before the tasks that they name.
///
/// # Errors
/// [`ServiceError::Export`] when it cannot be written.
pub fn workflow_toml(definition: &WorkflowDefinition) -> Result<String, ServiceError> {
    let file = TomlFile {
        id: &definition.id,
        name: &definition.name,
        about: &definition.about,
        stage: definition.stages.iter().map(TomlStage::from).collect(),
        task: definition.tasks.iter().map(TomlTask::from).collect(),
    };
    toml::to_string_pretty(&file).map_err(|e| ServiceError::Export(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "id = \"w\"\nname = \"W\"\n\n[[stage]]\nid = \"a\"\ntasks = [\"summary\"]\n\n\
                        [[stage]]\nid = \"b\"\ntasks = [\n  \"summary\",\n  \"nothing\",\n]\n";

    #[test]
    fn a_place_is_found_in_its_line() {
        let line = |pointer| line_of(TEXT, pointer);
        assert_eq!(line("/name"), Some(2));
        assert_eq!(line("/stages/0"), Some(4));
        assert_eq!(line("/stages/1/id"), Some(9));
        assert_eq!(line("/stages/1/tasks/1"), Some(12));
        // What is not there is told where it would be.
        assert_eq!(line("/stages/1/needs/0"), Some(8));
        assert_eq!(line("/about"), None);
    }

    #[test]
    fn what_is_no_toml_or_of_the_wrong_kind_is_told_with_its_line() {
        let read = |text| WorkflowFile { format: TaskFormat::Toml, text }.read().unwrap_err();
        assert_eq!(read("id = \"w\"\nname = \n").line, Some(2));
        let wrong = read("id = \"w\"\n[[stage]]\nid = \"a\"\ntasks = 7\n");
        assert_eq!((wrong.error.pointer.as_str(), wrong.line), ("/stage/0/tasks", Some(4)));
    }
}
