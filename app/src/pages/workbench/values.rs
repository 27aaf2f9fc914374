//! What the form says, apart from how it is drawn: its values, what is wrong with them, and the
//! request they make. Pure; the rule is that whatever is refused here the server refuses too.

use lanes_model::spec::{DEFAULT_MAX_LANES, InputRequest, text_problem};
use lanes_model::{FieldError, Limits, Mode, RunRequest, reads};
use serde::Serialize;

use crate::server::{Doc, Prefill, WorkbenchData};

/// The values of the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Values {
    /// The sample whose text it is, when nobody has edited it.
    pub sample: Option<String>,
    /// The text.
    pub text: String,
    /// The documents chosen in place of a text.
    pub documents: Vec<Doc>,
    /// Ids of the chosen tasks, in the order they are listed.
    pub tasks: Vec<String>,
    /// The mode.
    pub mode: Mode,
    /// Whether both passes run at once; counts for compare only.
    pub race: bool,
    /// The lanes asked for, as typed.
    pub concurrency: String,
    /// The provider's id.
    pub provider: String,
    /// The model as typed; empty: the provider's first.
    pub model: String,
}

reads! {
    Values { sample, text, documents, tasks, mode, race, concurrency, provider, model }
}

impl Values {
    /// What is filled in at first. A provider's first model is left empty, so that it follows the
    /// choice of the provider where there is no JavaScript to do it.
    #[must_use]
    pub fn first(data: &WorkbenchData) -> Self {
        let Prefill {
            sample,
            text,
            documents,
            tasks,
            mode,
            race,
            concurrency,
            provider,
            model,
            ..
        } = data.prefill.clone();
        let usual = data.providers.iter().find(|p| p.id == provider).and_then(|p| p.models.first());
        Self {
            model: if usual == Some(&model) { String::new() } else { model },
            mode: possible(mode.parse().unwrap_or_default(), data),
            sample,
            text,
            documents,
            tasks,
            race,
            concurrency,
            provider,
        }
    }

    /// The same, less what is no longer there to be chosen.
    #[cfg(any(feature = "hydrate", test))]
    #[must_use]
    pub fn fitting(mut self, data: &WorkbenchData) -> Self {
        self.sample = self.sample.filter(|id| data.samples.iter().any(|s| &s.id == id));
        self.tasks.retain(|id| data.tasks.iter().any(|t| t.id.as_str() == id));
        if !data.providers.iter().any(|p| p.id == self.provider) {
            self.provider = data.providers.first().map(|p| p.id.clone()).unwrap_or_default();
            self.model.clear();
        }
        self.mode = possible(self.mode, data);
        self
    }

    /// The run that the form asks for.
    ///
    /// # Errors
    /// Everything that can be told to be wrong without asking the server.
    pub fn request(&self, limits: &Limits) -> Result<RunRequest, Vec<FieldError>> {
        let mut errors = Vec::new();
        let uploaded = !self.documents.is_empty();
        if !uploaded && let (None, Some(detail)) = (&self.sample, text_problem(&self.text, limits))
        {
            errors.push(FieldError::new("/input/text", detail));
        }
        if self.tasks.is_empty() {
            errors.push(FieldError::new("/tasks", "Choose at least one task."));
        }
        if let Err(detail) = lanes(&self.concurrency, self.tasks.len(), limits) {
            errors.push(FieldError::new("/concurrency", detail));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let filled = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        Ok(RunRequest {
            input: InputRequest {
                text: (!uploaded && self.sample.is_none()).then(|| self.text.clone()),
                sample: self.sample.clone().filter(|_| !uploaded),
                document_ids: uploaded
                    .then(|| self.documents.iter().map(|d| d.id.clone()).collect()),
            },
            tasks: self.tasks.clone(),
            mode: Some(self.mode.id().to_owned()),
            race: self.race && self.mode == Mode::Compare,
            concurrency: self.concurrency.trim().parse().ok(),
            provider: filled(&self.provider),
            model: filled(&self.model),
            ..RunRequest::default()
        })
    }
}

/// The lanes of a parallel pass when nobody asks for a number.
#[must_use]
pub fn usual_lanes(tasks: usize, limits: &Limits) -> u32 {
    let most = DEFAULT_MAX_LANES.min(limits.max_concurrency.max(1));
    u32::try_from(tasks).unwrap_or(u32::MAX).clamp(1, most)
}

/// The lanes of a parallel pass, from what was typed.
///
/// # Errors
/// What is wrong with the number.
pub fn lanes(typed: &str, tasks: usize, limits: &Limits) -> Result<u32, String> {
    let most = limits.max_concurrency.max(1);
    match typed.trim() {
        "" => Ok(usual_lanes(tasks, limits)),
        number => number
            .parse()
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| format!("Concurrency must be a whole number from 1 to {most}.")),
    }
}

/// Where in the form a problem is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The text and the samples.
    Text,
    /// The tasks.
    Tasks,
    /// The mode.
    Mode,
    /// Whether both passes run at once.
    Race,
    /// The lanes.
    Concurrency,
    /// The provider.
    Provider,
    /// The model.
    Model,
    /// The faults.
    Faults,
    /// Pace, budget and fallback.
    Options,
}

impl Field {
    /// The place that a JSON pointer into the request means.
    #[must_use]
    pub fn of(pointer: &str) -> Option<Self> {
        match pointer.split('/').nth(1)? {
            "input" => Some(Field::Text),
            "tasks" => Some(Field::Tasks),
            "mode" => Some(Field::Mode),
            "race" => Some(Field::Race),
            "concurrency" => Some(Field::Concurrency),
            "provider" => Some(Field::Provider),
            "model" => Some(Field::Model),
            // Beside the faults there is a place for what is wrong with both.
            "faults" | "cache" => Some(Field::Faults),
            "budget" | "adaptive" | "priority" | "hedge" | "fallback" => Some(Field::Options),
            _ => None,
        }
    }

    /// The id of the element that says what is wrong.
    #[must_use]
    pub const fn error_id(self) -> &'static str {
        match self {
            Field::Text => "error-text",
            Field::Tasks => "error-tasks",
            Field::Mode => "error-mode",
            Field::Race => "error-race",
            Field::Concurrency => "error-concurrency",
            Field::Provider => "error-provider",
            Field::Model => "error-model",
            Field::Faults => "error-faults",
            Field::Options => "error-options",
        }
    }
}

/// The mode, or the only one where calls may not run at the same time.
fn possible(mode: Mode, data: &WorkbenchData) -> Mode {
    if data.parallel { mode } else { Mode::Sequential }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            sample: None,
            text: "A text.".to_owned(),
            documents: Vec::new(),
            tasks: vec!["summary".to_owned(), "keywords".to_owned()],
            mode: Mode::Compare,
            race: true,
            concurrency: " 4 ".to_owned(),
            provider: "simulator".to_owned(),
            model: String::new(),
        }
    }

    #[test]
    fn an_edited_text_is_sent_as_text_and_an_empty_model_is_left_out() {
        let request = values().request(&Limits::default()).unwrap();
        assert_eq!(request.input.text.as_deref(), Some("A text."));
        assert_eq!(request.input.sample, None);
        assert_eq!((request.concurrency, request.race), (Some(4), true));
        assert_eq!((request.provider.as_deref(), request.model), (Some("simulator"), None));
    }

    #[test]
    fn an_unchanged_sample_is_sent_by_its_name_even_before_its_text_has_come() {
        let sample = Some("ai-technology".to_owned());
        let form = Values { sample: sample.clone(), text: String::new(), ..values() };
        let request = form.request(&Limits::default()).unwrap();
        assert_eq!((request.input.sample, request.input.text), (sample, None));
    }

    #[test]
    fn chosen_documents_take_the_place_of_the_text() {
        let documents = vec![Doc { id: "d".to_owned(), ..Doc::default() }];
        let form = Values { documents, sample: Some("ai".to_owned()), ..values() };
        let input = form.request(&Limits::default()).unwrap().input;
        assert_eq!(input.document_ids, Some(vec!["d".to_owned()]));
        assert_eq!((input.sample, input.text), (None, None));
    }

    #[test]
    fn race_counts_for_compare_only() {
        let form = Values { mode: Mode::Parallel, ..values() };
        assert!(!form.request(&Limits::default()).unwrap().race);
    }

    #[test]
    fn every_problem_is_told_at_once_and_has_its_place() {
        let form = Values {
            text: "  ".to_owned(),
            tasks: Vec::new(),
            concurrency: "many".to_owned(),
            ..values()
        };
        let errors = form.request(&Limits::default()).unwrap_err();
        let places: Vec<_> = errors.iter().filter_map(|e| Field::of(&e.pointer)).collect();
        assert_eq!(places, [Field::Text, Field::Tasks, Field::Concurrency]);
    }

    #[test]
    fn lanes_are_one_a_task_at_most_six_unless_a_number_is_given() {
        let limits = Limits { max_concurrency: 8, ..Limits::default() };
        assert_eq!(lanes("", 3, &limits), Ok(3));
        assert_eq!(lanes("", 20, &limits), Ok(6));
        assert_eq!(lanes("", 0, &limits), Ok(1));
        assert_eq!(lanes("8", 3, &limits), Ok(8));
        for wrong in ["0", "9", "-1", "2.5", "six"] {
            assert!(lanes(wrong, 3, &limits).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_kept_draft_loses_what_can_no_longer_be_chosen() {
        let data = WorkbenchData {
            samples: Vec::new(),
            tasks: lanes_model::task::built_in().into_iter().take(1).collect(),
            providers: Vec::new(),
            limits: Limits::default(),
            parallel: false,
            history: Vec::new(),
            prefill: Prefill::default(),
            errors: Vec::new(),
        };
        let kept = Values { sample: Some("gone".to_owned()), ..values() }.fitting(&data);
        assert_eq!((kept.sample, kept.provider), (None, String::new()));
        assert_eq!(kept.mode, Mode::Sequential);
        assert_eq!((kept.tasks, kept.text), (vec!["summary".to_owned()], "A text.".to_owned()));
    }

    #[test]
    fn pointers_below_a_field_belong_to_it() {
        assert_eq!(Field::of("/input/sample"), Some(Field::Text));
        assert_eq!(Field::of("/tasks/2"), Some(Field::Tasks));
        assert_eq!(Field::of("/faults/hang_rate"), Some(Field::Faults));
        assert_eq!(Field::of("/budget/deadline_ms"), Some(Field::Options));
        assert_eq!(Field::of("/fallback/0"), Some(Field::Options));
        assert_eq!(Field::of(""), None);
    }
}
