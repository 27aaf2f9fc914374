//! What each page needs to draw itself, in one answer.

use lanes_model::{
    FieldError, Limits, Micros, ProviderInfo, RunId, RunState, Task, TaskHistory, TextCount,
    sample::SampleInfo,
};
use serde::{Deserialize, Serialize};

/// The default provider, for the top bar.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderBadge {
    /// What the badge says.
    pub name: String,
    /// Whether it is the simulator.
    pub simulated: bool,
}

/// Everything that can be chosen for a run, and what is chosen to begin with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkbenchData {
    /// The shipped samples, without their text.
    pub samples: Vec<SampleInfo>,
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// The providers, the default first.
    pub providers: Vec<ProviderInfo>,
    /// The limits in force.
    pub limits: Limits,
    /// What calls took lately on each provider's models, for estimates.
    pub history: Vec<ModelHistory>,
    /// What is filled in.
    pub prefill: Prefill,
    /// What was wrong with the form that was sent without JavaScript, if one was.
    pub errors: Vec<FieldError>,
}

/// What calls took lately on one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelHistory {
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Each task's means.
    pub tasks: Vec<TaskHistory>,
}

/// The values of the form at first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Prefill {
    /// The chosen sample's id, when the text is one.
    pub sample: Option<String>,
    /// The text.
    pub text: String,
    /// Its size.
    pub count: TextCount,
    /// Ids of the chosen tasks.
    pub tasks: Vec<String>,
    /// The mode's id.
    pub mode: String,
    /// Whether both passes run at once.
    pub race: bool,
    /// The lanes asked for, as typed; empty: one per task, at most 6.
    pub concurrency: String,
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The run that the form repeats, when it does: the focus goes to concurrency.
    pub from: Option<RunId>,
}

/// A run and what is needed to draw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunPageData {
    /// The run as it stands.
    pub state: RunState,
    /// The reading of its clock.
    pub now: Micros,
    /// What calls took lately on its model, for ghost bars.
    pub history: Vec<TaskHistory>,
}

/// A page of the list of runs.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq)]
pub struct RunsPageData {
    /// Newest first.
    pub items: Vec<lanes_model::RunSummary>,
    /// Where the next page begins, when there is one.
    pub next_cursor: Option<String>,
    /// How many runs match.
    pub matching: u64,
    /// How many runs there are.
    pub total: u64,
    /// What all runs on real providers cost, micro-dollars.
    pub cost_usd_micros: u64,
    /// What all simulated runs would have cost, micro-dollars.
    pub simulated_cost_usd_micros: u64,
    /// The wall clock of the server now, RFC 3339, so that "today" is the same there and here.
    pub now: String,
}
