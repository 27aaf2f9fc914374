//! Faults asked for with a run: they reach the simulator, and nothing else.

use std::time::Duration;

use lanes_model::{CallStatus, FailureKind, FaultsRequest, RunRequest, RunStatus};
use lanes_service::ServiceError;

use crate::support::{asked, finished, fresh, latency, provider, request, simulator, start};

const TASKS: [&str; 6] =
    ["summary", "sentiment", "keywords", "questions", "translation", "category"];

/// A parallel run of these tasks with that much percent errors, hangs and cut answers, and a latency.
fn faulty(tasks: &[&str], faults: [&str; 4]) -> RunRequest {
    let faults = FaultsRequest::typed(faults.join("\n"));
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
