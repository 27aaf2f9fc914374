//! What a caller asks for ([`RunRequest`]), what is left of it once checked ([`RunSpec`]), and the
//! check between the two.
//!
//! The check collects every problem at once, each with a JSON pointer, so that a form and a program
//! can show all of them in their place and nothing has to be sent twice.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::options::FallbackRequest;
use crate::{Budget, Fallback, Faults, FaultsRequest, Priority, TaskId, sample};

/// How a run executes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// One after another, in order.
    Sequential,
    /// As many at once as there are lanes.
    Parallel,
    /// Both, to compare: the parallel pass first, then the sequential one.
    #[default]
    Compare,
}

impl Mode {
    /// All three, in the order people see them.
    pub const ALL: [Mode; 3] = [Mode::Sequential, Mode::Parallel, Mode::Compare];

    /// The name used in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Mode::Sequential => "sequential",
            Mode::Parallel => "parallel",
            Mode::Compare => "compare",
        }
    }

    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Mode::Sequential => "Sequential",
            Mode::Parallel => "Parallel",
            Mode::Compare => "Compare",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// The mode's name was none of the three.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not a mode; choose sequential, parallel or compare")]
pub struct UnknownMode(pub String);

impl FromStr for Mode {
    type Err = UnknownMode;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Mode::ALL.into_iter().find(|m| m.id() == s).ok_or_else(|| UnknownMode(s.to_owned()))
    }
}

/// What a run is about, as asked for: exactly one of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputRequest {
    /// One of the shipped samples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<String>,
    /// A text given here and now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Documents given before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_ids: Option<Vec<String>>,
}

/// A run as asked for, not yet checked. The body of `POST /api/runs`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRequest {
    /// What about.
    #[serde(default)]
    pub input: InputRequest,
    /// Which tasks, in order.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// `sequential`, `parallel` or `compare`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether compare runs both passes at once.
    #[serde(default)]
    pub race: bool,
    /// Lanes of the parallel pass; by default one per task, at most 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<i64>,
    /// Which provider; by default the first configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Which model; by default the provider's first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Whether answers may come from the response cache. Measured passes never use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
    /// Faults to inject into the simulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<FaultsRequest>,
    /// What the run may cost and how long it may start calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Whether the number of lanes in use adapts to what the provider can take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<bool>,
    /// Whether a call that takes unusually long gets a second attempt beside the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// What to go on with when the provider fails, in order; by default what it is configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Vec<FallbackRequest>>,
    /// `interactive` or `batch`; interactive runs go first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

/// What a checked run is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// The sample of this id.
    Sample(String),
    /// A text that was given with the request; the run's document holds it.
    Text,
    /// Documents stored before the request.
    Documents(Vec<String>),
}

/// A run that passed the check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSpec {
    /// What about.
    pub input: Input,
    /// Which tasks, in order, without repeats.
    pub tasks: Vec<TaskId>,
    /// How.
    pub mode: Mode,
    /// Whether compare runs both passes at once.
    pub race: bool,
    /// Lanes of the parallel pass, 1 to the configured most.
    pub concurrency: u32,
    /// The provider's id.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// Faults injected into the simulator. The browser does not read them: it is told in words what
    /// they are, for reading them would take 2 kB of its WebAssembly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub faults: Option<Faults>,
    /// What the run may cost and how long it may start calls.
    #[serde(default, skip_serializing_if = "Budget::is_none")]
    pub budget: Budget,
    /// Whether the number of lanes in use adapts to what the provider can take.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adaptive: bool,
    /// Whether a call that takes unusually long gets a second attempt beside the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// What to go on with when the provider fails, in order. Not read in the browser.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(target_arch = "wasm32", serde(skip_deserializing))]
    pub fallback: Vec<Fallback>,
    /// Whether it goes before other runs.
    #[serde(default, skip_serializing_if = "Priority::is_interactive")]
    pub priority: Priority,
}

/// What the check needs to know of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest text accepted, in bytes of UTF-8.
    pub max_text_bytes: usize,
    /// The most lanes a run may ask for.
    pub max_concurrency: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_text_bytes: 200_000, max_concurrency: 64 }
    }
}

/// The most lanes a run gets when it does not ask for a number.
pub const DEFAULT_MAX_LANES: u32 = 6;

/// One thing wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the request, such as `/tasks/2`.
    pub pointer: String,
    /// What is wrong and what to do about it.
    pub detail: String,
}

impl FieldError {
    /// A problem at a place.
    #[must_use]
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// What can be chosen: the check compares a request with it.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    /// Ids of the tasks there are.
    pub tasks: &'a [TaskId],
    /// Id and models of each configured provider, the default first. An empty list of models means
    /// that any name is passed on.
    pub providers: &'a [(String, Vec<String>)],
    /// Ids of the providers that are simulators: only into them can faults be injected.
    pub simulated: &'a [String],
    /// Ids of the providers of which no limit is known.
    pub unlimited: &'a [String],
    /// The fallbacks that providers are configured with: ids of others, by id.
    pub fallbacks: &'a [(String, Vec<String>)],
    /// What is wrong with a latency profile, if anything. Only the simulator's parser knows.
    pub latency_problem: fn(&str) -> Option<String>,
    /// The limits in force.
    pub limits: &'a Limits,
}

impl RunRequest {
    /// Checks the request. Returns every problem found, in the order of the form.
    ///
    /// # Errors
    /// A list of [`FieldError`]s, never empty.
    pub fn check(&self, choices: &Choices<'_>) -> Result<RunSpec, Vec<FieldError>> {
        let mut errors = Vec::new();
        let input = self.check_input(choices.limits, &mut errors);
        let tasks = self.check_tasks(choices.tasks, &mut errors);
        let mode = match self.mode.as_deref().map_or(Ok(Mode::default()), str::parse) {
            Ok(mode) => mode,
            Err(e) => {
                errors.push(FieldError::new("/mode", format!("{e}.")));
                Mode::default()
            }
        };
        if self.race && mode != Mode::Compare {
            errors.push(FieldError::new(
                "/race",
                "Race needs mode compare: it runs both passes at once.",
            ));
        }
        let concurrency = self.check_concurrency(choices.limits, tasks.len(), &mut errors);
        let (provider, model) = self.check_provider(choices.providers, &mut errors);
        let faults = self.check_faults(choices, &provider, &mut errors);
        let budget = self.budget.unwrap_or_default();
        budget.check(&mut errors);
        let adaptive = self.is_adaptive(choices, mode, &provider);
        self.check_hedge(mode, &mut errors);
        let priority = self.check_priority(&mut errors);
        let fallback = self.check_fallbacks(choices, (&provider, &model), &mut errors);
        match (input, errors.is_empty()) {
            (Some(input), true) => Ok(RunSpec {
                input,
                tasks,
                mode,
                race: self.race,
                concurrency,
                provider,
                model,
                faults,
                budget,
                adaptive,
                hedge: self.hedge,
                fallback,
                priority,
            }),
            _ => Err(errors),
        }
    }

    fn check_faults(
        &self,
        choices: &Choices<'_>,
        provider: &str,
        errors: &mut Vec<FieldError>,
    ) -> Option<Faults> {
        let faults = self.faults.as_ref()?.check(choices.latency_problem, errors);
        let faults = Some(faults).filter(|f| !f.is_off())?;
        // An unknown provider is said to be unknown, and nothing else.
        if !provider.is_empty() && !choices.simulated.iter().any(|s| s == provider) {
            errors.push(FieldError::new(
                "/faults",
                format!(
                    "Faults can only be injected into the simulator, and “{provider}” is a real \
                     provider: choose the simulator or leave the faults out."
                ),
            ));
        }
        Some(faults)
    }

    fn check_input(&self, limits: &Limits, errors: &mut Vec<FieldError>) -> Option<Input> {
        let InputRequest { sample, text, document_ids } = &self.input;
        match (sample, text, document_ids) {
            (Some(id), None, None) => {
                if sample::find(id).is_none() {
                    let known: Vec<_> = sample::SAMPLES.iter().map(|s| s.id).collect();
                    errors.push(FieldError::new(
                        "/input/sample",
                        format!(
                            "There is no sample “{}”; choose one of {}.",
                            shorten(id),
                            known.join(", ")
                        ),
                    ));
                }
                Some(Input::Sample(id.clone()))
            }
            (None, Some(text), None) => {
                if let Some(detail) = text_problem(text, limits) {
                    errors.push(FieldError::new("/input/text", detail));
                }
                Some(Input::Text)
            }
            (None, None, Some(ids)) => {
                if ids.is_empty() {
                    errors.push(FieldError::new(
                        "/input/document_ids",
                        "Choose at least one document.",
                    ));
                }
                Some(Input::Documents(ids.clone()))
            }
            (None, None, None) => {
                errors
                    .push(FieldError::new("/input", "There is no input: give a sample or a text."));
                None
            }
            _ => {
                errors.push(FieldError::new(
                    "/input",
                    "Give exactly one of sample, text and document_ids.",
                ));
                None
            }
        }
    }

    fn check_tasks(&self, known: &[TaskId], errors: &mut Vec<FieldError>) -> Vec<TaskId> {
        let mut tasks: Vec<TaskId> = Vec::with_capacity(self.tasks.len());
        if self.tasks.is_empty() {
            errors.push(FieldError::new("/tasks", "Choose at least one task."));
        }
        for (i, id) in self.tasks.iter().enumerate() {
            let id = TaskId(id.clone());
            if !known.contains(&id) {
                let known: Vec<_> = known.iter().map(TaskId::as_str).collect();
                errors.push(FieldError::new(
                    format!("/tasks/{i}"),
                    format!(
                        "There is no task “{}”; choose from {}.",
                        shorten(id.as_str()),
                        known.join(", ")
                    ),
                ));
            } else if tasks.contains(&id) {
                errors.push(FieldError::new(
                    format!("/tasks/{i}"),
                    format!("The task “{id}” is listed twice; name each task once."),
                ));
            } else {
                tasks.push(id);
            }
        }
        tasks
    }

    fn check_concurrency(
        &self,
        limits: &Limits,
        tasks: usize,
        errors: &mut Vec<FieldError>,
    ) -> u32 {
        let most = limits.max_concurrency.max(1);
        let Some(asked) = self.concurrency else {
            return u32::try_from(tasks).unwrap_or(u32::MAX).clamp(1, DEFAULT_MAX_LANES.min(most));
        };
        match u32::try_from(asked) {
            Ok(n) if (1..=most).contains(&n) => n,
            _ => {
                errors.push(FieldError::new(
                    "/concurrency",
                    format!("Concurrency is {asked}; it must be from 1 to {most}."),
                ));
                1
            }
        }
    }

    fn check_provider(
        &self,
        providers: &[(String, Vec<String>)],
        errors: &mut Vec<FieldError>,
    ) -> (String, String) {
        let found = match &self.provider {
            None => providers.first(),
            Some(id) => providers.iter().find(|(p, _)| p == id),
        };
        let Some((provider, models)) = found else {
            let known: Vec<_> = providers.iter().map(|(id, _)| id.as_str()).collect();
            let asked = shorten(self.provider.as_deref().unwrap_or_default());
            errors.push(FieldError::new(
                "/provider",
                format!("There is no provider “{asked}”; choose from {}.", known.join(", ")),
            ));
            return (String::new(), String::new());
        };
        let model = match self.model.as_deref().map(str::trim) {
            None | Some("") => models.first().cloned().unwrap_or_default(),
            Some(name) => name.to_owned(),
        };
        if model.is_empty() {
            errors.push(FieldError::new("/model", "Name a model: this provider has no default."));
        } else if model.len() > 200 || model.chars().any(char::is_control) {
            errors.push(FieldError::new(
                "/model",
                "A model name has at most 200 characters and no control characters.",
            ));
        }
        (provider.clone(), model)
    }
}

/// What is wrong with a text, if anything.
#[must_use]
pub fn text_problem(text: &str, limits: &Limits) -> Option<String> {
    if text.trim().is_empty() {
        Some("The text is empty: pick a sample or paste a text.".to_owned())
    } else if text.len() > limits.max_text_bytes {
        Some(format!(
            "The text has {} bytes; the most is {}. Shorten it, or split it into several runs.",
            text.len(),
            limits.max_text_bytes
        ))
    } else {
        None
    }
}

/// At most 40 characters of a name that somebody sent, for use in a message.
pub(crate) fn shorten(name: &str) -> String {
    let clean: String = name.chars().filter(|c| !c.is_control()).collect();
    if clean.chars().count() <= 40 {
        clean
    } else {
        clean.chars().take(39).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests;
