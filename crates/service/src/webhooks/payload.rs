//! What is told: small, and without anybody's texts.

use jiff::Timestamp;
use lanes_model::{RunSummary, UsdMicros};
use serde::Serialize;

/// The frame that Standard Webhooks recommends.
#[derive(Serialize)]
struct Payload<'a, T> {
    r#type: &'a str,
    timestamp: String,
    data: T,
}

/// A run in figures.
#[derive(Serialize)]
struct RunData<'a> {
    run: &'a str,
    status: &'a str,
    url: String,
    created_at: &'a str,
    mode: &'a str,
    provider: &'a str,
    model: &'a str,
    simulated: bool,
    tasks: usize,
    documents: u32,
    calls: u32,
    failed: u32,
    retried: u32,
    failure: Option<&'a str>,
    wall_us: Option<u64>,
    speedup: Option<f64>,
    cost_usd_micros: Option<UsdMicros>,
}

/// A moment in microseconds since 1970, as people and programs write it.
pub(crate) fn moment(us: i64) -> String {
    Timestamp::from_microsecond(us).unwrap_or_default().to_string()
}

/// A message about anything.
pub(crate) fn of(kind: &str, at_us: i64, data: impl Serialize) -> String {
    let payload = Payload { r#type: kind, timestamp: moment(at_us), data };
    serde_json::to_string(&payload).unwrap_or_default()
}

/// A message about a run. The title is left out: it may be the first words of a text.
pub(crate) fn of_run(
    kind: &str,
    at_us: i64,
    status: &str,
    run: &RunSummary,
    public_url: &str,
) -> String {
    let data = RunData {
        run: run.id.as_str(),
        status,
        url: format!("{public_url}/runs/{}", run.id),
        created_at: &run.created_at,
        mode: run.mode.id(),
        provider: &run.provider,
        model: &run.model,
        simulated: run.simulated,
        tasks: run.tasks.len(),
        documents: run.documents,
        calls: run.calls,
        failed: run.failed,
        retried: run.retried,
        failure: run.failure.as_deref(),
        wall_us: run.wall_us,
        speedup: run.speedup,
        cost_usd_micros: run.cost_usd_micros,
    };
    of(kind, at_us, data)
}
