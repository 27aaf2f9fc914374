//! The CSV export: one row for each call of each pass, in the order of the plan.
//!
//! Times count from the start of the pass, lanes from 0; what is not known is an empty cell.

use std::borrow::Cow;

use lanes_model::batch::CallRow;
use lanes_model::view::CallView;
use lanes_model::{AttemptResult, CallStatus, RouteInfo};

use crate::ServiceError;

const COLUMNS: [&str; 20] = [
    "pass",
    "task",
    "document",
    "status",
    "lane",
    "start_us",
    "end_us",
    "duration_us",
    "ttft_us",
    "attempts",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "cost_usd_micros",
    "error",
    "output",
    "from_cache",
    "route",
    "hedges",
    "stage",
];

/// The first line.
pub(super) fn head() -> Result<String, ServiceError> {
    line(&COLUMNS.map(str::to_owned))
}

/// One line.
pub(super) fn row(routes: &[RouteInfo], row: &CallRow) -> Result<String, ServiceError> {
    line(&record(routes, row).map(|cell| neutral(&cell).into_owned()))
}

fn line(cells: &[String]) -> Result<String, ServiceError> {
    let failed = |e: &dyn std::fmt::Display| ServiceError::Export(e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(|e| failed(&e))?;
    let bytes = writer.into_inner().map_err(|e| failed(&e))?;
    String::from_utf8(bytes).map_err(|e| failed(&e))
}

fn record(routes: &[RouteInfo], row: &CallRow) -> [String; COLUMNS.len()] {
    let call = &row.view;
    let number = |n: Option<u64>| n.map(|n| n.to_string()).unwrap_or_default();
    let tokens = call.tokens;
    let duration = call.start_us.zip(call.end_us).map(|(start, end)| end.since(start).0);
    [
        row.pass.id().to_owned(),
        call.task.to_string(),
        row.document_name.clone(),
        status_id(call.status).to_owned(),
        number(call.lane.map(|l| u64::from(l.0))),
        number(call.start_us.map(|t| t.0)),
        number(call.end_us.map(|t| t.0)),
        number(duration),
        number(call.ttft_us.map(|t| t.0)),
        call.attempts.to_string(),
        number(tokens.map(|t| t.input)),
        number(tokens.map(|t| t.output)),
        number(tokens.map(|t| t.cached)),
        number(call.cost_usd_micros.map(|c| c.0)),
        call.error.as_ref().map(|e| e.message.clone()).unwrap_or_default(),
        call.output.clone().unwrap_or_default(),
        call.cached.to_string(),
        route(routes, call),
        call.attempt_log.iter().filter(|a| a.hedge).count().to_string(),
        row.stage.clone(),
    ]
}

/// Where the answer came from, or where the last attempt went: its name and model. Empty where there
/// was but one place.
fn route(routes: &[RouteInfo], call: &CallView) -> String {
    let answered = call.attempt_log.iter().rfind(|a| a.result == AttemptResult::Succeeded);
    let attempt = answered.or(call.attempt_log.last());
    let route = attempt.and_then(|a| routes.get(a.route.index()));
    route.map(|r| format!("{}, {}", r.name, r.model)).unwrap_or_default()
}

/// The name of a status in exports.
pub(super) const fn status_id(status: CallStatus) -> &'static str {
    match status {
        CallStatus::Queued => "queued",
        CallStatus::Running => "running",
        CallStatus::Succeeded => "succeeded",
        CallStatus::Failed => "failed",
        CallStatus::Invalid => "invalid",
        CallStatus::Cancelled => "cancelled",
    }
}

/// Spreadsheets take a cell that begins with one of these for a formula; an apostrophe before it
/// makes it text again.
fn neutral(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_a_spreadsheet_would_compute_becomes_text() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(neutral(cell), format!("'{cell}"));
        }
        for cell in ["", "1", "a=b", "'=1", "– dash"] {
            assert_eq!(neutral(cell), cell);
        }
    }
}
