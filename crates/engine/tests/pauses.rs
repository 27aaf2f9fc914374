//! What a pause does to passes that have not begun: they do not begin in it, so it is no part of their
//! time.

use std::time::Duration;

use lanes_engine::RunControl;
use lanes_model::{
    Budget, FailureKind, Ledger, LedgerState, Micros, RunState, RunStatus, segments,
};

use crate::support::provider::answers;
use crate::support::{Bench, SEQUENTIAL, ms, parallel};

/// A run that is paused after so many milliseconds, for a minute.
async fn paused_at(bench: &Bench, at: u64) -> RunState {
    let pause = |control: &RunControl| control.pause();
    let (state, ()) = tokio::join!(bench.stopped_after(at, pause), async {
        tokio::time::sleep(Duration::from_millis(at + 60_000)).await;
        bench.control.go_on();
    });
    state
}

fn no_time_of_the_engine(state: &RunState) {
    for pass in &state.passes {
        let ledger = Ledger::of(&segments(&state.header.plan, pass, state.latest));
        assert_eq!(ledger.get(LedgerState::Engine), Micros::ZERO, "{ledger:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_pass_begins_when_the_pause_is_over() {
    let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[100; 2]));
    let state = paused_at(&bench, 50).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.passes[0].end, Some(ms(100)));
    assert_eq!(state.passes[1].start, Some(ms(60_050)));
    assert_eq!(state.passes[1].end, Some(ms(60_250)));
    no_time_of_the_engine(&state);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_paused_before_it_starts_begins_when_it_is_let_on() {
    for race in [false, true] {
        let bench = Bench::new(&[parallel(2), SEQUENTIAL], race, answers(&[100; 2]));
        bench.control.pause();
        let state = paused_at(&bench, 0).await;
        assert_eq!(state.status, RunStatus::Succeeded);
        assert_eq!(state.passes[0].start, Some(ms(60_000)), "race: {race}");
        let second = if race { 60_000 } else { 60_100 };
        assert_eq!(state.passes[1].start, Some(ms(second)), "race: {race}");
        no_time_of_the_engine(&state);
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_a_paused_run_too() {
    for at in [0, 50] {
        let budget = Budget { deadline_ms: Some(5_000), ..Budget::default() };
        let bench = Bench::new(&[parallel(2), SEQUENTIAL], false, answers(&[100; 2]));
        let bench = bench.with_budget(budget);
        if at == 0 {
            bench.control.pause();
        }
        let state = bench.stopped_after(at, RunControl::pause).await;
        assert_eq!(state.latest, ms(5_000));
        let last = state.passes[1].calls[1].failure.as_ref().unwrap();
        assert_eq!(last.kind, FailureKind::BudgetReached);
    }
}
