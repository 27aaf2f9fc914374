//! A large run through the whole service: 20,000 records in three stages, and how soon one of 10,000 is
//! going on again after a start.

use std::time::{Duration, Instant};

use lanes_model::{
    DocumentId, DocumentInfo, EventKind, Limits, Micros, Mode, Plan, PlannedStage, RunEvent,
    RunHeader, RunId, RunSpec, RunState, RunStatus, RunSummary, Seq, StageId, Task, TaskId,
    bound_attained, lower_bound, task::TEXT_PLACEHOLDER,
};
use lanes_provider::{Client, ProviderConfig, Timeouts};
use lanes_service::{ResumePolicy, Service, ServiceConfig, Store};
use lanes_simulator::MODEL;

use super::figures::resident_kb;
use super::pipelined;
use super::simulator::Simulator;
use crate::table::Row;

const LANES: u32 = 200;
const LATENCY: &str = "lognormal:mean=200ms,cv=0.6";

fn provider(url: &str) -> ProviderConfig {
    named("simulator", url)
}

/// A provider of that id.
pub(super) fn named(id: &str, url: &str) -> ProviderConfig {
    ProviderConfig {
        id: id.to_owned(),
        name: id.to_owned(),
        base_url: url.to_owned(),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: None,
        models: vec![MODEL.to_owned()],
        simulated: true,
        timeouts: Timeouts::default(),
        rpm: None,
        tpm: None,
        extra_headers: Vec::new(),
    }
}

pub(super) fn task(name: &str, prompt: &str) -> Task {
    Task {
        id: TaskId(name.to_owned()),
        name: name.to_owned(),
        system_message: "Summarize the text in one sentence.".to_owned(),
        prompt: prompt.to_owned(),
        max_tokens: 8,
        ..Task::default()
    }
}

/// Puts a run of so many records in three stages into the store: each stage needs the one before.
async fn create(store: &Store, provider: &ProviderConfig, records: u32) -> RunId {
    let tasks = vec![
        task("clean", TEXT_PLACEHOLDER),
        task("judge", "{{clean.output}}"),
        task("report", "{{judge.output}}"),
    ];
    let stages = (0_u16..).zip(["clean", "judge", "report"]).map(|(place, id)| PlannedStage {
        id: StageId(id.to_owned()),
        name: id.to_owned(),
        tasks: vec![u32::from(place)],
        needs: place.checked_sub(1).into_iter().collect(),
        ..PlannedStage::default()
    });
    put(store, provider, ("batch", LANES), tasks, stages.collect(), records).await
}

/// Puts a run of this name, on so many lanes, of these stages over so many records into the store.
pub(super) async fn put(
    store: &Store,
    provider: &ProviderConfig,
    (name, lanes): (&str, u32),
    tasks: Vec<Task>,
    stages: Vec<PlannedStage>,
    records: u32,
) -> RunId {
    let client = Client::new(provider.clone()).expect("a client");
    let text =
        |i: u32| format!("Record {i}: the harbour was quiet, and boat {i} left late for the sea.");
    let documents: Vec<_> = (0..records)
        .map(|i| DocumentInfo {
            id: DocumentId(format!("record-{i}")),
            name: format!("Record {i}"),
            bytes: text(i).len() as u64,
            tokens: 18,
        })
        .collect();
    let plan = Plan::of_stages(Mode::Parallel, false, lanes, stages, records);
    let header = RunHeader {
        id: RunId::from(name),
        title: "A batch".to_owned(),
        created_at: "2026-11-21T10:00:00Z".to_owned(),
        spec: RunSpec::plain(Mode::Parallel, lanes, &provider.id, MODEL, &tasks),
        tasks,
        documents: documents.clone(),
        provider: client.info(MODEL),
        routes: Vec::new(),
        plan,
    };
    let kind = EventKind::RunCreated { header: Box::new(header.clone()) };
    let state = RunState::begin(&RunEvent { seq: Seq(1), at: Micros::ZERO, kind });
    let summary = RunSummary::of(&state.expect("the first event"));
    let texts: Vec<_> = (0..).map(text).zip(documents).map(|(text, d)| (d, text)).collect();
    store.create_run(&header, &summary, &texts, None).await.expect("the run is created");
    header.id
}

async fn open(store: Store, provider: &ProviderConfig) -> Service {
    opened(store, vec![provider.clone()]).await
}

/// The service over these providers.
pub(super) async fn opened(store: Store, providers: Vec<ProviderConfig>) -> Service {
    let limits = Limits { max_concurrency: LANES, ..Limits::default() };
    Service::open(ServiceConfig {
        parallel: true,
        store,
        providers,
        limits,
        resume: ResumePolicy::Ask,
        latency_problem: |_| None,
        observers: Vec::new(),
        extractor: lanes_service::Extractor::in_process(),
    })
    .await
    .expect("a service")
}

/// How many calls have ended, and how the run stands.
pub(super) async fn progress(service: &Service, run: &RunId) -> (u32, RunStatus) {
    let reader = service.reader(run).await.expect("the run");
    reader.read(|state, batch, _| (batch.counts().succeeded, state.status))
}

/// All figures of large runs.
pub async fn rows() -> Vec<Row> {
    let mut rows = whole().await;
    rows.push(resumed().await);
    rows.push(pipelined::row().await);
    rows
}

async fn whole() -> Vec<Row> {
    const RECORDS: u32 = 20_000;
    let simulator = Simulator::start(LATENCY);
    simulator.warm_up().await;
    let provider = provider(&simulator.url);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("lanes.db");
    let store = Store::open(&file).await.expect("a store");
    let run = create(&store, &provider, RECORDS).await;
    let size = || {
        let files = std::fs::read_dir(folder.path()).expect("a directory").flatten();
        files.filter_map(|f| Some(f.metadata().ok()?.len())).sum::<u64>()
    };
    let before = size();
    let service = open(store.clone(), &provider).await;
    service.resume(&run).await.expect("it goes on");
    let mut most = 0;
    while progress(&service, &run).await.1.is_live() {
        most = most.max(resident_kb());
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let reader = service.reader(&run).await.expect("the run");
    let (attained, wall, answered) = reader.read(|state, batch, _| {
        let pass = &state.passes[0];
        let wall = pass.wall(state.latest);
        let bound = lower_bound(&state.header.plan, pass, None, None).expect("a bound");
        (bound_attained(bound, wall), wall, batch.counts().succeeded)
    });
    drop(reader);
    assert_eq!(answered, 3 * RECORDS);
    service.shutdown().await;
    store.close().await;
    let growth = (size() - before) / u64::from(3 * RECORDS);
    vec![
        Row {
            what: "20,000 records × 3 stages: share of the lower bound",
            how: format!(
                "the whole service, {LANES} lanes, answers of 8 pieces in 200 ms on average (cv 0.6), \
                 60,000 calls in {:.1} s",
                wall.as_secs_f64()
            ),
            measured: format!("{:.1} %", attained.unwrap_or_default() * 100.0),
            goal: "≥ 97 %",
        },
        Row {
            what: "20,000 records × 3 stages: resident memory",
            how: "the most of samples four times a second while the run goes on, with the \
                  tokenizer's tables; the bench's own program is part of it, and so is \
                  what other benches before it left: LANES_BENCH_ONLY=batch measures it alone"
                .to_owned(),
            measured: format!("{:.0} MB", most as f64 / 1e3),
            goal: "≤ 200 MB",
        },
        Row {
            what: "20,000 records × 3 stages: log per call",
            how: "growth of the database with its write-ahead log ÷ calls, answers included"
                .to_owned(),
            measured: format!("{growth} bytes"),
            goal: "–",
        },
    ]
}

async fn resumed() -> Row {
    const RECORDS: u32 = 10_000;
    let simulator = Simulator::start("fixed:50ms");
    simulator.warm_up().await;
    let provider = provider(&simulator.url);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("lanes.db");
    let store = Store::open(&file).await.expect("a store");
    let run = create(&store, &provider, RECORDS).await;
    let service = open(store.clone(), &provider).await;
    service.resume(&run).await.expect("it goes on");
    while progress(&service, &run).await.0 < 3 * RECORDS / 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    service.shutdown().await;
    let (done, _) = progress(&service, &run).await;
    drop(service);
    store.close().await;

    let began = Instant::now();
    let store = Store::open(&file).await.expect("a store");
    let service = open(store.clone(), &provider).await;
    service.resume(&run).await.expect("it goes on");
    let open_ms = began.elapsed();
    while progress(&service, &run).await.0 <= done {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let first = began.elapsed();
    service.shutdown().await;
    store.close().await;
    Row {
        what: "Start to going on again, a run of 10,000 records half done",
        how: format!(
            "{done} of {} calls were answered; the first answer came {:.2} s after the start",
            3 * RECORDS,
            first.as_secs_f64()
        ),
        measured: format!("{:.2} s", open_ms.as_secs_f64()),
        goal: "≤ 2 s",
    }
}
