//! Two stages on two endpoints of different speed: each record goes on as soon as its own answer is
//! there, against a second stage that begins when the first one is over.

use std::time::Duration;

use lanes_model::{Fallback, Micros, PlannedStage, RunId, StageId, Task, task::TEXT_PLACEHOLDER};
use lanes_service::{Service, Store};
use lanes_simulator::MODEL;

use super::batch::{named, opened, progress, put, task};
use super::simulator::Simulator;
use crate::table::Row;

const RECORDS: u32 = 1_000;
/// The slow endpoint takes twice as long and twice as many at once: both stages are as much work.
const SLOW: (&str, u32) = ("slow", 50);
const FAST: (&str, u32) = ("fast", 25);

fn stage(id: &str, task: u32, needs: &[u16], (provider, most): (&str, u32)) -> PlannedStage {
    PlannedStage {
        id: StageId(id.to_owned()),
        name: id.to_owned(),
        tasks: vec![task],
        needs: needs.to_vec(),
        concurrency: Some(most),
        providers: vec![Fallback { provider: provider.to_owned(), model: MODEL.to_owned() }],
        ..PlannedStage::default()
    }
}

/// Puts a run of these stages into the store; the service that is opened over it finds it interrupted.
async fn made(store: &Store, name: &str, tasks: Vec<Task>, stages: Vec<PlannedStage>) -> RunId {
    let provider = named(SLOW.0, "http://127.0.0.1:9/v1");
    put(store, &provider, (name, SLOW.1 + FAST.1), tasks, stages, RECORDS).await
}

/// Carries a run out, and says how long it took.
async fn wall(service: &Service, run: &RunId) -> Micros {
    service.resume(run).await.expect("it goes on");
    while progress(service, run).await.1.is_live() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let reader = service.reader(run).await.expect("the run");
    reader.read(|state, _, _| state.passes[0].wall(state.latest))
}

/// How much sooner the records are through when they need not wait for one another.
pub async fn row() -> Row {
    let slow = Simulator::start("lognormal:mean=200ms,cv=0.6");
    let fast = Simulator::start("lognormal:mean=100ms,cv=0.6");
    slow.warm_up().await;
    fast.warm_up().await;
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(&folder.path().join("lanes.db")).await.expect("a store");
    let read = || task("read", TEXT_PLACEHOLDER);
    let judge = |prompt| task("judge", prompt);
    let both = vec![stage("read", 0, &[], SLOW), stage("judge", 1, &[0], FAST)];
    let through = made(&store, "through", vec![read(), judge("{{read.output}}")], both).await;
    let first = made(&store, "first", vec![read()], vec![stage("read", 0, &[], SLOW)]).await;
    let then = vec![stage("judge", 0, &[], FAST)];
    let then = made(&store, "then", vec![judge(TEXT_PLACEHOLDER)], then).await;

    let providers = vec![named(SLOW.0, &slow.url), named(FAST.0, &fast.url)];
    let service = opened(store.clone(), providers).await;
    let through = wall(&service, &through).await;
    let first = wall(&service, &first).await;
    let then = wall(&service, &then).await;
    service.shutdown().await;
    store.close().await;
    let barrier = first + then;
    Row {
        what: "Two stages on two endpoints: a barrier's time ÷ ours",
        how: format!(
            "{RECORDS} records, {} at once at 200 ms, then {} at once at 100 ms: {:.2} s with each \
             record by itself, {:.2} + {:.2} s with the second stage after the first",
            SLOW.1,
            FAST.1,
            through.as_secs_f64(),
            first.as_secs_f64(),
            then.as_secs_f64()
        ),
        measured: format!("{:.2}", barrier.as_secs_f64() / through.as_secs_f64()),
        goal: "≥ 1.4",
    }
}
