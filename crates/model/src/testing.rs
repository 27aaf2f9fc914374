//! Logs of made-up runs for tests: a small simulation of an engine, driven by a [`Script`].
//!
//! Plausible logs come from [`scripts`] and [`simulate`]; [`nonsense_passes`] makes passes that no
//! engine would produce.

use std::collections::{BTreeSet, VecDeque};

use proptest::prelude::*;

use crate::provider::Pace;
use crate::*;

/// One attempt of a call as it is going to go.
#[derive(Debug, Clone, Copy)]
pub struct Try {
    /// Time to first token, µs.
    pub ttft: u64,
    /// Time of generating, µs.
    pub generating: u64,
    /// Whether it fails, and the wait before the next.
    pub fails: Option<u64>,
}

/// What is going to happen in a run.
#[derive(Debug, Clone)]
pub struct Script {
    /// Sequential, parallel or both.
    pub mode: Mode,
    /// Lanes of the parallel pass.
    pub lanes: u32,
    /// The attempts of each call, the same in each pass; after a last failure the call fails.
    pub calls: Vec<Vec<Try>>,
    /// The engine's time to start an attempt, µs.
    pub gap: u64,
    /// When the user cancels, µs.
    pub cancel: Option<u64>,
    /// When the program ends and is started again, µs.
    pub interrupt: Option<u64>,
}

/// A call without failures.
pub fn answered(ttft: u64, generating: u64) -> Vec<Try> {
    vec![Try { ttft, generating, fails: None }]
}

impl Script {
    /// A run of calls that all succeed in the times given, in milliseconds, half of which is time
    /// to first token.
    pub fn plain(mode: Mode, lanes: u32, ms: &[u64]) -> Self {
        let calls = ms.iter().map(|ms| answered(ms * 500, ms * 500)).collect();
        Self { mode, lanes, calls, gap: 0, cancel: None, interrupt: None }
    }
}

/// Random scripts.
pub fn scripts() -> impl Strategy<Value = Script> {
    let time = || prop_oneof![1 => Just(0), 8 => 1..5_000u64];
    let attempt = (time(), time(), prop::option::weighted(0.3, time()))
        .prop_map(|(ttft, generating, fails)| Try { ttft, generating, fails });
    let calls = prop::collection::vec(prop::collection::vec(attempt, 1..4), 1..20);
    let moment = || prop::option::weighted(0.3, 0..30_000u64);
    let mode = prop::sample::select(Mode::ALL.to_vec());
    (mode, 1..8u32, calls, 0..20u64, moment(), moment()).prop_map(
        |(mode, lanes, calls, gap, cancel, interrupt)| Script {
            mode,
            lanes,
            calls,
            gap,
            cancel,
            interrupt,
        },
    )
}

/// A header for `calls` documents with one task.
pub fn header(mode: Mode, lanes: u32, calls: u32) -> RunHeader {
    let tasks = task::built_in().into_iter().take(1).collect::<Vec<_>>();
    RunHeader {
        id: RunId::from("0199-test"),
        title: "Test".to_owned(),
        created_at: "2026-11-21T10:42:00Z".to_owned(),
        spec: RunSpec::plain(mode, lanes, "simulator", "simulated-mini", &tasks),
        tasks,
        documents: (0..calls)
            .map(|i| DocumentInfo {
                id: DocumentId(format!("{i:032x}")),
                name: format!("Text {i}"),
                bytes: 400,
                tokens: 100,
            })
            .collect(),
        provider: ProviderInfo {
            id: "simulator".to_owned(),
            name: "Simulated".to_owned(),
            simulated: true,
            models: vec!["simulated-mini".to_owned()],
            price: Some(Price {
                input_usd_micros_per_mtok: 150_000,
                cached_usd_micros_per_mtok: 75_000,
                output_usd_micros_per_mtok: 600_000,
            }),
            rpm: None,
            tpm: None,
            pace: Pace { ttft_us: 400_000, millitokens_per_s: 50_000, whole_us: 0, cv_permille: 0 },
        },
        routes: Vec::new(),
        plan: Plan::new(mode, false, lanes, 1, calls),
    }
}

/// A failure that can be retried.
pub fn failure() -> Failure {
    Failure {
        http_status: Some(503),
        ..Failure::new(FailureKind::ServerError, "HTTP 503 after 0.40 s")
    }
}

struct Log {
    events: Vec<RunEvent>,
    at: u64,
}

impl Log {
    fn push(&mut self, kind: EventKind) {
        let seq = Seq(self.events.len() as u64 + 1);
        self.events.push(RunEvent { seq, at: Micros(self.at), kind });
    }
}

/// An attempt under way: its end and its first token, if that is still to come.
struct Flight {
    end: u64,
    first_token: Option<u64>,
    lane: u16,
    call: u32,
    number: u32,
    attempt: Try,
    last: bool,
}

/// The state after the whole log of a script.
pub fn run(script: &Script) -> RunState {
    RunState::fold(&simulate(script)).unwrap()
}

/// The log of a script.
pub fn simulate(script: &Script) -> Vec<RunEvent> {
    let header = header(script.mode, script.lanes, script.calls.len() as u32);
    let mut log = Log { events: Vec::new(), at: 0 };
    let mut interrupt = script.interrupt;
    let plan = header.plan.clone();
    log.push(EventKind::RunCreated { header: Box::new(header) });
    log.push(EventKind::RunStarted);
    for (pass, p) in plan.passes() {
        simulate_pass(script, pass, p.lanes, &mut interrupt, &mut log);
        if script.cancel.is_some_and(|at| at <= log.at) {
            break;
        }
    }
    let status = RunState::fold(&log.events).unwrap().outcome();
    log.push(EventKind::RunEnded { status });
    log.events
}

fn simulate_pass(
    script: &Script,
    pass: PassId,
    lanes: u32,
    interrupt: &mut Option<u64>,
    log: &mut Log,
) {
    log.push(EventKind::PassStarted { pass, started_at: "2026-11-21T10:42:00Z".to_owned() });
    log.at += script.gap;
    let count = script.calls.len() as u32;
    log.push(EventKind::CallsQueued { pass, first: CallId(0), count });
    let mut free: BTreeSet<u16> = (0..lanes as u16).collect();
    let mut ready: VecDeque<u32> = (0..count).collect();
    let mut waiting: BTreeSet<(u64, u32)> = BTreeSet::new();
    let mut flights: Vec<Flight> = Vec::new();
    let mut numbers = vec![0usize; script.calls.len()];
    let mut open: BTreeSet<u32> = (0..count).collect();
    loop {
        while !free.is_empty() && !ready.is_empty() {
            let (lane, call) = (free.pop_first().unwrap(), ready.pop_front().unwrap());
            let tries = &script.calls[call as usize];
            let attempt = tries[numbers[call as usize].min(tries.len() - 1)];
            numbers[call as usize] += 1;
            let number = numbers[call as usize] as u32;
            log.at += script.gap;
            log.push(EventKind::AttemptStarted {
                pass,
                call: CallId(call),
                lane: LaneId(lane),
                attempt: Attempt { number, of: 9 },
                held: Micros::ZERO,
                held_by: HoldReason::RateLimit,
                route: RouteId::default(),
                hedge: false,
                redacted: 0,
            });
            let text = attempt.fails.is_none() || attempt.generating > 0;
            flights.push(Flight {
                end: log.at + attempt.ttft + attempt.generating,
                first_token: text.then_some(log.at + attempt.ttft),
                lane,
                call,
                number,
                attempt,
                last: number as usize >= tries.len(),
            });
        }
        let due_flight =
            flights.iter().enumerate().map(|(i, f)| (f.first_token.unwrap_or(f.end), i)).min();
        let due_wait = waiting.first().copied();
        let next = [due_flight.map(|f| f.0), due_wait.map(|w| w.0)].into_iter().flatten().min();
        let Some(next) = next else { break };
        let next = next.max(log.at);
        if let Some(at) = script.cancel.filter(|&at| at <= next) {
            log.at = log.at.max(at);
            return cancel(pass, &flights, &open, log);
        }
        if let Some(at) = interrupt.filter(|&at| at <= next) {
            *interrupt = None;
            log.at = log.at.max(at);
            log.push(EventKind::RunInterrupted);
            log.push(EventKind::RunResumed);
            ready.extend(flights.drain(..).map(|f| f.call));
            free = (0..lanes as u16).collect();
            continue;
        }
        log.at = next;
        match (due_flight, due_wait) {
            (Some((at, i)), wait) if wait.is_none_or(|w| at <= w.0) => {
                if flights[i].first_token.take().is_some() {
                    let Flight { call, number, .. } = flights[i];
                    log.push(EventKind::FirstToken { pass, call: CallId(call), number });
                    continue;
                }
                let f = flights.remove(i);
                free.insert(f.lane);
                let again = f.attempt.fails.filter(|_| !f.last);
                end_attempt(pass, &f, again, log);
                match again {
                    Some(backoff) => {
                        waiting.insert((log.at + backoff, f.call));
                    }
                    None => {
                        open.remove(&f.call);
                    }
                }
            }
            (_, Some(wait)) => {
                waiting.remove(&wait);
                ready.push_back(wait.1);
            }
            _ => break,
        }
    }
    log.push(EventKind::PassEnded { pass, end: PassEnd::Completed });
}

fn end_attempt(pass: PassId, f: &Flight, again: Option<u64>, log: &mut Log) {
    let call = CallId(f.call);
    let end = match f.attempt.fails {
        None => AttemptEnd::Succeeded {
            usage: Usage { input: 120, output: 40, cached: 0, estimated: false },
            cost_usd_micros: Some(UsdMicros(42)),
            finish: Finish::Stop,
        },
        Some(_) => AttemptEnd::Failed {
            failure: failure(),
            retry_at: again.map(|backoff| Micros(log.at + backoff)),
            usage: None,
            cost_usd_micros: None,
        },
    };
    log.push(EventKind::AttemptEnded { pass, call, number: f.number, end });
    if again.is_none() {
        let end = match f.attempt.fails {
            None => CallEnd::Succeeded { output: format!("Answer {}", f.call), cached_usage: None },
            Some(_) => CallEnd::Failed { failure: failure(), partial: "Ans".to_owned() },
        };
        log.push(EventKind::CallEnded { pass, call, end });
    }
}

fn cancel(pass: PassId, flights: &[Flight], open: &BTreeSet<u32>, log: &mut Log) {
    log.push(EventKind::CancelRequested);
    for f in flights {
        let end = AttemptEnd::CANCELLED;
        log.push(EventKind::AttemptEnded { pass, call: CallId(f.call), number: f.number, end });
    }
    for &call in open {
        let end = CallEnd::Cancelled { partial: String::new() };
        log.push(EventKind::CallEnded { pass, call: CallId(call), end });
    }
    log.push(EventKind::PassEnded { pass, end: PassEnd::Cancelled });
}

/// Passes full of attempts at any time on any lane, in any order.
pub fn nonsense_passes() -> impl Strategy<Value = PassState> {
    let time = || 0..120u64;
    let maybe = || prop::option::weighted(0.8, 0..120u64);
    let result = prop::sample::select(vec![
        AttemptResult::Running,
        AttemptResult::Succeeded,
        AttemptResult::Failed,
        AttemptResult::Cancelled,
    ]);
    let attempt = (0..6u16, time(), maybe(), maybe(), result, maybe());
    let attempt =
        attempt.prop_map(|(lane, start, first_token, end, result, retry_at)| AttemptState {
            route: RouteId::default(),
            hedge: false,
            attempt: Attempt { number: 1, of: 3 },
            lane: LaneId(lane),
            start: Micros(start),
            first_token: first_token.map(Micros),
            end: end.map(Micros),
            result,
            usage: None,
            cost_usd_micros: None,
            finish: None,
            failure: None,
            retry_at: retry_at.map(Micros),
        });
    let awaited = prop::collection::vec((time(), time()), 0..3);
    let awaited = (awaited, prop::option::weighted(0.2, time()));
    let call = (maybe(), prop::collection::vec(attempt, 0..4), maybe(), awaited).prop_map(
        |(ready, attempts, end, (awaited, awaiting))| CallState {
            ready: ready.map(Micros),
            awaited: awaited.into_iter().map(|(a, b)| (Micros(a), Micros(b))).collect(),
            awaiting: awaiting.map(Micros),
            attempts,
            end: end.map(Micros),
            ended: end.map(|_| state::CallEndState::Failed),
            ..CallState::default()
        },
    );
    (0..5u32, maybe(), maybe(), prop::collection::vec(call, 0..10)).prop_map(
        |(lanes, start, end, calls)| PassState {
            mode: PassMode::Parallel,
            lanes,
            status: PassStatus::Running,
            started_at: None,
            start: start.map(Micros),
            end: end.map(Micros),
            calls,
            holds: Vec::new(),
            holding: None,
            paused: None,
            limits: Vec::new(),
        },
    )
}
