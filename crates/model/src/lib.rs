//! The domain of Lanes: tasks, runs, events and the figures computed from them.
//!
//! Pure: no IO, no clock, no randomness. The server, the browser (as WebAssembly), the REST API
//! and the terminal all read a run through [`RunState`], the fold over its log of [`RunEvent`]s;
//! no other place computes a figure.

pub mod batch;
pub mod bound;
mod budget;
pub mod comparison;
pub mod estimate;
pub mod eta;
pub mod event;
pub mod explain;
pub mod failure;
pub mod faults;
pub mod figures;
mod flat;
pub mod format;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod histogram;
pub mod ids;
pub mod ledger;
pub mod options;
pub mod plan;
pub mod prompt;
pub mod provider;
mod read;
mod redaction;
mod route;
pub mod sample;
mod schedule;
mod segments;
mod sort;
pub mod spec;
mod spread;
pub mod state;
pub mod summary;
pub mod task;
#[cfg(test)]
mod testing;
pub mod text;
mod told;
mod traffic;
pub mod view;
pub mod workflow;

pub use batch::Batch;
pub use bound::{
    Binding, LowerBound, bound_attained, critical_calls, expected_bound, lower_bound, work,
};
pub use budget::Budget;
pub use comparison::{Comparison, SoFar, headline, main_failure, sequential_time, speedup_so_far};
pub use estimate::{Estimate, PassEstimate, ScheduledCall, TaskHistory, estimate, remaining};
pub use event::{
    Attempt, AttemptEnd, CallEnd, EventKind, Finish, PassEnd, Progress, RunEvent, Usage,
};
pub use explain::explain_ledger;
pub use failure::{Failure, FailureKind};
pub use faults::{Faults, FaultsRequest};
pub use flat::FlatEvent;
pub use format::Figure;
pub use histogram::Histogram;
pub use ids::{CallId, DocumentId, LaneId, Micros, PassId, RunId, Seq, TaskId, UsdMicros};
pub use ledger::{Ledger, LedgerState, Segment, call_segments, segments};
pub use options::FallbackRequest;
pub use plan::{
    DocumentInfo, MOST_PIECES, PIECE_TOKENS, PIECE_TOKENS_RANGE, PassMode, PassPlan, Piece, Plan,
    PlannedCall, PlannedStage, RunHeader,
};
pub use provider::{Price, ProviderInfo};
pub use read::{Json, Read};
pub use redaction::{Redaction, Restorer};
pub use route::{Fallback, Health, HoldReason, LimitReason, Priority, RouteId, RouteInfo};
pub use spec::{FieldError, Input, Limits, Mode, RunRequest, RunSpec};
pub use state::{
    Applied, AttemptResult, AttemptState, CallState, CallStatus, FoldError, Hold, LimitChange,
    PassState, PassStatus, RouteState, RunState, RunStatus,
};
pub use summary::RunSummary;
pub use task::{Output, Schema, Task, TaskDefinition, TaskFile, Temperature};
pub use text::TextCount;
pub use told::{Told, ToldLimit};
pub use traffic::{RouteTraffic, attempt_lines, traffic};
pub use view::RunView;
pub use workflow::{Scope, Stage, StageId, Workflow, WorkflowDefinition, WorkflowId};
