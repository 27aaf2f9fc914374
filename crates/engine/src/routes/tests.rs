//! Targets and the ways of runs to them, on a paused clock.

use std::sync::Arc;
use std::time::Duration;

use lanes_model::{
    CallId, Failure, FailureKind, Health, HoldReason, Micros, PassId, Priority, RouteId,
};
use tokio::time::advance;

use super::*;
use crate::{AttemptId, Limiter, Outcome, Permit, PermitRequest};

fn target(limits: TargetLimits, endpoints: usize) -> Arc<Target> {
    Arc::new(Target::new(limits, endpoints, Changes::default()))
}

fn run(targets: &[&Arc<Target>], priority: Priority) -> RunRoutes {
    RunRoutes::new(targets.iter().map(|t| Arc::clone(t)).collect(), priority)
}

fn attempt(call: u32) -> AttemptId {
    AttemptId { pass: PassId(0), call: CallId(call), number: 1 }
}

fn ask(run: &RunRoutes, call: u32) -> Permit {
    let (now, tokens) = (Micros::ZERO, 0);
    run.permit(PermitRequest {
        attempt: attempt(call),
        now,
        tokens,
        tier: 0,
        until: 9,
        avoid: None,
    })
}

/// The route that a call gets.
fn route(run: &RunRoutes, call: u32) -> Option<u16> {
    match ask(run, call) {
        Permit::Granted(RouteId(route)) => Some(route),
        _ => None,
    }
}

fn held_by(run: &RunRoutes, call: u32) -> Option<HoldReason> {
    match ask(run, call) {
        Permit::NotBefore { why, .. } => Some(why),
        _ => None,
    }
}

fn fail(run: &RunRoutes, call: u32, kind: FailureKind) -> crate::Ended {
    run.ended(attempt(call), Outcome::Failed(&Failure::new(kind, "It is down.")))
}

#[tokio::test(start_paused = true)]
async fn the_endpoint_with_the_fewest_requests_in_flight_is_next() {
    let two = target(TargetLimits::default(), 2);
    let run = run(&[&two], Priority::Interactive);
    let routes: Vec<_> = (0..4).filter_map(|call| route(&run, call)).collect();
    assert_eq!(routes, [0, 1, 0, 1]);
    run.ended(attempt(1), Outcome::Stopped);
    run.ended(attempt(3), Outcome::Stopped);
    assert_eq!(route(&run, 5), Some(1));
    assert_eq!(route(&run, 6), Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_is_left_out_and_comes_back() {
    let two = target(TargetLimits::default(), 2);
    let run = run(&[&two], Priority::Interactive);
    for call in 0..6 {
        let route = route(&run, call).unwrap();
        match route {
            0 => assert!(fail(&run, call, FailureKind::Unreachable).elsewhere),
            _ => _ = run.ended(attempt(call), Outcome::Stopped),
        }
    }
    let news = run.news();
    assert_eq!(news.len(), 1);
    assert_eq!((news[0].route, news[0].health), (RouteId(0), Health::Open));
    assert_eq!(news[0].message, "It is down.");
    assert_eq!(run.news(), []);
    assert_eq!((10..13).filter_map(|c| route(&run, c)).collect::<Vec<_>>(), [1, 1, 1]);
    advance(Duration::from_secs(2)).await;
    assert_eq!((20..23).filter_map(|c| route(&run, c)).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(run.news()[0].health, Health::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_used_while_the_first_choice_is_down_and_not_while_it_is_busy() {
    let busy = TargetLimits { in_flight: Some(1), ..TargetLimits::default() };
    let (first, second) = (target(busy, 1), target(TargetLimits::default(), 1));
    let run = run(&[&first, &second], Priority::Interactive);
    assert_eq!(route(&run, 0), Some(0));
    assert_eq!(held_by(&run, 1), Some(HoldReason::Queue));
    fail(&run, 0, FailureKind::Unreachable);
    for call in 2..4 {
        assert_eq!(route(&run, call), Some(0));
        fail(&run, call, FailureKind::Unreachable);
    }
    assert_eq!(route(&run, 5), Some(1));
    assert_eq!(run.tier_of(RouteId(1)), 1);
    for call in 6..9 {
        route(&run, call);
        fail(&run, call, FailureKind::Unreachable);
    }
    assert_eq!(held_by(&run, 9), Some(HoldReason::Breaker));
}

#[tokio::test(start_paused = true)]
async fn a_target_that_is_given_up_is_passed_over() {
    let (first, second) = (target(TargetLimits::default(), 2), target(TargetLimits::default(), 1));
    let run = run(&[&first, &second], Priority::Interactive);
    run.give_up(0);
    assert!(run.is_any_of_use(0..2) && !run.is_any_of_use(0..1));
    assert_eq!(route(&run, 0), Some(2));
    run.give_up(1);
    assert!(!run.is_any_of_use(0..2));
    assert!(matches!(ask(&run, 1), Permit::Refused(_)));
}

#[tokio::test(start_paused = true)]
async fn interactive_runs_go_first_and_a_batch_run_is_told_when_it_may() {
    let one = target(TargetLimits { in_flight: Some(1), ..TargetLimits::default() }, 1);
    let batch = run(&[&one], Priority::Batch);
    let person = run(&[&one], Priority::Interactive);
    let mut changes = batch.changes().unwrap();
    assert_eq!(route(&batch, 0), Some(0));
    assert_eq!(held_by(&batch, 1), Some(HoldReason::Queue));
    assert_eq!(held_by(&person, 0), Some(HoldReason::Queue));
    batch.ended(attempt(0), Outcome::Stopped);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    assert_eq!(held_by(&batch, 1), Some(HoldReason::Queue), "the person is first");
    assert_eq!(route(&person, 0), Some(0));
    drop(person);
    assert!(changes.has_changed().unwrap());
    assert_eq!(route(&batch, 1), Some(0), "what a run had taken is given back with it");
}

#[tokio::test(start_paused = true)]
async fn a_run_can_be_put_before_others() {
    let one = target(TargetLimits { in_flight: Some(1), ..TargetLimits::default() }, 1);
    let runs = [run(&[&one], Priority::Batch), run(&[&one], Priority::Batch)];
    assert_eq!(route(&runs[0], 0), Some(0));
    assert!(held_by(&runs[0], 1).is_some() && held_by(&runs[1], 0).is_some());
    runs[1].set_priority(Priority::Interactive);
    assert!(held_by(&runs[1], 0).is_some());
    runs[0].ended(attempt(0), Outcome::Stopped);
    assert_eq!(held_by(&runs[0], 1), Some(HoldReason::Queue));
    assert_eq!(route(&runs[1], 0), Some(0));
}

#[tokio::test(start_paused = true)]
async fn each_endpoint_keeps_to_what_it_was_told_and_all_to_what_is_configured() {
    let limits = TargetLimits { rpm: Some(180), ..TargetLimits::default() };
    let two = target(limits, 2);
    let run = run(&[&two], Priority::Interactive);
    two.rates(0).unwrap().hold(Micros::from_secs(30));
    assert_eq!((0..3).filter_map(|c| route(&run, c)).collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(held_by(&run, 3), Some(HoldReason::RateLimit), "three a second");
}
