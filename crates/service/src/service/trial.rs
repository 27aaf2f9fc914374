//! A task tried before it is kept: the prompt as it would be sent, and one answer to it. Nothing of it
//! is stored, and the provider's limits hold for it as for any run.

use std::sync::Arc;
use std::time::Duration;

use lanes_engine::{Answer, Clock};
use lanes_engine::{
    AttemptId, CallRequest, Limiter, Outcome, Permit, PermitRequest, Provider, RunClock,
};
use lanes_model::prompt::{Part, Placeholder, parts};
use lanes_model::spec::InputRequest;
use lanes_model::{
    CallId, Failure, FailureKind, FieldError, Finish, Micros, PassId, RouteId, RunId, RunRequest,
    RunSpec, Task, TaskDefinition, Usage, UsdMicros, sample, task,
};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::{Service, tasks};
use crate::ServiceError;
use crate::adapter::RoutedProvider;
use crate::output;
use crate::redact::{Redactor, redacted};

/// A trial ends after this long, answer or not: somebody sits and waits for it.
const PATIENCE: Duration = Duration::from_secs(60);
/// Around each message OpenAI's chat format puts so many tokens, and so many before the answer.
const AROUND: u64 = 4;
const BEFORE: u64 = 3;

/// What to try. The body of `POST /api/tasks/try`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialRequest {
    /// The task; it need not be kept.
    pub task: TaskDefinition,
    /// On this text.
    #[serde(default)]
    pub text: Option<String>,
    /// On this sample, when no text is given.
    #[serde(default)]
    pub sample: Option<String>,
    /// By default the first configured.
    #[serde(default)]
    pub provider: Option<String>,
    /// By default the provider's first.
    #[serde(default)]
    pub model: Option<String>,
    /// Whether personal data is taken out of what is sent, and put back into the answer.
    #[serde(default)]
    pub redact: bool,
}

/// A piece of a prompt as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewPart {
    /// The text.
    pub text: String,
    /// Whether it was put in the place of a placeholder.
    pub filled: bool,
}

/// A prompt as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preview {
    /// The system message; empty when there is none.
    pub system: String,
    /// The user message, in pieces.
    pub parts: Vec<PreviewPart>,
    /// The tokens of both, as they are counted.
    pub tokens: u64,
}

impl Preview {
    /// The user message as a whole.
    #[must_use]
    pub fn prompt(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Trial {
    /// The system message as sent.
    pub system_message: String,
    /// The user message as sent.
    pub prompt: String,
    /// The tokens of both, as counted here.
    pub prompt_tokens: u64,
    /// From how many places personal data was taken; nothing when that was not asked for.
    pub redacted: Option<u32>,
    /// Who was asked.
    pub provider: String,
    /// Which model.
    pub model: String,
    /// Whether the answer is the simulator's.
    pub simulated: bool,
    /// The answer, when there was one.
    pub answer: Option<String>,
    /// Whether it is what the task's output asks for.
    pub fits: bool,
    /// Why it does not fit, in words.
    pub problem: Option<String>,
    /// Why it ended.
    pub finish: Option<Finish>,
    /// From sending to the end, without waiting for a limit.
    pub duration_us: Micros,
    /// To the first text.
    pub ttft_us: Option<Micros>,
    /// As the provider reported them.
    pub tokens: Option<Usage>,
    /// At list price, where that is known.
    pub cost_usd_micros: Option<UsdMicros>,
    /// Why there is no answer.
    pub error: Option<Failure>,
}

impl Service {
    /// A task's prompt as it would be sent with that text, whether or not the task is right; without
    /// personal data when `redact` or the program says so.
    pub async fn preview_task(
        &self,
        definition: TaskDefinition,
        text: &str,
        redact: bool,
    ) -> Preview {
        self.filled(definition, text, redact || self.limits().redact).await
    }

    async fn filled(&self, definition: TaskDefinition, text: &str, redact: bool) -> Preview {
        let task = Task::from(definition);
        let mut system = task.instructions().into_owned();
        let mut parts: Vec<_> = parts(&task.prompt)
            .map(|part| match part {
                Part::Literal(text) | Part::Unknown(text) => (text.to_owned(), false),
                Part::Placeholder(Placeholder::Text) => (text.to_owned(), true),
                Part::Placeholder(output) => {
                    (format!("(the answer that {output} stands for)"), true)
                }
            })
            .map(|(text, filled)| PreviewPart { text, filled })
            .collect();
        if redact {
            let texts = parts.iter().map(|part| part.text.as_str());
            let mut redactor = Redactor::new(std::iter::once(system.as_str()).chain(texts));
            system = redactor.hide(&system);
            parts.iter_mut().for_each(|part| part.text = redactor.hide(&part.text));
        }
        let mut preview = Preview { system, parts, tokens: BEFORE };
        for message in [preview.system.clone(), preview.prompt()] {
            if !message.is_empty() {
                preview.tokens += AROUND + self.count(&message).await.tokens;
            }
        }
        preview
    }

    /// Asks once. Nothing is stored.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong. A provider that does not answer is no
    /// error but how the trial went.
    pub async fn try_task(&self, request: TrialRequest) -> Result<Trial, ServiceError> {
        let (spec, text) = self.trial_spec(&request)?;
        let task = Task::from(request.task.clone());
        let preview = self.filled(request.task, &text, false).await;
        let (mut system, mut user, mut redaction) =
            (preview.system.clone(), preview.prompt(), None);
        if spec.redact {
            let hidden = spawn_blocking(move || redacted(&system, &user, &[])).await;
            let hidden = hidden.map_err(|error| ServiceError::Internal(error.to_string()))?;
            (system, user, redaction) = hidden.map_err(|f| ServiceError::Internal(f.message))?;
        }
        let asked = CallRequest {
            model: spec.model.clone(),
            system,
            user,
            max_tokens: task.max_tokens,
            temperature: task.temperature,
            output: task.output.clone(),
            images: Vec::new(),
            redaction,
        };
        let mut trial = Trial {
            system_message: asked.system.clone(),
            prompt: asked.user.clone(),
            prompt_tokens: preview.tokens,
            redacted: spec
                .redact
                .then(|| asked.redaction.as_ref().map_or(0, |redaction| redaction.count())),
            simulated: self.providers().iter().any(|p| p.id == spec.provider && p.simulated),
            provider: spec.provider.clone(),
            model: spec.model.clone(),
            answer: None,
            fits: false,
            problem: None,
            finish: None,
            duration_us: Micros::ZERO,
            ttft_us: None,
            tokens: None,
            cost_usd_micros: None,
            error: None,
        };
        let tokens = preview.tokens.saturating_add(u64::from(task.max_tokens));
        match timeout(PATIENCE, self.ask_once(&spec, asked, tokens, &mut trial)).await {
            Ok(Ok(answer)) => {
                match output::check(&task.output, &answer.text) {
                    Ok(_) => trial.fits = true,
                    Err(problem) => trial.problem = Some(problem),
                }
                trial.finish = Some(answer.finish);
                trial.tokens = Some(answer.usage);
                trial.cost_usd_micros = answer.cost;
                trial.answer = Some(answer.text);
            }
            Ok(Err(failure)) => trial.error = Some(failure),
            Err(_) => {
                let seconds = PATIENCE.as_secs();
                trial.error = Some(Failure::new(
                    FailureKind::Timeout,
                    format!("There was no answer within {seconds} s, and a trial waits no longer."),
                ));
            }
        }
        Ok(trial)
    }

    /// Whom to ask, and the text; everything that is wrong at once.
    fn trial_spec(&self, request: &TrialRequest) -> Result<(RunSpec, String), ServiceError> {
        let mut errors: Vec<FieldError> = Vec::new();
        if let Err(wrong) = tasks::checked(request.task.clone()) {
            // It need not have an id yet.
            let wrong = wrong.into_iter().filter(|e| e.pointer != "/id");
            errors
                .extend(wrong.map(|e| FieldError { pointer: format!("/task{}", e.pointer), ..e }));
        }
        let catalogue = &self.inner.catalogue;
        let any = task::built_in().into_iter().take(1).map(|task| task.id.to_string()).collect();
        let asked = RunRequest {
            input: InputRequest {
                text: request.text.clone(),
                sample: request.sample.clone(),
                ..InputRequest::default()
            },
            tasks: any,
            mode: Some("parallel".to_owned()),
            provider: request.provider.clone(),
            model: request.model.clone(),
            fallback: Some(Vec::new()),
            redact: request.redact,
            ..RunRequest::default()
        };
        let spec = asked.check(&catalogue.choices(&catalogue.tasks(), &[]));
        match (spec, errors.is_empty()) {
            (Ok(spec), true) => {
                let sample = request.sample.as_deref().and_then(sample::find);
                let text = request.text.clone().or_else(|| sample.map(|s| s.text.to_owned()));
                Ok((spec, text.unwrap_or_default()))
            }
            (spec, _) => {
                let places = spec.err().unwrap_or_default().into_iter().map(|e| FieldError {
                    pointer: e.pointer.strip_prefix("/input").unwrap_or(&e.pointer).to_owned(),
                    detail: e.detail,
                });
                errors.extend(places);
                Err(ServiceError::Invalid(errors))
            }
        }
    }

    /// Asks as soon as the provider's limits allow, and notes the times.
    async fn ask_once(
        &self,
        spec: &RunSpec,
        asked: CallRequest,
        tokens: u64,
        trial: &mut Trial,
    ) -> Result<Answer, Failure> {
        let (limiter, routes) = self.inner.targets.of_run(&self.inner.catalogue, spec, &[]);
        let provider = RoutedProvider::new(routes, &RunId("trial".to_owned()), None);
        let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(Micros::ZERO));
        let attempt = AttemptId { pass: PassId(0), call: CallId(0), number: 1 };
        let route: RouteId = loop {
            let now = clock.now();
            match limiter.permit(PermitRequest {
                attempt,
                now,
                tokens,
                tier: 0,
                until: u16::MAX,
                avoid: None,
            }) {
                Permit::Granted(route) => break route,
                Permit::Refused(failure) => return Err(failure),
                Permit::NotBefore { at, .. } => {
                    // A change somewhere else may let it go sooner; it is asked for often enough.
                    let wait = at.since(now).0.clamp(1_000, 500_000);
                    sleep(Duration::from_micros(wait)).await;
                }
            }
        };
        let begun = clock.now();
        let first = Arc::new(std::sync::OnceLock::new());
        let (note, watch) = (Arc::clone(&first), Arc::clone(&clock));
        let on_text = Box::new(move |_: &str| {
            note.get_or_init(|| watch.now());
        });
        let answer = provider.attempt(route, Arc::new(asked), on_text).await;
        trial.duration_us = clock.now().since(begun);
        trial.ttft_us = first.get().map(|at| at.since(begun));
        limiter.ended(
            attempt,
            match &answer {
                Ok(answer) => Outcome::Answered(answer),
                Err(failure) => Outcome::Failed(failure),
            },
        );
        answer
    }
}
