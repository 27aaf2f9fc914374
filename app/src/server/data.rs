//! What each page needs to draw itself, in one answer.

use lanes_model::{
    FieldError, Limits, Micros, ProviderInfo, RunId, RunState, Task, TaskHistory, TextCount,
    sample::SampleInfo,
};
use serde::de::DeserializeOwned;
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
    /// The faults, one a line; see `FaultsRequest::typed`. The server draws their fields, so the
    /// browser need not be told.
    #[serde(skip)]
    pub faults: String,
    /// Whether cached answers are wanted; the server draws that too.
    #[serde(skip)]
    pub cache: bool,
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
    /// Its report, once it is over.
    pub report: Option<ReportHtml>,
    /// The faults injected into it, in words.
    pub faults: Option<String>,
}

/// The parts of a run's report, as HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportHtml {
    /// The sentence, the bars and the figures.
    pub figures: String,
    /// The ledger and the calls.
    pub details: String,
    /// The timeline as a table.
    pub table: String,
}

/// A value that travels from the server to the browser as a text of JSON. Islands and answers are then
/// read by one copy of the code rather than two, and the browser, which never sends one back, needs
/// no code that writes it: together a tenth of the page's WebAssembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed<T>(pub T);

impl<T: Serialize> Serialize for Packed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "ssr")]
        {
            let text = serde_json::to_string(&self.0).map_err(serde::ser::Error::custom)?;
            serializer.serialize_str(&text)
        }
        #[cfg(not(feature = "ssr"))]
        serializer.serialize_unit()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Packed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map(Packed).map_err(serde::de::Error::custom)
    }
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
