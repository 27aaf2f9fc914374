//! One pass through the engine, put together as the service does it and with its own parts: texts
//! and events in SQLite, every committed event folded for those who watch.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{
    Asked, CallRequest, Clock, Job, RecordSource, RetryPolicy, RunClock, RunControl, RunRoutes,
    Target, TargetLimits, execute, routes::Changes,
};
use lanes_model::{
    AttemptResult, AttemptState, CallId, DocumentId, DocumentInfo, EventKind, Failure, FailureKind,
    Micros, Mode, Plan, Priority, RunEvent, RunHeader, RunId, RunSpec, RunState, RunStatus,
    RunSummary, Seq, Task, TaskId, task::TEXT_PLACEHOLDER,
};
use lanes_provider::{Client, ProviderConfig, Timeouts};
use lanes_simulator::MODEL;
use lanes_store::{EventWriter, Store};

use super::Load;
use super::figures::{Pass, Span, cpu, resident_kb};
use crate::adapter::{LogSink, Route, RoutedProvider};
use crate::hub::Hub;
use crate::records::StoredRecords;

/// The system message of every call.
pub const INSTRUCTION: &str = "Summarize the text in one sentence.";

/// The run's one text, as a run has it today; its calls are as many tasks on it.
const TEXT: &str = "the harbour was quiet that morning, and the boats left late for the sea.";

/// The user message of a call; no two are the same, because latencies follow from what is asked.
pub fn message(call: u32) -> String {
    task(0, call).user_message(TEXT)
}

/// One pass.
pub async fn pass(load: &Load, url: &str) -> Pass {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(&folder.path().join("lanes.db")).await.expect("a store");
    let client = client(load, url);
    let (target, limiter) = limited(&client);
    let rates = target.rates(0).expect("an endpoint");
    let client = client.listened_to(Arc::new(move |told| rates.observe(told)));
    let header = header(load, &client);
    let state = create(&store, &header).await;
    tokio::task::spawn_blocking(lanes_provider::tokens::warm_up).await.expect("the tables");

    let hub = Arc::new(Hub::new(Vec::new()));
    let publish = Arc::clone(&hub);
    let (writer, _) = EventWriter::spawn(store.clone(), move |run, event| {
        publish.committed(run, event);
    });
    let clock: Arc<dyn Clock> = Arc::new(RunClock::starting_at(Micros::ZERO));
    let control = RunControl::new();
    let live = (Arc::clone(&clock), control.clone(), Arc::clone(&limiter));
    hub.insert(header.id.clone(), state.clone(), live.0, live.1, live.2);
    let records = StoredRecords::new(store.clone(), Arc::new(header.clone()), None, false);
    let route = Route { client, model: MODEL.to_owned(), price: None, headers: Vec::new() };
    let job = Job {
        state,
        provider: Arc::new(RoutedProvider::new(vec![route], &header.id, None)),
        records: Arc::new(Apart { records, lanes: load.lanes, apart: load.apart }),
        sink: Arc::new(LogSink {
            run: header.id.clone(),
            writer: writer.clone(),
            hub: Arc::clone(&hub),
        }),
        clock,
        limiter,
        retry: RetryPolicy::default(),
        cache: None,
        control,
    };
    let (cpu_before, began) = (cpu(), Instant::now());
    let status = tokio::spawn(execute(job)).await.expect("no panic");
    writer.flush().await.expect("the log is written");
    let (wall, cpu, resident_kb) = (began.elapsed(), cpu() - cpu_before, resident_kb());
    assert_eq!(status, RunStatus::Succeeded);

    let (state, _) = hub.state(&header.id).expect("the run's state");
    hub.remove(&header.id);
    let calls = spans(&state);
    let refused = refused(&state);
    let refills = refills(&store.events(&header.id, Seq(0), u32::MAX).await.expect("the log"));
    store.close().await;
    Pass { wall, cpu, resident_kb, calls, refused, refills }
}

/// What keeps to the provider's limits, as the service puts it together.
fn limited(client: &Client) -> (Arc<Target>, Arc<RunRoutes>) {
    let limits = TargetLimits { rpm: client.info(MODEL).rpm, ..TargetLimits::default() };
    let target = Arc::new(Target::new(limits, 1, Changes::default()));
    let routes = RunRoutes::new(vec![Arc::clone(&target)], Priority::Interactive);
    (target, Arc::new(routes))
}

fn client(load: &Load, url: &str) -> Client {
    Client::new(ProviderConfig {
        id: "simulator".to_owned(),
        name: "Simulator".to_owned(),
        base_url: url.to_owned(),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: None,
        models: vec![MODEL.to_owned()],
        simulated: true,
        timeouts: Timeouts::default(),
        rpm: load.rpm,
        tpm: None,
        extra_headers: Vec::new(),
    })
    .expect("a client")
}

fn header(load: &Load, client: &Client) -> RunHeader {
    let tasks: Vec<_> = (0..load.calls).map(|call| task(load.tokens, call)).collect();
    RunHeader {
        id: RunId::from("load"),
        title: "A load".to_owned(),
        created_at: "2026-11-21T10:00:00Z".to_owned(),
        spec: RunSpec::plain(Mode::Parallel, load.lanes, "simulator", MODEL, &tasks),
        tasks,
        documents: vec![DocumentInfo {
            id: DocumentId::from("document"),
            name: "A text".to_owned(),
            bytes: TEXT.len() as u64,
            tokens: 16,
        }],
        provider: client.info(MODEL),
        routes: Vec::new(),
        plan: Plan::new(Mode::Parallel, false, load.lanes, load.calls, 1),
    }
}

fn task(tokens: u32, call: u32) -> Task {
    Task {
        id: TaskId(format!("part-{call}")),
        name: format!("Part {call}"),
        system_message: INSTRUCTION.to_owned(),
        prompt: format!("Part {call}: {TEXT_PLACEHOLDER}"),
        max_tokens: tokens,
        ..Task::default()
    }
}

/// Puts the run into the store, with its texts.
async fn create(store: &Store, header: &RunHeader) -> RunState {
    let kind = EventKind::RunCreated { header: Box::new(header.clone()) };
    let state = RunState::begin(&RunEvent { seq: Seq(1), at: Micros::ZERO, kind });
    let state = state.expect("the first event");
    let texts = [(header.documents[0].clone(), TEXT.to_owned())];
    let summary = RunSummary::of(&state);
    let created = store.create_run(header, &summary, &texts, None);
    created.await.expect("the run is created");
    state
}

/// Holds the first call of each lane back for its turn.
struct Apart {
    records: StoredRecords,
    lanes: u32,
    apart: Duration,
}

impl RecordSource for Apart {
    fn request(
        &self,
        call: CallId,
        asked: Asked,
    ) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>> {
        let request = self.records.request(call, asked);
        if call.0 >= self.lanes || self.apart.is_zero() {
            return request;
        }
        let wait = self.apart * call.0;
        async move {
            tokio::time::sleep(wait).await;
            request.await
        }
        .boxed()
    }
}

fn attempts(state: &RunState) -> impl Iterator<Item = &AttemptState> {
    state.passes.iter().flat_map(|p| &p.calls).flat_map(|c| &c.attempts)
}

/// Attempts that the provider's rate limit refused.
fn refused(state: &RunState) -> u64 {
    let failures = attempts(state).filter_map(|a| a.failure.as_ref());
    failures.filter(|f| f.kind == FailureKind::RateLimited).count() as u64
}

/// The answered calls by the log's times.
fn spans(state: &RunState) -> Vec<Span> {
    let spans: Vec<_> = attempts(state)
        .filter(|a| a.result == AttemptResult::Succeeded)
        .map(|a| Span { start: a.start.into(), end: a.end.expect("an end").into() })
        .collect();
    assert_eq!(spans.len(), state.header.plan.calls.len(), "one answer a call");
    spans
}

/// On each lane, from the end of a call to the start of the next one. Calls were ready all along, up
/// to the last one that started.
fn refills(log: &[RunEvent]) -> Vec<Duration> {
    let (mut lanes, mut free) = (HashMap::new(), HashMap::new());
    let mut refills = Vec::new();
    for event in log {
        match &event.kind {
            EventKind::AttemptStarted { call, lane, .. } => {
                lanes.insert(*call, *lane);
                if let Some(end) = free.remove(lane) {
                    refills.push(event.at.since(end).into());
                }
            }
            EventKind::AttemptEnded { call, .. } => {
                free.insert(lanes[call], event.at);
            }
            _ => {}
        }
    }
    refills
}
