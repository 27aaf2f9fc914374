//! What a run is going to do, fixed before it starts: the header of its log.

use serde::{Deserialize, Serialize};

use crate::{
    CallId, CallState, DocumentId, Mode, PassId, PassState, ProviderInfo, RouteId, RouteInfo,
    RunId, RunSpec, Task,
};

/// How one pass executes its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
}

/// One task on one document, by their places in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCall {
    /// Index into [`RunHeader::tasks`].
    pub task: u32,
    /// Index into [`RunHeader::documents`].
    pub document: u32,
}

/// The passes and calls of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order of execution; all start at once when `race` is set.
    pub passes: Vec<PassPlan>,
    /// Whether the passes run side by side and so share the provider's limits.
    pub race: bool,
    /// The same calls in every pass, document by document.
    pub calls: Vec<PlannedCall>,
}

impl Plan {
    /// Every task on every document, in the passes of the mode: compare runs the parallel pass
    /// first, so that whatever the provider remembers flatters sequential and never us.
    #[must_use]
    pub fn new(mode: Mode, race: bool, concurrency: u32, tasks: u32, documents: u32) -> Self {
        let sequential = PassPlan { mode: PassMode::Sequential, lanes: 1 };
        let parallel = PassPlan { mode: PassMode::Parallel, lanes: concurrency.max(1) };
        Self {
            passes: match mode {
                Mode::Sequential => vec![sequential],
                Mode::Parallel => vec![parallel],
                Mode::Compare => vec![parallel, sequential],
            },
            race: race && mode == Mode::Compare,
            calls: (0..documents)
                .flat_map(|document| (0..tasks).map(move |task| PlannedCall { task, document }))
                .collect(),
        }
    }

    /// The passes with their ids.
    pub fn passes(&self) -> impl Iterator<Item = (PassId, &PassPlan)> {
        (0..).map(PassId).zip(&self.passes)
    }
}

/// A document as a run knows it; its text is kept apart from the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

    /// The document of a call.
    #[must_use]
    pub fn document_of(&self, call: CallId) -> Option<&DocumentInfo> {
        self.documents.get(self.plan.calls.get(call.index())?.document as usize)
    }
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
        assert_eq!(calls, [(0, 0), (0, 1), (1, 0), (1, 1)]);
    }

    #[test]
    fn race_needs_two_passes() {
        assert!(!Plan::new(Mode::Parallel, true, 3, 1, 1).race);
        assert!(Plan::new(Mode::Compare, true, 3, 1, 1).race);
    }
}
