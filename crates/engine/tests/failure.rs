//! Failures: those of one call, and those that every call of the run would meet.

use std::time::Duration;

use lanes_model::FailureKind::{
    InvalidKey, InvalidRequest, QuotaExhausted, ServerError, UnknownModel, Unreachable,
};
use lanes_model::{AttemptResult, CallStatus, Micros, PassStatus, RunStatus};

use crate::support::provider::answers;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

#[tokio::test(start_paused = true)]
async fn one_failure_does_not_stop_the_others() {
    let mut script = answers(&[10, 20, 30, 40]);
    script[1] = vec![Step::fail(5, InvalidRequest)];
    let state = Bench::new(&[parallel(2)], false, script).finish().await;
    assert_eq!(state.status, RunStatus::Partial);
    let statuses: Vec<_> = state.passes[0].calls.iter().map(|c| c.status()).collect();
    use CallStatus::{Failed, Succeeded};
    assert_eq!(statuses, [Succeeded, Failed, Succeeded, Succeeded]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_every_call_would_meet_ends_the_calls_not_yet_started() {
    for kind in [InvalidKey, QuotaExhausted, UnknownModel, Unreachable] {
        let mut script = answers(&[10, 100, 10, 10, 10]);
        script[0] = vec![Step::fail(10, kind)];
        let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, script);
        let state = bench.finish().await;
        assert_eq!(bench.provider.attempts(), 2, "{kind:?}");
        assert_eq!(state.status, RunStatus::Partial);
        let [first, second] = &state.passes[..] else { panic!("two passes") };
        let reason = first.calls[0].failure.clone();
        assert_eq!(reason.as_ref().map(|f| f.kind), Some(kind));
        for call in first.calls[2..].iter().chain(&second.calls) {
            assert!(call.attempts.is_empty());
            assert_eq!(call.failure, reason);
        }
        assert!(first.calls[2..].iter().all(|c| c.end == Some(ms(10))), "at once");
        assert_eq!(first.calls[1].status(), CallStatus::Succeeded, "in flight, left to end");
        assert_eq!(second.status, PassStatus::Completed);
        assert_eq!(second.wall(Micros::ZERO), Micros::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_race_such_a_failure_ends_both_passes() {
    let mut script = answers(&[10, 10, 10, 10]);
    script[0] = vec![Step::fail(10, InvalidKey)];
    let bench = Bench::new(&[parallel(1), SEQUENTIAL], true, script);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    assert_eq!(bench.provider.attempts(), 2);
    assert_eq!(state.latest, ms(10));
}

#[tokio::test(start_paused = true)]
async fn after_such_a_failure_nothing_is_tried_again() {
    let script = vec![
        vec![Step::fail(20, InvalidKey)],
        vec![Step::fail(10, ServerError)],
        vec![Step::fail(30, ServerError)],
    ];
    let bench = Bench::new(&[parallel(3)], false, script);
    let state = bench.finish().await;
    assert_eq!(bench.provider.attempts(), 3);
    let calls = &state.passes[0].calls;
    assert_eq!(calls[1].end, Some(ms(20)), "its wait is over too");
    assert_eq!(calls[1].failure.as_ref().map(|f| f.kind), Some(InvalidKey));
    assert_eq!(calls[2].failure.as_ref().map(|f| f.kind), Some(ServerError));
    assert_eq!(calls[2].attempts[0].retry_at, None);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_has_answered_is_not_given_up_for_one_lost_connection() {
    let mut script = answers(&[10, 10, 10]);
    script[1] = vec![Step::fail(10, Unreachable)];
    let state = Bench::new(&[SEQUENTIAL], false, script).finish().await;
    assert_eq!(state.status, RunStatus::Partial);
    assert_eq!(state.passes[0].calls[2].status(), CallStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_provider_is_a_failed_attempt() {
    let script = vec![vec![Step::panic(10), Step::answer(10)], vec![Step::panic(10)]];
    let state = Bench::new(&[parallel(2)], false, script).finish().await;
    let calls = &state.passes[0].calls;
    assert_eq!(calls[0].attempts[0].result, AttemptResult::Failed);
    assert_eq!(calls[0].status(), CallStatus::Succeeded);
    assert_eq!(calls[1].failure.as_ref().map(|f| f.kind), Some(ServerError));
    assert_eq!(calls[1].attempts.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_request_fails_without_an_attempt() {
    let bench = Bench::new(&[parallel(1)], false, answers(&[10, 10, 10]));
    bench.provider.missing.lock().unwrap().push(1);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Partial);
    let call = &state.passes[0].calls[1];
    assert!(call.attempts.is_empty());
    assert_eq!(call.failure.as_ref().map(|f| f.message.as_str()), Some("The text is missing."));
    assert_eq!(state.passes[0].wall(Micros::ZERO), ms(20));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_being_looked_up_at_such_a_failure_is_not_sent() {
    // Call 2 is looked up from 8 to 13 ms; call 0 fails at 10 ms.
    let mut script = answers(&[5, 3, 10]);
    script[0] = vec![Step::fail(5, InvalidKey)];
    let bench = Bench::new(&[parallel(2)], false, script);
    *bench.provider.lookup.lock().unwrap() = Duration::from_millis(5);
    let state = bench.finish().await;
    assert_eq!(bench.provider.attempts(), 2);
    let last = &state.passes[0].calls[2];
    assert!(last.attempts.is_empty());
    assert_eq!(last.failure, state.passes[0].calls[0].failure);
}
