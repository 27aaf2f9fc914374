//! The calls of a large run, page by page: as a list for other programs, as a grid of records and tasks
//! for people.

use std::borrow::Cow;

use serde::Serialize;

use super::frame::stage_name;
use crate::view::CallView;
use crate::{CallId, CallState, CallStatus, Micros, PassId, PassMode, RunHeader, RunState};

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CallSort {
    /// That of the plan.
    #[default]
    Plan,
    /// By the documents' names.
    Document,
    /// The longest first.
    Duration,
}

impl CallSort {
    /// The order of that name in requests.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "" | "plan" => Some(Self::Plan),
            "document" => Some(Self::Document),
            "duration" => Some(Self::Duration),
            _ => None,
        }
    }
}

/// Which calls are wanted. What is empty leaves the choice open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallQuery {
    /// How they stand.
    pub status: Option<CallStatus>,
    /// The task's id.
    pub task: Option<String>,
    /// The document's id or name.
    pub document: Option<String>,
    /// The stage's id.
    pub stage: Option<String>,
    /// One call by its number.
    pub call: Option<u32>,
    /// What their output or their document's name has in it, whatever the case.
    pub search: Option<String>,
    /// In which order.
    pub sort: CallSort,
    /// How many at most.
    pub limit: usize,
    /// After which: as the page before said.
    pub after: Option<(PassId, CallId)>,
}

/// A call in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CallRow {
    /// Its number in its pass.
    pub call: u32,
    /// How its pass executes.
    pub pass: PassMode,
    /// The id of its stage.
    pub stage: String,
    /// The document's name.
    pub document_name: String,
    /// The rest.
    #[serde(flatten)]
    pub view: CallView,
}

impl CallRow {
    /// A call of a run; none where there is no such.
    #[must_use]
    pub fn of(state: &RunState, pass: PassId, id: CallId) -> Option<Self> {
        let p = state.passes.get(usize::from(pass.0))?;
        let header = &state.header;
        let document = header.document_of(id);
        Some(Self {
            call: id.0,
            pass: p.mode,
            stage: header.plan.stage_of(id).map_or_else(String::new, |s| s.id.to_string()),
            document_name: header.subject_of(id).into_owned(),
            view: CallView {
                part: header.plan.piece_of(id).map(|(place, _)| place + 1),
                ..CallView::of(
                    header.task_of(id)?.id.clone(),
                    document.map_or_else(|| "".into(), |d| d.id.clone()),
                    p.calls.get(id.index())?,
                    p.start.unwrap_or_default(),
                )
            },
        })
    }
}

/// The time from its first attempt to its end.
fn duration(call: &CallState) -> Micros {
    call.start().zip(call.end).map_or(Micros::ZERO, |(start, end)| end.since(start))
}

/// What calls are compared by, so that the smallest comes first.
type Key<'a> = (Cow<'a, str>, u64, PassId, CallId);

impl CallQuery {
    /// A page of calls, and whether there are more.
    #[must_use]
    pub fn page(&self, state: &RunState) -> (Vec<CallRow>, Option<(PassId, CallId)>) {
        let needle = self.search.as_ref().map(|s| s.to_lowercase()).filter(|s| !s.is_empty());
        let key = |pass: PassId, id: CallId, call: &CallState| -> Key<'_> {
            let name = match self.sort {
                CallSort::Document => header_name(&state.header, id),
                _ => Cow::Borrowed(""),
            };
            let time = match self.sort {
                CallSort::Duration => u64::MAX - duration(call).0,
                _ => 0,
            };
            (name, time, pass, id)
        };
        let after = self.after.and_then(|(pass, id)| {
            let call = state.passes.get(usize::from(pass.0))?.calls.get(id.index())?;
            Some(key(pass, id, call))
        });
        let mut found = Vec::new();
        for (pass, p) in (0..).map(PassId).zip(&state.passes) {
            for (id, call) in (0..).map(CallId).zip(&p.calls) {
                let key = key(pass, id, call);
                if after.as_ref().is_some_and(|after| key <= *after)
                    || !self.wants(&state.header, id, call, needle.as_deref())
                {
                    continue;
                }
                found.push(key);
                if self.sort == CallSort::Plan && found.len() > self.limit {
                    break;
                }
            }
        }
        if self.sort != CallSort::Plan {
            found.sort_unstable();
        }
        let more = found.len() > self.limit;
        found.truncate(self.limit);
        let next = found.last().filter(|_| more).map(|(_, _, pass, id)| (*pass, *id));
        let rows = found.iter().filter_map(|(_, _, pass, id)| CallRow::of(state, *pass, *id));
        (rows.collect(), next)
    }

    fn wants(
        &self,
        header: &RunHeader,
        id: CallId,
        call: &CallState,
        needle: Option<&str>,
    ) -> bool {
        let is = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
        };
        let document = || header.document_of(id);
        self.status.is_none_or(|status| status == call.status())
            && self.call.is_none_or(|number| number == id.0)
            && is(&self.task, header.task_of(id).map(|t| t.id.as_str()))
            && is(&self.stage, header.plan.stage_of(id).map(|s| s.id.as_str()))
            && (is(&self.document, document().map(|d| d.id.as_str()))
                || is(&self.document, document().map(|d| d.name.as_str())))
            && needle.is_none_or(|needle| {
                header_name(header, id).to_lowercase().contains(needle)
                    || call.output.to_lowercase().contains(needle)
            })
    }
}

fn header_name(header: &RunHeader, id: CallId) -> Cow<'_, str> {
    header.subject_of(id)
}

/// Which records a grid shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GridQuery {
    /// What a record's name or one of its answers has in it.
    pub search: String,
    /// How one of its calls stands.
    pub status: Option<CallStatus>,
    /// In which order: [`CallSort::Duration`] by the time of all calls of the record.
    pub sort: CallSort,
    /// Which page, from 1.
    pub page: usize,
    /// Records on a page.
    pub size: usize,
}

/// Records and tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// The columns.
    pub columns: Vec<GridColumn>,
    /// The records of the page.
    pub rows: Vec<GridRow>,
    /// How many match.
    pub matching: usize,
    /// The page that is shown, from 1.
    pub page: usize,
    /// How many there are.
    pub pages: usize,
}

/// A column: a task of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridColumn {
    /// Its head.
    pub name: String,
    /// Whether its answers are simulated.
    pub simulated: bool,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridRow {
    /// Its name.
    pub name: String,
    /// A cell for each column.
    pub cells: Vec<GridCell>,
}

/// A call in the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridCell {
    /// How it stands.
    pub status: CallStatus,
    /// The answer, or why there is none.
    pub text: String,
    /// How long it took.
    pub time: Option<Micros>,
    /// How many attempts it had.
    pub attempts: usize,
}

impl GridQuery {
    /// The page of records that is asked for: of the last pass that has begun.
    #[must_use]
    pub fn grid(&self, state: &RunState) -> Grid {
        let plan = &state.header.plan;
        let pass = state.passes.iter().rfind(|p| p.start.is_some()).or(state.passes.first());
        let calls = pass.map(|p| p.calls.as_slice()).unwrap_or_default();
        let shown =
            || plan.stages.iter().enumerate().filter(|(_, s)| s.scope.is_record() && !s.pieces);
        let several = shown().count() > 1;
        let mut columns = Vec::new();
        let mut places: Vec<(usize, u32)> = Vec::new();
        for (stage, s) in shown() {
            for (n, task) in (0..).zip(&s.tasks) {
                let task = state.header.tasks.get(*task as usize);
                let task = task.map_or("", |t| t.name.as_str());
                let name = match s.tasks.len() {
                    1 if several => stage_name(state, s),
                    _ => task.to_owned(),
                };
                columns.push(GridColumn { name, simulated: state.header.is_simulated(s) });
                places.push((stage, n));
            }
        }
        // A plan of an earlier version may have calls that do not follow from stages.
        let place = |document: u32, (stage, n): (usize, u32)| -> Option<usize> {
            let place = (plan.stage_calls(stage, document).start + n) as usize;
            let planned = plan.calls.get(place)?;
            (planned.document == Some(document)).then_some(place)
        };
        let needle = self.search.trim().to_lowercase();
        let matches = |document: u32, name: &str| {
            let own = || places.iter().filter_map(|p| calls.get(place(document, *p)?));
            let status = self.status.is_none_or(|s| own().any(|c| c.status() == s));
            status
                && (needle.is_empty()
                    || name.to_lowercase().contains(&needle)
                    || own().any(|c| c.output.to_lowercase().contains(&needle)))
        };
        let documents = (0_u32..).zip(&state.header.documents);
        let mut found: Vec<(u32, &str)> =
            documents.map(|(i, d)| (i, d.name.as_str())).filter(|(i, n)| matches(*i, n)).collect();
        let time = |document: u32| -> u64 {
            let own = places.iter().filter_map(|p| calls.get(place(document, *p)?));
            own.map(|c| duration(c).0).sum()
        };
        match self.sort {
            CallSort::Plan => {}
            CallSort::Document => found.sort_by(|a, b| a.1.cmp(b.1).then(a.0.cmp(&b.0))),
            CallSort::Duration => found.sort_by_cached_key(|(i, _)| (u64::MAX - time(*i), *i)),
        }
        let size = self.size.max(1);
        let pages = found.len().div_ceil(size).max(1);
        let page = self.page.clamp(1, pages);
        let rows = found.iter().skip((page - 1) * size).take(size).map(|(i, name)| GridRow {
            name: (*name).to_owned(),
            cells: places.iter().map(|p| cell(place(*i, *p).and_then(|p| calls.get(p)))).collect(),
        });
        Grid { columns, rows: rows.collect(), matching: found.len(), page, pages }
    }
}

fn cell(call: Option<&CallState>) -> GridCell {
    let Some(call) = call else {
        let (status, text) = (CallStatus::Queued, String::new());
        return GridCell { status, text, time: None, attempts: 0 };
    };
    let text = match &call.failure {
        Some(failure) => failure.message.clone(),
        None => call.output.clone(),
    };
    let time = call.end.map(|_| duration(call));
    GridCell { status: call.status(), text, time, attempts: call.attempts.len() }
}
