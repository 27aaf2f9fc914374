//! Hedging: a second attempt beside one that takes unusually long. The first answer wins.
//!
//! Part of the dispatcher. A hedge takes a lane that no waiting call wants, so it shortens the end of a
//! pass and delays nothing.

use lanes_model::{CallId, Micros};

use super::Dispatcher;
use crate::pass::{Pass, Phase};
use crate::{AttemptId, Outcome, Permit};

impl Dispatcher {
    /// When the next attempt will be late, where there is a lane to spare.
    pub(super) fn next_late(&mut self) -> Option<Micros> {
        if !self.hedging || self.paused || self.stopping || self.fatal.is_some() {
            return None;
        }
        self.passes.iter_mut().filter_map(next_late).min()
    }

    /// Starts second attempts where attempts are late and lanes are to spare.
    pub(super) fn start_hedges(&mut self, index: usize, now: Micros) {
        if !self.hedging || self.fatal.is_some() || self.log.trouble().is_some() {
            return;
        }
        while let Some(call) = take_late(&mut self.passes[index], now) {
            let request = self.permit_request(index, call, now);
            let attempt = request.attempt;
            match self.limiter.permit(request) {
                Permit::Granted(route) if self.passes[index].hedge(call, route) => {
                    self.launch(attempt, route);
                }
                Permit::Granted(_) => _ = self.limiter.ended(attempt, Outcome::Unsent),
                // What is limited is for calls that have no attempt yet.
                Permit::NotBefore { .. } => self.limiter.step_back(attempt.pass),
                Permit::Refused(_) => {}
            }
        }
    }

    /// The other attempts of a call that has been answered are stopped; what they cost is counted.
    pub(super) fn stop_others(&mut self, index: usize, winner: AttemptId, at: Micros) {
        let flights = self.passes[index].close(winner.call, at);
        for flight in flights.into_iter().filter(|f| f.number != winner.number) {
            let loser = AttemptId { number: flight.number, ..winner };
            if let Some(cancel) = &flight.cancel {
                cancel.cancel();
            }
            let running = flight.stage == crate::flight::Stage::Running;
            self.limiter.ended(loser, if running { Outcome::Stopped } else { Outcome::Unsent });
            if running {
                let prompt = self.equipment.records.prompt_tokens(winner.call);
                let used = self.equipment.provider.used(flight.route, prompt, &flight.text);
                self.spent = [self.spent].into_iter().chain(used.1).sum();
                self.log.attempt_cancelled(at, loser, Some(used));
            }
        }
    }
}

/// Whether a pass has a lane that no waiting call wants.
fn has_a_lane_to_spare(pass: &Pass) -> bool {
    pass.phase == Phase::Running && pass.lanes.any_free() && !pass.ready.any()
}

fn next_late(pass: &mut Pass) -> Option<Micros> {
    if !has_a_lane_to_spare(pass) {
        return None;
    }
    let mut hedges = pass.hedges.take()?;
    let next = hedges.next(|attempt| pass.is_running(attempt));
    pass.hedges = Some(hedges);
    next
}

/// The call of an attempt that is late and alone.
fn take_late(pass: &mut Pass, now: Micros) -> Option<CallId> {
    if !has_a_lane_to_spare(pass) {
        return None;
    }
    let mut hedges = pass.hedges.take()?;
    let late = hedges.take_late(now, |attempt| pass.is_running(attempt));
    pass.hedges = Some(hedges);
    late.map(|attempt| attempt.call)
}
