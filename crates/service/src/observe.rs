//! Who is told of every event of every run besides its viewers: figures for monitoring, traces.
//!
//! Rule: an observer is told of an event once, after it is stored and folded, and while the run is held:
//! it must neither wait nor panic.

use lanes_model::{Micros, RunEvent, RunState};

/// Is told of events.
pub trait Observer: Send + Sync + 'static {
    /// An event has happened; `run` has it already. `lag` is the time from when it happened until it
    /// was stored.
    fn event(&self, run: &RunState, event: &RunEvent, lag: Micros);
}

/// What is going on in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Runs that go on.
    pub runs: u64,
    /// Their calls that have not begun.
    pub waiting: u64,
    /// Their calls of which an attempt is under way.
    pub running: u64,
}
