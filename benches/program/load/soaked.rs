//! `make soak`: 50,000 calls through the whole service against two simulators with every fault, which
//! are one provider's endpoints, and the proof that each was accounted for once
//! (`crates/service/tests/service/soak.rs`). On the way the second endpoint is stopped and, later,
//! started again. Minutes long, so it is no part of `make bench`. What is wrong with the accounts ends
//! it.

use std::time::Duration;

use lanes_model::{FailureKind, Limits, Seq};
use lanes_provider::{ProviderConfig, Timeouts};
use lanes_service::{ResumePolicy, Service, ServiceConfig, Store};
use lanes_simulator::MODEL;

use super::figures::{cpu, resident_kb};
use super::simulator::{Simulator, lasting_port};
use crate::soak::{accounts, carry_out, compete, create};
use crate::table::Row;

const CALLS: u32 = 50_000;
const LANES: u32 = 100;
/// Requests of another program with the same key, which are refused and cause refusals.
const OTHERS: u32 = 10_000;
/// The second endpoint is gone from so many calls that have ended to so many.
const GONE: [u32; 2] = [CALLS / 5, CALLS / 10 * 3];
/// Both together do less than the lanes could.
const FLAGS: [&str; 13] = [
    "--latency",
    "lognormal:mean=100ms,cv=0.6",
    "--rpm",
    "20000",
    "--burst",
    "20",
    "--error-rate",
    "0.05",
    "--hang-rate",
    "0.02",
    "--truncate-rate",
    "0.02",
    // Each simulator has its own, or one would fail at what another has just failed at.
    "--seed",
];

fn provider(url: &str, replica: &str) -> ProviderConfig {
    ProviderConfig {
        id: "simulator".to_owned(),
        name: "Simulator".to_owned(),
        base_url: url.to_owned(),
        replicas: vec![replica.to_owned()],
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: None,
        models: vec![MODEL.to_owned()],
        simulated: true,
        // A call that hangs is to cost a second, not a minute.
        timeouts: Timeouts { first_token: Duration::from_secs(1), ..Timeouts::default() },
        rpm: None,
        tpm: None,
        extra_headers: Vec::new(),
    }
}

async fn service(store: &Store, provider: &ProviderConfig) -> Service {
    let config = ServiceConfig {
        parallel: true,
        store: store.clone(),
        providers: vec![provider.clone()],
        limits: Limits::default(),
        resume: ResumePolicy::Ask,
        latency_problem: |_| None,
        observers: Vec::new(),
        extractor: lanes_service::Extractor::in_process(),
    };
    Service::open(config).await.expect("a service")
}

/// The soak's figures.
pub async fn rows() -> Vec<Row> {
    let port = lasting_port();
    let simulator = |port, seed| Simulator::at(port, &[&FLAGS[..], &[seed]].concat());
    let first = simulator(0, "1");
    let mut second = Some(simulator(port, "2"));
    let mut of_second = Vec::new();
    let provider = provider(&first.url, &format!("http://127.0.0.1:{port}/v1"));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(&folder.path().join("lanes.db")).await.expect("a store");
    let run = create(&store, &provider, CALLS, LANES).await;
    let service = service(&store, &provider).await;
    // The simulator's first answer waits for its tokenizer.
    compete(&provider, 1).await;

    let mut memory = Vec::new();
    let before = cpu();
    let follow = carry_out(&service, &run, |ended| {
        if ended == GONE[0] {
            of_second.extend(second.take().map(Simulator::requests));
        } else if ended == GONE[1] {
            second = Some(simulator(port, "3"));
        }
        if [CALLS / 10, CALLS / 2, CALLS].contains(&ended) {
            println!("{ended} of {CALLS} calls have ended");
            memory.push(resident_kb());
        }
    });
    tokio::join!(follow, compete(&provider, OTHERS));
    let cpu = cpu() - before;
    service.shutdown().await;

    let accounts = accounts(&store.events(&run, Seq(0), u32::MAX).await.expect("the log"));
    store.close().await;
    assert_eq!(accounts.answered + accounts.failed, CALLS, "each call ended once");
    of_second.extend(second.map(Simulator::requests));
    let of_first = first.requests() - u64::from(OTHERS) - 1;
    let received = of_first + of_second.iter().sum::<u64>();
    let nobody = accounts.failures(FailureKind::Unreachable);
    // What was on its way to the second one when it stopped may not have been read there.
    let unread = (accounts.started - nobody).checked_sub(received).expect("no request without one");
    assert!(unread <= u64::from(LANES), "each attempt is one request: {unread} are missing");
    assert!(of_second.len() == 2 && of_second[1] > 0, "the second one was used again");

    let failures: Vec<_> = accounts.failures.iter().map(|(why, n)| format!("{n} {why}")).collect();
    let mb = |kb: u64| format!("{:.0} MB", kb as f64 / 1e3);
    let growth = memory[2].saturating_sub(memory[1]) as f64 / f64::from(CALLS / 2);
    vec![
        Row {
            what: "Soak: calls ended once and only once",
            how: format!(
                "two endpoints with 5 % errors, 2 % hangs, 2 % cut answers and 20,000 rpm, at most 20 at \
                 once, each; the second one stopped after {} calls and started again after {}; another \
                 program with {OTHERS} requests: {} answered, {} failed for good, in {:.0} s on {LANES} \
                 lanes; attempts in their order, the ledger's sum = lanes × wall time to the microsecond",
                GONE[0],
                GONE[1],
                accounts.answered,
                accounts.failed,
                accounts.wall.0 as f64 / 1e6
            ),
            measured: format!("{} of {CALLS}", accounts.answered + accounts.failed),
            goal: "all",
        },
        Row {
            what: "Soak: requests that the endpoints received ÷ attempts in the log that found one",
            how: format!(
                "{received} and {} of {}: {unread} were cut off when the second one stopped, and {nobody} \
                 found nobody there; failed attempts: {}; refused {:.2} %",
                accounts.started - nobody,
                accounts.started,
                failures.join(", "),
                100.0 * accounts.failures(FailureKind::RateLimited) as f64
                    / accounts.started as f64
            ),
            measured: format!("{:.4}", received as f64 / (accounts.started - nobody) as f64),
            goal: "1",
        },
        Row {
            what: "Soak: requests to the second endpoint after it was back",
            how: format!(
                "{} before it stopped, {of_first} at the first one; its breaker opened {} times; answers \
                 {} and {}",
                of_second[0],
                accounts.opened,
                accounts.routes.get(&0).unwrap_or(&0),
                accounts.routes.get(&1).unwrap_or(&0)
            ),
            measured: format!("{}", of_second[1]),
            goal: "used again",
        },
        Row {
            what: "Soak: resident memory per call, from half to all of the calls",
            how: format!(
                "{} after a tenth, {} after half, {} after all; what grows is the run's own state, its \
                 answers and attempts, kept while it goes on; CPU time per call {:.2} ms",
                mb(memory[0]),
                mb(memory[1]),
                mb(memory[2]),
                cpu.as_secs_f64() * 1e3 / f64::from(CALLS)
            ),
            measured: format!("{growth:.2} kB"),
            goal: "the run's state",
        },
    ]
}
