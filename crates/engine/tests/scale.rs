//! Many calls on many lanes.

use lanes_model::{FailureKind, RunStatus};

use crate::support::{Bench, Step, parallel};

#[tokio::test(start_paused = true)]
async fn sixty_thousand_calls_run_on_two_thousand_lanes() {
    let script = (0..60_000)
        .map(|n| match n % 10 {
            0 => vec![Step::fail(n % 37, FailureKind::RateLimited), Step::answer(n % 101)],
            _ => vec![Step::answer(n % 101)],
        })
        .collect();
    let bench = Bench::new(&[parallel(2_000)], false, script);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(bench.provider.most_flying(), 2_000);
    assert_eq!(bench.provider.attempts(), 66_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_log_is_well_formed_with_executors_on_several_threads() {
    let script = (0..2_000)
        .map(|n| match n % 7 {
            0 => vec![Step::panic(0), Step::answer(1)],
            _ => vec![Step::answer(n % 3)],
        })
        .collect();
    let mut bench = Bench::new(&[parallel(64)], false, script);
    bench.retry.base = lanes_model::Micros::ZERO;
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert!(bench.provider.most_flying() <= 64);
}
