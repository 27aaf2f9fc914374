//! The check between a [`RunRequest`] and a [`RunSpec`]: `budget`, `faults` and `options` check their
//! own fields, this the rest.
//!
//! Rule: it collects every problem at once, each with a JSON pointer, so that a form and a program can
//! show all of them in their place and nothing has to be sent twice.

use super::{
    DEFAULT_MAX_LANES, FieldError, Input, InputRequest, Limits, Mode, RunRequest, RunSpec,
};
use crate::{Faults, PIECE_TOKENS, PIECE_TOKENS_RANGE, TaskId, Workflow, sample};

/// What can be chosen: the check compares a request with it.
#[derive(Debug, Clone, Copy)]
pub struct Choices<'a> {
    /// Ids of the tasks there are.
    pub tasks: &'a [TaskId],
    /// The workflows there are.
    pub workflows: &'a [Workflow],
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
        let workflow = self.check_workflow(choices.workflows, &mut errors);
        let tasks = match self.workflow {
            None => self.check_tasks(choices.tasks, &mut errors),
            Some(_) => Vec::new(),
        };
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
        let concurrency = match workflow {
            // Its stages follow one another, and there is no saying how many lanes are of use.
            Some(_) => self.check_concurrency(choices.limits, usize::MAX, &mut errors),
            None => self.check_concurrency(choices.limits, tasks.len(), &mut errors),
        };
        let (provider, model) = self.check_provider(choices.providers, &mut errors);
        let faults = self.check_faults(choices, &provider, &mut errors);
        let budget = self.budget.unwrap_or_default();
        budget.check(&mut errors);
        let adaptive = self.is_adaptive(choices, mode, &provider);
        self.check_hedge(mode, &mut errors);
        let priority = self.check_priority(&mut errors);
        let fallback = self.check_fallbacks(choices, (&provider, &model), &mut errors);
        let cache = self.check_cache(mode, faults.is_some(), &mut errors);
        let piece_tokens = self.check_long(&mut errors);
        match (input, errors.is_empty()) {
            (Some(input), true) => Ok(RunSpec {
                input,
                tasks,
                workflow: workflow.map(|w| w.id.clone()),
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
                cache,
                piece_tokens,
                redact: self.redact || choices.limits.redact,
                figures_only: false,
            }),
            _ => Err(errors),
        }
    }

    /// The workflow that is asked for; of one that is not known nothing more is said.
    fn check_workflow<'a>(
        &self,
        known: &'a [Workflow],
        errors: &mut Vec<FieldError>,
    ) -> Option<&'a Workflow> {
        let id = self.workflow.as_deref()?;
        if !self.tasks.is_empty() {
            errors.push(FieldError::new(
                "/tasks",
                "Give either tasks or a workflow: a workflow brings its own tasks.",
            ));
        }
        let found = known.iter().find(|w| w.id.as_str() == id);
        if found.is_none() {
            let ids: Vec<_> = known.iter().map(|w| w.id.as_str()).collect();
            errors.push(FieldError::new(
                "/workflow",
                format!("There is no workflow “{}”; choose from {}.", shorten(id), ids.join(", ")),
            ));
        }
        found
    }

    /// The tokens of a piece, where documents are to be cut.
    fn check_long(&self, errors: &mut Vec<FieldError>) -> Option<u32> {
        let cut = match self.long.as_deref() {
            Some("chunk") => true,
            None | Some("refuse") => false,
            Some(other) => {
                let other = shorten(other);
                let detail = format!("“{other}” is not known here; choose refuse or chunk.");
                errors.push(FieldError::new("/long", detail));
                return None;
            }
        };
        let Some(asked) = self.piece_tokens else { return cut.then_some(PIECE_TOKENS) };
        let (least, most) = (PIECE_TOKENS_RANGE.start(), PIECE_TOKENS_RANGE.end());
        let tokens = u32::try_from(asked).ok().filter(|n| PIECE_TOKENS_RANGE.contains(n));
        if !cut {
            let detail = "Pieces need long: “chunk”; leave the number out, or ask for that.";
            errors.push(FieldError::new("/piece_tokens", detail));
        } else if tokens.is_none() {
            let detail = format!("A piece has from {least} to {most} tokens, and not {asked}.");
            errors.push(FieldError::new("/piece_tokens", detail));
        }
        tokens
    }

    /// Cached answers would falsify what is measured, and hide what is injected.
    fn check_cache(&self, mode: Mode, faults: bool, errors: &mut Vec<FieldError>) -> bool {
        let cache = self.cache == Some(true);
        if cache && mode == Mode::Compare {
            errors.push(FieldError::new(
                "/cache",
                "Compare measures both passes, and a cached answer would falsify that: leave the \
                 cache out or choose parallel or sequential.",
            ));
        } else if cache && faults {
            errors.push(FieldError::new(
                "/cache",
                "Faults are injected into requests, and a cached answer needs none: leave the cache \
                 or the faults out.",
            ));
        }
        cache
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
