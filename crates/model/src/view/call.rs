//! [`CallView`]: a call with its attempts as the REST API shows it.

use serde::{Deserialize, Serialize};

use crate::state::CallEndState;
use crate::{
    AttemptResult, AttemptState, CallState, CallStatus, DocumentId, Failure, FailureKind, Finish,
    LaneId, Micros, RouteId, TaskId, UsdMicros,
};

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
