//! A plan as it stands in the log: without its calls, which follow from its stages and the number of
//! documents. A run of 20,000 records would otherwise begin with megabytes of them.

use serde::{Deserialize, Serialize};

use super::graph::{calls, starts};
use super::{PassPlan, Piece, Plan, PlannedCall, PlannedStage};

/// What is written.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPlan {
    passes: Vec<PassPlan>,
    race: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stages: Vec<PlannedStage>,
    #[serde(default)]
    documents: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pieces: Vec<Vec<Piece>>,
    /// Only where they do not follow from the stages, as in the logs of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<PlannedCall>,
}

impl From<StoredPlan> for Plan {
    fn from(stored: StoredPlan) -> Self {
        let StoredPlan { passes, race, stages, documents, pieces, calls } = stored;
        Plan { passes, race, stages, documents, pieces, calls, starts: Vec::new() }.with_calls()
    }
}

impl From<Plan> for StoredPlan {
    fn from(plan: Plan) -> Self {
        let follows = plan.calls == calls(&plan);
        let Plan { passes, race, stages, documents, pieces, calls, .. } = plan;
        let calls = if follows { Vec::new() } else { calls };
        Self { passes, race, stages, documents, pieces, calls }
    }
}

impl Plan {
    /// A plan as it was written: without calls, these follow from the stages.
    #[must_use]
    pub(crate) fn with_calls(mut self) -> Self {
        self.starts = starts(&self.stages, &self.pieces);
        if self.calls.is_empty() {
            self.calls = calls(&self);
        }
        self
    }
}
