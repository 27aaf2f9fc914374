//! What holds for every plan, script and moment.

use lanes_engine::RunControl;
use lanes_model::FailureKind::{InvalidRequest, RateLimited, ServerError};
use lanes_model::{Micros, PassMode, PassState, PassStatus, RunState, RunStatus};
use proptest::prelude::*;

use crate::support::provider::Script;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel, paused};

fn step() -> impl Strategy<Value = Step> {
    (0u64..200, 0u32..10, 0u64..1_500).prop_map(|(duration, kind, after)| match kind {
        0 => Step::fail(duration, ServerError),
        1 => Step::fail(duration, RateLimited).retry_after(ms(after)),
        2 => Step::fail(duration, InvalidRequest),
        _ => Step::answer(duration),
    })
}

fn script() -> impl Strategy<Value = Script> {
    prop::collection::vec(prop::collection::vec(step(), 1..4), 1..25)
}

fn passes() -> impl Strategy<Value = (Vec<(PassMode, u32)>, bool)> {
    prop_oneof![
        Just((vec![SEQUENTIAL], false)),
        (1u32..8).prop_map(|lanes| (vec![parallel(lanes)], false)),
        (1u32..8, any::<bool>()).prop_map(|(n, race)| (vec![parallel(n), SEQUENTIAL], race)),
    ]
}

/// The attempts of a pass as spans of time.
fn busy(pass: &PassState) -> Vec<(Micros, Micros)> {
    let attempts = pass.calls.iter().flat_map(|c| &c.attempts);
    attempts.map(|a| (a.start, a.end.unwrap_or(a.start))).collect()
}

/// The spans of time in which a call was ready and had not started.
fn waits(pass: &PassState) -> Vec<(Micros, Micros)> {
    let mut spans = Vec::new();
    for call in &pass.calls {
        let mut ready = call.ready;
        for attempt in &call.attempts {
            spans.extend(ready.map(|ready| (ready, attempt.start)));
            ready = attempt.retry_at;
        }
    }
    spans
}

fn overlap(a: (Micros, Micros), b: (Micros, Micros)) -> u64 {
    (a.1.min(b.1) - a.0.max(b.0)).0
}

/// While a call was ready, every lane was busy.
fn is_work_conserving(pass: &PassState) -> bool {
    let busy = busy(pass);
    waits(pass).into_iter().all(|wait| {
        let used: u64 = busy.iter().map(|&b| overlap(b, wait)).sum();
        used == (wait.1 - wait.0).0 * u64::from(pass.lanes)
    })
}

/// One call after another, in plan order.
fn is_in_order(pass: &PassState) -> bool {
    pass.calls.windows(2).all(|pair| pair[1].start() >= pair[0].end)
}

fn results(state: &RunState) -> Vec<(String, Option<lanes_model::Failure>)> {
    let calls = state.passes.iter().flat_map(|p| &p.calls);
    calls.map(|c| (c.output.clone(), c.failure.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_call_ends_once_and_no_lane_idles_while_a_call_is_ready(
        script in script(),
        (passes, race) in passes(),
    ) {
        let bench = Bench::new(&passes, race, script);
        // `finish` checks the log: one end for each call, no overlap on a lane, the right outcome.
        let state = paused(bench.finish());
        prop_assert!(state.passes.iter().all(|p| p.status == PassStatus::Completed));
        let lanes: u32 = match race {
            true => passes.iter().map(|(_, lanes)| lanes).sum(),
            false => passes.iter().map(|(_, lanes)| *lanes).max().unwrap_or(0),
        };
        prop_assert!(bench.provider.most_flying() <= lanes as usize);
        for pass in &state.passes {
            match pass.mode {
                PassMode::Parallel => prop_assert!(is_work_conserving(pass)),
                PassMode::Sequential => prop_assert!(is_in_order(pass)),
            }
        }
        if !race {
            prop_assert!(state.passes.windows(2).all(|p| p[1].start >= p[0].end));
        }
    }

    #[test]
    fn a_run_cancelled_at_any_moment_is_complete(
        script in script(),
        (passes, race) in passes(),
        after in 0u64..3_000,
    ) {
        let bench = Bench::new(&passes, race, script);
        let state = paused(bench.stopped_after(after, |stop| stop.cancel()));
        if state.cancel_requested {
            prop_assert_eq!(state.status, RunStatus::Cancelled);
            prop_assert_eq!(state.latest, ms(after));
        }
        for pass in &state.passes {
            prop_assert!(pass.status != PassStatus::Running);
            let ended = pass.calls.iter().filter(|c| c.ended.is_some()).count();
            let all = pass.calls.len();
            prop_assert_eq!(ended, if pass.start.is_some() { all } else { 0 });
        }
        prop_assert_eq!(bench.provider.flying(), 0);
    }

    #[test]
    fn an_interrupted_and_resumed_run_gives_what_an_undisturbed_one_gives(
        script in script(),
        (passes, race) in passes(),
        moments in prop::collection::vec(0u64..1_000, 1..4),
    ) {
        // In a race the passes take turns at a call's steps, and who gets which depends on time.
        let race = race && script.iter().all(|steps| steps.len() == 1);
        let undisturbed = paused(Bench::new(&passes, race, script.clone()).finish());
        let mut bench = Bench::new(&passes, race, script);
        let mut answered: Vec<Option<Micros>> = Vec::new();
        for after in moments {
            bench.control = RunControl::new();
            let state = paused(bench.stopped_after(after, |stop| stop.interrupt()));
            let ends: Vec<_> =
                state.passes.iter().flat_map(|p| &p.calls).map(|c| c.end).collect();
            prop_assert!(
                answered.iter().zip(&ends).all(|(was, is)| was.is_none() || was == is),
                "what has ended stays as it was",
            );
            answered = ends;
        }
        bench.control = RunControl::new();
        let state = paused(bench.finish());
        prop_assert_eq!(results(&state), results(&undisturbed));
        prop_assert_eq!(state.status, undisturbed.status);
    }
}
