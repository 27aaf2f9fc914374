//! The dashboard's figures: the sums of what the logs say, whatever ends the program.

use lanes_model::{EventKind, RunRequest, RunState, RunSummary};
use lanes_service::{Dashboard, DashboardRange, Service, Store};
use lanes_simulator::SimulatorConfig;

use crate::support::{self, finished, latency, provider, request, simulator, start, until};
use crate::webhooks::background;

async fn hour(service: &Service) -> Dashboard {
    service.dashboard(DashboardRange::Hour).await.unwrap()
}

/// What the figures say of these runs, reckoned from their states.
fn reckoned(states: &[RunState]) -> (u64, u64, u64, u64) {
    let calls = || states.iter().flat_map(|s| &s.passes).flat_map(|p| &p.calls);
    let attempts = || calls().flat_map(|c| &c.attempts);
    let failed = calls().filter(|c| c.status().is_failure()).count() as u64;
    let tokens = attempts().filter_map(|a| a.usage).map(|u| u.input + u.output).sum();
    let cost = states.iter().filter_map(|s| RunSummary::of(s).cost_usd_micros).map(|c| c.0).sum();
    (calls().count() as u64, failed, tokens, cost)
}

fn said(found: &Dashboard) -> (u64, u64, u64, u64) {
    let total = &found.total;
    let tokens = total.input_tokens + total.output_tokens;
    (total.calls, total.failed, tokens, total.simulated_cost_usd_micros)
}

#[tokio::test]
async fn the_dashboard_says_what_the_logs_say() {
    let (service, _) = support::fast().await;
    let mut states = Vec::new();
    for mode in ["parallel", "compare"] {
        let run = start(&service, &request(mode, &["summary", "category"])).await;
        states.push(finished(&service, &run).await);
    }
    let faults = serde_json::from_str(r#"{ "error_rate": 0.5 }"#).unwrap();
    let faulty = RunRequest { faults: Some(faults), ..request("parallel", &["summary"]) };
    let run = start(&service, &faulty).await;
    states.push(finished(&service, &run).await);
    let found = hour(&service).await;
    assert_eq!(said(&found), reckoned(&states));
    assert_eq!((found.runs.started, found.total.cost_usd_micros), (3, 0));
    let names: Vec<_> = found.tasks.iter().map(|t| (t.task.as_str(), t.figures.calls)).collect();
    assert_eq!(names, [("summary", 4), ("category", 3)]);
    assert_eq!(found.models.len(), 1);
    assert!(found.models[0].simulated && found.total.p95_us >= found.total.p50_us);
    let by_step: u64 = found.slots.iter().map(|s| s.figures.calls).sum();
    assert_eq!(by_step, found.total.calls);
    for range in [DashboardRange::Day, DashboardRange::Week] {
        assert_eq!(said(&service.dashboard(range).await.unwrap()), reckoned(&states));
    }
}

#[tokio::test]
async fn answers_from_the_cache_are_counted_as_saved() {
    let (service, _) = support::fast().await;
    let cached = RunRequest { cache: Some(true), ..request("parallel", &["summary"]) };
    for _ in 0..2 {
        let run = start(&service, &cached).await;
        finished(&service, &run).await;
    }
    let total = hour(&service).await.total;
    assert_eq!((total.calls, total.cached), (2, 1));
    assert_eq!(total.saved_tokens, total.input_tokens + total.output_tokens);
    assert_eq!(total.simulated_saved_usd_micros, total.simulated_cost_usd_micros);
    assert_eq!(total.saved_usd_micros, 0);
}

#[tokio::test]
async fn what_was_not_written_when_the_program_died_is_counted_from_the_logs() {
    let (addr, _) = simulator(latency("none")).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanes.db");
    let service = support::service(Store::open(&path).await.unwrap(), provider(addr)).await;
    let first = start(&service, &request("parallel", &["summary"])).await;
    let first = finished(&service, &first).await;
    assert_eq!(hour(&service).await.total.calls, 1);
    // Ended, and nobody has asked for figures since.
    let run = start(&service, &request("parallel", &["summary", "category"])).await;
    let states = [first, finished(&service, &run).await];
    let again = support::service(Store::open(&path).await.unwrap(), provider(addr)).await;
    again.start_background(background(folder.path(), false)).unwrap();
    let found = loop {
        let found = hour(&again).await;
        if found.total.calls == 3 {
            break found;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(said(&found), reckoned(&states));
}

#[tokio::test]
async fn a_run_that_goes_on_after_an_interruption_is_counted_once() {
    let config = SimulatorConfig { latency: "fixed:150ms".parse().unwrap(), ..Default::default() };
    let (addr, _) = simulator(config).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lanes.db");
    let service = support::service(Store::open(&path).await.unwrap(), provider(addr)).await;
    let tasks = ["summary", "sentiment", "keywords", "questions"];
    let run = start(&service, &request("sequential", &tasks)).await;
    until(&service, &run, |kind| matches!(kind, EventKind::CallEnded { .. })).await;
    assert!(hour(&service).await.total.calls >= 1);
    service.shutdown().await;
    let again = support::service(Store::open(&path).await.unwrap(), provider(addr)).await;
    again.resume(&run).await.unwrap();
    let state = finished(&again, &run).await;
    assert_eq!(said(&hour(&again).await), reckoned(&[state]));
}
