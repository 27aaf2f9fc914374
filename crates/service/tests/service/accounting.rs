//! A short soak: whatever fails on the way, each call is accounted for exactly once.

use std::time::Duration;

use lanes_model::{FailureKind, Seq};
use lanes_service::Store;
use lanes_simulator::SimulatorConfig;

use crate::soak::{accounts, carry_out, compete, create};
use crate::support::{asked, provider, service, simulator};

const CALLS: u32 = 2_000;
/// Requests of another program, which make for refusals.
const OTHERS: u32 = 500;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_thousand_calls_with_every_fault_each_is_accounted_for_once() {
    let (addr, stats) = simulator(SimulatorConfig {
        latency: "fixed:5ms".parse().unwrap(),
        // Enough for all, but not so many at once as there are lanes.
        rpm: Some(40_000),
        burst: Some(50),
        error_rate: 0.05,
        hang_rate: 0.02,
        truncate_rate: 0.02,
        ..SimulatorConfig::default()
    })
    .await;
    let mut config = provider(addr);
    config.timeouts.first_token = Duration::from_secs(1);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("lanes.db")).await.unwrap();
    let run = create(&store, &config, CALLS, 64).await;
    let service = service(store.clone(), config.clone()).await;
    // The simulator's first answer waits for its tokenizer.
    compete(&config, 1).await;
    let mut seen = 0;
    tokio::join!(carry_out(&service, &run, |count| seen = count), compete(&config, OTHERS));
    service.shutdown().await;

    let accounts = accounts(&store.events(&run, Seq(0), u32::MAX).await.unwrap());
    assert_eq!((seen, accounts.answered + accounts.failed), (CALLS, CALLS));
    assert_eq!(asked(&stats) as u64, accounts.started + u64::from(OTHERS) + 1);
    for kind in [FailureKind::ServerError, FailureKind::Timeout, FailureKind::TruncatedStream] {
        assert!(accounts.failures(kind) > 0, "{kind:?}: {accounts:?}");
    }
    assert!(accounts.answered > CALLS / 2, "{accounts:?}");
    store.close().await;
}
