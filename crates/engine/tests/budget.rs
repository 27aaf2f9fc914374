//! A run's own limits: when one is reached nothing new starts, and what exists is kept.

use lanes_model::FailureKind::{BudgetReached, ServerError};
use lanes_model::{Budget, CallStatus, RunState, RunStatus, UsdMicros};

use crate::support::provider::{Script, answers};
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

fn bench(passes: &[(lanes_model::PassMode, u32)], script: Script, budget: Budget) -> Bench {
    let bench = Bench::new(passes, false, script);
    *bench.provider.cost.lock().unwrap() = Some(UsdMicros(100));
    bench.with_budget(budget)
}

fn deadline(ms: u64) -> Budget {
    Budget { deadline_ms: Some(ms), ..Budget::default() }
}

fn spending(micros: u64) -> Budget {
    Budget { max_cost_usd_micros: Some(micros), ..Budget::default() }
}

/// How many calls of all passes have an answer, and how many the budget kept from having one.
fn counts(state: &RunState) -> (usize, usize) {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    assert!(calls().all(|c| c.ended.is_some()), "every call ends");
    let kept =
        |c: &&lanes_model::CallState| c.failure.as_ref().is_some_and(|f| f.kind == BudgetReached);
    (calls().filter(|c| c.status() == CallStatus::Succeeded).count(), calls().filter(kept).count())
}

#[tokio::test(start_paused = true)]
async fn at_the_spending_limit_what_is_in_flight_ends_and_nothing_else_starts() {
    let state = bench(&[parallel(2)], answers(&[100; 8]), spending(300)).finish().await;
    assert_eq!(state.status, RunStatus::Partial);
    // The third answer reaches the limit; the fourth is in flight then.
    assert_eq!(counts(&state), (4, 4));
    assert_eq!(state.latest, ms(200));
}

#[tokio::test(start_paused = true)]
async fn the_limit_holds_over_all_passes_of_a_run() {
    let passes = [parallel(4), SEQUENTIAL];
    let state = bench(&passes, answers(&[100; 4]), spending(500)).finish().await;
    assert_eq!(counts(&state), (5, 3));
}

#[tokio::test(start_paused = true)]
async fn at_the_deadline_nothing_new_starts_and_what_is_in_flight_is_kept() {
    let state = bench(&[parallel(1)], answers(&[400; 5]), deadline(1_000)).finish().await;
    assert_eq!(counts(&state), (3, 2));
    assert_eq!(state.latest, ms(1_200));
    let failed = state.passes[0].calls.last().unwrap();
    assert_eq!(failed.end, Some(ms(1_000)));
    let message = &failed.failure.as_ref().unwrap().message;
    assert!(message.contains("deadline, 1.00"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_to_be_tried_again_is_not_tried_after_the_deadline() {
    let script = vec![vec![Step::fail(10, ServerError).retry_after(ms(5_000)), Step::answer(10)]];
    let state = bench(&[parallel(1)], script, deadline(1_000)).finish().await;
    assert_eq!(counts(&state), (0, 1));
    assert_eq!((state.status, state.latest), (RunStatus::Failed, ms(1_000)));
}

#[tokio::test(start_paused = true)]
async fn the_time_before_the_first_call_can_go_is_not_the_run_s() {
    let bench = bench(&[parallel(1)], answers(&[400; 2]), deadline(1_000));
    let state = bench.finish_with_clock_at(ms(5_000)).await;
    assert_eq!(counts(&state), (2, 0));
}
