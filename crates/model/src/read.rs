//! Reading JSON in the browser. What serde derives for reading the types of a run was an eighth of the
//! page's WebAssembly; here a text becomes a tree (`json`), and each type takes its fields from it by
//! name.
//!
//! Rule: the server that wrote the text is the one that sent the page, so nothing is checked. What is
//! missing, or is not what was expected, reads as nothing: zero, empty, the first of an enum's words.
//! The tests hold every type to what serde writes of it.

mod json;

use crate::event::{Attempt, Finish, Usage};
use crate::failure::FailureKind;
use crate::plan::{DocumentInfo, PassPlan, Piece, PlannedCall, PlannedStage};
use crate::provider::Pace;
use crate::sample::SampleInfo;
use crate::state::{CallEndState, Hold, LimitChange, RouteState};
use crate::task::Output;
use crate::{
    AttemptResult, AttemptState, Budget, CallId, CallState, DocumentId, Failure, Fallback,
    FieldError, Health, HoldReason, Input, LaneId, LimitReason, Limits, Micros, Mode, PassId,
    PassMode, PassState, PassStatus, Plan, Price, Priority, Progress, ProviderInfo, RouteId,
    RouteInfo, RunHeader, RunId, RunSpec, RunState, RunStatus, Scope, Seq, StageId, Task,
    TaskHistory, TaskId, TextCount, UsdMicros,
};

pub use json::Json;

/// What can be read from JSON.
pub trait Read {
    /// What it says; whatever is missing is zero or empty.
    fn read(json: &Json) -> Self;
}

impl Read for String {
    fn read(json: &Json) -> Self {
        json.text().to_owned()
    }
}

impl Read for bool {
    fn read(json: &Json) -> Self {
        *json == Json::Bool(true)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &Json) -> Self {
        match json {
            Json::Null => None,
            json => Some(T::read(json)),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &Json) -> Self {
        json.list().iter().map(T::read).collect()
    }
}

impl Read for (Micros, Micros) {
    fn read(json: &Json) -> Self {
        match json.list() {
            [from, to] => (Read::read(from), Read::read(to)),
            _ => Default::default(),
        }
    }
}

macro_rules! numbers {
    ($($name:ident)*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            json.number() as $name
        }
    })* };
}

/// Types around a single value, which are written as that value.
macro_rules! wrappers {
    ($($name:ident)*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            $name(Read::read(json))
        }
    })* };
}

/// Structs, with their fields, and how those are called where it is not the same.
#[macro_export]
macro_rules! reads {
    ($($name:ident { $($field:ident $(= $key:literal)?),* $(,)? })*) => {
        $(impl $crate::Read for $name {
            fn read(json: &$crate::Json) -> Self {
                $name { $($field: $crate::Read::read(
                    json.get($crate::reads!(@key $field $($key)?))
                )),* }
            }
        })*
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

/// Enums of words.
macro_rules! words {
    ($($name:ident { $($word:literal $variant:ident),* })*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            const ALL: &[$name] = &[$($name::$variant),*];
            ALL[json.word(&[$($word),*])]
        }
    })* };
}

numbers! { u64 u32 u16 u8 usize }

wrappers! { Micros UsdMicros Seq PassId CallId LaneId RunId TaskId DocumentId RouteId StageId }

reads! {
    Attempt { number, of }
    AttemptState {
        attempt, lane, start, first_token, end, result, usage, cost_usd_micros, finish, failure,
        retry_at, route, hedge,
    }
    Budget { max_cost_usd_micros, deadline_ms }
    CallState {
        ready, attempts, end, ended, output, failure, cached, awaited, awaiting, reopened,
        redacted,
    }
    DocumentInfo { id, name, bytes, tokens }
    Fallback { provider, model }
    Failure { kind, message, http_status, retry_after = "retry_after_us" }
    FieldError { pointer, detail }
    Hold { from, until, why, message }
    LimitChange { at, limit, why }
    Limits { max_text_bytes, max_concurrency, redact }
    Pace { ttft_us, millitokens_per_s, whole_us, cv_permille }
    PassPlan { mode, lanes, calls }
    PassState { mode, lanes, status, started_at, start, end, calls, holds, holding, paused, limits }
    Piece { bytes, tokens }
    PlannedCall { task, document, stage, piece }
    PlannedStage { id, name, tasks, needs, scope, pieces, concurrency, providers }
    Price { input_usd_micros_per_mtok, cached_usd_micros_per_mtok, output_usd_micros_per_mtok }
    Progress { pass, call, number, offset, text }
    ProviderInfo { id, name, simulated, models, price, rpm, tpm, pace }
    RouteInfo { provider, name, model, simulated }
    RouteState { route, health, until, message, opened }
    RunHeader { id, title, created_at, spec, tasks, documents, provider, routes, plan }
    RunState {
        last_seq, latest, status, cancel_requested, paused, priority, routes, resumed, header, passes,
    }
    SampleInfo { id, name, tokens, words, bytes }
    TaskHistory { task, samples, duration_us, ttft_us, output_tokens, deviation_us }
    TextCount { tokens, words, bytes, estimated }
    Usage { input, output, cached, estimated }
}

words! {
    AttemptResult {
        "running" Running, "succeeded" Succeeded, "failed" Failed, "cancelled" Cancelled
    }
    CallEndState { "succeeded" Succeeded, "failed" Failed, "cancelled" Cancelled }
    FailureKind {
        "server_error" ServerError, "invalid_key" InvalidKey, "quota_exhausted" QuotaExhausted,
        "unknown_model" UnknownModel, "invalid_request" InvalidRequest,
        "content_refused" ContentRefused, "rate_limited" RateLimited, "unreachable" Unreachable,
        "timeout" Timeout, "malformed_stream" MalformedStream,
        "truncated_stream" TruncatedStream, "budget_reached" BudgetReached,
        "invalid_output" InvalidOutput, "skipped" Skipped
    }
    Finish { "stop" Stop, "length" Length }
    Health { "closed" Closed, "half_open" HalfOpen, "open" Open }
    HoldReason {
        "rate_limit" RateLimit, "queue" Queue, "breaker" Breaker, "pause" Pause,
        "storage" Storage
    }
    LimitReason {
        "start" Start, "rate_limited" RateLimited, "slower" Slower, "grew" Grew, "probe" Probe,
        "user" User
    }
    Mode { "compare" Compare, "sequential" Sequential, "parallel" Parallel }
    PassMode { "sequential" Sequential, "parallel" Parallel }
    PassStatus {
        "waiting" Waiting, "running" Running, "completed" Completed, "cancelled" Cancelled
    }
    Priority { "interactive" Interactive, "batch" Batch }
    Scope { "record" Record, "all" All }
    RunStatus {
        "queued" Queued, "running" Running, "succeeded" Succeeded, "partial" Partial,
        "failed" Failed, "cancelled" Cancelled, "interrupted" Interrupted
    }
}

/// The calls follow from the stages.
impl Read for Plan {
    fn read(json: &Json) -> Self {
        let get = |name| json.get(name);
        let plan = Plan {
            passes: Read::read(get("passes")),
            race: Read::read(get("race")),
            stages: Read::read(get("stages")),
            documents: Read::read(get("documents")),
            pieces: Read::read(get("pieces")),
            calls: Read::read(get("calls")),
            ..Plan::default()
        };
        plan.with_calls()
    }
}

/// What a run is about is not shown beyond its title: it reads as a text given with the request.
impl Read for Input {
    fn read(_: &Json) -> Self {
        Input::Text
    }
}

/// Temperature and output are the server's matter alone.
impl Read for Task {
    fn read(json: &Json) -> Self {
        Task {
            id: Read::read(json.get("id")),
            name: Read::read(json.get("name")),
            system_message: Read::read(json.get("system_message")),
            prompt: Read::read(json.get("prompt")),
            max_tokens: Read::read(json.get("max_tokens")),
            temperature: None,
            output: Output::Text,
            built_in: Read::read(json.get("built_in")),
            typical_tokens: Read::read(json.get("typical_tokens")),
        }
    }
}

/// Faults are not read: the browser is told in words what they are. Nor are fallbacks: the run's routes
/// say where attempts can go.
impl Read for RunSpec {
    fn read(json: &Json) -> Self {
        RunSpec {
            input: Read::read(json.get("input")),
            tasks: Read::read(json.get("tasks")),
            workflow: None,
            mode: Read::read(json.get("mode")),
            race: Read::read(json.get("race")),
            concurrency: Read::read(json.get("concurrency")),
            provider: Read::read(json.get("provider")),
            model: Read::read(json.get("model")),
            faults: None,
            budget: Read::read(json.get("budget")),
            cache: Read::read(json.get("cache")),
            piece_tokens: None,
            redact: false,
            figures_only: false,
            adaptive: Read::read(json.get("adaptive")),
            hedge: Read::read(json.get("hedge")),
            fallback: Vec::new(),
            priority: Read::read(json.get("priority")),
        }
    }
}

#[cfg(test)]
mod tests;
