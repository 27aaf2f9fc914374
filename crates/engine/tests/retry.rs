//! Failed calls that are tried again.

use lanes_engine::RetryPolicy;
use lanes_model::FailureKind::{ContentRefused, InvalidRequest, RateLimited, ServerError, Timeout};
use lanes_model::{AttemptResult, CallState, CallStatus, LaneId, Micros, RunStatus};

use crate::support::provider::answer_text;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

fn waits(call: &CallState) -> Vec<Micros> {
    let failed = call.attempts.iter().filter(|a| a.retry_at.is_some());
    failed.map(|a| a.retry_at.unwrap() - a.end.unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_twice_succeeds_at_the_third_attempt() {
    let steps = vec![Step::fail(10, ServerError), Step::fail(10, Timeout), Step::answer(10)];
    let bench = Bench::new(&[parallel(1)], false, vec![steps]);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    let call = &state.passes[0].calls[0];
    assert_eq!(call.output, answer_text(0));
    let numbers: Vec<_> = call.attempts.iter().map(|a| (a.attempt.number, a.attempt.of)).collect();
    assert_eq!(numbers, [(1, 3), (2, 3), (3, 3)]);
    for pair in call.attempts.windows(2) {
        assert_eq!(pair[0].retry_at, Some(pair[1].start));
    }
    let waits = waits(call);
    assert!(ms(100) <= waits[0] && waits[0] <= ms(500), "{waits:?}");
    assert!(ms(100) <= waits[1] && waits[1] <= ms(1_000), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_fails_for_good_when_its_attempts_are_used_up() {
    let bench = Bench::new(&[parallel(1)], false, vec![vec![Step::fail(10, ServerError)]]);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    let call = &state.passes[0].calls[0];
    assert_eq!(call.attempts.len(), 3);
    assert_eq!(call.attempts[2].retry_at, None);
    assert_eq!(call.failure.as_ref().map(|f| f.kind), Some(ServerError));
    assert_eq!(call.output, answer_text(0)[..4], "what had arrived is kept");
}

#[tokio::test(start_paused = true)]
async fn failures_that_would_come_again_are_not_retried() {
    for kind in [InvalidRequest, ContentRefused] {
        let script = vec![vec![Step::fail(10, kind)], vec![Step::answer(10)]];
        let bench = Bench::new(&[parallel(1)], false, script);
        let state = bench.finish().await;
        assert_eq!(state.status, RunStatus::Partial);
        assert_eq!(state.passes[0].calls[0].attempts.len(), 1);
        assert_eq!(state.passes[0].calls[1].status(), CallStatus::Succeeded);
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_the_provider_asks_up_to_the_cap() {
    for (asked, expected) in [(ms(7_000), ms(7_000)), (ms(600_000), ms(60_000))] {
        let steps = vec![Step::fail(10, RateLimited).retry_after(asked), Step::answer(10)];
        let bench = Bench::new(&[parallel(1)], false, vec![steps]);
        let state = bench.finish().await;
        assert_eq!(waits(&state.passes[0].calls[0]), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_gives_its_lane_back_in_a_parallel_pass() {
    let script = vec![
        vec![Step::fail(10, ServerError).retry_after(ms(1_000)), Step::answer(10)],
        vec![Step::answer(50)],
        vec![Step::answer(50)],
    ];
    let state = Bench::new(&[parallel(1)], false, script).finish().await;
    let starts: Vec<_> = state.passes[0].calls.iter().map(|c| c.start().unwrap()).collect();
    assert_eq!(starts, [Micros::ZERO, ms(10), ms(60)]);
    assert_eq!(state.passes[0].calls[0].attempts[1].start, ms(1_010));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_holds_back_the_others_in_a_sequential_pass() {
    let script = vec![
        vec![Step::fail(10, ServerError).retry_after(ms(1_000)), Step::answer(10)],
        vec![Step::answer(50)],
    ];
    let state = Bench::new(&[SEQUENTIAL], false, script).finish().await;
    assert_eq!(state.passes[0].calls[1].start(), Some(ms(1_020)));
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_due_goes_before_fresh_calls_and_back_to_its_lane() {
    let flaky = vec![Step::fail(10, ServerError).retry_after(ms(1_000)), Step::answer(10)];
    let mut script = vec![vec![Step::answer(2_000)], flaky];
    script.extend(std::iter::repeat_n(vec![Step::answer(400)], 10));
    let state = Bench::new(&[parallel(2)], false, script).finish().await;
    // Lane 1 is taken at 1.01 s, when the retry is due, until 1.21 s.
    let retry = &state.passes[0].calls[1].attempts[1];
    assert_eq!((retry.start, retry.lane), (ms(1_210), LaneId(1)));
}

#[tokio::test(start_paused = true)]
async fn the_policy_says_how_many_attempts_there_are() {
    let script = vec![vec![Step::fail(10, ServerError)]];
    let mut bench = Bench::new(&[parallel(1)], false, script);
    bench.retry = RetryPolicy { max_attempts: 1, ..bench.retry };
    let state = bench.finish().await;
    let attempts = &state.passes[0].calls[0].attempts;
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0].result, AttemptResult::Failed);
    assert_eq!(attempts[0].attempt.of, 1);
}

#[tokio::test(start_paused = true)]
async fn where_everything_fails_retries_end_with_the_run_s_budget() {
    let script = vec![vec![Step::fail(10, ServerError)]; 60];
    let bench = Bench::new(&[parallel(10)], false, script);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    // Half of 60 calls, beside the first attempt of each.
    assert_eq!(bench.provider.attempts(), 60 + 30);
    let said = |c: &CallState| {
        c.failure.as_ref().is_some_and(|f| f.message.contains("too much of this run has failed"))
    };
    assert!(state.passes[0].calls.iter().any(said));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_refused_for_now_again_and_again_is_not_lost() {
    let mut steps = vec![Step::fail(1, RateLimited); 6];
    steps.push(Step::answer(10));
    let state = Bench::new(&[parallel(1)], false, vec![steps]).finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.passes[0].calls[0].attempts.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_always_refused_ends() {
    let state =
        Bench::new(&[parallel(1)], false, vec![vec![Step::fail(1, RateLimited)]]).finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    assert_eq!(state.passes[0].calls[0].attempts.len(), 13);
}

#[tokio::test(start_paused = true)]
async fn an_answer_whose_beginning_somebody_has_read_is_not_begun_again() {
    let never_again = |script| {
        let mut bench = Bench::new(&[parallel(1)], false, script);
        bench.retry = RetryPolicy { after_text: false, ..bench.retry };
        bench
    };
    let fails = vec![Step::fail(10, ServerError), Step::answer(10)];
    let state = never_again(vec![fails]).finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    assert_eq!(state.passes[0].calls[0].attempts.len(), 1);
    // Before its first text it is tried again as ever.
    let bench = never_again(vec![vec![Step::answer(10)]]);
    *bench.provider.down.lock().unwrap() = vec![(0, 0, 5, ServerError)];
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.passes[0].calls[0].attempts.len(), 2);
}
