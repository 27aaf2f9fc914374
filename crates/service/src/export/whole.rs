//! The JSON export of a run of any size: what [`RunView`] says, word for word, with its calls written
//! as they are read.
//!
//! Rule: of the calls a few hundred are looked at at a time; their number is the plan's, so that it
//! holds though the run goes on meanwhile.

use std::io::Write;

use lanes_model::batch::CallRow;
use lanes_model::view::{CallView, PassView};
use lanes_model::{CallId, Comparison, PassId, RunView};
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::stream::{PART, failed};
use crate::{RunReader, ServiceError};

/// A [`RunView`] whose calls are not in memory. Its last fields are those of the view.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    run: RunView,
    passes: Vec<WholePass<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

/// A [`PassView`] likewise.
#[derive(Serialize)]
struct WholePass<'a> {
    #[serde(flatten)]
    pass: PassView,
    #[serde(skip_serializing_if = "Calls::is_empty")]
    calls: Calls<'a>,
}

/// The calls of a pass.
struct Calls<'a> {
    run: &'a RunReader,
    pass: PassId,
    count: usize,
}

impl Calls<'_> {
    fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn part(&self, first: usize) -> Vec<CallView> {
        self.run.read(|state, _, _| {
            let ids = (first..self.count.min(first + PART)).filter_map(|i| u32::try_from(i).ok());
            let rows = ids.filter_map(|id| CallRow::of(state, self.pass, CallId(id)));
            rows.map(|row| row.view).collect()
        })
    }
}

impl Serialize for Calls<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut calls = serializer.serialize_seq(Some(self.count))?;
        for first in (0..self.count).step_by(PART) {
            for call in self.part(first) {
                calls.serialize_element(&call)?;
            }
        }
        calls.end()
    }
}

/// Writes a run.
pub(super) fn write(run: &RunReader, out: &mut impl Write) -> Result<(), ServiceError> {
    let (mut view, counts) = run.read(|state, _, now| {
        let counts: Vec<usize> = state.passes.iter().map(|p| p.calls.len()).collect();
        (RunView::without_calls(state, now), counts)
    });
    let comparison = view.comparison.take();
    let passes = std::mem::take(&mut view.passes).into_iter().zip(counts).zip((0..).map(PassId));
    let passes = passes.map(|((pass, count), id)| {
        let calls = Calls { run, pass: id, count };
        WholePass { pass, calls }
    });
    let whole = Whole { run: view, passes: passes.collect(), comparison };
    serde_json::to_writer_pretty(&mut *out, &whole).map_err(failed)?;
    out.write_all(b"\n").map_err(failed)
}
