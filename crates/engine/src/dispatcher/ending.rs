//! How passes end: done, stopped or cancelled.
//!
//! Rule: whatever has begun is ended in the log, and an answer that is there is kept.

use std::time::Duration;

use lanes_model::{Micros, PassEnd};
use tokio::time::timeout;

use super::Dispatcher;
use crate::AttemptId;
use crate::flight::Stage;
use crate::pass::Phase;

/// How long a stop waits for aborted requests to be gone. They go at once unless a provider blocks
/// its thread.
const GRACE: Duration = Duration::from_millis(250);

impl Dispatcher {
    /// Drops every request in flight, then takes in what came before that: an answer that is there
    /// is kept and not asked for again.
    pub(super) async fn halt(&mut self) {
        self.stopping = true;
        self.abort.cancel();
        self.executors.close();
        if timeout(GRACE, self.executors.wait()).await.is_err() {
            tracing::warn!("aborted requests are still there after {GRACE:?}");
        }
        for _ in 0..self.reports.len() {
            let Ok(report) = self.reports.try_recv() else { break };
            self.handle(report);
        }
    }

    /// What has held a pass back does so no longer, and no attempt will tell of it.
    pub(super) fn end_holds(&mut self, index: usize, now: Micros) {
        let pass = &mut self.passes[index];
        for (since, why) in pass.end_holds() {
            self.log.pass_held(since, pass.id, now, why, String::new());
        }
    }

    pub(super) fn end_if_done(&mut self, index: usize) {
        let now = self.now();
        let pass = &mut self.passes[index];
        if pass.phase == Phase::Running && pass.is_done() {
            pass.phase = Phase::Ended;
            self.end_holds(index, now);
            let pass = &self.passes[index];
            self.log.pass_ended(pass.last_end, pass.id, PassEnd::Completed);
            self.advance();
        }
    }

    /// Ends everything that has begun, now. A pass that has not begun stays as it is.
    pub(super) fn cancel(&mut self) {
        let now = self.now();
        self.log.cancel_requested(now);
        for index in 0..self.passes.len() {
            if self.passes[index].phase != Phase::Running {
                continue;
            }
            self.end_holds(index, now);
            let pass = &mut self.passes[index];
            for call in pass.unended() {
                let flights = pass.close(call, now);
                let mut partial = String::new();
                for flight in flights.into_iter().filter(|f| f.stage == Stage::Running) {
                    let id = AttemptId { pass: pass.id, call, number: flight.number };
                    self.log.attempt_cancelled(now, id, None);
                    if !flight.hedge {
                        partial = flight.text;
                    }
                }
                self.log.call_cancelled(now, pass.id, call, partial);
            }
            pass.phase = Phase::Ended;
            self.log.pass_ended(now, pass.id, PassEnd::Cancelled);
        }
    }
}
