//! Runs over providers that fail, refuse, queue and come back: fallbacks, endpoints, breakers, adaptive
//! lanes, hedges, pauses and priorities, each as a whole run.

use std::sync::Arc;
use std::time::Duration;

use lanes_engine::routes::Changes;
use lanes_engine::{RunRoutes, Target, TargetLimits};
use lanes_model::FailureKind::{InvalidKey, ServerError, Timeout, Unreachable};
use lanes_model::{
    CallStatus, FailureKind, Health, HoldReason, Ledger, LedgerState, LimitReason, Micros,
    Priority, RunState, RunStatus, UsdMicros, segments,
};
use proptest::prelude::*;

use crate::support::provider::{Script, answers};
use crate::support::{Bench, Step, ms, parallel, paused};

fn target(limits: TargetLimits, endpoints: usize, changes: &Changes) -> Arc<Target> {
    Arc::new(Target::new(limits, endpoints, changes.clone()))
}

/// A run that goes to providers with so many endpoints each, in order.
fn bench(lanes: u32, script: Script, endpoints: &[usize]) -> Bench {
    let changes = Changes::default();
    let targets = endpoints.iter().map(|&n| target(TargetLimits::default(), n, &changes)).collect();
    let mut bench = Bench::new(&[parallel(lanes)], false, script);
    bench.limiter = Arc::new(RunRoutes::new(targets, Priority::Interactive));
    bench
}

fn down(bench: &Bench, route: u16, from: u64, until: u64, kind: FailureKind) {
    bench.provider.down.lock().unwrap().push((route, from, until, kind));
}

fn by_route(bench: &Bench, route: u16) -> usize {
    bench.provider.by_route.lock().unwrap().iter().filter(|r| **r == route).count()
}

fn ledger(state: &RunState) -> Ledger {
    Ledger::of(&segments(&state.header.plan, &state.passes[0], state.latest))
}

fn all_succeeded(state: &RunState) -> bool {
    state.passes.iter().flat_map(|p| &p.calls).all(|c| c.status() == CallStatus::Succeeded)
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_refused_sends_everything_to_the_fallback() {
    let bench = bench(2, answers(&[100; 6]), &[1, 1]);
    down(&bench, 0, 0, 60_000, InvalidKey);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!((by_route(&bench, 0), by_route(&bench, 1)), (2, 6));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_good_at_one_provider_goes_to_the_next() {
    let mut script = answers(&[100; 3]);
    script[1] = vec![Step::fail(10, ServerError), Step::fail(10, Timeout), Step::fail(10, Timeout)];
    script[1].push(Step::answer(50));
    let bench = bench(3, script, &[1, 1]);
    let state = bench.finish().await;
    assert!(all_succeeded(&state));
    let call = &state.passes[0].calls[1];
    assert_eq!(call.attempts.iter().map(|a| a.route.0).collect::<Vec<_>>(), [0, 0, 0, 1]);
    assert_eq!(by_route(&bench, 1), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_everything_is_left_after_eight_failures() {
    let bench = bench(4, answers(&[50; 40]), &[1, 1]);
    down(&bench, 0, 0, 600_000, ServerError);
    let state = bench.finish().await;
    assert!(all_succeeded(&state));
    assert!(by_route(&bench, 0) <= 16, "{}", by_route(&bench, 0));
    assert_eq!(state.routes[0].health, Health::Open);
    assert_eq!(state.routes[0].message, "Scripted: down.");
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_its_only_provider_to_come_back_and_loses_no_call() {
    let bench = bench(4, answers(&[200; 60]), &[1]);
    down(&bench, 0, 500, 20_000, Unreachable);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.routes[0].health, Health::Closed);
    let holds = state.passes[0].holds.iter().filter(|h| h.why == HoldReason::Breaker);
    let waited: u64 = holds.map(|h| h.until.since(h.from).0).sum();
    assert!(waited > 15_000_000, "{waited}");
    let ledger = ledger(&state);
    assert!(ledger.get(LedgerState::RetryBackoff) > ms(60_000), "{ledger:?}");
    assert_eq!(ledger.total(), Micros(4 * state.passes[0].wall(state.latest).0));
    assert!(state.latest < ms(40_000), "{:?}", state.latest);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_answers_ends_the_run_after_two_more_tries() {
    let bench = bench(4, answers(&[200; 60]), &[1]);
    down(&bench, 0, 0, 600_000, ServerError);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    assert!(state.latest < ms(10_000), "{:?}", state.latest);
    let failure = state.passes[0].calls[59].failure.as_ref().unwrap();
    assert!(failure.message.contains("tried again without success"), "{}", failure.message);
}

#[tokio::test(start_paused = true)]
async fn replicas_share_the_work_and_one_that_dies_gives_it_to_the_others() {
    let bench = bench(8, answers(&[100; 200]), &[2]);
    down(&bench, 1, 500, 60_000, Unreachable);
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert!(by_route(&bench, 1) >= 16);
    assert!(by_route(&bench, 0) >= 150);
    let ideal = 200 * 100 / 8;
    assert!(state.latest < ms(ideal + 500), "{:?}", state.latest);
    assert_eq!(state.routes[0].route.0, 1);
}

#[tokio::test(start_paused = true)]
async fn lanes_adapt_to_what_the_provider_refuses() {
    let mut bench = bench(64, answers(&[100; 600]), &[1]);
    bench = bench.with_spec(|spec| spec.adaptive = true);
    *bench.provider.at_once.lock().unwrap() = Some(20);
    let state = bench.finish().await;
    assert!(all_succeeded(&state));
    let pass = &state.passes[0];
    assert_eq!((pass.limits[0].limit, pass.limits[0].why), (8, LimitReason::Start));
    let cuts = pass.limits.iter().filter(|l| l.why == LimitReason::RateLimited).count();
    assert!((1..=3).contains(&cuts), "{:?}", pass.limits);
    let last = pass.limits.last().unwrap().limit;
    assert!((14..=22).contains(&last), "{last}");
    let refused = pass.calls.iter().flat_map(|c| &c.attempts).filter(|a| a.failure.is_some());
    assert!(refused.count() < 40);
    assert!(ledger(&state).get(LedgerState::Idle) < ms(2_000), "closed lanes do not idle");
}

#[tokio::test(start_paused = true)]
async fn a_late_attempt_gets_a_second_one_and_the_first_answer_wins() {
    let mut script = answers(&[100; 20]);
    script[19] = vec![Step::answer(5_000)];
    let mut bench = bench(4, script, &[1]);
    bench = bench.with_header(|header| {
        header.spec.hedge = true;
        header.plan.calls.iter_mut().for_each(|call| call.task = 0);
    });
    *bench.provider.cost.lock().unwrap() = Some(UsdMicros(7));
    bench.provider.hasty.lock().unwrap().push((19, 2, 50));
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert!(state.latest < ms(1_000), "{:?}", state.latest);
    let attempts = &state.passes[0].calls[19].attempts;
    assert_eq!(attempts.iter().map(|a| a.hedge).collect::<Vec<_>>(), [false, true]);
    assert_eq!(attempts[0].cost_usd_micros, Some(UsdMicros(7)), "what the loser cost is shown");
    assert_eq!(attempts[0].end, attempts[1].end);
    assert_eq!(bench.provider.attempts(), 21);
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(bench.provider.flying(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_run_starts_nothing_and_goes_on_where_it_was() {
    let bench = bench(2, answers(&[100; 6]), &[1]);
    let (state, ()) = tokio::join!(bench.finish(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        bench.control.pause();
        tokio::time::sleep(Duration::from_secs(60)).await;
        assert_eq!(bench.provider.attempts(), 2);
        bench.control.go_on();
    });
    assert!(all_succeeded(&state));
    assert_eq!(state.latest, ms(60_050 + 200));
    // From 100 ms, when the first two had ended.
    assert_eq!(ledger(&state).get(LedgerState::QueueWait), ms(2 * 59_950));
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_given_fewer_lanes_and_more_while_it_goes_on() {
    let bench = bench(4, answers(&[100; 24]), &[1]);
    let (state, ()) = tokio::join!(bench.finish(), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        bench.control.use_lanes(1);
        tokio::time::sleep(Duration::from_millis(200)).await;
        bench.control.use_lanes(8);
    });
    assert!(all_succeeded(&state));
    assert_eq!(bench.provider.most_flying(), 8);
    let pass = &state.passes[0];
    assert_eq!(pass.lanes, 8);
    // Two rounds of four, one alone twice until the third change, then the rest on eight.
    let starts: Vec<_> = pass.calls.iter().map(|c| c.start().unwrap().0 / 1_000).collect();
    assert_eq!(starts[8..12], [200, 300, 350, 350]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_run_lets_an_interactive_one_go_first_and_still_ends() {
    let one =
        target(TargetLimits { rpm: Some(600), ..TargetLimits::default() }, 1, &Changes::default());
    let run = |calls: usize, priority| {
        let mut bench = Bench::new(&[parallel(20)], false, answers(&vec![10; calls]));
        bench.limiter = Arc::new(RunRoutes::new(vec![Arc::clone(&one)], priority));
        bench
    };
    let (batch, person) = (run(200, Priority::Batch), run(100, Priority::Interactive));
    let (batch, person) = tokio::join!(batch.finish(), async {
        tokio::time::sleep(Duration::from_millis(2_050)).await;
        person.finish().await
    });
    assert!(all_succeeded(&batch) && all_succeeded(&person));
    // Ten a second are allowed; the batch run gets a turn only when it has waited five seconds.
    let wall = person.passes[0].wall(person.latest);
    assert!(wall < ms(10_700), "{wall:?}");
    assert!(ledger(&batch).get(LedgerState::QueueWait) > ms(50_000));
}

fn step() -> impl Strategy<Value = Step> {
    (1u64..400, 0u32..12, 0u64..2_000).prop_map(|(duration, kind, after)| match kind {
        0 => Step::fail(duration, ServerError),
        1 => Step::fail(duration, FailureKind::RateLimited).retry_after(ms(after)),
        2 => Step::fail(duration, Timeout),
        _ => Step::answer(duration),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn under_any_conditions_every_call_ends_once_and_the_ledger_sums(
        script in prop::collection::vec(prop::collection::vec(step(), 1..4), 1..60),
        lanes in 1u32..12,
        endpoints in prop::collection::vec(1usize..4, 1..4),
        in_flight in prop::option::of(1u32..10),
        rpm in prop::option::of(60u32..6_000),
        downs in prop::collection::vec((0u16..5, 0u64..3_000, 0u64..4_000), 0..4),
        (adaptive, hedge) in any::<(bool, bool)>(),
        pause in prop::option::of((0u64..2_000, 0u64..2_000)),
        wished in prop::option::of((0u64..2_000, 1u32..16)),
    ) {
        let changes = Changes::default();
        let limits = TargetLimits { rpm, in_flight, ..TargetLimits::default() };
        let targets = endpoints.iter().map(|&n| target(limits, n, &changes)).collect();
        let mut bench = Bench::new(&[parallel(lanes)], false, script).with_header(|header| {
            (header.spec.adaptive, header.spec.hedge) = (adaptive, hedge);
            header.plan.calls.iter_mut().for_each(|call| call.task = 0);
        });
        bench.limiter = Arc::new(RunRoutes::new(targets, Priority::Interactive));
        for (route, from, time) in downs {
            down(&bench, route, from, from + time, Unreachable);
        }
        let state = paused(async {
            let steer = async {
                if let Some((at, time)) = pause {
                    tokio::time::sleep(Duration::from_millis(at)).await;
                    bench.control.pause();
                    tokio::time::sleep(Duration::from_millis(time)).await;
                    bench.control.go_on();
                }
                if let Some((at, lanes)) = wished {
                    tokio::time::sleep(Duration::from_millis(at)).await;
                    bench.control.use_lanes(lanes);
                }
            };
            let state = tokio::join!(bench.finish(), steer).0;
            // The attempts that lost are dropped at their next turn.
            tokio::time::sleep(Duration::from_millis(1)).await;
            state
        });
        let pass = &state.passes[0];
        prop_assert!(pass.calls.iter().all(|c| c.ended.is_some()));
        prop_assert_eq!(bench.provider.flying(), 0);
        let most = wished.map_or(lanes, |w| w.1.max(lanes)) as usize;
        let per_target = in_flight.map_or(usize::MAX, |n| n as usize * endpoints.len());
        prop_assert!(bench.provider.most_flying() <= most.min(per_target));
        let found = segments(&state.header.plan, pass, state.latest);
        let ledger = Ledger::of(&found);
        if pass.limits.is_empty() {
            let wall = pass.wall(state.latest).0;
            prop_assert_eq!(ledger.total(), Micros(wall * u64::from(pass.lanes)));
        }
        // The engine's own time is none: the clock stands still while it works.
        prop_assert_eq!(ledger.get(LedgerState::Engine), Micros::ZERO);
    }
}
