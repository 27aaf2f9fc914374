//! A plan as it stands in the log: without its calls, which follow from its stages and the number of
//! documents. A run of 20,000 records would otherwise begin with megabytes of them.

use serde::{Deserialize, Serialize};

use super::graph::calls;
use super::{PassPlan, Plan, PlannedCall, PlannedStage};

/// What is written.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredPlan {
    passes: Vec<PassPlan>,
    race: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stages: Vec<PlannedStage>,
    #[serde(default)]
    documents: u32,
    /// Only where they do not follow from the stages, as in the logs of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    calls: Vec<PlannedCall>,
}

impl From<StoredPlan> for Plan {
    fn from(stored: StoredPlan) -> Self {
        let StoredPlan { passes, race, stages, documents, calls } = stored;
        Plan::with_calls(passes, race, stages, documents, calls)
    }
}

impl From<Plan> for StoredPlan {
    fn from(plan: Plan) -> Self {
        let Plan { passes, race, stages, documents, calls: planned } = plan;
        let follows = planned == calls(&stages, documents);
        let calls = if follows { Vec::new() } else { planned };
        Self { passes, race, stages, documents, calls }
    }
}

impl Plan {
    /// A plan as it was written: without calls, these follow from the stages.
    #[must_use]
    pub(crate) fn with_calls(
        passes: Vec<PassPlan>,
        race: bool,
        stages: Vec<PlannedStage>,
        documents: u32,
        planned: Vec<PlannedCall>,
    ) -> Self {
        let calls = if planned.is_empty() { calls(&stages, documents) } else { planned };
        Self { passes, race, stages, documents, calls }
    }
}
