//! What is wished from outside while a run goes on, and how many lanes its passes use.
//!
//! Part of the dispatcher.

use std::sync::Arc;

use lanes_model::{LimitReason, Micros, PassId, PassMode, Plan, RunState};

use super::Dispatcher;
use crate::adapt::{Adaptive, Change};
use crate::controls::Wishes;
use crate::hedge::Hedges;
use crate::pass::{Pass, Phase, Tries};

/// The passes of a run as its log left them.
pub(super) fn passes(state: &RunState, plan: &Arc<Plan>, tries: &Tries) -> Vec<Pass> {
    let spec = &state.header.spec;
    let passes = (0..).map(PassId).zip(&state.passes);
    let passes = passes.map(|(id, p)| {
        let mut pass = Pass::new(id, plan, p, tries);
        if p.mode == PassMode::Parallel {
            let calls = u32::try_from(p.calls.len()).unwrap_or(u32::MAX);
            let from = p.limits.last().map(|change| change.limit);
            pass.adaptive = spec.adaptive.then(|| Adaptive::new(p.lanes.min(calls.max(1)), from));
            pass.hedges = spec.hedge.then(Hedges::default);
        }
        pass
    });
    passes.collect()
}

impl Dispatcher {
    /// Does what is wished now, and was not before; starts nothing yet.
    pub(super) fn follow(&mut self, wishes: Wishes) {
        let now = self.now();
        if let Some(lanes) = wishes.lanes
            && self.lanes_wished != Some(lanes)
        {
            self.lanes_wished = Some(lanes);
            self.use_lanes(now, lanes);
        }
        if let Some(paused) = wishes.paused
            && paused != self.paused
        {
            self.paused = paused;
            if paused {
                for index in 0..self.passes.len() {
                    self.limiter.step_back(self.passes[index].id);
                    // What held it back until now is not part of the pause.
                    self.end_holds(index, now);
                }
            }
            self.log.paused(now, paused);
        }
    }

    /// Parallel passes that are not over use so many lanes from now on.
    fn use_lanes(&mut self, now: Micros, lanes: u32) {
        let passes = self.passes.iter_mut();
        for pass in passes.filter(|p| p.phase != Phase::Ended && !p.ready.is_strict()) {
            if pass.lanes.limit() == lanes {
                continue;
            }
            pass.lanes.set_limit(lanes);
            if let Some(adaptive) = &mut pass.adaptive {
                adaptive.set_most(now, lanes);
            }
            self.log.limit_changed(now, pass.id, lanes, LimitReason::User);
        }
    }

    /// A pass that adapts begins with the lanes it starts from.
    pub(super) fn begin_adapting(&mut self, index: usize, now: Micros) {
        let pass = &mut self.passes[index];
        let Some(limit) = pass.adaptive.as_ref().map(Adaptive::limit) else { return };
        if limit < pass.lanes.limit() {
            pass.lanes.set_limit(limit);
            self.log.limit_changed(now, pass.id, limit, LimitReason::Start);
        }
    }

    /// Uses as many lanes as adaptive concurrency has found.
    pub(super) fn adapt(&mut self, index: usize, now: Micros, change: Change) {
        let Some((limit, why)) = change else { return };
        let pass = &mut self.passes[index];
        pass.lanes.set_limit(limit);
        self.log.limit_changed(now, pass.id, limit, why);
    }
}
