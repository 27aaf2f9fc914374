//! [`RunView`]: a run as the REST API shows it.
//!
//! The field names are a contract with other programs: they are only ever added to. All times
//! inside a pass count from the start of that pass, in microseconds. What is not known is null.

use serde::{Deserialize, Serialize};

mod call;
mod sending;

pub use call::{AttemptView, CallView, ErrorView, TokensView};
pub use sending::{HoldView, LimitView, SendingView};

use crate::{
    Budget, CallId, CallState, CallStatus, Comparison, DocumentInfo, Faults, Ledger, LowerBound,
    Micros, Mode, PassMode, PassState, PassStatus, RunHeader, RunId, RunState, RunStatus, Seq,
    TaskId, bound_attained, lower_bound, segments, work,
};

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunView {
    /// The run.
    pub id: RunId,
    /// Its heading.
    pub title: String,
    /// When it was asked for, RFC 3339 in UTC.
    pub created_at: String,
    /// How it stands.
    pub status: RunStatus,
    /// How it executes.
    pub mode: Mode,
    /// Whether its passes run at once.
    pub race: bool,
    /// The place of the last event that this view knows.
    pub last_seq: Seq,
    /// Why it stands still though nobody asked for that, such as a log that cannot be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// How often it was taken up again after an interruption.
    pub resumed: u32,
    /// Faults injected into the simulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faults: Option<Faults>,
    /// What the run may cost and how long it may start calls.
    #[serde(default, skip_serializing_if = "Budget::is_none")]
    pub budget: Budget,
    /// Whether answers may come from the response cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cache: bool,
    /// Whether personal data is replaced by placeholders before anything leaves.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub redact: bool,
    /// Whether texts and answers are not kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub figures_only: bool,
    /// How calls are sent.
    #[serde(flatten)]
    pub sending: SendingView,
    /// Who answers.
    pub provider: ProviderView,
    /// What is asked.
    pub tasks: Vec<TaskView>,
    /// About what.
    pub documents: Vec<DocumentInfo>,
    /// Calls of all passes by status.
    pub counts: Counts,
    /// In order of execution; at least one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<PassView>,
    /// Sequential against Parallel, once both are complete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
}

/// The provider of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProviderView {
    /// The name used in requests.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Whether figures and answers are simulated.
    pub simulated: bool,
    /// The model used.
    pub model: String,
}

/// A task of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TaskView {
    /// The name used in requests.
    pub id: TaskId,
    /// The name people read.
    pub name: String,
}

/// Calls by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counts {
    /// Waiting for a lane, or for their next attempt.
    pub queued: u32,
    /// With an attempt under way.
    pub running: u32,
    /// With an answer.
    pub succeeded: u32,
    /// Without one.
    pub failed: u32,
    /// With one that is not of the form asked for.
    #[serde(default)]
    pub invalid: u32,
    /// Stopped by the user.
    pub cancelled: u32,
}

impl Counts {
    /// Counts calls.
    #[must_use]
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallState>) -> Self {
        let mut counts = Self::default();
        for call in calls {
            *counts.of_status(call.status()) += 1;
        }
        counts
    }

    /// The count of a status.
    pub(crate) fn of_status(&mut self, status: CallStatus) -> &mut u32 {
        match status {
            CallStatus::Queued => &mut self.queued,
            CallStatus::Running => &mut self.running,
            CallStatus::Succeeded => &mut self.succeeded,
            CallStatus::Failed => &mut self.failed,
            CallStatus::Invalid => &mut self.invalid,
            CallStatus::Cancelled => &mut self.cancelled,
        }
    }
}

/// A pass. The figures are null before it starts; while it goes on they are those so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PassView {
    /// How it executes.
    pub mode: PassMode,
    /// How it stands.
    pub status: PassStatus,
    /// Its lanes.
    pub concurrency: u32,
    /// The wall clock at its start, RFC 3339 in UTC.
    pub started_at: Option<String>,
    /// From the first call admitted to the last result.
    pub wall_us: Option<Micros>,
    /// The time of its successful attempts.
    pub work_us: Option<Micros>,
    /// The least time in which its work could be done, and what sets it.
    pub lower_bound: Option<LowerBound>,
    /// Lower bound ÷ wall time.
    pub bound_attained: Option<f64>,
    /// Where its lane time went.
    pub ledger: Option<Ledger>,
    /// How the number of lanes in use changed; times count from its start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitView>,
    /// What held back its ready calls; times count from its start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldView>,
    /// Its calls, in the order of the plan; left out of a view without calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<CallView>,
}

impl RunView {
    /// The run as it stands at `now` on its clock. Of a run at rest the log's last reading counts.
    #[must_use]
    pub fn of(state: &RunState, now: Micros) -> Self {
        Self::with(state, now, true)
    }

    /// The same without its calls, as a large run is shown.
    #[must_use]
    pub fn without_calls(state: &RunState, now: Micros) -> Self {
        Self::with(state, now, false)
    }

    fn with(state: &RunState, now: Micros, calls: bool) -> Self {
        let now = if state.status.is_live() { now.max(state.latest) } else { state.latest };
        let header = &state.header;
        Self {
            id: header.id.clone(),
            title: header.title.clone(),
            created_at: header.created_at.clone(),
            status: state.status,
            mode: header.spec.mode,
            race: header.plan.race,
            last_seq: state.last_seq,
            trouble: None,
            resumed: state.resumed,
            faults: header.spec.faults.clone(),
            budget: header.spec.budget,
            cache: header.spec.cache,
            redact: header.spec.redact,
            figures_only: header.spec.figures_only,
            sending: SendingView::of(state),
            provider: ProviderView {
                id: header.provider.id.clone(),
                name: header.provider.name.clone(),
                simulated: header.provider.simulated,
                model: header.spec.model.clone(),
            },
            tasks: header
                .tasks
                .iter()
                .map(|t| TaskView { id: t.id.clone(), name: t.name.clone() })
                .collect(),
            documents: header.documents.clone(),
            counts: Counts::of(state.passes.iter().flat_map(|p| &p.calls)),
            passes: state.passes.iter().map(|p| PassView::of(header, p, now, calls)).collect(),
            comparison: Comparison::of(state),
        }
    }
}

impl PassView {
    fn of(header: &RunHeader, pass: &PassState, now: Micros, calls: bool) -> Self {
        let (rpm, tpm) = header.rates(pass);
        let bound = lower_bound(&header.plan, pass, rpm, tpm);
        let wall = pass.start.map(|_| pass.wall(now));
        Self {
            mode: pass.mode,
            status: pass.status,
            concurrency: pass.lanes,
            started_at: pass.started_at.clone(),
            wall_us: wall,
            work_us: wall.map(|_| work(pass)),
            lower_bound: bound,
            bound_attained: bound.zip(wall).and_then(|(bound, wall)| bound_attained(bound, wall)),
            ledger: wall.map(|_| Ledger::of(&segments(&header.plan, pass, now))),
            limits: LimitView::of(pass),
            holds: HoldView::of(pass),
            calls: (0..)
                .map(CallId)
                .zip(pass.calls.iter().take(if calls { usize::MAX } else { 0 }))
                .filter_map(|(id, call)| {
                    let task = header.task_of(id)?.id.clone();
                    let document = header.document_of(id).map(|d| d.id.clone());
                    let document = document.unwrap_or_else(|| "".into());
                    let part = header.plan.piece_of(id).map(|(place, _)| place + 1);
                    let zero = pass.start.unwrap_or_default();
                    Some(CallView { part, ..CallView::of(task, document, call, zero) })
                })
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
