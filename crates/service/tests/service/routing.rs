//! Several endpoints as one provider, and providers to fall back on: shared, lost, found again.
//!
//! Endpoints are simulators that are stopped and started at the same address. Breakers wait in real
//! time here; how long they do is the engine's tests' business.

use std::net::SocketAddr;

use lanes_model::{
    CallStatus, EventKind, FailureKind, Health, HoldReason, RouteId, RunRequest, RunState,
    RunStatus, Seq,
};
use lanes_service::{ProviderConfig, Service, ServiceError, Store};
use lanes_simulator::SimulatorConfig;

use crate::soak::accounts;
use crate::support::{
    Server, asked, events, finished, going_on, latency, provider, request, simulator, start, until,
    with_providers,
};

const TASKS: [&str; 6] =
    ["summary", "sentiment", "keywords", "questions", "translation", "category"];

/// One provider with two endpoints.
fn pair(first: SocketAddr, second: SocketAddr) -> ProviderConfig {
    ProviderConfig { replicas: vec![format!("http://{second}/v1")], ..provider(first) }
}

/// A provider of another name, which falls back to these.
fn named(id: &str, addr: SocketAddr, fallback: &[&str]) -> ProviderConfig {
    let fallback = fallback.iter().map(|&f| f.to_owned()).collect();
    ProviderConfig { id: id.into(), name: id.into(), fallback, ..provider(addr) }
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

async fn in_memory(providers: Vec<ProviderConfig>) -> Service {
    with_providers(Store::open_in_memory().await.unwrap(), providers).await
}

/// Waits until so many calls of a run have ended.
async fn until_ended(service: &Service, run: &lanes_model::RunId, calls: u32) {
    let ended = std::cell::Cell::new(0);
    until(service, run, |kind| {
        ended.set(ended.get() + u32::from(matches!(kind, EventKind::CallEnded { .. })));
        ended.get() == calls
    })
    .await;
}

fn turned(kind: &EventKind, to: Health) -> bool {
    matches!(kind, EventKind::RouteChanged { health, .. } if *health == to)
}

fn all_answered(state: &RunState) -> bool {
    let mut calls = state.passes.iter().flat_map(|p| &p.calls);
    calls.all(|c| c.status() == CallStatus::Succeeded)
}

/// How many answers came by a route.
fn answers(state: &RunState, route: u16) -> usize {
    let calls = state.passes.iter().flat_map(|p| &p.calls);
    calls.filter(|c| c.successful().is_some_and(|a| a.route == RouteId(route))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_endpoints_share_the_work_and_one_that_dies_leaves_it_to_the_other() {
    let (first, second) =
        (Server::start(latency("fixed:20ms")).await, Server::start(latency("fixed:20ms")).await);
    let (stays, dies) = (first.stats.clone(), second.stats.clone());
    let config = pair(first.addr, second.addr);
    let (service, run) = going_on(&config, 400, 8, |_| ()).await;
    until_ended(&service, &run, 100).await;
    // Two lanes more or less: requests begin and end while this is read.
    assert!(asked(&stays).abs_diff(asked(&dies)) <= 16, "{stays:?} {dies:?}");
    second.stop().await;

    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert!(all_answered(&state));
    assert_eq!(answers(&state, 0) + answers(&state, 1), 400);
    assert!(answers(&state, 1) >= 40 && answers(&state, 0) > answers(&state, 1));
    let [route] = state.routes.as_slice() else { panic!("{:?}", state.routes) };
    assert_eq!(route.route, RouteId(1));
    assert!(route.opened >= 1 && route.message.contains(&config.replicas[0][7..22]), "{route:?}");
    let log = events(&service, &run, Seq(0)).await;
    assert_eq!(accounts(&log).answered, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_comes_back_is_used_again() {
    // Whoever goes to the slow one comes back when the other one's breaker lets an attempt through.
    let (slow, _) = simulator(latency("fixed:2100ms")).await;
    let quick = Server::start(latency("fixed:20ms")).await;
    let addr = quick.addr;
    let config = pair(slow, addr);
    let (service, run) = going_on(&config, 100, 4, |_| ()).await;
    until_ended(&service, &run, 10).await;
    quick.stop().await;
    until(&service, &run, |kind| turned(kind, Health::Open)).await;
    let again = Server::start_at(addr, latency("none")).await;
    until(&service, &run, |kind| turned(kind, Health::HalfOpen)).await;
    until(&service, &run, |kind| turned(kind, Health::Closed)).await;

    let state = finished(&service, &run).await;
    assert!(all_answered(&state));
    assert_eq!(state.routes[0].health, Health::Closed);
    assert!(asked(&again.stats) > 10, "{:?}", again.stats);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_only_provider_and_goes_on_when_it_is_back() {
    let server = Server::start(latency("fixed:20ms")).await;
    let (addr, config) = (server.addr, provider(server.addr));
    let (service, run) = going_on(&config, 60, 4, |_| ()).await;
    until_ended(&service, &run, 12).await;
    server.stop().await;
    until(&service, &run, |kind| turned(kind, Health::Open)).await;
    let again = Server::start_at(addr, latency("none")).await;

    let state = finished(&service, &run).await;
    assert!(all_answered(&state), "no call is lost: {:?}", state.passes[0].calls);
    let pass = &state.passes[0];
    assert!(pass.holds.iter().any(|h| h.why == HoldReason::Breaker), "{:?}", pass.holds);
    assert!(asked(&again.stats) >= 40);
}

#[tokio::test]
async fn a_refused_key_or_an_address_without_a_server_sends_the_run_to_the_fallback() {
    let (refusing, refused) = simulator(latency("none")).await;
    for (addr, key) in [(refusing, Some("sk-invalid-7Jx2secret")), (nobody(), None)] {
        let (good, stats) = simulator(latency("none")).await;
        let mut first = named("first", addr, &["second"]);
        first.api_key = key.map(|key| key.to_owned().into());
        let service = in_memory(vec![first, named("second", good, &[])]).await;
        let run = start(&service, &request("parallel", &TASKS)).await;
        let state = finished(&service, &run).await;
        assert_eq!(state.status, RunStatus::Succeeded);
        assert_eq!((answers(&state, 1), asked(&stats)), (6, 6));
        let names: Vec<_> = state.header.routes.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["first", "second"]);
        assert!(!serde_json::to_string(&state).unwrap().contains("7Jx2"));
        // A call that is on its way to the first meets the same there; no other is sent.
        assert!(state.passes[0].calls.iter().all(|c| c.attempts.len() <= 2));
    }
    assert!(asked(&refused) <= 6);
}

#[tokio::test]
async fn a_call_that_fails_for_good_at_one_provider_is_answered_by_the_next() {
    let failing = SimulatorConfig { error_rate: 1.0, ..latency("none") };
    let (bad, asked_bad) = simulator(failing).await;
    let (good, _) = simulator(latency("none")).await;
    let service =
        in_memory(vec![named("first", bad, &["second"]), named("second", good, &[])]).await;
    let run = start(&service, &request("parallel", &["summary", "keywords"])).await;
    let state = finished(&service, &run).await;
    assert!(all_answered(&state));
    assert_eq!(asked(&asked_bad), 6);
    for call in &state.passes[0].calls {
        assert_eq!(call.attempts.iter().map(|a| a.route.0).collect::<Vec<_>>(), [0, 0, 0, 1]);
    }
}

#[tokio::test]
async fn where_no_provider_is_of_use_every_call_says_why() {
    let (refusing, _) = simulator(latency("none")).await;
    let mut second = named("second", refusing, &[]);
    second.api_key = Some("sk-invalid-7Jx2secret".to_owned().into());
    let service = in_memory(vec![named("first", nobody(), &["second"]), second]).await;
    let run = start(&service, &request("parallel", &TASKS)).await;
    let state = finished(&service, &run).await;
    assert_eq!(state.status, RunStatus::Failed);
    for call in &state.passes[0].calls {
        let failure = call.failure.as_ref().unwrap();
        assert_eq!(failure.kind, FailureKind::InvalidKey);
        assert!(failure.message.len() > 10 && !failure.message.contains("7Jx2"));
    }
}

#[tokio::test]
async fn how_a_provider_stands_shows_open_breakers_and_never_a_key() {
    let (good, _) = simulator(latency("fixed:5ms")).await;
    let dead = nobody();
    let mut config = pair(good, dead);
    config.api_key = Some("sk-7Jx2secret".to_owned().into());
    config.max_concurrency = Some(3);
    let (service, run) = going_on(&config, 40, 4, |_| ()).await;
    assert!(all_answered(&finished(&service, &run).await));

    let [stands] = service.provider_health().try_into().unwrap();
    assert_eq!((stands.endpoints, stands.max_concurrency), (2, Some(3)));
    let [works, open] = stands.health.clone().try_into().unwrap();
    assert_eq!((works.breaker, works.in_flight), (Health::Closed, 0));
    assert_eq!((open.breaker, open.endpoint), (Health::Open, dead.to_string()));
    assert!(open.opens_in_us.is_some() && open.message.len() > 10, "{}", open.message);
    assert!(!serde_json::to_string(&stands).unwrap().contains("7Jx2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_run_goes_on_with_its_endpoints_and_fallbacks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanes.db");
    let (one, _) = simulator(latency("fixed:20ms")).await;
    let (two, _) = simulator(latency("fixed:20ms")).await;
    let (spare, _) = simulator(latency("none")).await;
    let mut first = ProviderConfig { id: "first".into(), ..pair(one, two) };
    first.fallback = vec!["spare".into()];
    let providers = vec![first, named("spare", spare, &[])];
    let store = Store::open(&file).await.unwrap();
    let before = with_providers(store.clone(), providers.clone()).await;
    let asks = RunRequest { concurrency: Some(1), ..request("parallel", &TASKS) };
    let run = start(&before, &asks).await;
    until_ended(&before, &run, 2).await;
    before.shutdown().await;
    store.close().await;

    // Its first provider refuses the key now; the fallback answers the rest.
    let mut providers = providers;
    providers[0].api_key = Some("sk-invalid".to_owned().into());
    let store = Store::open(&file).await.unwrap();
    let without = with_providers(store.clone(), providers[..1].to_vec()).await;
    let refused = without.resume(&run).await;
    assert!(matches!(&refused, Err(ServiceError::Conflict(m)) if m.contains("spare")));
    // With an endpoint fewer the fallback would be the second route, which the log knows as another.
    let mut fewer = providers.clone();
    fewer[0].replicas.clear();
    let refused = with_providers(store.clone(), fewer).await.resume(&run).await;
    assert!(matches!(&refused, Err(ServiceError::Conflict(m)) if m.contains("endpoints")));
    let after = with_providers(store, providers).await;
    after.resume(&run).await.unwrap();
    let state = finished(&after, &run).await;
    assert_eq!((state.status, state.resumed), (RunStatus::Succeeded, 1));
    assert_eq!(state.header.routes.len(), 3);
    assert!(answers(&state, 0) >= 1 && answers(&state, 1) >= 1 && answers(&state, 2) >= 1);
    let log = events(&after, &run, Seq(0)).await;
    let ends = log.iter().filter(|e| matches!(e.kind, EventKind::CallEnded { .. }));
    assert_eq!(ends.count(), 6, "each call ends once");
}
