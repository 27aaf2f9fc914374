//! Faults asked for with a run: they reach the simulator, and nothing else.

use std::time::Duration;

use lanes_model::options::FallbackRequest;
use lanes_model::{
    CallStatus, FailureKind, FaultsRequest, Health, HoldReason, Mode, RouteId, RunRequest,
    RunState, RunStatus, options::form,
};
use lanes_service::{ProviderConfig, ResumePolicy, Service, ServiceConfig, ServiceError, Store};

use crate::support::{asked, finished, fresh, latency, provider, request, simulator, start};

const TASKS: [&str; 6] =
    ["summary", "sentiment", "keywords", "questions", "translation", "category"];

/// A parallel run of these tasks with that much percent errors, hangs and cut answers, and a latency.
fn faulty(tasks: &[&str], faults: [&str; 4]) -> RunRequest {
    let [errors, hangs, cuts, latency] = faults;
    let faults = FaultsRequest::typed([errors, hangs, cuts, "", latency].join("\n"));
    RunRequest { faults, ..request("parallel", tasks) }
}

#[tokio::test]
async fn a_retry_has_a_new_chance() {
    let (addr, stats) = simulator(latency("none")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &faulty(&TASKS, ["50", "", "", ""])).await;
    let state = finished(&service, &run).await;
    let calls = &state.passes[0].calls;
    // With the simulator's own seed the draws are the same every time.
    let retried = calls
        .iter()
        .filter(|c| c.status() == CallStatus::Succeeded && c.attempts.len() > 1)
        .count();
    assert!(retried > 0, "a call that failed once succeeds later: {calls:?}");
    assert_eq!(asked(&stats), calls.iter().map(|c| c.attempts.len()).sum::<usize>());
    assert_eq!(state.header.spec.faults.as_ref().unwrap().error_rate.share(), 0.5);
    // What was made to fail is no basis for estimates.
    let spec = &state.header.spec;
    assert!(service.history(&spec.provider, &spec.model).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_cut_answer_is_a_failed_attempt() {
    let (addr, _) = simulator(latency("none")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &faulty(&["summary"], ["", "", "100", ""])).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Failed);
    let call = &state.passes[0].calls[0];
    assert_eq!(call.attempts.len(), 3);
    assert_eq!(call.failure.as_ref().unwrap().kind, FailureKind::TruncatedStream);
    // What came of the last attempt is kept for display, and is no answer.
    assert!(!call.output.is_empty());
    assert_eq!(call.status(), CallStatus::Failed);
}

#[tokio::test]
async fn an_answer_that_was_cut_off_is_asked_for_again_and_kept_whole() {
    let (addr, _) = simulator(latency("none")).await;
    let service = fresh(provider(addr)).await;
    let run = async |cut| {
        let run = start(&service, &faulty(&TASKS, ["", "", cut, ""])).await;
        finished(&service, &run).await.passes.remove(0).calls
    };
    let (cut, whole) = (run("50").await, run("").await);
    let mut retried = 0;
    for (cut, whole) in cut.iter().zip(&whole) {
        if cut.status() == CallStatus::Succeeded {
            assert_eq!(cut.output, whole.output, "nothing of a cut attempt is left in it");
            retried += usize::from(cut.attempts.len() > 1);
        } else {
            assert!(whole.output.starts_with(&cut.output) && cut.output.len() < whole.output.len());
        }
    }
    assert!(retried > 0, "with the simulator's own seed some are cut first and whole later");
}

#[tokio::test]
async fn the_latency_of_a_run_is_its_own() {
    let (addr, _) = simulator(latency("fixed:60s")).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &faulty(&["summary"], ["", "", "", "none"])).await;
    let state =
        tokio::time::timeout(Duration::from_secs(20), finished(&service, &run)).await.unwrap();
    assert_eq!(state.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn a_hanging_attempt_is_given_up_early() {
    let (addr, _) = simulator(latency("none")).await;
    let mut config = provider(addr);
    config.timeouts.first_token = Duration::from_millis(200);
    let service = fresh(config).await;
    let run = start(&service, &faulty(&["summary"], ["", "100", "", ""])).await;
    let state = finished(&service, &run).await;
    let failure = state.passes[0].calls[0].failure.clone().unwrap();
    assert_eq!(failure.kind, FailureKind::Timeout);
}

#[tokio::test]
async fn faults_for_a_real_provider_and_an_unknown_latency_are_refused() {
    let (addr, stats) = simulator(latency("none")).await;
    let mut config = provider(addr);
    let places = async |config, faults| {
        let service = fresh(config).await;
        match service.start(&faulty(&["summary"], faults), None).await {
            Err(ServiceError::Invalid(errors)) => {
                errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
            }
            other => panic!("it was taken: {other:?}"),
        }
    };
    assert_eq!(places(config.clone(), ["", "", "", "soon"]).await, ["/faults/latency"]);
    config.simulated = false;
    assert_eq!(places(config, ["10", "", "", ""]).await, ["/faults"]);
    assert_eq!(asked(&stats), 0);
}

/// What the run's attempts came to, with where they went.
fn attempts(state: &RunState) -> Vec<(RouteId, Option<FailureKind>)> {
    let all = state.passes[0].calls.iter().flat_map(|c| &c.attempts);
    all.map(|a| (a.route, a.failure.as_ref().map(|f| f.kind))).collect()
}

#[tokio::test]
async fn a_limit_that_nobody_was_told_of_is_met_and_learnt() {
    let (addr, _) = simulator(latency("none")).await;
    let service = fresh(provider(addr)).await;
    let faults = FaultsRequest::typed("\n\n\n\n\n120\n".to_owned());
    let run = start(&service, &RunRequest { faults, ..request("parallel", &TASKS) }).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded, "{:?}", state.passes[0].calls);
    let limited = |state: &RunState| {
        attempts(state).iter().filter(|(_, f)| *f == Some(FailureKind::RateLimited)).count()
    };
    // Two a second: of the six that go at once four are refused; then they go as they may.
    assert!((1..=6).contains(&limited(&state)), "{:?}", attempts(&state));
    let holds = &state.passes[0].holds;
    assert!(holds.iter().any(|h| h.why == HoldReason::RateLimit), "{holds:?}");
    assert!(state.passes[0].wall(state.latest) >= Duration::from_secs(1).into());
    // Another run has nothing to do with it.
    let run = start(&service, &request("parallel", &TASKS)).await;
    assert_eq!(limited(&finished(&service, &run).await), 0);
}

#[tokio::test]
async fn work_goes_round_a_dead_endpoint() {
    let (addr, stats) = simulator(latency("fixed:50ms")).await;
    let service = fresh(provider(addr)).await;
    let faults = FaultsRequest::typed("\n\n\n\n\n\non".to_owned());
    let run = start(&service, &RunRequest { faults, ..request("parallel", &TASKS) }).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded, "{:?}", state.passes[0].calls);
    let names: Vec<_> = state.header.routes.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, [format!("Simulator · {addr}").as_str(), "Simulator · dead endpoint"]);
    for (route, failed) in attempts(&state) {
        let expected = (route == RouteId(1)).then_some(FailureKind::Unreachable);
        assert_eq!(failed, expected);
    }
    assert_eq!(asked(&stats), TASKS.len());
    // Three refusals in a row open its breaker, and nothing goes there any more.
    let dead = attempts(&state).iter().filter(|(route, _)| *route == RouteId(1)).count();
    assert_eq!(dead, 3);
    let breaker = state.routes.iter().find(|r| r.route == RouteId(1)).expect("it was told of");
    assert_ne!(breaker.health, Health::Closed);
}

#[tokio::test]
async fn faults_do_not_reach_a_real_provider_that_a_run_falls_back_to() {
    let (broken, _) = simulator(latency("none")).await;
    let (real, stats) = simulator(latency("none")).await;
    let other = ProviderConfig { id: "other".into(), simulated: false, ..provider(real) };
    let service = Service::open(ServiceConfig {
        parallel: true,
        store: Store::open_in_memory().await.unwrap(),
        providers: vec![provider(broken), other],
        limits: lanes_model::Limits::default(),
        resume: ResumePolicy::Ask,
        latency_problem: |_| None,
        observers: Vec::new(),
        extractor: lanes_service::Extractor::in_process(),
    })
    .await
    .unwrap();
    let fallback = FallbackRequest { provider: Some("other".into()), model: None };
    let all_fail = faulty(&["summary"], ["100", "", "", ""]);
    let run = start(&service, &RunRequest { fallback: Some(vec![fallback]), ..all_fail }).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded, "{:?}", state.passes[0].calls);
    assert!(asked(&stats) > 0);
    assert_eq!(service.option_lines(&state.header.spec), "\n\n\n\n\n\n\nother/simulated-mini");
    let mode = Mode::Parallel;
    let words = form::summary(&service.option_lines(&state.header.spec), mode);
    assert_eq!(words, "Fallback: other/simulated-mini");
}
