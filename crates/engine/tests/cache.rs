//! Answers from the response cache, and identical calls that are asked once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lanes_engine::{Answer, Limiter, Permit, PermitRequest, RunControl};
use lanes_model::FailureKind::{BudgetReached, InvalidRequest, ServerError, Unreachable};
use lanes_model::{
    Budget, CallState, CallStatus, EventKind, Finish, Ledger, Micros, RunState, RunStatus, Usage,
    UsdMicros, segments,
};
use proptest::prelude::*;

use crate::support::provider::{Script, answers};
use crate::support::{Bench, Memory, SEQUENTIAL, Step, ms, parallel, paused};

const USAGE: Usage = Usage { input: 7, output: 3, cached: 0, estimated: false };

fn old_answer() -> Answer {
    let text = "An old answer".to_owned();
    Answer { text, usage: USAGE, cost: Some(UsdMicros(99)), finish: Finish::Stop }
}

impl Bench {
    fn cached(self, memory: &Memory) -> Self {
        Self { cache: Some(memory.clone()), ..self }
    }
}

fn calls(state: &RunState) -> impl Iterator<Item = &CallState> {
    state.passes.iter().flat_map(|p| &p.calls)
}

fn from_cache(state: &RunState) -> usize {
    calls(state).filter(|c| c.cached.is_some()).count()
}

/// Calls whose own attempt gave the answer.
fn asked(state: &RunState) -> usize {
    calls(state).filter(|c| c.successful().is_some()).count()
}

fn ledger(state: &RunState) -> Ledger {
    let pass = &state.passes[0];
    let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
    assert_eq!(ledger.total().0, pass.wall(state.latest).0 * u64::from(pass.lanes));
    ledger
}

#[derive(Default)]
struct Counting(AtomicUsize);

impl Limiter for Counting {
    fn permit(&self, _: PermitRequest) -> Permit {
        self.0.fetch_add(1, Ordering::SeqCst);
        Permit::Granted(lanes_model::RouteId::default())
    }
}

#[tokio::test(start_paused = true)]
async fn a_hit_takes_no_lane_and_no_permit_and_costs_nothing() {
    let memory = Memory::new(3);
    memory.put(1, old_answer());
    let limiter = Arc::new(Counting::default());
    let mut bench = Bench::new(&[parallel(1)], false, answers(&[50, 50, 50])).cached(&memory);
    bench.limiter = Arc::clone(&limiter) as _;
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let call = &state.passes[0].calls[1];
    assert_eq!((call.output.as_str(), call.usage()), ("An old answer", Some(USAGE)));
    assert_eq!((call.attempts.len(), call.end), (0, Some(Micros::ZERO)), "it waits for nobody");
    assert_eq!((limiter.0.load(Ordering::SeqCst), bench.provider.attempts()), (2, 2));
    assert_eq!((from_cache(&state), asked(&state), state.latest), (1, 2, ms(100)));
}

#[tokio::test(start_paused = true)]
async fn ten_identical_calls_make_one_attempt_and_the_waits_are_not_the_engine_s() {
    let memory = Memory::new(1);
    let bench = Bench::new(&[parallel(4)], false, answers(&[100; 10])).cached(&memory);
    let state = bench.finish().await;
    assert_eq!((bench.provider.attempts(), from_cache(&state), asked(&state)), (1, 9, 1));
    assert_eq!(state.latest, ms(100));
    let awaits = |k: &&EventKind| matches!(k, EventKind::CallAwaits { .. });
    assert_eq!(bench.log.kinds().iter().filter(awaits).count(), 9);
    let ledger = ledger(&state);
    assert_eq!((ledger.engine_us, ledger.dependency_us), (0, 300_000));
    assert!(memory.is_at_rest());
}

#[tokio::test(start_paused = true)]
async fn when_the_call_that_asks_fails_the_next_one_asks() {
    let memory = Memory::new(1);
    let mut script = answers(&[100; 5]);
    script[0] = vec![Step::fail(100, InvalidRequest)];
    let bench = Bench::new(&[parallel(4)], false, script).cached(&memory);
    let state = bench.finish().await;
    assert_eq!((bench.provider.attempts(), from_cache(&state), asked(&state)), (2, 3, 1));
    assert_eq!(state.passes[0].calls[0].status(), CallStatus::Failed);
    let ledger = ledger(&state);
    assert_eq!((ledger.engine_us, state.latest), (0, ms(200)));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_tried_again_keeps_the_others_waiting() {
    let memory = Memory::new(1);
    let mut script = answers(&[100; 3]);
    script[0].insert(0, Step::fail(100, ServerError));
    let bench = Bench::new(&[parallel(3)], false, script).cached(&memory);
    let state = bench.finish().await;
    assert_eq!((bench.provider.attempts(), from_cache(&state)), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_gives_back_what_it_held() {
    let memory = Memory::new(1);
    let bench = Bench::new(&[parallel(2)], false, answers(&[100; 4])).cached(&memory);
    let state = bench.stopped_after(50, |stop| stop.cancel()).await;
    assert!(calls(&state).all(|c| c.status() == CallStatus::Cancelled));
    assert_eq!((bench.provider.attempts(), ledger(&state).engine_us), (1, 0));
    assert!(memory.is_at_rest());
    let next = Bench::new(&[parallel(2)], false, answers(&[100; 4])).cached(&memory);
    assert_eq!(from_cache(&next.finish().await), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_a_cancelled_one_asks_itself() {
    let memory = Memory::new(1);
    let first = Bench::new(&[SEQUENTIAL], false, answers(&[100; 2])).cached(&memory);
    let second = Bench::new(&[parallel(2)], false, answers(&[100; 2])).cached(&memory);
    let (_, state) = tokio::join!(first.stopped_after(50, |stop| stop.cancel()), second.finish());
    assert_eq!((asked(&state), from_cache(&state), state.latest), (1, 1, ms(150)));
    assert_eq!(ledger(&state).engine_us, 0);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_looks_again_when_it_is_taken_up() {
    let memory = Memory::new(2);
    let mut bench = Bench::new(&[parallel(4)], false, answers(&[100, 30, 100, 30])).cached(&memory);
    let state = bench.stopped_after(50, |stop| stop.interrupt()).await;
    assert_eq!((from_cache(&state), asked(&state)), (1, 1));
    assert!(memory.is_at_rest());
    memory.put(0, old_answer());
    bench.control = RunControl::new();
    let state = bench.finish().await;
    assert_eq!((from_cache(&state), asked(&state), state.status), (3, 1, RunStatus::Succeeded));
    let cut_off = &state.passes[0].calls[0];
    assert_eq!((cut_off.attempts.len(), cut_off.cached), (1, Some(USAGE)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_next_try_survives_the_look_up() {
    let memory = Memory::new(2);
    let flaky = vec![Step::fail(10, ServerError).retry_after(ms(5_000)), Step::answer(10)];
    let script = vec![flaky, vec![Step::answer(10)]];
    let mut bench = Bench::new(&[SEQUENTIAL], false, script).cached(&memory);
    bench.stopped_after(1_000, |stop| stop.interrupt()).await;
    bench.control = RunControl::new();
    let state = bench.finish().await;
    assert_eq!(state.passes[0].calls[0].attempts[1].start, ms(5_010));
    assert_eq!(state.passes[0].calls[1].start(), Some(ms(5_020)));
}

#[tokio::test(start_paused = true)]
async fn a_sequential_pass_looks_up_one_call_after_the_other() {
    let memory = Memory::slow(2, Duration::from_millis(10));
    let bench = Bench::new(&[SEQUENTIAL], false, answers(&[100; 4])).cached(&memory);
    let state = bench.finish().await;
    let ends: Vec<_> = state.passes[0].calls.iter().filter_map(|c| c.end).collect();
    assert_eq!(ends, [ms(110), ms(220), ms(230), ms(240)]);
    assert_eq!(memory.most_looking(), 1);
    assert_eq!(ledger(&state).engine_us, 40_000, "what the look-ups took");
}

#[tokio::test(start_paused = true)]
async fn few_look_ups_are_under_way_at_once() {
    let memory = Memory::slow(1_000, Duration::from_millis(10));
    (0..1_000).for_each(|kind| memory.put(kind, old_answer()));
    let bench = Bench::new(&[parallel(4)], false, answers(&[100; 1_000])).cached(&memory);
    let state = bench.finish().await;
    assert_eq!((memory.most_looking(), state.latest), (256, ms(40)));
    assert_eq!((bench.provider.attempts(), from_cache(&state)), (0, 1_000));
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_panics_has_no_answers() {
    let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[10; 3]));
    let state = bench.cached(&Memory::panicking()).finish().await;
    assert_eq!((asked(&state), state.status), (6, RunStatus::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_request_fails_and_the_others_go_on() {
    let bench = Bench::new(&[SEQUENTIAL], false, answers(&[10; 3])).cached(&Memory::new(3));
    bench.provider.missing.lock().unwrap().push(1);
    let state = bench.finish().await;
    assert_eq!((asked(&state), state.status), (2, RunStatus::Partial));
}

#[tokio::test(start_paused = true)]
async fn what_every_call_would_meet_ends_those_that_are_looked_up_too() {
    let memory = Memory::new(1);
    let script = vec![vec![Step::fail(50, Unreachable)]; 6];
    for passes in [[parallel(2)], [SEQUENTIAL]] {
        let bench = Bench::new(&passes, false, script.clone()).cached(&memory);
        let state = bench.finish().await;
        assert!(calls(&state).all(|c| c.status() == CallStatus::Failed));
        assert_eq!(bench.provider.attempts(), 1);
        assert!(memory.is_at_rest());
    }
}

#[tokio::test(start_paused = true)]
async fn answers_from_the_cache_do_not_prove_that_the_endpoint_is_there() {
    let memory = Memory::new(6);
    memory.put(0, old_answer());
    let script = vec![vec![Step::fail(50, Unreachable)]; 6];
    let bench = Bench::new(&[parallel(1)], false, script).cached(&memory);
    let state = bench.finish().await;
    assert_eq!((bench.provider.attempts(), from_cache(&state)), (1, 1));
    assert_eq!(state.status, RunStatus::Partial);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_calls_that_wait_for_an_identical_one() {
    let memory = Memory::new(1);
    let budget = Budget { deadline_ms: Some(50), ..Budget::default() };
    let bench = Bench::new(&[parallel(2)], false, answers(&[100; 3]));
    let state = bench.with_budget(budget).cached(&memory).finish().await;
    let kinds: Vec<_> = calls(&state).map(|c| c.failure.as_ref().map(|f| f.kind)).collect();
    assert_eq!(kinds, [None, Some(BudgetReached), Some(BudgetReached)]);
    assert_eq!(state.passes[0].calls[1].end, Some(ms(50)));
    assert!(memory.is_at_rest());
}

fn step() -> impl Strategy<Value = Step> {
    (0u64..200, 0u32..10).prop_map(|(duration, kind)| match kind {
        0 | 1 => Step::fail(duration, ServerError),
        2 => Step::fail(duration, InvalidRequest),
        _ => Step::answer(duration),
    })
}

fn script() -> impl Strategy<Value = Script> {
    prop::collection::vec(prop::collection::vec(step(), 1..4), 1..25)
}

/// What holds for a run of calls of so many kinds: each ends once (the log is checked), and of each
/// kind one attempt at most gave an answer.
fn check(states: &[RunState], kinds: u32) -> Result<(), TestCaseError> {
    for kind in 0..kinds {
        let of_kind = |s: &RunState| {
            let passes = s.passes.iter();
            let calls = passes.flat_map(|p| (0..).zip(&p.calls)).filter(|(i, _)| i % kinds == kind);
            calls.filter(|(_, c)| c.successful().is_some()).count()
        };
        let answered: usize = states.iter().map(of_kind).sum();
        prop_assert!(answered <= 1, "{answered} answers of kind {kind}");
    }
    for state in states {
        for pass in &state.passes {
            let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
            let wall = pass.wall(state.latest).0;
            prop_assert_eq!(ledger.total().0, wall * u64::from(pass.lanes));
            prop_assert_eq!(ledger.engine_us, 0, "the paused clock gives the engine no time");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_call_ends_once_and_identical_ones_cost_one_successful_attempt(
        first in script(),
        second in script(),
        kinds in 1u32..6,
        lanes in 1u32..5,
        sequential: bool,
    ) {
        let memory = Memory::new(kinds);
        let passes = if sequential { [SEQUENTIAL] } else { [parallel(lanes)] };
        let one = Bench::new(&passes, false, first).cached(&memory);
        let two = Bench::new(&[parallel(3)], false, second).cached(&memory);
        let (a, b) = paused(async { tokio::join!(one.finish(), two.finish()) });
        prop_assert!(a.status != RunStatus::Cancelled && b.status != RunStatus::Cancelled);
        check(&[a, b], kinds)?;
        prop_assert!(memory.is_at_rest());
    }

    #[test]
    fn a_run_stopped_at_any_moment_can_go_on_and_asks_nothing_twice(
        script in script(),
        kinds in 1u32..6,
        lanes in 1u32..5,
        sequential: bool,
        after in 0u64..1_000,
        cancel: bool,
    ) {
        let memory = Memory::new(kinds);
        let passes = if sequential { [SEQUENTIAL] } else { [parallel(lanes)] };
        let mut bench = Bench::new(&passes, false, script).cached(&memory);
        let stop = |stop: &RunControl| if cancel { stop.cancel() } else { stop.interrupt() };
        let state = paused(bench.stopped_after(after, stop));
        prop_assert!(memory.is_at_rest());
        let state = match state.status {
            RunStatus::Interrupted => {
                bench.control = RunControl::new();
                paused(bench.finish())
            }
            _ => state,
        };
        prop_assert!(calls(&state).all(|c| c.ended.is_some()));
        check(&[state], kinds)?;
        prop_assert!(memory.is_at_rest());
    }
}
