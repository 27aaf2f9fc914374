//! The scheduler: takes a run's plan and carries it out, one attempt at a time on as many lanes as
//! each pass has.
//!
//! The dispatcher owns all scheduling state and makes every decision; executors perform attempts
//! and report; neither knows where requests go, where events end up or what time it is except
//! through the traits in [`ports`]. So there is no lock around scheduling, and the whole scheduler
//! is tested with a scripted provider on a paused clock.

mod adapt;
mod clock;
mod controls;
mod dispatcher;
mod emit;
mod executor;
mod flight;
mod hedge;
mod held;
mod lanes;
pub mod limits;
mod lookup;
mod messages;
mod needs;
mod pass;
pub mod ports;
mod ready;
mod retry;
pub mod routes;

use std::sync::Arc;

use lanes_model::{RunState, RunStatus};

pub use clock::{Clock, RunClock};
pub use controls::{RunControl, Stop};
pub use limits::RateLimiter;
pub use ports::{
    Answer, AnswerCache, Asked, AttemptId, Cached, CallRequest, Ended, EventSink, Limiter, Outcome,
    Permit, PermitRequest, Provider, RecordSource, RequestImage, RouteNews, TextSink, Unlimited,
};
pub use retry::{LEAST_BUDGET, RetryPolicy};
pub use routes::{RunRoutes, Target, TargetLimits};

/// A run to carry out, and everything that is needed for it.
pub struct Job {
    /// The log so far, folded: of a run that has not begun, or of one that was interrupted.
    pub state: RunState,
    /// Performs the attempts.
    pub provider: Arc<dyn Provider>,
    /// Knows what each call asks.
    pub records: Arc<dyn RecordSource>,
    /// Takes the events.
    pub sink: Arc<dyn EventSink>,
    /// The run's clock; it goes on where the log left off.
    pub clock: Arc<dyn Clock>,
    /// Permits attempts.
    pub limiter: Arc<dyn Limiter>,
    /// Where calls are looked up before they are sent, if they are.
    pub cache: Option<Arc<dyn AnswerCache>>,
    /// When a failed call is tried again.
    pub retry: RetryPolicy,
    /// Through which the run can be steered from outside.
    pub control: RunControl,
}

/// Carries a run out to its end, or until it is stopped, and says how it ended.
///
/// A fresh run starts; an interrupted one goes on where its log ends: calls that have ended stay as
/// they are, attempts that were cut off are repeated without using up the call's tries. A run that
/// has already ended is left alone.
///
/// When the returned future is dropped, every request in flight is dropped with it and the log
/// simply ends, as after a crash; the run can be resumed from there.
pub async fn execute(job: Job) -> RunStatus {
    dispatcher::Dispatcher::new(job).run().await
}
