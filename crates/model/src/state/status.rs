//! How a run stands, and how it ends once its calls have ended.
//!
//! Rule: the log says how a run stands. How it ends is judged here, by the calls, for whoever writes
//! that into the log.

use serde::{Deserialize, Serialize};

use super::{CallState, CallStatus, PassStatus, RunState};

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum RunStatus {
    /// Accepted, not begun.
    Queued,
    /// Going on.
    Running,
    /// Every call has an answer.
    Succeeded,
    /// Some calls have an answer and some failed.
    Partial,
    /// No call has an answer.
    Failed,
    /// Stopped by the user.
    Cancelled,
    /// The program ended in the middle.
    Interrupted,
}

impl RunStatus {
    /// Every status, for filters.
    pub const ALL: [RunStatus; 7] = [
        RunStatus::Queued,
        RunStatus::Running,
        RunStatus::Succeeded,
        RunStatus::Partial,
        RunStatus::Failed,
        RunStatus::Cancelled,
        RunStatus::Interrupted,
    ];

    /// The name used in requests.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            RunStatus::Queued => "queued",
            RunStatus::Running => "running",
            RunStatus::Succeeded => "succeeded",
            RunStatus::Partial => "partial",
            RunStatus::Failed => "failed",
            RunStatus::Cancelled => "cancelled",
            RunStatus::Interrupted => "interrupted",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.id() == id)
    }

    /// Whether more events are to be expected by themselves.
    #[must_use]
    pub const fn is_live(self) -> bool {
        matches!(self, RunStatus::Queued | RunStatus::Running)
    }
}

impl RunState {
    /// How the run ends, judged by its calls: the rule behind [`EventKind::RunEnded`].
    #[must_use]
    pub fn outcome(&self) -> RunStatus {
        if self.cancel_requested || self.passes.iter().any(|p| p.status == PassStatus::Cancelled) {
            return RunStatus::Cancelled;
        }
        let mut calls = self.passes.iter().flat_map(|p| &p.calls).map(CallState::status);
        let (mut good, mut bad) = (false, false);
        for status in &mut calls {
            match status {
                CallStatus::Succeeded => good = true,
                _ => bad = true,
            }
        }
        match (good, bad) {
            (true, false) => RunStatus::Succeeded,
            (true, true) => RunStatus::Partial,
            (false, _) => RunStatus::Failed,
        }
    }
}
