//! What a run is going to do, fixed before it starts: the header of its log.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    CallId, CallState, DocumentId, Fallback, Mode, PassId, PassState, ProviderInfo, RouteId,
    RouteInfo, RunId, RunSpec, Scope, StageId, Task,
};

/// How one pass executes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PassMode {
    /// One lane, in order.
    Sequential,
    /// Several lanes, work-conserving.
    Parallel,
}

impl PassMode {
    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            PassMode::Sequential => "Sequential",
            PassMode::Parallel => "Parallel",
        }
    }

    /// The name used in requests and exports.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            PassMode::Sequential => "sequential",
            PassMode::Parallel => "parallel",
        }
    }
}

/// One timed execution of all calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassPlan {
    /// How.
    pub mode: PassMode,
    /// Concurrency slots, at least 1.
    pub lanes: u32,
    /// How many of the plan's calls it executes, from the first on; all of them, when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u32>,
}

impl PassPlan {
    /// Whether it executes a call.
    #[must_use]
    pub fn executes(&self, call: CallId) -> bool {
        self.calls.is_none_or(|calls| call.0 < calls)
    }
}

/// Compare measures the sequential pass on about so many calls: one after another, thousands would take
/// hours and say nothing more.
pub const SAMPLE_CALLS: u32 = 60;

mod graph;
mod pieces;
mod stored;

pub use pieces::{MOST_PIECES, PIECE_TOKENS, PIECE_TOKENS_RANGE, Piece};

/// One task on one document, or on all of them, by their places in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// Index into [`RunHeader::tasks`].
    pub task: u32,
    /// Index into [`RunHeader::documents`]; none when it is about all of them.
    pub document: Option<u32>,
    /// Index into [`Plan::stages`].
    #[serde(default)]
    pub stage: u16,
    /// Index into the document's pieces, of a call that is about one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub piece: Option<u32>,
}

/// A stage of a workflow as a run carries it out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlannedStage {
    /// Names it in prompts.
    pub id: StageId,
    /// The name people read.
    pub name: String,
    /// Indices into [`RunHeader::tasks`].
    pub tasks: Vec<u32>,
    /// Indices into [`Plan::stages`], all before its own: what must have answered before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<u16>,
    /// What one call of it is about.
    #[serde(default, skip_serializing_if = "Scope::is_record")]
    pub scope: Scope,
    /// Whether each of its calls is about one piece of a document that is cut. Documents that are whole
    /// have no calls of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pieces: bool,
    /// The most calls of it under way at once, where that is less than the lanes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The providers it goes to, in order; none of its own: the run's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Fallback>,
}

/// The passes and calls of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "stored::StoredPlan", into = "stored::StoredPlan")]
pub struct Plan {
    /// In order of execution; all start at once when `race` is set.
    pub passes: Vec<PassPlan>,
    /// Whether the passes run side by side and so share the provider's limits.
    pub race: bool,
    /// The stages, each after those it needs. One in a run of plain tasks.
    pub stages: Vec<PlannedStage>,
    /// How many documents there are.
    pub documents: u32,
    /// The pieces of each document, none of one that is whole; empty when no document is cut.
    pub pieces: Vec<Vec<Piece>>,
    /// The same calls in every pass: document by document, each with its stages in order; then those
    /// that are about all documents. They follow from the stages and the documents.
    pub calls: Vec<PlannedCall>,
    /// The first call of each document and the one after the last document's, where documents are cut:
    /// elsewhere all have the same number of calls.
    pub(crate) starts: Vec<u32>,
}

impl Plan {
    /// Every task on every document, in the passes of the mode: compare runs the parallel pass
    /// first, so that whatever the provider remembers flatters sequential and never us.
    #[must_use]
    pub fn new(mode: Mode, race: bool, concurrency: u32, tasks: u32, documents: u32) -> Self {
        let tasks = (0..tasks).collect();
        let stage = PlannedStage { id: StageId("tasks".to_owned()), tasks, ..Default::default() };
        Self::of_stages(mode, race, concurrency, vec![stage], documents)
    }

    /// The stages on every document, in the passes of the mode. Each stage stands after those it needs.
    #[must_use]
    pub fn of_stages(
        mode: Mode,
        race: bool,
        concurrency: u32,
        stages: Vec<PlannedStage>,
        documents: u32,
    ) -> Self {
        let sequential = PassPlan { mode: PassMode::Sequential, lanes: 1, calls: None };
        let lanes = concurrency.max(1);
        let parallel = PassPlan { mode: PassMode::Parallel, lanes, calls: None };
        let passes = match mode {
            Mode::Sequential => vec![sequential],
            Mode::Parallel => vec![parallel],
            Mode::Compare => vec![parallel, sequential],
        };
        let race = race && mode == Mode::Compare;
        Self { passes, race, stages, documents, ..Self::default() }.worked_out()
    }

    /// Its calls, and how many of them a comparison measures one after another.
    fn worked_out(self) -> Self {
        let mut plan = self;
        plan.starts = graph::starts(&plan.stages, &plan.pieces);
        plan.calls = graph::calls(&plan);
        if plan.passes.len() > 1 {
            let sample = graph::sample(&plan);
            for pass in plan.passes.iter_mut().filter(|p| p.mode == PassMode::Sequential) {
                pass.calls = sample;
            }
        }
        plan
    }

    /// The passes with their ids.
    pub fn passes(&self) -> impl Iterator<Item = (PassId, &PassPlan)> {
        (0..).map(PassId).zip(&self.passes)
    }
}

/// A document as a run knows it; its text is kept apart from the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentInfo {
    /// Names the content.
    pub id: DocumentId,
    /// The name people read.
    pub name: String,
    /// Length in bytes of UTF-8.
    pub bytes: u64,
    /// Length in tokens (o200k encoding).
    pub tokens: u64,
}

/// The first event of every log: all that is known before the first call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The run.
    pub id: RunId,
    /// A line for lists and headings, such as "AI Technology Article, 6 tasks".
    pub title: String,
    /// When it was asked for, RFC 3339 in UTC.
    pub created_at: String,
    /// What was asked for.
    pub spec: RunSpec,
    /// The tasks as they were then.
    pub tasks: Vec<Task>,
    /// The documents, without their text.
    pub documents: Vec<DocumentInfo>,
    /// The provider as it was then; its price is that of the run's model.
    pub provider: ProviderInfo,
    /// Where attempts can go, when there is more than one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteInfo>,
    /// What is going to happen.
    pub plan: Plan,
}

impl RunHeader {
    /// The task of a call.
    #[must_use]
    pub fn task_of(&self, call: CallId) -> Option<&Task> {
        self.tasks.get(self.plan.calls.get(call.index())?.task as usize)
    }

    /// The provider and the model that a call goes to first.
    #[must_use]
    pub fn choice_of(&self, call: CallId) -> (&str, &str) {
        let own = self.plan.stage_of(call).and_then(|stage| stage.providers.first());
        own.map_or((&self.spec.provider, &self.spec.model), |own| (&own.provider, &own.model))
    }

    /// Whether the answers and times of a stage are simulated: those of the provider it goes to first.
    #[must_use]
    pub fn is_simulated(&self, stage: &PlannedStage) -> bool {
        match stage.providers.first() {
            Some(own) if own.provider != self.spec.provider => {
                self.routes.iter().any(|r| r.provider == own.provider && r.simulated)
            }
            _ => self.provider.simulated,
        }
    }

    /// The provider and the model that an attempt of a call went to by that route; where it goes first,
    /// when there is no such route.
    #[must_use]
    pub fn place_of(&self, call: CallId, route: Option<RouteId>) -> (&str, &str) {
        let route = route.and_then(|route| self.routes.get(route.index()));
        route.map_or_else(|| self.choice_of(call), |r| (&r.provider, &r.model))
    }

    /// The provider's requests and tokens a minute, as far as they bound a pass: not where calls were
    /// answered by a fallback, which has limits of its own.
    #[must_use]
    pub fn rates(&self, pass: &PassState) -> (Option<u32>, Option<u32>) {
        let (provider, model) = (&self.spec.provider, &self.spec.model);
        let is_fallback = |route: RouteId| {
            let route = self.routes.get(route.index());
            route.is_some_and(|r| (&r.provider, &r.model) != (provider, model))
        };
        if self.routes.is_empty() {
            return (self.provider.rpm, self.provider.tpm);
        }
        let mut answered = pass.calls.iter().filter_map(CallState::successful);
        match answered.any(|a| is_fallback(a.route)) {
            true => (None, None),
            false => (self.provider.rpm, self.provider.tpm),
        }
    }

    /// What a call is about, for people: its document's name, and which piece of it; empty when it is
    /// about all documents.
    #[must_use]
    pub fn subject_of(&self, call: CallId) -> Cow<'_, str> {
        let Some(document) = self.document_of(call) else { return Cow::Borrowed("") };
        match self.plan.piece_of(call) {
            None => Cow::Borrowed(&document.name),
            Some((place, pieces)) => {
                Cow::Owned(format!("{}, {}", document.name, part_of(place, pieces)))
            }
        }
    }

    /// What a call's name has to say besides its task: which of several documents, which piece.
    #[must_use]
    pub fn told_subject(&self, call: CallId) -> Option<String> {
        match (self.documents.len(), self.plan.piece_of(call)) {
            (0 | 1, None) => None,
            (0 | 1, Some((place, pieces))) => Some(part_of(place, pieces)),
            _ => Some(self.subject_of(call).into_owned()).filter(|subject| !subject.is_empty()),
        }
    }

    /// The document of a call; none when it is about all of them.
    #[must_use]
    pub fn document_of(&self, call: CallId) -> Option<&DocumentInfo> {
        self.documents.get(self.plan.calls.get(call.index())?.document? as usize)
    }
}

fn part_of(place: u32, pieces: &[Piece]) -> String {
    format!("part {} of {}", place + 1, pieces.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compare_runs_parallel_first_over_the_same_calls() {
        let plan = Plan::new(Mode::Compare, false, 3, 2, 2);
        let modes: Vec<_> = plan.passes.iter().map(|p| (p.mode, p.lanes)).collect();
        assert_eq!(modes, [(PassMode::Parallel, 3), (PassMode::Sequential, 1)]);
        let calls: Vec<_> = plan.calls.iter().map(|c| (c.document, c.task)).collect();
        assert_eq!(calls, [(Some(0), 0), (Some(0), 1), (Some(1), 0), (Some(1), 1)]);
    }

    #[test]
    fn race_needs_two_passes() {
        assert!(!Plan::new(Mode::Parallel, true, 3, 1, 1).race);
        assert!(Plan::new(Mode::Compare, true, 3, 1, 1).race);
    }
}
