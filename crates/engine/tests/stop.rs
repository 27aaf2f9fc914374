//! Cancelling a run, and ending the program under it.

use std::time::Duration;

use lanes_engine::RunControl;
use lanes_model::FailureKind::ServerError;
use lanes_model::state::CallEndState;
use lanes_model::{AttemptResult, CallStatus, EventKind, PassStatus, RunStatus};

use crate::support::provider::{answer_text, answers};
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_ends_at_once_and_is_complete() {
    let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[10, 100, 100, 10]));
    let state = bench.stopped_after(70, |stop| stop.cancel()).await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(state.latest, ms(70));
    assert!(state.cancel_requested);
    let [first, second] = &state.passes[..] else { panic!("two passes") };
    let ended: Vec<_> = first.calls.iter().map(|c| c.ended.unwrap()).collect();
    use CallEndState::{Cancelled, Succeeded};
    assert_eq!(ended, [Succeeded, Cancelled, Cancelled, Cancelled]);
    assert_eq!(first.calls[1].attempts[0].result, AttemptResult::Cancelled);
    assert_eq!(first.calls[1].output, answer_text(1)[..4], "what had arrived is kept");
    assert!(first.calls[3].attempts.is_empty());
    assert_eq!(second.status, PassStatus::Waiting);
    assert!(second.calls.iter().all(|c| c.status() == CallStatus::Queued && c.end.is_none()));
    assert_eq!(bench.provider.flying(), 0, "requests in flight are dropped");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_can_be_cancelled() {
    let script = vec![vec![Step::never(5)], vec![Step::never(100)], vec![Step::never(0)]];
    let bench = Bench::new(&[parallel(2)], false, script);
    let state = bench.stopped_after(60_000, |stop| stop.cancel()).await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(state.latest, ms(60_000));
    assert_eq!(bench.provider.flying(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_its_next_try_is_cancelled_too() {
    let script = vec![vec![Step::fail(10, ServerError).retry_after(ms(30_000))]];
    let bench = Bench::new(&[SEQUENTIAL], false, script);
    let state = bench.stopped_after(100, |stop| stop.cancel()).await;
    assert_eq!(state.passes[0].calls[0].ended, Some(CallEndState::Cancelled));
    assert_eq!(state.latest, ms(100));
}

#[tokio::test(start_paused = true)]
async fn a_run_cancelled_while_a_request_is_looked_up_sends_none() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[10, 10, 10]));
    *bench.provider.lookup.lock().unwrap() = Duration::from_secs(60);
    let state = bench.stopped_after(100, |stop| stop.cancel()).await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(bench.provider.attempts(), 0);
    assert!(state.passes[0].calls.iter().all(|c| c.attempts.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_run_cancelled_before_it_begins_sends_nothing() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[10, 10]));
    bench.control.cancel();
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(bench.provider.attempts(), 0);
    assert_eq!(state.passes[0].status, PassStatus::Waiting);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_run_stops_at_once_and_can_be_resumed() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[10, 100, 100, 10]));
    let state = bench.stopped_after(50, |stop| stop.interrupt()).await;
    assert_eq!(state.status, RunStatus::Interrupted);
    assert_eq!(state.latest, ms(50));
    assert_eq!(bench.log.kinds().last(), Some(&EventKind::RunInterrupted));
    let statuses: Vec<_> = state.passes[0].calls.iter().map(|c| c.status()).collect();
    use CallStatus::{Queued, Succeeded};
    assert_eq!(statuses, [Succeeded, Queued, Queued, Queued]);
    assert_eq!(bench.provider.flying(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_with_the_request_to_stop_is_kept() {
    let stop = RunControl::new();
    let script = vec![
        vec![Step::answer_and_stop(50, &stop)],
        vec![Step::answer(60)],
        vec![Step::answer(10)],
    ];
    let mut bench = Bench::new(&[parallel(2)], false, script);
    bench.control = stop;
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Interrupted);
    let statuses: Vec<_> = state.passes[0].calls.iter().map(|c| c.status()).collect();
    use CallStatus::{Queued, Succeeded};
    assert_eq!(statuses, [Succeeded, Queued, Queued]);
    assert_eq!(bench.provider.attempts(), 2, "the free lane is not given to the next call");
}

#[tokio::test(start_paused = true)]
async fn a_request_to_stop_that_comes_with_the_last_answer_is_too_late() {
    let stop = RunControl::new();
    let script = vec![vec![Step::answer_and_stop(50, &stop)]];
    let mut bench = Bench::new(&[parallel(2)], false, script);
    bench.control = stop;
    assert_eq!(bench.finish().await.status, RunStatus::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn no_pass_begins_after_the_request_to_stop() {
    let stop = RunControl::new();
    let script = vec![vec![Step::answer_and_stop(50, &stop)]];
    let mut bench = Bench::new(&[parallel(2), SEQUENTIAL], false, script);
    bench.control = stop;
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Interrupted);
    assert_eq!(state.passes[0].status, PassStatus::Completed);
    assert_eq!(state.passes[1].status, PassStatus::Waiting);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_run_drops_its_requests() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[1_000, 1_000]));
    let run = tokio::time::timeout(Duration::from_millis(10), bench.execute());
    assert!(run.await.is_err());
    assert_eq!(bench.provider.attempts(), 2);
    tokio::task::yield_now().await;
    assert_eq!(bench.provider.flying(), 0);
}
