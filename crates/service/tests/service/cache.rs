//! Cached answers over the real simulator: asked for once, marked, purged.

use lanes_model::{FaultsRequest, RunRequest, RunState, RunStatus, RunView};
use lanes_service::{ServiceError, Store};
use lanes_simulator::SimulatorConfig;

use crate::support::{asked, fast, finished, fresh, latency, provider, request, service};
use crate::support::{simulator, start};

const TASKS: [&str; 3] = ["summary", "sentiment", "category"];

fn cached(mode: &str, tasks: &[&str]) -> RunRequest {
    RunRequest { cache: Some(true), ..request(mode, tasks) }
}

fn from_cache(state: &RunState) -> Vec<bool> {
    state.passes[0].calls.iter().map(|c| c.cached.is_some()).collect()
}

fn outputs(state: &RunState) -> Vec<&str> {
    state.passes[0].calls.iter().map(|c| c.output.as_str()).collect()
}

#[tokio::test]
async fn the_second_run_costs_nothing_and_says_so_until_the_cache_is_purged() {
    let (service, stats) = fast().await;
    let first = finished(&service, &start(&service, &cached("parallel", &TASKS)).await).await;
    assert_eq!((from_cache(&first), asked(&stats)), (vec![false; 3], 3));

    let second = finished(&service, &start(&service, &cached("sequential", &TASKS)).await).await;
    assert_eq!((from_cache(&second), asked(&stats)), (vec![true; 3], 3));
    assert_eq!((second.status, outputs(&second)), (RunStatus::Succeeded, outputs(&first)));
    let (one, two) = (RunView::of(&first, first.latest), RunView::of(&second, second.latest));
    for (one, two) in one.passes[0].calls.iter().zip(&two.passes[0].calls) {
        assert_eq!((two.attempts, two.cached, two.tokens), (0, true, one.tokens));
        assert_eq!(two.cost_usd_micros.map(|c| c.0), Some(0));
    }
    let held = service.cache_stats().await.unwrap();
    assert_eq!((held.entries, held.hits, held.misses), (3, 3, 3));
    assert!(held.bytes > 0);

    service.purge_cache().await.unwrap();
    assert_eq!(service.cache_stats().await.unwrap().entries, 0);
    let third = finished(&service, &start(&service, &cached("parallel", &TASKS)).await).await;
    assert_eq!((from_cache(&third), asked(&stats)), (vec![false; 3], 6));
}

#[tokio::test]
async fn a_run_that_does_not_ask_for_it_is_neither_answered_from_the_cache_nor_kept_in_it() {
    let (service, stats) = fast().await;
    let plain = request("parallel", &["summary"]);
    finished(&service, &start(&service, &plain).await).await;
    assert_eq!(service.cache_stats().await.unwrap().entries, 0);
    finished(&service, &start(&service, &cached("parallel", &["summary"])).await).await;
    let state = finished(&service, &start(&service, &plain).await).await;
    assert_eq!((from_cache(&state), asked(&stats)), (vec![false], 3));
}

#[tokio::test]
async fn runs_that_ask_the_same_at_once_make_one_request_a_task() {
    let (addr, stats) = simulator(latency("fixed:300ms")).await;
    let service = fresh(provider(addr)).await;
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(start(&service, &cached("parallel", &TASKS)).await);
    }
    let mut hits = 0;
    for run in runs {
        let state = finished(&service, &run).await;
        assert_eq!(state.status, RunStatus::Succeeded);
        hits += from_cache(&state).into_iter().filter(|&hit| hit).count();
    }
    assert_eq!((hits, asked(&stats)), (9, 3));
}

#[tokio::test]
async fn answers_outlive_the_program_but_not_a_change_of_the_model() {
    let (addr, stats) = simulator(latency("none")).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lanes.db");
    let open = async || service(Store::open(&file).await.unwrap(), provider(addr)).await;
    let before = open().await;
    finished(&before, &start(&before, &cached("parallel", &TASKS)).await).await;
    before.shutdown().await;
    drop(before);
    let after = open().await;
    let state = finished(&after, &start(&after, &cached("parallel", &TASKS)).await).await;
    assert_eq!((from_cache(&state), asked(&stats)), (vec![true; 3], 3));
    let other = RunRequest { model: Some("another".into()), ..cached("parallel", &TASKS) };
    let state = finished(&after, &start(&after, &other).await).await;
    assert!(!from_cache(&state).contains(&true));
}

#[tokio::test]
async fn an_error_is_asked_for_again() {
    let config = SimulatorConfig { error_rate: 1.0, ..latency("none") };
    let (addr, stats) = simulator(config).await;
    let service = fresh(provider(addr)).await;
    for attempts in [3, 6] {
        let run = start(&service, &cached("parallel", &["summary"])).await;
        assert_eq!(finished(&service, &run).await.status, RunStatus::Failed);
        assert_eq!(asked(&stats), attempts);
    }
    assert_eq!(service.cache_stats().await.unwrap().entries, 0);
}

#[tokio::test]
async fn compare_and_faults_refuse_cached_answers() {
    let (service, _) = fast().await;
    let places = async |request: &RunRequest| match service.start(request, None).await {
        Err(ServiceError::Invalid(errors)) => {
            errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
        }
        other => panic!("it was taken: {other:?}"),
    };
    assert_eq!(places(&cached("compare", &["summary"])).await, ["/cache"]);
    let faults = FaultsRequest::typed("10".to_owned());
    let faulty = RunRequest { faults, ..cached("parallel", &["summary"]) };
    assert_eq!(places(&faulty).await, ["/cache"]);
}
