//! The domain of Lanes: tasks, runs, events and the figures computed from them.
//!
//! Pure: no IO, no clock, no randomness. The server, the browser (as WebAssembly), the REST API
//! and the terminal all read a run through [`RunState`], the fold over its log of [`RunEvent`]s;
//! no other place computes a figure.

pub mod event;
pub mod failure;
pub mod ids;
pub mod ledger;
pub mod plan;
pub mod provider;
pub mod sample;
pub mod spec;
pub mod state;
pub mod summary;
pub mod task;

pub use event::{
    Attempt, AttemptEnd, CallEnd, EventKind, Finish, PassEnd, Progress, RunEvent, Usage,
};
pub use failure::{Failure, FailureKind};
pub use ids::{CallId, DocumentId, LaneId, Micros, PassId, RunId, Seq, TaskId, UsdMicros};
pub use ledger::{LedgerState, Segment};
pub use plan::{DocumentInfo, PassMode, PassPlan, Plan, PlannedCall, RunHeader};
pub use provider::{Price, ProviderInfo};
pub use spec::{FieldError, Input, Limits, Mode, RunRequest, RunSpec};
pub use state::{
    Applied, AttemptResult, AttemptState, CallState, CallStatus, FoldError, PassState, PassStatus,
    RunState, RunStatus,
};
pub use summary::RunSummary;
pub use task::Task;
