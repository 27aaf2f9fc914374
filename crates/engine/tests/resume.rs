//! Taking up a run that was interrupted.

use lanes_engine::RunControl;
use lanes_model::FailureKind::ServerError;
use lanes_model::{AttemptResult, EventKind, PassStatus, RunStatus};

use crate::support::provider::answers;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

impl Bench {
    /// Takes the run up again.
    fn again(mut self) -> Self {
        self.control = RunControl::new();
        self
    }
}

fn count(bench: &Bench, matches: impl Fn(&EventKind) -> bool) -> usize {
    bench.log.kinds().iter().filter(|kind| matches(kind)).count()
}

#[tokio::test(start_paused = true)]
async fn a_resumed_run_does_what_is_left_and_nothing_twice() {
    let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[10, 100, 100, 10]));
    bench.stopped_after(50, |stop| stop.interrupt()).await;
    let bench = bench.again();
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.resumed, 1);
    assert_eq!(count(&bench, |k| matches!(k, EventKind::PassStarted { .. })), 2);
    assert_eq!(count(&bench, |k| matches!(k, EventKind::CallsQueued { .. })), 2);
    assert_eq!(count(&bench, |k| matches!(k, EventKind::RunStarted)), 1);
    let first = &state.passes[0];
    let calls = first.calls.iter();
    let results: Vec<Vec<_>> =
        calls.map(|c| c.attempts.iter().map(|a| a.result).collect()).collect();
    use AttemptResult::{Cancelled, Succeeded};
    let cut = vec![Cancelled, Succeeded];
    assert_eq!(results, [vec![Succeeded], cut.clone(), cut, vec![Succeeded]]);
    // 50 ms before, then 100 ms on both lanes and 10 ms more.
    assert_eq!(first.end, Some(ms(160)));
}

#[tokio::test(start_paused = true)]
async fn attempts_that_were_cut_off_do_not_use_up_the_allowance() {
    let bench = Bench::new(&[parallel(1)], false, vec![vec![Step::fail(10, ServerError)]]);
    bench.stopped_after(5, |stop| stop.interrupt()).await;
    let bench = bench.again();
    let state = bench.finish().await;
    let attempts = &state.passes[0].calls[0].attempts;
    let numbers: Vec<_> = attempts.iter().map(|a| (a.attempt.number, a.attempt.of)).collect();
    assert_eq!(numbers, [(1, 3), (2, 4), (3, 4), (4, 4)]);
    assert_eq!(state.status, RunStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_the_next_try_goes_on_after_the_interruption() {
    let flaky = vec![Step::fail(10, ServerError).retry_after(ms(5_000)), Step::answer(10)];
    let bench = Bench::new(&[SEQUENTIAL], false, vec![flaky, vec![Step::answer(10)]]);
    bench.stopped_after(1_000, |stop| stop.interrupt()).await;
    let bench = bench.again();
    let state = bench.finish().await;
    let calls = &state.passes[0].calls;
    assert_eq!(calls[0].attempts[1].start, ms(5_010));
    assert_eq!(calls[1].start(), Some(ms(5_020)));
}

#[tokio::test(start_paused = true)]
async fn a_finished_pass_is_not_repeated() {
    let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[10, 10]));
    bench.stopped_after(15, |stop| stop.interrupt()).await;
    assert_eq!(bench.log.state().passes[0].status, PassStatus::Completed);
    let bench = bench.again();
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(bench.provider.attempts(), 2 + 2 + 1);
}

/// A crash may cut the log anywhere: whatever its last event is, the run can be taken up.
#[tokio::test(start_paused = true)]
async fn a_run_can_be_taken_up_after_any_of_its_events() {
    let script = || {
        let mut script = answers(&[30, 10, 20, 40]);
        script[2].insert(0, Step::fail(5, ServerError));
        script[3] = vec![Step::fail(5, lanes_model::FailureKind::InvalidRequest)];
        script
    };
    let passes = [parallel(2), SEQUENTIAL];
    let whole = Bench::new(&passes, false, script());
    let expected = whole.finish().await;
    // What there was of a failed answer is for display only, and a crash may lose it.
    let ends = |state: &lanes_model::RunState| -> Vec<_> {
        let calls = state.passes.iter().flat_map(|p| &p.calls);
        calls
            .map(|c| (c.ended, c.failure.is_none().then(|| c.output.clone()), c.failure.clone()))
            .collect()
    };
    for cut in 2..whole.log.events().len() {
        // The same script gives the same log, so that cutting a fresh one is cutting this one.
        let bench = Bench::new(&passes, false, script());
        bench.execute().await;
        bench.log.truncate(cut);
        let bench = bench.again();
        let status = bench.execute().await;
        let resumed = bench.log.state();
        assert_eq!(status, expected.status, "after {cut} events");
        assert_eq!(resumed.status, status);
        assert_eq!(resumed.outcome(), status);
        assert_eq!(ends(&resumed), ends(&expected), "after {cut} events");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_cancel_was_cut_off_is_cancelled_when_it_is_taken_up() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[10, 100, 100]));
    bench.stopped_after(50, |stop| stop.cancel()).await;
    let kinds = bench.log.kinds();
    let asked = kinds.iter().position(|k| *k == EventKind::CancelRequested).unwrap();
    bench.log.truncate(asked + 2);
    let attempts = bench.provider.attempts();
    let bench = bench.again();
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(bench.provider.attempts(), attempts);
    assert_eq!(count(&bench, |k| *k == EventKind::CancelRequested), 1);
}
