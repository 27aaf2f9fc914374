//! Failed calls of a run that is over, tried again.

use lanes_engine::{EventSink, RunControl};
use lanes_model::FailureKind::{InvalidRequest, ServerError, Skipped};
use lanes_model::batch::{Reopen, reopened};
use lanes_model::{
    AttemptResult, CallStatus, EventKind, Mode, PassStatus, Plan, PlannedStage, RunState,
    RunStatus, Scope, StageId,
};

use crate::support::provider::Script;
use crate::support::{Bench, Step, ms, parallel};

impl Bench {
    /// The run with those calls reopened, as the service writes it.
    fn reopen(mut self, which: &Reopen) -> Self {
        let state = self.log.state();
        for (pass, calls) in reopened(&state, which) {
            self.log.append(state.latest, EventKind::CallsReopened { pass, calls });
        }
        self.control = RunControl::new();
        self
    }
}

fn statuses(state: &RunState) -> Vec<CallStatus> {
    state.passes[0].calls.iter().map(|c| c.status()).collect()
}

fn fails(times: usize) -> Vec<Step> {
    (0..times).map(|_| Step::fail(10, ServerError)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_reopened_call_has_all_its_tries_again_and_nothing_else_is_repeated() {
    // Three tries and three more, of which the last but one answers.
    let mut flaky = fails(4);
    flaky.push(Step::answer(10));
    let bench = Bench::new(&[parallel(2)], false, vec![flaky, vec![Step::answer(10)]]);
    let before = bench.finish().await;
    assert_eq!(before.status, RunStatus::Partial);
    assert_eq!(before.passes[0].calls[0].attempts.len(), 3);
    let bench = bench.reopen(&Reopen::default());
    assert_eq!(bench.log.state().passes[0].status, PassStatus::Running);
    let state = bench.finish().await;
    assert_eq!((state.status, state.resumed), (RunStatus::Succeeded, 0));
    let attempts = &state.passes[0].calls[0].attempts;
    let numbers: Vec<_> = attempts.iter().map(|a| (a.attempt.number, a.result)).collect();
    use AttemptResult::{Failed, Succeeded};
    assert_eq!(numbers, [(1, Failed), (2, Failed), (3, Failed), (4, Failed), (5, Succeeded)]);
    assert_eq!(state.passes[0].calls[1], before.passes[0].calls[1]);
    assert_eq!(state.passes[0].status, PassStatus::Completed);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_once_more_can_be_reopened_once_more() {
    let mut script = fails(6);
    script.push(Step::answer(10));
    let bench = Bench::new(&[parallel(1)], false, vec![script]);
    assert_eq!(bench.finish().await.status, RunStatus::Failed);
    let bench = bench.reopen(&Reopen::default());
    assert_eq!(bench.finish().await.status, RunStatus::Failed);
    let bench = bench.reopen(&Reopen::default());
    let state = bench.finish().await;
    assert_eq!((state.status, state.passes[0].calls[0].attempts.len()), (RunStatus::Succeeded, 7));
}

/// Two records of two stages and one call about both; the first stage of the first record fails.
fn staged(script: Script) -> Bench {
    let stage = |id: &str, task: u32, needs: &[u16], scope: Scope| PlannedStage {
        id: StageId(id.to_owned()),
        name: id.to_owned(),
        tasks: vec![task],
        needs: needs.to_vec(),
        scope,
        ..PlannedStage::default()
    };
    let stages = vec![
        stage("read", 0, &[], Scope::Record),
        stage("judge", 1, &[0], Scope::Record),
        stage("all", 2, &[1], Scope::All),
    ];
    let plan = Plan::of_stages(Mode::Parallel, false, 2, stages, 2);
    Bench::new(&[parallel(2)], false, script).with_header(|header| header.plan = plan)
}

fn staged_script() -> Script {
    let flaky = vec![Step::fail(10, InvalidRequest), Step::answer(10)];
    let fine = || vec![Step::answer(10)];
    vec![flaky, fine(), fine(), fine(), fine()]
}

#[tokio::test(start_paused = true)]
async fn what_was_skipped_for_want_of_a_call_goes_with_it_and_what_has_ended_stays() {
    let bench = staged(staged_script());
    let before = bench.finish().await;
    use CallStatus::{Failed, Succeeded};
    assert_eq!(statuses(&before), [Failed, Failed, Succeeded, Succeeded, Succeeded]);
    assert_eq!(before.passes[0].calls[1].failure.as_ref().map(|f| f.kind), Some(Skipped));
    let only = Reopen { stage: Some("read".to_owned()), kind: None };
    let bench = bench.reopen(&only);
    let state = bench.finish().await;
    assert_eq!((state.status, statuses(&state)), (RunStatus::Succeeded, vec![Succeeded; 5]));
    assert_eq!(state.passes[0].calls[4], before.passes[0].calls[4], "it is not asked again");
    assert_eq!(bench.provider.attempts(), 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_cut_off_can_be_taken_up() {
    let slow = vec![Step::fail(10, InvalidRequest), Step::answer(1_000)];
    let bench = Bench::new(&[parallel(1)], false, vec![slow]);
    bench.finish().await;
    let mut bench = bench.reopen(&Reopen::default());
    bench.stopped_after(100, |stop| stop.interrupt()).await;
    assert_eq!(bench.log.state().status, RunStatus::Interrupted);
    bench.control = RunControl::new();
    let state = bench.finish().await;
    assert_eq!((state.status, state.resumed), (RunStatus::Succeeded, 1));
    assert!(state.passes[0].wall(state.latest) < ms(1_200), "the time between does not count");
}
