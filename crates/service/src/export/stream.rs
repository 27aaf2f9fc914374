//! Exports of any size, also while the run goes on: a row for each call, written part by part.
//!
//! Rule: of the run a few hundred calls are looked at at a time, and nothing is held that is written.

use std::io::Write;

use lanes_model::batch::{CallRow, Frame};
use lanes_model::{CallId, PassId, RouteInfo, RunState, format};

use super::{columns, rows, whole};
use crate::{RunReader, ServiceError};

/// Calls looked at at a time.
pub(super) const PART: usize = 256;

/// The forms in which a run of any size can be exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamFormat {
    /// Everything, as the REST API shows it, with its calls.
    Json,
    /// A JSON object a line.
    JsonLines,
    /// Comma-separated values.
    Csv,
    /// Text to read.
    Markdown,
    /// Columns for programs that compute with them.
    Parquet,
}

impl StreamFormat {
    /// The format of that name in requests.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "json" => Some(Self::Json),
            "jsonl" => Some(Self::JsonLines),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Markdown),
            "parquet" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The end of its file names, which is also its name in requests.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::Parquet => "parquet",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::JsonLines => "application/jsonl; charset=utf-8",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Writes a run. Takes as long as whoever reads takes: not for an async thread.
    ///
    /// # Errors
    /// [`ServiceError::Export`] when it cannot be written.
    pub fn write(self, run: &RunReader, out: &mut (impl Write + Send)) -> Result<(), ServiceError> {
        match self {
            Self::Json => whole::write(run, out),
            Self::JsonLines => each_part(run, |part| {
                for row in part {
                    serde_json::to_writer(&mut *out, row).map_err(failed)?;
                    out.write_all(b"\n").map_err(failed)?;
                }
                Ok(())
            }),
            Self::Csv => {
                let routes = run.read(|state, _, _| state.header.routes.clone());
                out.write_all(rows::head()?.as_bytes()).map_err(failed)?;
                each_part(run, |part| {
                    let lines = part.iter().map(|row| rows::row(&routes, row));
                    let lines = lines.collect::<Result<String, _>>()?;
                    out.write_all(lines.as_bytes()).map_err(failed)
                })
            }
            Self::Markdown => {
                let head =
                    run.read(|state, batch, now| head(state, &batch.frame(state, now, false)));
                out.write_all(head.as_bytes()).map_err(failed)?;
                each_part(run, |part| {
                    part.iter()
                        .try_for_each(|row| out.write_all(section(row).as_bytes()).map_err(failed))
                })
            }
            Self::Parquet => {
                let mut table = columns::Table::begin(out)?;
                each_part(run, |part| table.add(part))?;
                table.end()
            }
        }
    }
}

/// What went wrong, as an error of the service.
pub(super) fn failed(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::Export(error.to_string())
}

/// Looks at all calls, in the order of the plan.
fn each_part(
    run: &RunReader,
    mut take: impl FnMut(&[CallRow]) -> Result<(), ServiceError>,
) -> Result<(), ServiceError> {
    let passes: Vec<usize> = run.read(|s, _, _| s.passes.iter().map(|p| p.calls.len()).collect());
    for (pass, calls) in (0..).map(PassId).zip(passes) {
        for first in (0..calls).step_by(PART) {
            let part = run.read(|state, _, _| {
                let ids = (first..calls.min(first + PART)).filter_map(|i| u32::try_from(i).ok());
                ids.filter_map(|id| CallRow::of(state, pass, CallId(id))).collect::<Vec<_>>()
            });
            take(&part)?;
        }
    }
    Ok(())
}

/// The same CSV of a state at hand.
pub(super) fn csv_of(state: &RunState) -> Result<String, ServiceError> {
    let routes: &[RouteInfo] = &state.header.routes;
    let mut text = rows::head()?;
    for (pass, p) in (0..).map(PassId).zip(&state.passes) {
        for id in (0..).map(CallId).take(p.calls.len()) {
            if let Some(row) = CallRow::of(state, pass, id) {
                text.push_str(&rows::row(routes, &row)?);
            }
        }
    }
    Ok(text)
}

/// What stands above the answers.
fn head(state: &RunState, frame: &Frame) -> String {
    let header = &state.header;
    let mut text = format!("# {}\n\n", super::report::inline(&header.title));
    if header.provider.simulated {
        text.push_str(
            "> **Simulated.** The answers and times come from the simulator, not from a model; costs \
             are modelled and nobody paid them.\n\n",
        );
    }
    let counts = &frame.counts;
    let cost = format::or_missing(frame.cost_usd_micros, format::cost);
    text.push_str(&format!(
        "- Run: `{}`\n- Status: {}\n- Documents: {}\n- Calls: {} of {} answered, {} failed, {} \
         invalid, {} cancelled\n- Wall time: {}\n- Cost: {cost}\n\n",
        header.id,
        state.status.id(),
        format::count(u64::from(frame.documents)),
        format::count(u64::from(counts.succeeded)),
        format::count(u64::from(frame.calls)),
        format::count(u64::from(counts.failed)),
        format::count(u64::from(counts.invalid)),
        format::count(u64::from(counts.cancelled)),
        format::seconds_table(frame.elapsed_us),
    ));
    text
}

/// One call with its answer.
fn section(row: &CallRow) -> String {
    let inline = super::report::inline;
    let call = &row.view;
    let mut text = format!(
        "## {}, {}\n\n{}, {}.\n\n",
        inline(&row.document_name),
        inline(call.task.as_str()),
        rows::status_id(call.status),
        format::plural(u64::from(call.attempts), "attempt"),
    );
    if let Some(error) = &call.error {
        text.push_str(&format!("{}\n\n", inline(&error.message)));
    }
    if let Some(output) = &call.output {
        text.push_str(&super::report::fenced(output));
        text.push('\n');
    }
    text
}
