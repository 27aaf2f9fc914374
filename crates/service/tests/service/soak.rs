//! A run of many calls through the whole service, and the proof that each was accounted for exactly
//! once. Shared with `make soak`, which makes it long.
//!
//! A run that somebody asks for has a handful of calls. This one is put into the store as it stands
//! before its first call, and taken up by a service that finds it there.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::StreamExt;
use lanes_model::{
    Attempt, AttemptEnd, CallEnd, CallId, CallStatus, DocumentId, DocumentInfo, EventKind,
    FailureKind, Ledger, Micros, Mode, Plan, RouteInfo, RunEvent, RunHeader, RunId, RunSpec,
    RunState, RunSummary, Seq, Task, TaskId, segments, task::TEXT_PLACEHOLDER,
};
use lanes_provider::{ChatRequest, Client, ProviderConfig, Timeouts};
use lanes_service::{Service, Store, WatchItem};
use lanes_simulator::MODEL;

const TEXT: &str = "the harbour was quiet that morning, and the boats left late for the sea.";

/// Puts a run of so many calls on so many lanes into the store, for that provider.
pub async fn create(store: &Store, provider: &ProviderConfig, calls: u32, lanes: u32) -> RunId {
    create_with(store, provider, calls, lanes, |_| ()).await
}

/// The same, with a header that has been changed.
pub async fn create_with(
    store: &Store,
    provider: &ProviderConfig,
    calls: u32,
    lanes: u32,
    change: impl FnOnce(&mut RunHeader),
) -> RunId {
    let client = Client::new(provider.clone()).expect("a client");
    let tasks: Vec<_> = (0..calls).map(task).collect();
    let document = DocumentInfo {
        id: DocumentId::from("document"),
        name: "A text".to_owned(),
        bytes: TEXT.len() as u64,
        tokens: 16,
    };
    let mut header = RunHeader {
        id: RunId::from("soak"),
        title: "A soak".to_owned(),
        created_at: "2026-11-21T10:00:00Z".to_owned(),
        spec: RunSpec::plain(Mode::Parallel, lanes, &provider.id, MODEL, &tasks),
        tasks,
        documents: vec![document.clone()],
        provider: client.info(MODEL),
        routes: routes(provider),
        plan: Plan::new(Mode::Parallel, false, lanes, calls, 1),
    };
    change(&mut header);
    let kind = EventKind::RunCreated { header: Box::new(header.clone()) };
    let state = RunState::begin(&RunEvent { seq: Seq(1), at: Micros::ZERO, kind });
    let summary = RunSummary::of(&state.expect("the first event"));
    let texts = [(document, TEXT.to_owned())];
    store.create_run(&header, &summary, &texts, None).await.expect("the run is created");
    header.id
}

/// The endpoints of a provider, where there are several.
fn routes(provider: &ProviderConfig) -> Vec<RouteInfo> {
    let route = |url: &String| RouteInfo {
        provider: provider.id.clone(),
        name: format!("{} · {url}", provider.name),
        model: MODEL.to_owned(),
        simulated: true,
    };
    match provider.replicas.as_slice() {
        [] => Vec::new(),
        replicas => std::iter::once(&provider.base_url).chain(replicas).map(route).collect(),
    }
}

fn task(call: u32) -> Task {
    Task {
        id: TaskId(format!("part-{call}")),
        name: format!("Part {call}"),
        system_message: "Summarize the text in one sentence.".to_owned(),
        prompt: format!("Part {call}: {TEXT_PLACEHOLDER}"),
        max_tokens: 8,
        ..Task::default()
    }
}

/// Takes the run up and follows it to its end, as one viewer would; `ended` hears how many calls have
/// ended, each time another one has.
pub async fn carry_out(service: &Service, run: &RunId, mut ended: impl FnMut(u32)) {
    service.resume(run).await.expect("the run is taken up");
    let mut stream = pin!(service.watch(run, Seq(0)).await.expect("a stream"));
    let (mut last, mut count) = (Seq(0), 0);
    while let Some(item) = stream.next().await {
        match item.expect("an item") {
            WatchItem::Event(event) => {
                assert_eq!(event.seq, last.next(), "the stream has no hole and repeats nothing");
                last = event.seq;
                if matches!(event.kind, EventKind::CallEnded { .. }) {
                    count += 1;
                    ended(count);
                }
            }
            WatchItem::End(seq) => return assert_eq!(seq, last),
            WatchItem::Progress(_) | WatchItem::Clock(_) | WatchItem::Trouble(_) => {}
        }
    }
    panic!("the stream stopped without an end");
}

/// What became of a run.
#[derive(Debug, Default)]
pub struct Accounts {
    /// Requests that were begun.
    pub started: u64,
    /// Calls with an answer.
    pub answered: u32,
    /// Calls without.
    pub failed: u32,
    /// Attempts that failed, by the words for why.
    pub failures: BTreeMap<&'static str, u64>,
    /// Answers by each route.
    pub routes: BTreeMap<u16, u32>,
    /// How often a circuit breaker opened.
    pub opened: u32,
    /// From the start of the pass to its end.
    pub wall: Micros,
}

impl Accounts {
    /// Attempts that failed for that reason.
    pub fn failures(&self, kind: FailureKind) -> u64 {
        self.failures.get(kind.label()).copied().unwrap_or_default()
    }
}

/// A call as its events go by.
#[derive(Default)]
struct Account {
    /// Attempts begun.
    attempts: u32,
    /// Whether the last of them is under way.
    open: bool,
    /// Where the last of them went.
    route: u16,
    /// Whether the last of them was answered.
    answered: bool,
    ended: bool,
}

/// Goes through a log and checks that each call began its attempts one after the other, ended each
/// once, and itself ended once, as its last attempt did; and that the time of every lane is in the
/// ledger once.
pub fn accounts(log: &[RunEvent]) -> Accounts {
    let mut accounts = Accounts::default();
    let state = RunState::fold(log).expect("a log without gaps");
    let mut calls: Vec<Account> = Vec::new();
    calls.resize_with(state.header.plan.calls.len(), Account::default);
    for event in log {
        match &event.kind {
            EventKind::AttemptStarted { call, attempt: Attempt { number, .. }, route, .. } => {
                let account = &mut calls[call.index()];
                assert!(!account.ended && !account.open, "{event:?} begins too much");
                assert_eq!(*number, account.attempts + 1, "{event:?} is out of its turn");
                *account =
                    Account { attempts: *number, open: true, route: route.0, ..Account::default() };
                accounts.started += 1;
            }
            EventKind::AttemptEnded { call, number, end, .. } => {
                let account = &mut calls[call.index()];
                assert!(account.open && *number == account.attempts, "{event:?} ends nothing");
                account.open = false;
                match end {
                    AttemptEnd::Succeeded { .. } => {
                        account.answered = true;
                        *accounts.routes.entry(account.route).or_default() += 1;
                    }
                    AttemptEnd::Failed { failure, .. } => {
                        *accounts.failures.entry(failure.kind.label()).or_default() += 1;
                    }
                    AttemptEnd::Cancelled { .. } => panic!("{event:?}: nobody cancelled anything"),
                }
            }
            EventKind::CallEnded { call, end, .. } => {
                let account = &mut calls[call.index()];
                assert!(!account.open && !account.ended, "{event:?} ends a call twice or too soon");
                account.ended = true;
                let answered = matches!(end, CallEnd::Succeeded { .. });
                assert_eq!(answered, account.answered, "{event:?} is not how its attempt ended");
                *(if answered { &mut accounts.answered } else { &mut accounts.failed }) += 1;
            }
            _ => {}
        }
    }
    assert!(calls.iter().all(|c| c.ended), "every call has ended");
    let pass = &state.passes[0];
    for (call, (account, folded)) in (0..).map(CallId).zip(calls.iter().zip(&pass.calls)) {
        assert_eq!(folded.attempts.len(), account.attempts as usize, "{call:?}");
        assert_eq!(folded.status() == CallStatus::Succeeded, account.answered, "{call:?}");
    }
    accounts.opened = state.routes.iter().map(|r| r.opened).sum();
    accounts.wall = pass.wall(state.latest);
    let total = Ledger::of(&segments(&state.header.plan, pass, state.latest)).total();
    assert_eq!(total, Micros(accounts.wall.0 * u64::from(pass.lanes)), "the ledger's sum");
    accounts
}

/// Another program with the same key: sends so many requests as fast as they are answered or refused.
pub async fn compete(provider: &ProviderConfig, requests: u32) {
    const AT_ONCE: u32 = 8;
    let patient = ProviderConfig { timeouts: Timeouts::default(), ..provider.clone() };
    let client = Client::new(patient).expect("a client");
    let tasks: Vec<_> = (0..AT_ONCE)
        .map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                for number in (task..requests).step_by(AT_ONCE as usize) {
                    let result = client.chat(&other(number), |_| ()).await;
                    let arrived = result.as_ref().err().is_none_or(|f| f.http_status.is_some());
                    assert!(arrived, "the simulator has seen it: {result:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
}

/// A question without faults and without waits.
fn other(number: u32) -> ChatRequest {
    let header = |name: &str, value: &str| (format!("x-simulate-{name}"), value.to_owned());
    ChatRequest {
        model: MODEL.to_owned(),
        system: String::new(),
        user: format!("Question {number}"),
        max_tokens: 1,
        images: Vec::new(),
        headers: vec![
            header("latency", "none"),
            header("error-rate", "0"),
            header("hang-rate", "0"),
            header("truncate-rate", "0"),
        ],
        ..ChatRequest::default()
    }
}
