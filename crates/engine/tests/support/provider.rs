//! A provider that does what its script says, and counts what is asked of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, Asked, CallRequest, Provider, RecordSource, RunControl, TextSink};
use lanes_model::{CallId, Failure, FailureKind, Finish, Micros, RouteId, Usage, UsdMicros};
use tokio::time::{Instant, sleep};

/// What one attempt does.
#[derive(Debug, Clone)]
pub struct Step {
    /// When its first text comes, in milliseconds.
    pub ttft: u64,
    /// When it ends, in milliseconds.
    pub duration: u64,
    pub outcome: Outcome,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Answer,
    Fail(Failure),
    Panic,
    Never,
    /// An answer, with a request to stop the run in the moment before it.
    AnswerAndStop(RunControl),
}

/// For each call what its attempts do, one after the other, and again from the start after the last.
pub type Script = Vec<Vec<Step>>;

impl Step {
    pub fn answer(duration: u64) -> Self {
        Self { ttft: duration / 2, duration, outcome: Outcome::Answer }
    }

    pub fn fail(duration: u64, kind: FailureKind) -> Self {
        let failure = Failure::new(kind, format!("Scripted: {}.", kind.label()));
        Self { outcome: Outcome::Fail(failure), ..Self::answer(duration) }
    }

    pub fn retry_after(mut self, after: Micros) -> Self {
        if let Outcome::Fail(failure) = &mut self.outcome {
            failure.retry_after = Some(after);
        }
        self
    }

    pub fn answer_and_stop(duration: u64, stop: &RunControl) -> Self {
        Self { outcome: Outcome::AnswerAndStop(stop.clone()), ..Self::answer(duration) }
    }

    pub fn panic(duration: u64) -> Self {
        Self { outcome: Outcome::Panic, ..Self::answer(duration) }
    }

    pub fn never(ttft: u64) -> Self {
        Self { ttft, duration: ttft, outcome: Outcome::Never }
    }
}

/// One attempt of each duration, all of which succeed.
pub fn answers(durations: &[u64]) -> Script {
    durations.iter().map(|&d| vec![Step::answer(d)]).collect()
}

pub struct Scripted {
    script: Script,
    /// Attempts that came to their end, by call.
    completed: Arc<Mutex<Vec<usize>>>,
    /// Requests in flight.
    flying: Arc<AtomicUsize>,
    most_flying: AtomicUsize,
    attempts: AtomicUsize,
    /// How long looking up a request takes.
    pub lookup: Mutex<Duration>,
    /// The most tokens that each call may use.
    pub tokens: Mutex<u64>,
    /// What each answer costs.
    pub cost: Mutex<Option<UsdMicros>>,
    /// Calls for which there is no request.
    pub missing: Mutex<Vec<u32>>,
    /// Calls whose answer follows from those that they need.
    pub known: Mutex<Vec<u32>>,
    /// Routes that are down, from and until so many milliseconds after the first attempt, and how.
    pub down: Mutex<Vec<(u16, u64, u64, FailureKind)>>,
    /// Attempts by route.
    pub by_route: Mutex<Vec<u16>>,
    /// Calls of which an attempt, counted from 1, is answered after so many milliseconds, whatever the
    /// script says.
    pub hasty: Mutex<Vec<(usize, usize, u64)>>,
    asked: Mutex<Vec<usize>>,
    /// What each request was made with.
    pub with: Mutex<Vec<(CallId, Asked)>>,
    /// Calls so many of whose answers are not of the form asked for.
    pub rejects: Mutex<Vec<(u32, u32)>>,
    /// How many a route answers at once; more are refused.
    pub at_once: Mutex<Option<usize>>,
    began: Mutex<Option<Instant>>,
}

/// Counts a request in flight for as long as its future lives.
struct Flight(Arc<AtomicUsize>);

impl Drop for Flight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Scripted {
    pub fn new(script: Script) -> Self {
        Self {
            completed: Arc::new(Mutex::new(vec![0; script.len()])),
            script,
            flying: Arc::default(),
            most_flying: AtomicUsize::new(0),
            attempts: AtomicUsize::new(0),
            lookup: Mutex::default(),
            tokens: Mutex::default(),
            cost: Mutex::default(),
            missing: Mutex::default(),
            known: Mutex::default(),
            down: Mutex::default(),
            by_route: Mutex::default(),
            at_once: Mutex::default(),
            hasty: Mutex::default(),
            asked: Mutex::default(),
            with: Mutex::default(),
            rejects: Mutex::default(),
            began: Mutex::default(),
        }
    }

    pub fn flying(&self) -> usize {
        self.flying.load(Ordering::SeqCst)
    }

    pub fn most_flying(&self) -> usize {
        self.most_flying.load(Ordering::SeqCst)
    }

    /// How a route is down now, if it is.
    fn down(&self, route: RouteId) -> Option<FailureKind> {
        let began = *self.began.lock().expect("no panic").get_or_insert_with(Instant::now);
        let at = began.elapsed().as_millis() as u64;
        let down = self.down.lock().expect("no panic");
        let mut down = down.iter().filter(|d| d.0 == route.0 && (d.1..d.2).contains(&at));
        down.next().map(|d| d.3)
    }

    pub fn attempts(&self) -> usize {
        self.attempts.load(Ordering::SeqCst)
    }
}

/// The text that a call's answer has.
pub fn answer_text(call: usize) -> String {
    format!("äöü and the rest of answer {call}")
}

impl RecordSource for Scripted {
    fn check(&self, call: CallId, answer: &str) -> Result<Option<String>, String> {
        let mut rejects = self.rejects.lock().expect("no panic");
        match rejects.iter_mut().find(|(of, times)| *of == call.0 && *times > 0) {
            Some((_, times)) => {
                *times -= 1;
                Err(format!("It is not “{call:?}”."))
            }
            None => Ok((answer.len() > 1_000).then(String::new)),
        }
    }

    fn may_know(&self, _: u16) -> bool {
        !self.known.lock().expect("no panic").is_empty()
    }

    fn known(&self, call: CallId, asked: &Asked) -> Option<String> {
        let known = self.known.lock().expect("no panic").contains(&call.0);
        let answers = asked.needs.iter().filter_map(|(_, answer)| answer.as_deref());
        known.then(|| answers.collect::<Vec<_>>().join("+"))
    }

    fn most_tokens(&self, _: CallId, _: u64) -> u64 {
        *self.tokens.lock().expect("no panic")
    }

    fn request(
        &self,
        call: CallId,
        asked: Asked,
    ) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>> {
        self.with.lock().expect("no panic").push((call, asked));
        let lookup = *self.lookup.lock().expect("no panic");
        let missing = self.missing.lock().expect("no panic").contains(&call.0);
        async move {
            if !lookup.is_zero() {
                sleep(lookup).await;
            }
            if missing {
                return Err(Failure::new(FailureKind::InvalidRequest, "The text is missing."));
            }
            Ok(Arc::new(CallRequest {
                model: "scripted-1".to_owned(),
                system: String::new(),
                user: call.0.to_string(),
                max_tokens: 100,
                ..CallRequest::default()
            }))
        }
        .boxed()
    }
}

impl Provider for Scripted {
    fn used(&self, _: RouteId, prompt_tokens: u64, text: &str) -> (Usage, Option<UsdMicros>) {
        let output = text.len() as u64;
        let usage = Usage { input: prompt_tokens, output, cached: 0, estimated: true };
        (usage, *self.cost.lock().expect("no panic"))
    }

    fn attempt(
        &self,
        route: RouteId,
        request: Arc<CallRequest>,
        mut on_text: TextSink,
    ) -> BoxFuture<'static, Result<Answer, Failure>> {
        let call: usize = request.user.parse().expect("the call's number");
        let completed = Arc::clone(&self.completed);
        let steps = &self.script[call];
        let mut step = steps[completed.lock().expect("no panic")[call] % steps.len()].clone();
        self.asked.lock().expect("no panic").push(call);
        let number = self.asked.lock().expect("no panic").iter().filter(|c| **c == call).count();
        if let Some(hasty) =
            self.hasty.lock().expect("no panic").iter().find(|h| h.0 == call && h.1 == number)
        {
            step = Step::answer(hasty.2);
        }
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let now = self.flying.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_flying.fetch_max(now, Ordering::SeqCst);
        let flight = Flight(Arc::clone(&self.flying));
        let cost = *self.cost.lock().expect("no panic");
        self.by_route.lock().expect("no panic").push(route.0);
        let full = self.at_once.lock().expect("no panic").is_some_and(|most| now > most);
        let down = self.down(route).or(full.then_some(FailureKind::RateLimited));
        async move {
            let _flight = flight;
            if let Some(kind) = down {
                sleep(Duration::from_millis(1)).await;
                return Err(Failure::new(kind, "Scripted: down."));
            }
            sleep(Duration::from_millis(step.ttft)).await;
            let text = answer_text(call);
            let (first, rest) = text.split_at(4);
            on_text(first);
            sleep(Duration::from_millis(step.duration - step.ttft)).await;
            // A request that is cut off does not come this far: its step is repeated.
            completed.lock().expect("no panic")[call] += 1;
            match step.outcome {
                Outcome::Answer | Outcome::AnswerAndStop(_) => {
                    if let Outcome::AnswerAndStop(stop) = &step.outcome {
                        stop.interrupt();
                    }
                    on_text("");
                    on_text(rest);
                    let usage = Usage { input: 10, output: 5, cached: 0, estimated: false };
                    Ok(Answer { text, usage, cost, finish: Finish::Stop })
                }
                Outcome::Fail(failure) => Err(failure),
                Outcome::Panic => panic!("as the script says"),
                Outcome::Never => futures::future::pending().await,
            }
        }
        .boxed()
    }
}
