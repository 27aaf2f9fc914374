//! Which call runs when: sequential, parallel, compare and race.

use std::time::Duration;

use lanes_model::{CallId, EventKind, LaneId, Micros, PassEnd, PassId, RunState, RunStatus};

use crate::support::provider::answers;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

/// When each call's first attempt began, on which lane, and when it ended.
fn spans(state: &RunState, pass: usize) -> Vec<(u64, u16, u64)> {
    let calls = state.passes[pass].calls.iter();
    calls
        .map(|c| {
            let attempt = &c.attempts[0];
            (attempt.start.0 / 1_000, attempt.lane.0, c.end.expect("ended").0 / 1_000)
        })
        .collect()
}

/// The greedy list schedule: each job goes to the machine that is free first.
fn makespan(durations: &[u64], lanes: usize) -> u64 {
    let mut free = vec![0; lanes];
    for duration in durations {
        let first = free.iter_mut().min().expect("a lane");
        *first += duration;
    }
    free.into_iter().max().expect("a lane")
}

#[tokio::test(start_paused = true)]
async fn a_sequential_pass_runs_its_calls_in_order_and_takes_their_sum() {
    let bench = Bench::new(&[SEQUENTIAL], false, answers(&[30, 10, 20]));
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(spans(&state, 0), [(0, 0, 30), (30, 0, 40), (40, 0, 60)]);
    assert_eq!(state.passes[0].wall(Micros::ZERO), ms(60));
    assert_eq!(bench.provider.most_flying(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_begins_and_ends_with_the_events_that_say_so() {
    let bench = Bench::new(&[parallel(2)], false, answers(&[10, 20]));
    bench.execute().await;
    let kinds = bench.log.kinds();
    assert!(matches!(kinds[0], EventKind::RunCreated { .. }));
    assert_eq!(kinds[1], EventKind::RunStarted);
    assert!(matches!(kinds[2], EventKind::PassStarted { pass: PassId(0), .. }));
    assert_eq!(kinds[3], EventKind::CallsQueued { pass: PassId(0), first: CallId(0), count: 2 });
    let n = kinds.len();
    assert_eq!(kinds[n - 2], EventKind::PassEnded { pass: PassId(0), end: PassEnd::Completed });
    assert_eq!(kinds[n - 1], EventKind::RunEnded { status: RunStatus::Succeeded });
}

#[tokio::test(start_paused = true)]
async fn a_parallel_pass_takes_as_long_as_the_greedy_list_schedule() {
    let durations = [50, 20, 70, 10, 40, 40, 90, 30, 60, 10];
    for lanes in 1..=12 {
        let bench = Bench::new(&[parallel(lanes)], false, answers(&durations));
        let state = bench.finish().await;
        let expected = makespan(&durations, lanes as usize);
        assert_eq!(state.passes[0].wall(Micros::ZERO), ms(expected), "on {lanes} lanes");
        assert_eq!(bench.provider.most_flying(), (lanes as usize).min(durations.len()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_free_lane_takes_the_next_call_and_low_lanes_go_first() {
    let bench = Bench::new(&[parallel(3)], false, answers(&[50, 20, 50, 20, 100]));
    let state = bench.finish().await;
    let expected = [(0, 0, 50), (0, 1, 20), (0, 2, 50), (20, 1, 40), (40, 1, 140)];
    assert_eq!(spans(&state, 0), expected);
}

#[tokio::test(start_paused = true)]
async fn compare_runs_one_pass_after_the_other() {
    let bench = Bench::new(&[parallel(3), SEQUENTIAL], false, answers(&[30, 10, 20]));
    let state = bench.finish().await;
    let [first, second] = &state.passes[..] else { panic!("two passes") };
    assert_eq!(first.wall(Micros::ZERO), ms(30));
    assert_eq!(second.start, first.end);
    assert_eq!(second.wall(Micros::ZERO), ms(60));
}

#[tokio::test(start_paused = true)]
async fn a_race_runs_both_passes_at_once() {
    let bench = Bench::new(&[parallel(3), SEQUENTIAL], true, answers(&[30, 10, 20]));
    let state = bench.finish().await;
    assert!(state.passes.iter().all(|p| p.start == Some(Micros::ZERO)));
    assert_eq!(state.passes[0].end, Some(ms(30)));
    assert_eq!(state.passes[1].end, Some(ms(60)));
    assert_eq!(bench.provider.most_flying(), 4);
}

#[tokio::test(start_paused = true)]
async fn looking_up_a_request_is_not_part_of_its_attempt() {
    let bench = Bench::new(&[SEQUENTIAL], false, answers(&[30, 10]));
    *bench.provider.lookup.lock().unwrap() = Duration::from_millis(5);
    let state = bench.finish().await;
    assert_eq!(state.passes[0].start, Some(Micros::ZERO));
    assert_eq!(spans(&state, 0), [(5, 0, 35), (40, 0, 50)]);
    let first = &state.passes[0].calls[0].attempts[0];
    assert_eq!(first.first_token, Some(ms(5 + 15)));
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_calls_ends_at_once() {
    let bench = Bench::new(&[parallel(3)], false, Vec::new());
    assert_eq!(bench.execute().await, RunStatus::Failed);
    assert_eq!(bench.log.state().outcome(), RunStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_ended_is_left_alone() {
    let bench = Bench::new(&[parallel(1)], false, vec![vec![Step::answer(10)]]);
    bench.finish().await;
    let before = bench.log.kinds();
    assert_eq!(bench.execute().await, RunStatus::Succeeded);
    assert_eq!(bench.log.kinds(), before);
    assert_eq!(bench.log.state().passes[0].calls[0].attempts[0].lane, LaneId(0));
}
