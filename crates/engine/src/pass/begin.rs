//! A pass as its log left it: at the start of a run, or where it was cut off.

use std::sync::Arc;

use lanes_model::{
    AttemptResult, AttemptState, CallId, CallState, FailureKind, Micros, PassId, PassMode,
    PassState, PassStatus, Plan,
};

use super::{Pass, Phase, Slot, Stage, Tries};
use crate::held::Held;
use crate::lanes::Lanes;
use crate::needs::{Needs, Verdict};
use crate::ready::ReadyQueue;

fn stages(plan: &Plan, tries: &Tries) -> Vec<Stage> {
    let most = |stage: usize| plan.stages.get(stage).and_then(|s| s.concurrency);
    let stages = tries.stages.iter().cloned().enumerate();
    let stage = |(place, tiers)| Stage {
        tiers,
        most: most(place).map_or(usize::MAX, |most| most.max(1) as usize),
        under_way: 0,
    };
    stages.map(stage).collect()
}

impl Pass {
    /// A pass as the log left it. Whether it adapts and hedges is set apart.
    pub(crate) fn new(id: PassId, plan: &Arc<Plan>, state: &PassState, tries: &Tries) -> Self {
        let strict = state.mode == PassMode::Sequential;
        // More lanes than calls would never be used.
        let most = u32::try_from(state.calls.len()).unwrap_or(u32::MAX);
        let mut pass = Self {
            id,
            phase: match state.status {
                PassStatus::Waiting => Phase::Waiting,
                PassStatus::Running => Phase::Running,
                PassStatus::Completed | PassStatus::Cancelled => Phase::Ended,
            },
            ready: ReadyQueue::new(strict),
            lanes: Lanes::new(if strict { 1 } else { state.limit().min(most) }),
            held: (0..tries.tiers.max(1)).map(|_| Held::default()).collect(),
            adaptive: None,
            hedges: None,
            unqueued: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            last_end: state.calls.iter().filter_map(|c| c.end).max().unwrap_or_default(),
            needs: Needs::new(plan, state),
            stages: stages(plan, tries),
            slots: Vec::with_capacity(state.calls.len()),
            open: 0,
        };
        for (call, state) in (0..).map(CallId).zip(&state.calls) {
            let stage = plan.calls.get(call.index()).map_or(0, |planned| planned.stage);
            pass.add(call, stage, state, tries.each);
        }
        pass
    }

    fn add(&mut self, call: CallId, stage: u16, state: &CallState, each: u32) {
        let refused = |a: &&AttemptState| {
            a.failure.as_ref().is_some_and(|f| f.kind == FailureKind::RateLimited)
        };
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let tries = state.tries();
        let refusals = count(tries.iter().filter(refused).count());
        let failures = tries.iter().filter(|a| a.result == AttemptResult::Failed).count();
        // What was refused for now has not used up a try.
        let failures = count(failures).saturating_sub(refusals);
        let rejected = |a: &AttemptState| {
            let failure = a.failure.as_ref().filter(|f| f.kind == FailureKind::InvalidOutput)?;
            Some(Arc::from(failure.message.as_str()))
        };
        let rejected: Option<Arc<str>> = tries.iter().rev().find_map(rejected);
        let failures = failures.saturating_sub(u32::from(rejected.is_some()));
        let each = each.max(1);
        let tiers = self.stages.get(usize::from(stage)).map_or(0..1, |s| s.tiers.clone());
        let down = (failures / each).min(u32::from(tiers.end - tiers.start - 1));
        let tier = tiers.start + u16::try_from(down).unwrap_or_default();
        let last = state.attempts.last();
        let ended = state.ended.is_some();
        self.slots.push(Slot {
            ended,
            number: last.map_or(0, |a| a.attempt.number),
            failed: failures - down * each,
            probes: 0,
            refusals,
            stage,
            tier,
            rejected,
            last: last.map(|a| (a.lane, a.route)),
            flights: Vec::new(),
        });
        if ended {
            return;
        }
        self.open += 1;
        if self.needs.waits(call) {
            return;
        }
        if let Verdict::Skipped(without) = self.needs.verdict(call) {
            return self.skipped.push((call, without));
        }
        if state.ready.is_none() {
            match self.unqueued.last_mut() {
                Some((first, count)) if first.0 + *count == call.0 => *count += 1,
                _ => self.unqueued.push((call, 1)),
            }
        }
        // The failed attempt that says when the next one is due; that of a hedge may come later.
        let due = tries.iter().rev().find_map(|a| a.retry_at);
        let failure = tries.last().and_then(|a| a.failure.as_ref());
        match (failure, due) {
            (Some(_), Some(at)) => self.wait(call, at),
            (Some(failure), None) => self.failed.push((call, failure.clone())),
            (None, _) if down > 0 => self.wait(call, Micros::ZERO),
            (None, _) => self.make_ready(call),
        }
    }
}
