//! Failures by stage and reason, and which calls a retry takes up again.

use serde::Serialize;

use super::Batch;
use crate::{CallId, FailureKind, Micros, PassId, RunState};

/// Calls of a stage that failed in one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureGroup {
    /// The stage's id.
    pub stage: String,
    /// The name people read.
    pub name: String,
    /// Which kind.
    pub kind: FailureKind,
    /// The HTTP status, where there was a response.
    pub http_status: Option<u16>,
    /// What the last of them said.
    pub message: String,
    /// What to do about it.
    pub advice: &'static str,
    /// How many calls.
    pub calls: u32,
    /// How many attempts these had.
    pub attempts: u64,
    /// When the last of them failed, on the run's clock.
    pub last_us: Micros,
    /// Whether a retry can help without anything else being changed.
    pub retry_helps: bool,
}

impl Batch {
    /// The failures, those of most calls first.
    #[must_use]
    pub fn failures(&self, state: &RunState) -> Vec<FailureGroup> {
        let groups = self.failed.iter().map(|((stage, kind, http_status), group)| {
            let stage = state.header.plan.stages.get(usize::from(*stage));
            FailureGroup {
                stage: stage.map_or_else(String::new, |s| s.id.to_string()),
                name: stage.map_or_else(String::new, |s| super::frame::stage_name(state, s)),
                kind: *kind,
                http_status: *http_status,
                message: group.message.clone(),
                advice: kind.advice(),
                calls: group.calls,
                attempts: group.attempts,
                last_us: group.last.0,
                retry_helps: kind.is_retryable()
                    || matches!(
                        kind,
                        FailureKind::Unreachable
                            | FailureKind::InvalidOutput
                            | FailureKind::Skipped
                    ),
            }
        });
        let mut groups: Vec<_> = groups.collect();
        groups.sort_by_key(|g| std::cmp::Reverse(g.calls));
        groups
    }
}

/// Which failed calls to try again: all, or those of one stage or one kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reopen {
    /// The stage's id.
    pub stage: Option<String>,
    /// The kind of failure.
    pub kind: Option<FailureKind>,
}

/// The calls that a retry takes up again: those that failed and are meant, and those that were skipped
/// for want of one of these. Ascending, pass by pass.
#[must_use]
pub fn reopened(state: &RunState, which: &Reopen) -> Vec<(PassId, Vec<CallId>)> {
    let plan = &state.header.plan;
    let all = which.stage.is_none() && which.kind.is_none();
    let mut found = Vec::new();
    for (pass, p) in (0..).map(PassId).zip(&state.passes) {
        let mut taken = vec![false; p.calls.len()];
        // A stage stands after those it needs, but one about all documents after every record's.
        let mut again = true;
        while again {
            again = false;
            for (id, call) in (0..).map(CallId).zip(&p.calls) {
                let Some(failure) = call.failure.as_ref().filter(|_| call.status().is_failure())
                else {
                    continue;
                };
                let stage = plan.stage_of(id).map(|s| s.id.as_str());
                let meant = which.stage.as_deref().is_none_or(|s| Some(s) == stage)
                    && which.kind.is_none_or(|k| k == failure.kind);
                let follows = || {
                    failure.kind == FailureKind::Skipped
                        && plan.needs(id).any(|need| taken.get(need.index()) == Some(&true))
                };
                if !taken.get(id.index()).copied().unwrap_or(true) && (meant || follows()) {
                    if let Some(taken) = taken.get_mut(id.index()) {
                        *taken = true;
                    }
                    again = !all;
                }
            }
        }
        let calls = (0..).map(CallId).zip(&taken).filter(|(_, t)| **t).map(|(id, _)| id);
        let calls: Vec<_> = calls.collect();
        if !calls.is_empty() {
            found.push((pass, calls));
        }
    }
    found
}
