//! The state of the form as signals, and what can be done with it: typing, choosing, starting the
//! run. Talks to the server functions; the views only draw it and call it. What the form says is
//! never lost by a failure.

use lanes_model::spec::text_problem;
use lanes_model::{
    Estimate, FaultsRequest, FieldError, Limits, Mode, Plan, RunRequest, TextCount, estimate,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::draft;
use super::panels;
use super::values::{Field, Values, lanes};
use crate::browser::place;
use crate::server::{Doc, UiError, WorkbenchData, sample_text, start_run};

/// The form.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// What can be chosen.
    pub data: StoredValue<WorkbenchData>,
    /// The sample whose text it is, unedited.
    pub sample: RwSignal<Option<String>>,
    /// The text.
    pub text: RwSignal<String>,
    /// Its size.
    pub count: RwSignal<TextCount>,
    /// The documents chosen in place of a text.
    pub documents: RwSignal<Vec<Doc>>,
    /// What was not taken of the last upload.
    pub rejected: RwSignal<Vec<String>>,
    /// How far an upload is; empty when there is none.
    pub uploading: RwSignal<String>,
    /// The text that a sample took the place of.
    pub own: RwSignal<String>,
    /// Ids of the chosen tasks, in the order they are listed.
    pub tasks: RwSignal<Vec<String>>,
    /// The mode.
    pub mode: RwSignal<Mode>,
    /// Whether both passes run at once.
    pub race: RwSignal<bool>,
    /// The lanes, as typed.
    pub concurrency: RwSignal<String>,
    /// The provider's id.
    pub provider: RwSignal<String>,
    /// The model, as typed.
    pub model: RwSignal<String>,
    /// What the server, or the last attempt to start, found wrong.
    pub errors: RwSignal<Vec<FieldError>>,
    /// Why the last attempt failed otherwise.
    pub failure: RwSignal<Option<String>>,
    /// Whether a run is being started.
    pub pending: RwSignal<bool>,
    /// What the run is expected to take and cost; none while something is missing.
    pub estimate: Memo<Option<Estimate>>,
    /// Grows with each change of the text, so that a late count is told from the present one.
    pub edition: StoredValue<u32>,
}

impl Form {
    /// The form as it is filled in at first.
    #[must_use]
    pub fn new(data: WorkbenchData) -> Self {
        let first = Values::first(&data);
        let errors = RwSignal::new(data.errors.clone());
        let count = RwSignal::new(data.prefill.count);
        let rejected = RwSignal::new(data.prefill.rejected.clone());
        let data = StoredValue::new(data);
        let documents = RwSignal::new(first.documents);
        let sample = RwSignal::new(first.sample);
        let text = RwSignal::new(first.text);
        let tasks = RwSignal::new(first.tasks);
        let mode = RwSignal::new(first.mode);
        let race = RwSignal::new(first.race);
        let concurrency = RwSignal::new(first.concurrency);
        let provider = RwSignal::new(first.provider);
        let model = RwSignal::new(first.model);
        let expected = Memo::new(move |_| {
            let chosen = tasks.get();
            let lanes = data.with_value(|d| lanes(&concurrency.read(), chosen.len(), &d.limits));
            let tokens = lengths(&documents.read(), count.get().tokens);
            let (mode, race) = (mode.get(), race.get());
            if chosen.is_empty() || tokens.is_empty() || tokens.len() * chosen.len() > MOST_EXPECTED
            {
                return None;
            }
            let (provider, model) = (provider.get(), model.get());
            data.with_value(|d| {
                expect(d, &chosen, &tokens, (mode, race, lanes.ok()?), &provider, model.trim())
            })
        });
        Self {
            data,
            sample,
            text,
            count,
            documents,
            rejected,
            uploading: RwSignal::new(String::new()),
            own: RwSignal::new(String::new()),
            tasks,
            mode,
            race,
            concurrency,
            provider,
            model,
            errors,
            failure: RwSignal::new(None),
            pending: RwSignal::new(false),
            estimate: expected,
            edition: StoredValue::new(0),
        }
    }

    /// The limits in force.
    #[must_use]
    pub fn limits(self) -> Limits {
        self.data.with_value(|d| d.limits.clone())
    }

    /// Everything the form says.
    #[must_use]
    pub fn values(self) -> Values {
        Values {
            sample: self.sample.get(),
            text: self.text.get(),
            documents: self.documents.get(),
            tasks: self.tasks.get(),
            mode: self.mode.get(),
            race: self.race.get(),
            concurrency: self.concurrency.get(),
            provider: self.provider.get(),
            model: self.model.get(),
        }
    }

    /// Fills the form in, with what the browser kept.
    #[cfg(feature = "hydrate")]
    pub fn fill(self, values: Values) {
        self.mode.set(values.mode);
        self.race.set(values.race);
        self.tasks.set(values.tasks);
        self.concurrency.set(values.concurrency);
        self.provider.set(values.provider);
        self.model.set(values.model);
        self.documents.set(values.documents);
        match values.sample {
            Some(id) if self.sample.get_untracked().as_ref() == Some(&id) => {}
            Some(id) => self.pick_sample(id),
            None => self.type_text(values.text),
        }
    }

    /// What is wrong at a place: found by the server, or plain to see.
    #[must_use]
    pub fn error(self, field: Field) -> Option<String> {
        let found = self.errors.with(|errors| {
            errors.iter().find(|e| Field::of(&e.pointer) == Some(field)).map(|e| e.detail.clone())
        });
        found.or_else(|| match field {
            Field::Text if self.sample.read().is_none() && self.documents.read().is_empty() => self
                .text
                .with(|t| self.data.with_value(|d| text_problem(t, &d.limits)))
                .filter(|_| !self.text_is_empty()),
            Field::Concurrency => self.lanes().err(),
            _ => None,
        })
    }

    /// Whether the chosen provider is a simulator.
    #[must_use]
    pub fn simulated(self) -> bool {
        let id = self.provider.read();
        self.data.with_value(|d| d.providers.iter().any(|p| p.simulated && p.id == *id))
    }

    /// Whether there is nothing to run on.
    #[must_use]
    pub fn text_is_empty(self) -> bool {
        self.documents.read().is_empty()
            && self.sample.read().is_none()
            && self.text.with(|t| t.trim().is_empty())
    }

    /// The lanes of a parallel pass.
    ///
    /// # Errors
    /// What is wrong with the number typed.
    pub fn lanes(self) -> Result<u32, String> {
        let tasks = self.tasks.read().len();
        self.data.with_value(|d| lanes(&self.concurrency.read(), tasks, &d.limits))
    }

    /// Why the run cannot be started, if it cannot.
    #[must_use]
    pub fn obstacle(self) -> Option<String> {
        if self.text_is_empty() {
            return Some(
                "There is no text yet: pick a sample, enter a text or upload documents.".to_owned(),
            );
        }
        if self.tasks.read().is_empty() {
            return Some("No task is selected: choose at least one.".to_owned());
        }
        self.lanes().err().or_else(|| self.error(Field::Text))
    }

    /// A place has been changed: what was found wrong there no longer stands.
    pub fn touch(self, field: Field) {
        let stands = |e: &FieldError| Field::of(&e.pointer) != Some(field);
        if !self.errors.with_untracked(|errors| errors.iter().all(stands)) {
            self.errors.update(|errors| errors.retain(stands));
        }
    }

    /// The text was edited.
    pub fn type_text(self, text: String) {
        self.sample.set(None);
        self.count.set(TextCount { estimated: !text.is_empty(), ..TextCount::guess(&text) });
        self.text.set(text);
        self.touch(Field::Text);
        draft::count_soon(self);
    }

    /// A sample was chosen: its text takes the place of what is there.
    pub fn pick_sample(self, id: String) {
        let info = self.data.with_value(|d| d.samples.iter().find(|s| s.id == id).cloned());
        let Some(info) = info else { return };
        if self.sample.with_untracked(Option::is_none) {
            self.own.set(self.text.get_untracked());
        }
        self.sample.set(Some(id.clone()));
        self.edition.update_value(|n| *n += 1);
        self.count.set(TextCount {
            tokens: info.tokens,
            words: info.words,
            bytes: info.bytes,
            estimated: false,
        });
        self.touch(Field::Text);
        spawn_local(async move {
            let answer = sample_text(id.clone()).await;
            if self.sample.try_get_untracked() != Some(Some(id)) {
                return;
            }
            match answer {
                Ok(text) => self.text.set(text),
                Err(error) => {
                    self.type_text(self.text.get_untracked());
                    self.failure.set(Some(error.to_string()));
                }
            }
        });
    }

    /// Chooses a task or leaves it out. The order stays that of the list.
    pub fn set_task(self, id: &str, on: bool) {
        let chosen = self.tasks.get_untracked();
        self.set_tasks(|task| if task == id { on } else { chosen.iter().any(|c| c == task) });
    }

    /// Chooses the tasks that `wanted` names.
    pub fn set_tasks(self, wanted: impl Fn(&str) -> bool) {
        let ids = self.data.with_value(|d| {
            d.tasks.iter().map(|t| t.id.to_string()).filter(|t| wanted(t)).collect::<Vec<_>>()
        });
        self.tasks.set(ids);
        self.touch(Field::Tasks);
    }

    /// Starts the run and opens its page. What is wrong is shown in its place.
    pub fn run(self) {
        if self.pending.get_untracked() {
            return;
        }
        self.failure.set(None);
        let request = match untrack(|| self.values().request(&self.limits())) {
            // What is hidden does not count.
            Ok(request) => {
                let faults = untrack(|| self.simulated()).then(|| panels::typed(panels::FAULTS));
                let faults = faults.and_then(FaultsRequest::typed);
                RunRequest { cache: panels::cached(), faults, ..request }
            }
            Err(errors) => return self.errors.set(errors),
        };
        self.errors.set(Vec::new());
        self.pending.set(true);
        let options = panels::typed(panels::OPTIONS);
        spawn_local(async move {
            let answer = start_run(request, options).await;
            let error = match answer {
                Ok(id) => return place::go(&format!("/runs/{id}")),
                Err(error) => error,
            };
            self.pending.set(false);
            match error {
                UiError::Invalid(errors) => {
                    panels::mark(&errors);
                    self.errors.set(errors);
                }
                error => self.failure.set(Some(error.to_string())),
            }
        });
    }
}

/// The most calls of a pass whose duration is estimated here.
const MOST_EXPECTED: usize = 3_000;

/// The tokens of each record: of the documents, whose rows count alike, or of the text.
fn lengths(docs: &[Doc], text: u64) -> Vec<u64> {
    if docs.is_empty() {
        return if text == 0 { Vec::new() } else { vec![text] };
    }
    let mut lengths = Vec::new();
    for doc in docs {
        let records = doc.records.max(1);
        lengths.resize(lengths.len() + records as usize, doc.tokens / records);
    }
    lengths
}

/// What a run of these choices is expected to take and cost.
fn expect(
    data: &WorkbenchData,
    chosen: &[String],
    tokens: &[u64],
    (mode, race, lanes): (Mode, bool, u32),
    provider: &str,
    model: &str,
) -> Option<Estimate> {
    let mut provider = data.providers.iter().find(|p| p.id == provider)?.clone();
    let usual = provider.models.first().map(String::as_str).unwrap_or_default();
    let model = if model.is_empty() { usual } else { model };
    let known = data.history.iter().find(|h| h.provider == provider.id && h.model == model);
    let past = known.map(|h| h.tasks.as_slice()).unwrap_or_default();
    let tasks: Vec<_> = data
        .tasks
        .iter()
        .filter(|t| chosen.iter().any(|id| id == t.id.as_str()))
        .map(|t| (t, past.iter().find(|h| h.task == t.id)))
        .collect();
    // The price that is known is that of the first model.
    if model != usual {
        provider.price = None;
    }
    let plan = Plan::new(
        mode,
        race,
        lanes,
        u32::try_from(tasks.len()).ok()?,
        u32::try_from(tokens.len()).ok()?,
    );
    Some(estimate(&tasks, tokens, &plan, &provider))
}
