//! What several parts of the page say of a run and its calls.

use lanes_model::{CallId, CallState, Micros, PassMode, PassState, RunState, UsdMicros};

/// The pass whose answers are shown: the parallel one, or the only one.
pub(super) fn main_pass(state: &RunState) -> Option<&PassState> {
    state.pass(PassMode::Parallel).or(state.passes.first())
}

/// What a call is called: its task, and its document when there are several.
pub(super) fn call_name(state: &RunState, call: CallId) -> String {
    let header = &state.header;
    let task = header.task_of(call).map(|t| t.name.as_str()).unwrap_or_default();
    match header.told_subject(call) {
        Some(subject) => format!("{task}, {subject}"),
        None => task.to_owned(),
    }
}

/// A call's time: from its first attempt to its end.
pub(super) fn duration(call: &CallState, latest: Micros) -> Option<Micros> {
    call.start().map(|start| call.end.unwrap_or(latest).since(start))
}

/// Its time to first token, in the attempt that gave the answer.
pub(super) fn first_token(call: &CallState) -> Option<Micros> {
    let attempt = call.successful().or(call.attempts.last())?;
    attempt.first_token.map(|at| at.since(attempt.start))
}

/// What its answers cost.
pub(super) fn cost(call: &CallState) -> Option<UsdMicros> {
    let priced = call.attempts.iter().filter_map(|a| a.cost_usd_micros);
    // An answer from the response cache costs nothing.
    let mut priced = priced.chain(call.cached.map(|_| UsdMicros(0))).peekable();
    priced.peek()?;
    Some(priced.sum())
}

/// What costs are called: nobody pays for simulated ones.
pub(super) fn cost_word(state: &RunState) -> &'static str {
    if state.header.provider.simulated { " modelled" } else { "" }
}

/// What all answers cost together; none when no price is known.
pub(super) fn total_cost(state: &RunState) -> Option<UsdMicros> {
    let attempts = || state.passes.iter().flat_map(|p| &p.calls).flat_map(|c| &c.attempts);
    let priced = state.header.provider.price.is_some();
    priced.then(|| attempts().filter_map(|a| a.cost_usd_micros).sum())
}
