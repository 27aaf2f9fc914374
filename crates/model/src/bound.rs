//! The lower bound: the time below which no schedule of a pass's calls can go, and what sets it.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::sort::sorted;
use crate::{AttemptState, CallId, CallState, Micros, PassState, Plan, ScheduledCall, Scope};

/// The term that sets a lower bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Binding {
    /// The longest chain of calls that need each other.
    #[serde(rename = "critical_path")]
    CriticalPath,
    /// All work, spread evenly over the lanes.
    #[serde(rename = "work")]
    Work,
    /// The work of a stage, spread evenly over the calls of it that may be under way at once.
    #[serde(rename = "stage_concurrency")]
    StageConcurrency,
    /// The provider's requests a minute.
    #[serde(rename = "rpm")]
    RequestsPerMinute,
    /// The provider's tokens a minute.
    #[serde(rename = "tpm")]
    TokensPerMinute,
}

impl Binding {
    /// The name people read, for use inside a sentence.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Binding::CriticalPath => "critical path",
            Binding::Work => "total work ÷ concurrency",
            Binding::StageConcurrency => "a stage's work ÷ its concurrency",
            Binding::RequestsPerMinute => "requests ÷ RPM limit",
            Binding::TokensPerMinute => "tokens ÷ TPM limit",
        }
    }
}

/// A time below which no schedule can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LowerBound {
    /// The bound, µs.
    pub us: Micros,
    /// What sets it.
    pub binding: Binding,
}

/// The work of a pass: the time of its successful attempts.
#[must_use]
pub fn work(pass: &PassState) -> Micros {
    successes(pass).map(duration).sum()
}

fn successes(pass: &PassState) -> impl Iterator<Item = &AttemptState> {
    pass.calls.iter().filter_map(CallState::successful)
}

/// From start to end; an attempt that goes on has no duration yet.
fn duration(a: &AttemptState) -> Micros {
    a.end.unwrap_or(a.start).since(a.start)
}

/// For each call, the time of its successful attempt and of the longest chain of those that it needs.
/// `duration` says what a call takes; one of nothing does not lengthen a chain.
fn chains(plan: &Plan, duration: impl Fn(CallId) -> Micros) -> Vec<Micros> {
    let mut chains = vec![Micros::ZERO; plan.calls.len()];
    if plan.is_flat() {
        for (call, chain) in (0..).map(CallId).zip(&mut chains) {
            *chain = duration(call);
        }
        return chains;
    }
    // Stages stand after those they need, and a call about all documents is needed by many: the
    // longest of such a stage is looked for once.
    let mut longest: Vec<Micros> = Vec::with_capacity(plan.stages.len());
    for (place, stage) in plan.stages.iter().enumerate() {
        let across = |need: &u16| {
            let all = plan.stages.get(usize::from(*need)).is_some_and(|n| n.scope == Scope::All);
            all || stage.scope == Scope::All
        };
        let need = |need: &u16| longest.get(usize::from(*need)).copied().unwrap_or_default();
        let before_all =
            stage.needs.iter().filter(|n| across(n)).map(need).max().unwrap_or_default();
        let documents = if stage.scope == Scope::All { 1 } else { plan.documents };
        let mut most = Micros::ZERO;
        for document in 0..documents {
            let own = stage.needs.iter().filter(|n| !across(n));
            let own = own.flat_map(|&n| plan.stage_calls(usize::from(n), document));
            let before = own.filter_map(|call| chains.get(call as usize).copied()).max();
            let before = before.unwrap_or_default().max(before_all);
            for call in plan.stage_calls(place, document).map(CallId) {
                if let Some(chain) = chains.get_mut(call.index()) {
                    *chain = before + duration(call);
                    most = most.max(*chain);
                }
            }
        }
        longest.push(most);
    }
    chains
}

/// The work of each stage that may not use all lanes, spread over the calls it may have under way.
fn stage_shares(plan: &Plan, lanes: u32, duration: impl Fn(CallId) -> Micros) -> Micros {
    let capped = (0..).zip(&plan.stages).filter_map(|(place, stage)| {
        let cap = stage.concurrency.filter(|cap| *cap < lanes)?;
        let calls = (0..).map(CallId).zip(&plan.calls).filter(|(_, c)| c.stage == place);
        let work: Micros = calls.map(|(call, _)| duration(call)).sum();
        Some(Micros(work.0.div_ceil(u64::from(cap.max(1)))))
    });
    capped.max().unwrap_or_default()
}

/// The time of a call's successful attempt, none when it has none.
fn call_time(pass: &PassState) -> impl Fn(CallId) -> Micros + '_ {
    |call| {
        let call = pass.calls.get(call.index());
        call.and_then(CallState::successful).map_or(Micros::ZERO, duration)
    }
}

/// The least time in which a pass could do the work that it did (has done so far, while it goes
/// on): the largest of critical path, work ÷ lanes, a stage's work ÷ its own concurrency,
/// requests ÷ `rpm` and tokens ÷ `tpm`. `None` before the first success.
///
/// The critical path is the longest chain of calls that need each other; where none does, the longest
/// successful attempt. A limit of R
/// a minute is kept evenly (docs/decisions/0007-pacing.md): a second's worth goes at once and the
/// rest follows at the limit's pace, so N requests need N × 60 s ÷ R, less that second; likewise for
/// tokens.
#[must_use]
pub fn lower_bound(
    plan: &Plan,
    pass: &PassState,
    rpm: Option<u32>,
    tpm: Option<u32>,
) -> Option<LowerBound> {
    let [requests, tokens] = rate_terms(pass, rpm, tpm)?;
    let longest = chains(plan, call_time(pass)).into_iter().max()?;
    let stages = stage_shares(plan, pass.lanes, call_time(pass));
    let share = Micros(work(pass).0.div_ceil(u64::from(pass.lanes.max(1))));
    let terms = [
        (longest, Binding::CriticalPath),
        (share, Binding::Work),
        (stages, Binding::StageConcurrency),
        (requests, Binding::RequestsPerMinute),
        (tokens, Binding::TokensPerMinute),
    ];
    let mut best = terms[0];
    for term in terms {
        // On one lane all work is the path: call it work even when there is one call.
        if term.0 > best.0 || (term.0 == best.0 && term.1 == Binding::Work && pass.lanes <= 1) {
            best = term;
        }
    }
    Some(LowerBound { us: best.0, binding: best.1 })
}

/// The least time that `rpm` and `tpm` allow for what a pass did, on any number of lanes. `None` before
/// the first success.
pub(crate) fn rate_terms(
    pass: &PassState,
    rpm: Option<u32>,
    tpm: Option<u32>,
) -> Option<[Micros; 2]> {
    let shortest = successes(pass).map(duration).min()?;
    // Whichever call starts last, it takes as long as the shortest.
    let paced = |last_start: Micros| match last_start {
        Micros::ZERO => Micros::ZERO,
        at => at + shortest,
    };
    let requests = successes(pass).count() as u64;
    let tokens =
        || successes(pass).filter_map(|a| a.usage).map(|u| u.input.saturating_add(u.output));
    let all = tokens().fold(0, u64::saturating_add);
    let largest = tokens().max().unwrap_or_default();
    Some([paced(rate_bound(requests, 1, rpm)), paced(rate_bound(all, largest, tpm))])
}

/// The lower bound that a pass is heading for while it goes on: successful calls count with the time
/// they took, those to come with the time they are expected to take. Tokens to come are not known,
/// so the TPM term is left out. `None` when nothing is done or to come.
#[must_use]
pub fn expected_bound(
    plan: &Plan,
    pass: &PassState,
    coming: &[&ScheduledCall],
    rpm: Option<u32>,
) -> Option<LowerBound> {
    let mut times = vec![Micros::ZERO; pass.calls.len()];
    let done = (0..).map(CallId).zip(&pass.calls);
    let done = done.filter_map(|(id, call)| Some((id, duration(call.successful()?))));
    let expected = coming.iter().map(|c| (c.call, c.end.since(c.start)));
    let mut count = 0;
    for (call, time) in done.chain(expected) {
        count += 1;
        if let Some(known) = times.get_mut(call.index()) {
            *known = time;
        }
    }
    let of = |call: CallId| times.get(call.index()).copied().unwrap_or_default();
    let longest = chains(plan, of).into_iter().max().filter(|_| count > 0)?;
    let work: Micros = times.iter().copied().sum();
    let terms = [
        (longest, Binding::CriticalPath),
        (Micros(work.0.div_ceil(u64::from(pass.lanes.max(1)))), Binding::Work),
        (stage_shares(plan, pass.lanes, of), Binding::StageConcurrency),
        (rate_bound(count, 1, rpm), Binding::RequestsPerMinute),
    ];
    let mut best = terms[0];
    for term in terms {
        if term.0 > best.0 {
            best = term;
        }
    }
    Some(LowerBound { us: best.0, binding: best.1 })
}

/// The least time until the last call may start, when `n` requests or tokens, of which one call needs
/// `largest`, are let through evenly: a second's worth, and one at the least, at once. A call that
/// needs more than that starts when a second's worth is there, and is paid off afterwards.
pub(crate) fn rate_bound(n: u64, largest: u64, per_minute: Option<u32>) -> Micros {
    let Some(rate) = per_minute.filter(|&r| r > 0).map(u128::from) else { return Micros::ZERO };
    let time = |amount: u64| u128::from(amount) * 60_000_000 / rate;
    let at_once = time(1).max(1_000_000);
    let before = time(n.saturating_sub(largest)) + time(largest).min(at_once);
    Micros(u64::try_from(before.saturating_sub(at_once)).unwrap_or(u64::MAX))
}

/// The share of the wall time that no schedule could avoid: bound ÷ wall time. `None` when no time
/// has passed. Above 1 only when a stated rate limit is tighter than the real one.
#[must_use]
pub fn bound_attained(bound: LowerBound, wall: Micros) -> Option<f64> {
    (wall > Micros::ZERO).then(|| bound.us.0 as f64 / wall.0 as f64)
}

/// The calls that set the time of a pass: the longest chain of calls that need each other when the
/// critical path binds, else those of the lane that ended last, in the order in which they began there.
#[must_use]
pub fn critical_calls(plan: &Plan, pass: &PassState) -> Vec<CallId> {
    let calls = || (0..).map(CallId).zip(&pass.calls);
    let bound = lower_bound(plan, pass, None, None);
    if bound.is_some_and(|b| b.binding == Binding::CriticalPath) {
        let chains = chains(plan, call_time(pass));
        let longest = |calls: &mut dyn Iterator<Item = CallId>| {
            let timed = calls.filter_map(|id| Some((*chains.get(id.index())?, id)));
            timed.filter(|(time, _)| !time.is_zero()).max_by_key(|&(time, id)| (time, Reverse(id)))
        };
        let mut path = Vec::new();
        let mut next = longest(&mut (0..).map(CallId).take(pass.calls.len()));
        while let Some((_, call)) = next {
            path.push(call);
            next = longest(&mut plan.needs(call));
        }
        path.reverse();
        return path;
    }
    let attempts = || calls().flat_map(|(id, c)| c.attempts.iter().map(move |a| (id, a)));
    let Some((_, last)) = attempts().filter(|(_, a)| a.end.is_some()).max_by_key(|(_, a)| a.end)
    else {
        return Vec::new();
    };
    let chain: Vec<_> =
        attempts().filter(|(_, a)| a.lane == last.lane).map(|(id, a)| (a.start, id)).collect();
    let mut seen = std::collections::BTreeSet::new();
    sorted(chain).into_iter().map(|(_, id)| id).filter(|id| seen.insert(id.index())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{self, Script};
    use crate::{Mode, PassStatus};

    fn bound_of(lanes: u32, ms: &[u64], rpm: Option<u32>, tpm: Option<u32>) -> (u64, Binding) {
        let state = testing::run(&Script::plain(Mode::Parallel, lanes, ms));
        let bound = lower_bound(&state.header.plan, &state.passes[0], rpm, tpm).unwrap();
        (bound.us.0, bound.binding)
    }

    #[test]
    fn the_largest_term_binds() {
        assert_eq!(bound_of(6, &[2, 4, 6], None, None), (6_000, Binding::CriticalPath));
        assert_eq!(bound_of(2, &[4, 4, 5], None, None), (6_500, Binding::Work));
        // One of three requests goes at once, the others a minute apart; each takes 4 ms.
        let minutes = |n: u64| n * 60_000_000;
        let bound = (minutes(2) + 4_000, Binding::RequestsPerMinute);
        assert_eq!(bound_of(2, &[4; 3], Some(1), None), bound);
        // 480 tokens at 240 a minute, of which the last call's 160 are not waited for.
        let bound = (80_004_000, Binding::TokensPerMinute);
        assert_eq!(bound_of(2, &[4; 3], None, Some(240)), bound);
    }

    #[test]
    fn a_second_s_worth_goes_at_once_and_the_rest_at_the_limit_s_pace() {
        assert_eq!(rate_bound(10, 1, Some(600)), Micros::ZERO);
        assert_eq!(rate_bound(11, 1, Some(600)), Micros::from_millis(100));
        assert_eq!(rate_bound(600, 1, Some(3_000)), Micros::from_secs(11));
        assert_eq!(rate_bound(2, 1, Some(1)), Micros::from_secs(60));
        assert_eq!(rate_bound(61, 1, None), Micros::ZERO);
        assert_eq!(rate_bound(61, 1, Some(0)), Micros::ZERO);
    }

    #[test]
    fn the_last_call_does_not_wait_for_its_own_tokens() {
        assert_eq!(rate_bound(5_000, 5_000, Some(6_000)), Micros::ZERO);
        assert_eq!(rate_bound(6_000, 3_000, Some(6_000)), Micros::from_secs(30));
    }

    #[test]
    fn on_one_lane_work_binds_even_for_one_call() {
        assert_eq!(bound_of(1, &[4], None, None), (4_000, Binding::Work));
        assert_eq!(bound_of(1, &[4, 4], None, None), (8_000, Binding::Work));
    }

    #[test]
    fn the_critical_calls_are_the_longest_or_the_chain_that_ended_last() {
        let critical = |lanes, ms: &[u64]| {
            let state = testing::run(&Script::plain(Mode::Parallel, lanes, ms));
            critical_calls(&state.header.plan, &state.passes[0])
                .into_iter()
                .map(|c| c.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(critical(3, &[2, 6, 2]), [1]);
        assert_eq!(critical(2, &[3, 4, 6]), [0, 2]);
        assert_eq!(critical(1, &[2, 2]), [0, 1]);
    }

    #[test]
    fn without_a_success_there_is_no_bound() {
        let log = testing::simulate(&Script::plain(Mode::Parallel, 1, &[2]));
        let state = crate::RunState::fold(&log[..4]).unwrap();
        assert_eq!(lower_bound(&state.header.plan, &state.passes[0], Some(1), Some(1)), None);
        assert_eq!(critical_calls(&state.header.plan, &state.passes[0]), []);
    }

    proptest! {
        #[test]
        fn no_completed_pass_is_faster_than_its_bound(script in testing::scripts()) {
            let state = testing::run(&script);
            for pass in state.passes.iter().filter(|p| p.status == PassStatus::Completed) {
                let wall = pass.wall(state.latest);
                if let Some(bound) = lower_bound(&state.header.plan, pass, None, None) {
                    prop_assert!(bound.us <= wall);
                    prop_assert!(bound_attained(bound, wall).is_none_or(|share| share <= 1.0));
                }
            }
        }
    }
}
