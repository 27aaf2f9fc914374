//! What fails is a result: it ends, says why in words, and shows no secret.

use lanes_model::{CallStatus, FailureKind, RunState, RunStatus, RunSummary};

use crate::support::{asked, finished, fresh, latency, provider, request, simulator, start};

/// Every call of the run failed at its first attempt, for that reason.
fn refused(state: &RunState, kind: FailureKind) {
    assert_eq!(state.status, RunStatus::Failed);
    let calls: Vec<_> = state.passes.iter().flat_map(|p| &p.calls).collect();
    assert!(calls.iter().any(|c| c.failure.as_ref().is_some_and(|f| f.kind == kind)));
    for call in calls {
        assert_ne!(call.status(), CallStatus::Succeeded);
        assert!(call.attempts.len() <= 1, "it is not tried again: {:?}", call.attempts);
        if let Some(failure) = &call.failure {
            assert_eq!(failure.kind, kind);
            assert!(failure.message.len() > 10, "{}", failure.message);
        }
    }
    assert_eq!(RunSummary::of(state).failure.as_deref(), Some(kind.label()));
}

#[tokio::test]
async fn an_invalid_key_ends_the_run_with_words_and_without_the_key() {
    let (addr, _) = simulator(latency("none")).await;
    let mut config = provider(addr);
    config.api_key = Some("sk-invalid-7Jx2secret".to_owned().into());
    let service = fresh(config).await;
    let run = start(&service, &request("parallel", &["summary", "keywords"])).await;
    let state = finished(&service, &run).await;
    refused(&state, FailureKind::InvalidKey);
    assert!(!serde_json::to_string(&state).unwrap().contains("7Jx2secret"));
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_called_unreachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let service = fresh(provider(addr)).await;
    let run = start(&service, &request("sequential", &["summary"])).await;
    refused(&finished(&service, &run).await, FailureKind::Unreachable);
}

#[tokio::test]
async fn a_model_that_the_provider_does_not_have_is_not_tried_again() {
    let (addr, _) = simulator(latency("none")).await;
    let service = fresh(provider(addr)).await;
    let mut request = request("parallel", &["summary"]);
    request.model = Some("no-such-model".into());
    let run = start(&service, &request).await;
    refused(&finished(&service, &run).await, FailureKind::UnknownModel);
}

#[tokio::test]
async fn a_provider_that_always_fails_is_asked_three_times() {
    let (addr, stats) = simulator(latency("none")).await;
    let mut config = provider(addr);
    config.extra_headers = vec![("x-simulate-error-rate".into(), "1".into())];
    let service = fresh(config).await;
    let run = start(&service, &request("parallel", &["summary"])).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Failed);
    let call = &state.passes[0].calls[0];
    assert_eq!(call.attempts.len(), 3);
    assert_eq!(call.failure.as_ref().unwrap().kind, FailureKind::ServerError);
    assert_eq!(asked(&stats), 3);
}
