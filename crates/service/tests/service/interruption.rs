//! Runs that stop before their end: cancelled by the user, or interrupted with the program.

use lanes_model::{CallStatus, EventKind, RunStatus, Seq};
use lanes_service::{ServiceError, Store};
use lanes_simulator::SimulatorConfig;

use crate::support::{
    asked, events, finished, fresh, latency, provider, request, service, simulator, start, until,
};

#[tokio::test]
async fn a_cancelled_run_ends_at_once_and_can_then_be_deleted() {
    let hangs = SimulatorConfig { hang_rate: 1.0, ..latency("none") };
    let (addr, _) = simulator(hangs).await;
    let service = fresh(provider(addr)).await;
    let run = start(&service, &request("compare", &["summary", "keywords"])).await;
    until(&service, &run, |kind| matches!(kind, EventKind::AttemptStarted { .. })).await;
    assert!(matches!(service.delete(&run).await, Err(ServiceError::Conflict(_))));

    service.cancel(&run).await.unwrap();
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Cancelled);
    let statuses = state.passes.iter().flat_map(|p| &p.calls).map(|c| c.status());
    assert!(
        statuses.clone().all(|s| s != CallStatus::Running),
        "{:?}",
        statuses.collect::<Vec<_>>()
    );
    assert!(matches!(service.cancel(&run).await, Err(ServiceError::Conflict(_))));

    service.delete(&run).await.unwrap();
    assert!(matches!(service.state(&run).await, Err(ServiceError::NotFound(_))));
    assert!(matches!(service.delete(&run).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn an_interrupted_run_goes_on_after_a_restart_without_repeating_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanes.db");
    let tasks = ["summary", "sentiment", "keywords", "category"];
    let (slow, _) = simulator(latency("fixed:300ms")).await;
    let store = Store::open(&file).await.unwrap();
    let first = service(store.clone(), provider(slow)).await;
    let run = start(&first, &request("sequential", &tasks)).await;
    until(&first, &run, |kind| matches!(kind, EventKind::CallEnded { .. })).await;
    first.shutdown().await;
    assert!(matches!(
        first.start(&request("sequential", &tasks), None).await,
        Err(ServiceError::Stopping)
    ));
    store.close().await;

    let (quick, stats) = simulator(latency("none")).await;
    let store = Store::open(&file).await.unwrap();
    let second = service(store, provider(quick)).await;
    let (before, _) = second.state(&run).await.unwrap();
    assert_eq!(before.status, RunStatus::Interrupted);
    let done = before.passes[0].calls.iter().filter(|c| c.ended.is_some()).count();
    assert!((1..tasks.len()).contains(&done), "{done} calls were done");

    second.resume(&run).await.unwrap();
    let state = finished(&second, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(state.resumed, 1);
    assert_eq!(asked(&stats), tasks.len() - done);
    for (was, is) in before.passes[0].calls.iter().zip(&state.passes[0].calls) {
        if was.ended.is_some() {
            assert_eq!(was, is, "a finished call is kept as it was");
        }
    }
    let log = events(&second, &run, Seq(0)).await;
    let places: Vec<_> = log.iter().map(|e| e.seq.0).collect();
    assert_eq!(places, (1..=log.len() as u64).collect::<Vec<_>>());
    assert!(matches!(second.resume(&run).await, Err(ServiceError::Conflict(_))));
}
