//! Lanes are covered exactly, whatever the log says; and who gets which free lane.

use LedgerState::{
    DependencyWait, Engine, FailedAttempt, Generating, Idle, RetryBackoff, TimeToFirstToken,
};
use proptest::prelude::*;

use super::*;
use crate::testing::{self, Script, Try, answered};
use crate::{CallEnd, EventKind, Ledger, Mode, PassId, RunEvent, RunState, Seq, Usage};

/// Of a pass whose stages have no limits of their own.
fn segments(pass: &PassState, now: Micros) -> Vec<Segment> {
    super::segments(&Plan::default(), pass, now)
}

/// Every lane covered from 0 to the wall time, in order, without overlap, neighbours unlike.
fn assert_exact_cover(pass: &PassState, now: Micros) {
    let wall = pass.wall(now);
    let found = segments(pass, now);
    let mut rest = found.as_slice();
    for lane in 0..pass.lanes {
        let n = rest.iter().take_while(|s| u32::from(s.lane.0) == lane).count();
        let (mine, others) = rest.split_at(n);
        rest = others;
        let mut at = Micros::ZERO;
        for s in mine {
            assert_eq!(s.start, at, "a hole or an overlap on lane {lane}: {mine:?}");
            assert!(s.end > s.start, "{s:?}");
            assert_eq!(s.call.is_none(), s.state == Idle, "{s:?}");
            at = s.end;
        }
        assert_eq!(at, wall, "lane {lane} ends early or late");
        for pair in mine.windows(2) {
            let key = |s: &Segment| (s.state, s.call, s.attempt);
            assert_ne!(key(&pair[0]), key(&pair[1]), "neighbours alike");
        }
    }
    assert_eq!(rest, [], "segments out of order or on unknown lanes");
    assert_eq!(Ledger::of(&found).total().0, u64::from(pass.lanes) * wall.0);
}

fn is_wait(state: LedgerState) -> bool {
    !matches!(state, Idle | Generating | TimeToFirstToken | FailedAttempt)
}

/// The states of one lane with their lengths.
fn strip(found: &[Segment], lane: u16) -> Vec<(LedgerState, u64)> {
    found.iter().filter(|s| s.lane == LaneId(lane)).map(|s| (s.state, s.duration().0)).collect()
}

proptest! {
    #[test]
    fn the_parts_of_any_schedule_sum_to_lanes_times_wall_time(script in testing::scripts()) {
        let log = testing::simulate(&script);
        let state = RunState::fold(&log).unwrap();
        for pass in &state.passes {
            assert_exact_cover(pass, state.latest);
        }
    }

    #[test]
    fn the_parts_sum_at_every_moment_of_a_run(script in testing::scripts(), cut in 0.0..1.0f64) {
        let log = testing::simulate(&script);
        let part = 1 + ((log.len() - 1) as f64 * cut) as usize;
        let state = RunState::fold(&log[..part]).unwrap();
        for pass in &state.passes {
            assert_exact_cover(pass, state.latest);
            assert_exact_cover(pass, state.latest + Micros(7));
        }
    }

    #[test]
    fn even_nonsense_is_covered_exactly(pass in testing::nonsense_passes(), now in 0..150u64) {
        assert_exact_cover(&pass, Micros(now));
    }

    #[test]
    fn a_waiting_call_accounts_for_one_lane_at_most(pass in testing::nonsense_passes()) {
        let mut found = segments(&pass, Micros(130));
        found.retain(|s| is_wait(s.state));
        found.sort_by_key(|s| (s.call, s.start));
        for pair in found.windows(2) {
            prop_assert!(pair[0].call != pair[1].call || pair[0].end <= pair[1].start);
        }
    }

    #[test]
    fn no_lane_is_idle_while_a_call_waits(pass in testing::nonsense_passes()) {
        let Some(start) = pass.start else { return Ok(()) };
        let frame = Frame { start, wall: pass.wall(Micros(130)) };
        let waits = waits(&Plan::default(), &pass, frame);
        let found = segments(&pass, Micros(130));
        for t in (0..frame.wall.0).map(Micros) {
            let waiting = waits.iter().filter(|w| w.from <= t && t < w.to).count();
            let here = || found.iter().filter(|s| s.start <= t && t < s.end);
            let idle = here().filter(|s| s.state == Idle).count();
            let held = here().filter(|s| is_wait(s.state)).count();
            prop_assert!(idle == 0 || held == waiting, "{waiting} wait on {held} at {t:?}");
        }
    }

    #[test]
    fn the_strip_of_a_call_holds_its_attempts(script in testing::scripts()) {
        let state = testing::run(&script);
        for pass in &state.passes {
            for (id, call) in (0..).map(CallId).zip(&pass.calls) {
                let strip = call_segments(pass, id, state.latest);
                prop_assert!(strip.windows(2).all(|w| w[0].end <= w[1].start));
                let lane_time: Micros = strip.iter()
                    .filter(|s| s.state != RetryBackoff)
                    .map(Segment::duration)
                    .sum();
                let attempts: Micros = call.attempts.iter().map(|a| a.duration(state.latest)).sum();
                prop_assert_eq!(lane_time, attempts);
            }
        }
    }
}

#[test]
fn the_last_call_leaves_the_other_lanes_idle() {
    let state = testing::run(&Script::plain(Mode::Parallel, 2, &[2, 6]));
    let found = segments(&state.passes[0], state.latest);
    let first = [(TimeToFirstToken, 1_000), (Generating, 1_000), (Idle, 4_000)];
    assert_eq!(strip(&found, 0), first);
    assert_eq!(strip(&found, 1), [(TimeToFirstToken, 3_000), (Generating, 3_000)]);
}

#[test]
fn a_backoff_stays_on_the_lane_of_the_failed_attempt() {
    let failed = Try { ttft: 300, generating: 0, fails: Some(200) };
    let script = Script {
        calls: vec![answered(900, 100), vec![failed, answered(100, 50)[0]]],
        ..Script::plain(Mode::Parallel, 3, &[])
    };
    let state = testing::run(&script);
    let found = segments(&state.passes[0], state.latest);
    // The retry starts on the lowest free lane, and that is the same one.
    let retried = [
        (FailedAttempt, 300),
        (RetryBackoff, 200),
        (TimeToFirstToken, 100),
        (Generating, 50),
        (Idle, 350),
    ];
    assert_eq!(strip(&found, 1), retried);
    assert_eq!(strip(&found, 2), [(Idle, 1_000)]);
    let own = call_segments(&state.passes[0], CallId(1), state.latest);
    assert_eq!(strip(&own, 1), retried[..4]);
}

#[test]
fn the_engines_time_goes_to_the_call_that_starts_on_the_lane() {
    let script = Script { gap: 5, ..Script::plain(Mode::Parallel, 2, &[1, 1, 1]) };
    let state = testing::run(&script);
    let found = segments(&state.passes[0], state.latest);
    let waits: Vec<_> = found
        .iter()
        .filter(|s| s.state == Engine)
        .map(|s| (s.lane.0, s.call.map(|c| c.0), s.duration().0))
        .collect();
    assert_eq!(waits, [(0, Some(0), 10), (0, Some(2), 5), (1, Some(1), 15)]);
}

#[test]
fn a_call_that_is_not_ready_waits_for_another() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[2, 2]));
    let pass = &mut state.passes[0];
    pass.calls[1].ready = Some(Micros(1_500));
    pass.calls[1].attempts[0].start = Micros(1_500);
    let found = segments(pass, state.latest);
    assert_eq!(strip(&found, 1)[0], (DependencyWait, 1_500));
}

#[test]
fn a_pass_that_has_not_begun_has_no_segments() {
    let log = testing::simulate(&Script::plain(Mode::Compare, 2, &[2, 2]));
    let state = RunState::fold(&log[..2]).unwrap();
    assert_eq!(segments(&state.passes[0], Micros(9)), []);
    assert_eq!(call_segments(&state.passes[0], CallId(0), Micros(9)), []);
}

#[test]
fn a_large_pass_is_cut_up_in_few_steps() {
    let calls: Vec<_> = (0..60_000).map(|i| answered(300 + i % 7, 900 + i % 11)).collect();
    let script = Script { calls, gap: 1, ..Script::plain(Mode::Parallel, 100, &[]) };
    let state = testing::run(&script);
    let found = segments(&state.passes[0], state.latest);
    // Two parts of each attempt, the engine's time before it, and little else.
    assert!(found.len() < 200_000, "{}", found.len());
    assert_exact_cover(&state.passes[0], state.latest);
}

/// The time from `from` to `to` of every lane that may be in use or is.
fn open_time(pass: &PassState, limits: &[(u64, u32)], wall: u64) -> u64 {
    let start = pass.start.unwrap().0;
    let attempts = || pass.calls.iter().flat_map(|c| &c.attempts);
    (0..wall)
        .map(|at| {
            let limit = limits.iter().rfind(|l| l.0 <= at).map_or(pass.lanes, |l| l.1.max(1));
            let busy = attempts()
                .filter(|a| a.start.0 <= start + at && a.end.unwrap().0 > start + at)
                .count() as u64;
            u64::from(limit.min(pass.lanes)).max(busy)
        })
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn where_fewer_lanes_may_be_in_use_the_parts_sum_to_those_that_may_or_are(
        durations in prop::collection::vec(1u64..20, 1..20),
        lanes in 1u32..6,
        limits in prop::collection::vec((0u64..60_000, 0u32..8), 1..6),
    ) {
        let mut state = testing::run(&Script::plain(Mode::Parallel, lanes, &durations));
        let pass = &mut state.passes[0];
        let mut limits = limits;
        limits.sort_unstable_by_key(|l| l.0);
        limits.dedup_by_key(|l| l.0);
        let start = pass.start.unwrap();
        pass.limits = limits
            .iter()
            .map(|&(at, limit)| crate::LimitChange {
                at: start + Micros(at),
                limit,
                why: crate::LimitReason::User,
            })
            .collect();
        let wall = pass.wall(state.latest).0;
        let found = segments(&state.passes[0], state.latest);
        prop_assert!(found.windows(2).all(|w| w[0].lane != w[1].lane || w[0].end <= w[1].start));
        let ledger = Ledger::of(&found);
        prop_assert_eq!(ledger.total().0, open_time(&state.passes[0], &limits, wall));
    }
}

#[test]
fn lanes_that_are_added_while_it_goes_on_count_from_then_on() {
    let mut pass = testing::run(&Script::plain(Mode::Parallel, 1, &[4, 4])).passes.remove(0);
    let (start, wall) = (pass.start.unwrap(), pass.wall(Micros::ZERO));
    pass.set_limit(start + Micros(6_000), 3, crate::LimitReason::User);
    assert_eq!((pass.lanes, pass.limit()), (3, 3));
    let total = Ledger::of(&segments(&pass, Micros::ZERO)).total();
    assert_eq!(total.0, wall.0 + 2 * (wall.0 - 6_000));
}

/// A call that is answered at 10 ms while another waits for that answer from 1 ms on.
fn log_with_an_identical_call(end: impl Fn(PassId, CallId) -> Vec<(u64, EventKind)>) -> PassState {
    let mut log = testing::simulate(&Script::plain(Mode::Parallel, 2, &[10]));
    let header = testing::header(Mode::Parallel, 2, 2);
    log[0].kind = EventKind::RunCreated { header: Box::new(header) };
    let (pass, call) = (PassId(0), CallId(1));
    let mut kinds: Vec<_> = log.into_iter().map(|e| (e.at.0, e.kind)).collect();
    for (_, kind) in &mut kinds {
        if let EventKind::CallsQueued { count, .. } = kind {
            *count = 2;
        }
    }
    let last = kinds.len() - 2;
    kinds.insert(5, (1_000, EventKind::CallAwaits { pass, call }));
    kinds.splice(last + 1..last + 1, end(pass, call));
    let at_end = kinds[..kinds.len() - 2].iter().map(|k| k.0).max().unwrap();
    for kind in kinds.iter_mut().rev().take(2) {
        kind.0 = at_end;
    }
    let events: Vec<_> = (1..)
        .zip(kinds)
        .map(|(seq, (at, kind))| RunEvent { seq: Seq(seq), at: Micros(at), kind })
        .collect();
    RunState::fold(&events).unwrap().passes[0].clone()
}

#[test]
fn a_call_that_waits_for_the_answer_to_an_identical_one_is_no_time_of_the_engine() {
    let usage = Usage { input: 1, output: 1, cached: 0, estimated: false };
    let hit = |pass, call| {
        let end = CallEnd::Succeeded { output: "Answer".to_owned(), cached_usage: Some(usage) };
        let queued = EventKind::CallsQueued { pass, first: call, count: 1 };
        vec![(10_000, queued), (10_500, EventKind::CallEnded { pass, call, end })]
    };
    let pass = log_with_an_identical_call(hit);
    let found = segments(&pass, Micros::ZERO);
    assert_exact_cover(&pass, Micros::ZERO);
    // The look-up at first is the engine's, and so is the way back, on the lane that became free.
    assert_eq!(strip(&found, 1), [(Engine, 1_000), (DependencyWait, 9_000), (Idle, 500)]);
    assert_eq!(strip(&found, 0).last(), Some(&(Engine, 500)));
    assert_eq!((pass.calls[1].usage(), pass.calls[1].attempts.len()), (Some(usage), 0));

    let cancelled = |pass, call| {
        let end = CallEnd::Cancelled { partial: String::new() };
        vec![(10_000, EventKind::CallEnded { pass, call, end })]
    };
    let pass = log_with_an_identical_call(cancelled);
    let found = segments(&pass, Micros::ZERO);
    assert_eq!(strip(&found, 1), [(Engine, 1_000), (DependencyWait, 9_000)]);
}
