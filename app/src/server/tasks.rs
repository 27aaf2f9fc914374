//! What the pages of tasks are made of: the form as it was typed, the task it says, and what the server
//! gathers around it.

use lanes_model::{FieldError, Output, Schema, Task, TaskDefinition, TaskId, Temperature, sample};
use lanes_service::{Preview, Service, Trial, TrialRequest};
use leptos::prelude::use_context;

use super::{UiError, service};

/// The editor's fields as they are typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskForm {
    /// The id.
    pub id: String,
    /// The name.
    pub name: String,
    /// The system message.
    pub system_message: String,
    /// The prompt.
    pub prompt: String,
    /// The longest answer.
    pub max_tokens: String,
    /// Empty: as the model does by itself.
    pub temperature: String,
    /// `text`, `labels` or `schema`.
    pub output: String,
    /// One a line.
    pub labels: String,
    /// The schema's text.
    pub schema: String,
    /// What to try it on: a sample's id, or nothing for a text.
    pub sample: String,
    /// The text to try it on.
    pub text: String,
    /// Whom to try: the number of one of [`targets`].
    pub target: String,
    /// Whether personal data is taken out of what a trial sends.
    pub redact: bool,
}

impl TaskForm {
    /// The fields of a task, to be tried on the first sample.
    #[must_use]
    pub fn of(task: TaskDefinition) -> Self {
        let (output, labels, schema) = match task.output {
            Output::Text => ("text", String::new(), String::new()),
            Output::Labels(labels) => ("labels", labels.join("\n"), String::new()),
            Output::Schema(schema) => ("schema", String::new(), schema.as_str().to_owned()),
        };
        Self {
            id: task.id,
            name: task.name,
            system_message: task.system_message,
            prompt: task.prompt,
            max_tokens: task.max_tokens.to_string(),
            temperature: task.temperature.map(|t| t.to_string()).unwrap_or_default(),
            output: output.to_owned(),
            labels,
            schema,
            sample: sample::SAMPLES.first().map(|s| s.id.to_owned()).unwrap_or_default(),
            ..Self::default()
        }
    }

    /// What a new task begins with.
    #[must_use]
    pub fn blank() -> Self {
        Self::of(TaskDefinition {
            prompt: "<text>\n{{text}}\n</text>".to_owned(),
            max_tokens: 300,
            ..TaskDefinition::default()
        })
    }

    /// The fields that a browser sent.
    #[must_use]
    pub fn read(fields: &[(String, String)]) -> Self {
        // Browsers send line ends as CR LF.
        let one = |name: &str| {
            let found = fields.iter().find(|(k, _)| k == name);
            found.map(|(_, v)| v.replace("\r\n", "\n")).unwrap_or_default()
        };
        Self {
            id: one("id"),
            name: one("name"),
            system_message: one("system_message"),
            prompt: one("prompt"),
            max_tokens: one("max_tokens"),
            temperature: one("temperature"),
            output: one("output"),
            labels: one("labels"),
            schema: one("schema"),
            sample: one("sample"),
            text: one("text"),
            target: one("target"),
            redact: !one("redact").is_empty(),
        }
    }

    /// The task that the fields say, and what in them says nothing.
    #[must_use]
    pub fn definition(&self) -> (TaskDefinition, Vec<FieldError>) {
        let mut errors = Vec::new();
        let mut wrong = |place: &str, detail: String| errors.push(FieldError::new(place, detail));
        // What is no number at all is said to be out of range by the check.
        let max_tokens = self.max_tokens.trim().parse().unwrap_or(0);
        let temperature = match self.temperature.trim() {
            "" => None,
            typed => Temperature::typed(typed).map_err(|e| wrong("/temperature", e)).ok(),
        };
        let lines = || self.labels.lines().map(str::trim).filter(|line| !line.is_empty());
        let output = match self.output.as_str() {
            "labels" => Output::Labels(lines().map(str::to_owned).collect()),
            "schema" => Output::Schema(Schema::new(self.schema.clone())),
            _ => Output::Text,
        };
        let task = TaskDefinition {
            id: self.id.trim().to_owned(),
            name: self.name.trim().to_owned(),
            system_message: self.system_message.clone(),
            prompt: self.prompt.clone(),
            max_tokens,
            temperature,
            output,
            ..TaskDefinition::default()
        };
        (task, errors)
    }

    /// The text that the task is shown and tried on.
    #[must_use]
    pub fn example(&self) -> String {
        match sample::find(&self.sample) {
            Some(sample) => sample.text.to_owned(),
            None => self.text.clone(),
        }
    }

    /// The trial that the form asks for.
    #[must_use]
    pub fn trial(&self, service: &Service) -> TrialRequest {
        let target =
            self.target.parse().ok().and_then(|n: usize| targets(service).into_iter().nth(n));
        let (provider, model) = target.map_or((None, None), |t| (Some(t.0), Some(t.1)));
        let sample = sample::find(&self.sample).map(|s| s.id.to_owned());
        TrialRequest {
            task: self.definition().0,
            text: sample.is_none().then(|| self.text.clone()),
            sample,
            provider,
            model,
            redact: self.redact,
        }
    }
}

/// Whom a task can be tried on: providers with their models.
#[must_use]
pub fn targets(service: &Service) -> Vec<(String, String)> {
    let each = service
        .providers()
        .iter()
        .flat_map(|p| p.models.iter().take(20).map(|model| (p.id.clone(), model.clone())));
    each.collect()
}

/// A form that was sent: shown again with what came of it. Put into the context by its handler.
#[derive(Debug, Clone, Default)]
pub struct TaskSent {
    /// The fields as sent.
    pub form: TaskForm,
    /// What is wrong with them.
    pub errors: Vec<FieldError>,
    /// How the trial went, if one was asked for.
    pub trial: Option<Trial>,
}

/// A file of tasks that was sent and refused. Put into the context by its handler.
#[derive(Debug, Clone, Default)]
pub struct ImportSent {
    /// The text as typed; not that of a file.
    pub text: String,
    /// What is wrong, and where.
    pub errors: Vec<FieldError>,
}

/// Everything that the editor needs.
#[derive(Debug, Clone)]
pub struct TaskPageData {
    /// The task that is kept under this address; none for a new one.
    pub kept: Option<Task>,
    /// The fields.
    pub form: TaskForm,
    /// Whether they differ from what is kept.
    pub changed: bool,
    /// What is wrong with them.
    pub errors: Vec<FieldError>,
    /// The prompt as it would be sent.
    pub preview: Preview,
    /// How the trial went.
    pub trial: Option<Trial>,
    /// Whom it can be tried on, as people read it; empty when there is but one.
    pub targets: Vec<String>,
    /// Whether personal data is taken out of everything that is sent.
    pub redacts: bool,
}

/// The editor of a task, or of a new one, which may begin as a copy.
///
/// # Errors
/// There is no such task.
pub async fn task_page(
    id: Option<String>,
    copied: Option<String>,
) -> Result<TaskPageData, UiError> {
    let service = service()?;
    let kept = id.map(|id| service.task(&TaskId(id))).transpose()?;
    let first = match (&kept, copied.filter(|from| !from.is_empty())) {
        (Some(task), _) => TaskForm::of(TaskDefinition::from(task.clone())),
        (None, Some(from)) => TaskForm::of(service.copy_of_task(&TaskId(from))?),
        (None, None) => TaskForm::blank(),
    };
    let sent = use_context::<TaskSent>();
    let changed = match (&sent, &kept) {
        (Some(sent), _) => sent.form.definition() != first.definition(),
        (None, _) => false,
    };
    let TaskSent { form, errors, trial } =
        sent.unwrap_or_else(|| TaskSent { form: first, ..TaskSent::default() });
    let redacts = service.limits().redact;
    let preview = service.preview_task(form.definition().0, &form.example(), form.redact).await;
    let names = targets(&service).into_iter().map(|(provider, model)| {
        let name = service.providers().iter().find(|p| p.id == provider).map(|p| p.name.clone());
        format!("{}, {model}", name.unwrap_or(provider))
    });
    let targets: Vec<String> = names.collect();
    let targets = if targets.len() > 1 { targets } else { Vec::new() };
    Ok(TaskPageData { kept, form, changed, errors, preview, trial, targets, redacts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_the_task_it_was_made_of() {
        let mut task = TaskDefinition::from(lanes_model::task::built_in().remove(0));
        for output in [
            Output::Text,
            Output::Labels(vec!["A".to_owned(), "B".to_owned()]),
            Output::Schema(Schema::new("{\n  \"type\": \"object\"\n}")),
        ] {
            task.temperature = Temperature::of(0.7);
            task.output = output;
            let typical_tokens = None;
            let (said, errors) = TaskForm::of(task.clone()).definition();
            assert_eq!((said, errors), (TaskDefinition { typical_tokens, ..task.clone() }, vec![]));
        }
    }

    #[test]
    fn what_is_no_number_is_said_at_its_field() {
        let form = TaskForm { temperature: "hot".to_owned(), ..TaskForm::blank() };
        assert_eq!(form.definition().1[0].pointer, "/temperature");
        let form = TaskForm { max_tokens: "many".to_owned(), ..TaskForm::blank() };
        assert_eq!(form.definition().0.max_tokens, 0);
    }

    #[test]
    fn lines_that_a_browser_sent_end_as_ours_do() {
        let sent = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        let form = TaskForm::read(&[
            sent("prompt", "a\r\nb"),
            sent("labels", "A\r\n\r\nB"),
            sent("output", "labels"),
        ]);
        assert_eq!(form.prompt, "a\nb");
        assert_eq!(
            form.definition().0.output,
            Output::Labels(vec!["A".to_owned(), "B".to_owned()])
        );
    }
}
