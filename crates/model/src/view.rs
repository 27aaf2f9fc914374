//! [`RunView`]: a run as the REST API shows it.
//!
//! The field names are a contract with other programs: they are only ever added to. All times
//! inside a pass count from the start of that pass, in microseconds. What is not known is null.

use serde::{Deserialize, Serialize};

mod sending;

use crate::state::CallEndState;
pub use sending::{HoldView, LimitView, SendingView};

use crate::{
    AttemptResult, AttemptState, Budget, CallId, CallState, CallStatus, Comparison, DocumentId,
    DocumentInfo, Failure, FailureKind, Faults, Finish, LaneId, Ledger, LowerBound, Micros, Mode,
    PassMode, PassState, PassStatus, RouteId, RunHeader, RunId, RunState, RunStatus, Seq, TaskId,
    UsdMicros, bound_attained, lower_bound, segments, work,
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

/// A call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallView {
    /// Which task.
    pub task: TaskId,
    /// On which document.
    pub document: DocumentId,
    /// On which piece of it, from 1, when it is not on the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u32>,
    /// How it stands.
    pub status: CallStatus,
    /// The answer; while it streams and after a failure, what there is of it.
    pub output: Option<String>,
    /// How many attempts it has had, one under way included.
    pub attempts: u32,
    /// Whether its answer came from the response cache: then no attempt led to it, it cost nothing,
    /// and its tokens are those of the attempt that asked at the time.
    #[serde(default)]
    pub cached: bool,
    /// How many pieces of personal data its request had placeholders for.
    #[serde(default, skip_serializing_if = "crate::event::is_none")]
    pub redacted: u32,
    /// When its first attempt began.
    pub start_us: Option<Micros>,
    /// When it ended.
    pub end_us: Option<Micros>,
    /// Time to first token of its last attempt with text, from the start of that attempt.
    pub ttft_us: Option<Micros>,
    /// Tokens of the answer.
    pub tokens: Option<TokensView>,
    /// Whether the tokens were counted here because the provider reported none.
    pub estimated: Option<bool>,
    /// Cost of its attempts, when known.
    pub cost_usd_micros: Option<UsdMicros>,
    /// Why the answer ended.
    pub finish: Option<Finish>,
    /// The lane of its last attempt, from 0.
    pub lane: Option<LaneId>,
    /// Why it failed.
    pub error: Option<ErrorView>,
    /// Its attempts in order.
    pub attempt_log: Vec<AttemptView>,
}

/// Tokens of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokensView {
    /// Of the prompt, the cached ones included.
    pub input: u64,
    /// Of the answer.
    pub output: u64,
    /// Of the prompt, from the provider's cache.
    pub cached: u64,
}

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorView {
    /// Which kind.
    pub kind: FailureKind,
    /// What happened.
    pub message: String,
    /// The HTTP status, when there was a response.
    pub http_status: Option<u16>,
    /// What to do about it.
    pub advice: String,
}

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptView {
    /// From 1.
    pub number: u32,
    /// On which lane, from 0.
    pub lane: LaneId,
    /// Where to: its place in the run's `routes`.
    #[serde(default, skip_serializing_if = "RouteId::is_first")]
    pub route: RouteId,
    /// Whether it ran beside another attempt of its call that took long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// What it cost, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd_micros: Option<UsdMicros>,
    /// When it began.
    pub start_us: Micros,
    /// When its first text arrived.
    pub first_token_us: Option<Micros>,
    /// When it ended.
    pub end_us: Option<Micros>,
    /// How it stands.
    pub result: AttemptResult,
    /// Why it failed.
    pub error: Option<ErrorView>,
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

impl CallView {
    pub(crate) fn of(task: TaskId, document: DocumentId, call: &CallState, zero: Micros) -> Self {
        let answer = call.successful();
        let spoke = call.attempts.iter().rfind(|a| a.first_token.is_some());
        let has_text = !call.output.is_empty() || call.ended == Some(CallEndState::Succeeded);
        let costs = call.attempts.iter().filter_map(|a| a.cost_usd_micros);
        let mut costs = costs.chain(call.cached.map(|_| UsdMicros(0))).peekable();
        let usage = call.usage();
        Self {
            task,
            document,
            part: None,
            status: call.status(),
            output: has_text.then(|| call.output.clone()),
            attempts: u32::try_from(call.attempts.len()).unwrap_or(u32::MAX),
            cached: call.cached.is_some(),
            redacted: call.redacted,
            start_us: call.start().map(|at| at.since(zero)),
            end_us: call.end.map(|at| at.since(zero)),
            ttft_us: spoke.and_then(|a| Some(a.first_token?.since(a.start))),
            tokens: usage.map(|u| TokensView {
                input: u.input,
                output: u.output,
                cached: u.cached,
            }),
            estimated: usage.map(|u| u.estimated),
            cost_usd_micros: costs.peek().is_some().then(|| costs.sum()),
            // Only complete answers are cached.
            finish: answer.and_then(|a| a.finish).or(call.cached.map(|_| Finish::Stop)),
            lane: call.attempts.last().map(|a| a.lane),
            error: call.failure.as_ref().map(ErrorView::of),
            attempt_log: call.attempts.iter().map(|a| AttemptView::of(a, zero)).collect(),
        }
    }
}

impl AttemptView {
    fn of(a: &AttemptState, zero: Micros) -> Self {
        Self {
            number: a.attempt.number,
            lane: a.lane,
            route: a.route,
            hedge: a.hedge,
            cost_usd_micros: a.cost_usd_micros,
            start_us: a.start.since(zero),
            first_token_us: a.first_token.map(|at| at.since(zero)),
            end_us: a.end.map(|at| at.since(zero)),
            result: a.result,
            error: a.failure.as_ref().map(ErrorView::of),
        }
    }
}

impl ErrorView {
    /// A failure with what to do about it.
    #[must_use]
    pub fn of(failure: &Failure) -> Self {
        Self {
            kind: failure.kind,
            message: failure.message.clone(),
            http_status: failure.http_status,
            advice: failure.kind.advice().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
