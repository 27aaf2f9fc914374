//! When a stage had as many calls under way as it may: a call of it that was ready then waited for one
//! of them, and not for the engine.

use super::{Frame, stint};
use crate::{CallId, Micros, PassState, Plan};

/// For each stage, when it was full: spans in order, without overlap; none for a stage without a limit
/// of its own.
pub(super) fn spans(plan: &Plan, pass: &PassState, frame: Frame) -> Vec<Vec<(Micros, Micros)>> {
    let caps: Vec<_> =
        plan.stages.iter().map(|s| s.concurrency.filter(|cap| *cap < pass.lanes)).collect();
    if caps.iter().all(Option::is_none) {
        return Vec::new();
    }
    // (when, whether an attempt begins): ends come first, for their place is free at once.
    let mut changes: Vec<Vec<(Micros, bool)>> = vec![Vec::new(); caps.len()];
    for (i, (call, planned)) in (0u32..).zip(pass.calls.iter().zip(&plan.calls)) {
        let stage = usize::from(planned.stage);
        if caps.get(stage).copied().flatten().is_none() {
            continue;
        }
        let Some(changes) = changes.get_mut(stage) else { continue };
        for attempt in &call.attempts {
            let stint = stint(CallId(i), attempt, frame);
            if stint.start < stint.end {
                changes.push((stint.start, true));
                changes.push((stint.end, false));
            }
        }
    }
    let spans = changes.into_iter().zip(caps).map(|(changes, cap)| {
        let Some(cap) = cap else { return Vec::new() };
        full(crate::sort::sorted(changes), cap)
    });
    spans.collect()
}

fn full(changes: Vec<(Micros, bool)>, cap: u32) -> Vec<(Micros, Micros)> {
    let mut spans: Vec<(Micros, Micros)> = Vec::new();
    let (mut under_way, mut since) = (0u32, None);
    for moment in changes.chunk_by(|a, b| a.0 == b.0) {
        let Some(&(at, _)) = moment.first() else { continue };
        for &(_, begins) in moment {
            under_way = if begins { under_way + 1 } else { under_way.saturating_sub(1) };
        }
        match (under_way >= cap, since) {
            (true, None) => since = Some(at),
            (false, Some(from)) => {
                spans.push((from, at));
                since = None;
            }
            _ => {}
        }
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_full_while_as_many_of_its_calls_are_under_way_as_may_be() {
        let at = |us, begins| (Micros(us), begins);
        let changes =
            vec![at(0, true), at(2, true), at(5, false), at(5, true), at(7, false), at(9, false)];
        assert_eq!(full(changes.clone(), 2), [(Micros(2), Micros(7))]);
        assert_eq!(full(changes.clone(), 1), [(Micros(0), Micros(9))]);
        assert_eq!(full(changes, 3), []);
    }
}
