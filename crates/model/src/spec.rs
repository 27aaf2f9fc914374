//! What a caller asks for ([`RunRequest`]) and what is left of it once checked ([`RunSpec`]). The check
//! between the two is in `check`.
//!
//! Rule: a spec is whole. Whatever the request left open is decided in it, so nobody asks again.

mod check;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::options::FallbackRequest;
use crate::{Budget, Fallback, Faults, FaultsRequest, Priority, Task, TaskId, WorkflowId};

pub(crate) use check::shorten;
pub use check::{Choices, text_problem};

/// How a run executes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunRequest {
    /// What about.
    #[serde(default)]
    pub input: InputRequest,
    /// Which tasks, in order.
    #[serde(default)]
    pub tasks: Vec<String>,
    /// Which workflow, in place of tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
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
    /// What becomes of documents that are too long for one call: `refuse`, unless something is said, or
    /// `chunk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long: Option<String>,
    /// With `chunk`: the tokens of a piece; every longer document is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece_tokens: Option<i64>,
    /// Whether e-mail addresses, phone numbers, card and account numbers are replaced by placeholders
    /// before anything leaves for the provider. The answers have the originals again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redact: bool,
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
    /// Which tasks, in order, without repeats; none in a run of a workflow, which has its own.
    pub tasks: Vec<TaskId>,
    /// Which workflow. Not read in the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<WorkflowId>,
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
    /// Faults injected into the simulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    pub fallback: Vec<Fallback>,
    /// Whether it goes before other runs.
    #[serde(default, skip_serializing_if = "Priority::is_interactive")]
    pub priority: Priority,
    /// Whether answers may come from the response cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache: bool,
    /// The tokens of a piece, where longer documents are cut; else they are refused. Not read in the
    /// browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece_tokens: Option<u32>,
    /// Whether personal data is replaced by placeholders before anything leaves. Not read in the
    /// browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redact: bool,
    /// Whether texts and answers are not kept: the program was told so when the run was made. Not read
    /// in the browser.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub figures_only: bool,
}

impl RunSpec {
    /// A run with nothing extra: these tasks on a text that comes with the request, without race, faults,
    /// budget, cache or anything that adapts. Whoever wants one of those sets its field.
    #[must_use]
    pub fn plain(
        mode: Mode,
        concurrency: u32,
        provider: &str,
        model: &str,
        tasks: &[Task],
    ) -> Self {
        Self {
            input: Input::Text,
            tasks: tasks.iter().map(|t| t.id.clone()).collect(),
            workflow: None,
            mode,
            race: false,
            concurrency,
            provider: provider.to_owned(),
            model: model.to_owned(),
            faults: None,
            budget: Budget::default(),
            adaptive: false,
            hedge: false,
            fallback: Vec::new(),
            priority: Priority::default(),
            cache: false,
            piece_tokens: None,
            redact: false,
            figures_only: false,
        }
    }
}

/// What the check needs to know of the program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// The longest text accepted, in bytes of UTF-8.
    pub max_text_bytes: usize,
    /// The most lanes a run may ask for.
    pub max_concurrency: u32,
    /// Whether personal data is taken out of everything that is sent, asked for or not.
    pub redact: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_text_bytes: 200_000, max_concurrency: 64, redact: false }
    }
}

/// The most lanes a run gets when it does not ask for a number.
pub const DEFAULT_MAX_LANES: u32 = 6;

/// One thing wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

#[cfg(test)]
mod tests;
