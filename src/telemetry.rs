//! What the program tells operators of itself: figures for Prometheus and traces for OpenTelemetry, both
//! made from the events that the service stores.

pub mod metrics;
pub mod process;
pub mod traces;

use lanes_model::{AttemptState, CallId, PassId, RunState};

/// The attempt that an event names.
fn attempt(run: &RunState, pass: PassId, call: CallId, number: u32) -> Option<&AttemptState> {
    let call = run.passes.get(usize::from(pass.0))?.calls.get(call.index())?;
    call.attempts.iter().rfind(|a| a.attempt.number == number)
}

/// Where an attempt went: the provider's id and the model.
fn place<'a>(run: &'a RunState, attempt: &AttemptState) -> (&'a str, &'a str) {
    let spec = &run.header.spec;
    let route = run.header.routes.get(attempt.route.index());
    route.map_or((&spec.provider, &spec.model), |r| (&r.provider, &r.model))
}
