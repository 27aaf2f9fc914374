//! `POST /v1/chat/completions`: from a request to a response, step by step.
//!
//! Speaks to the limits, the faults and the latency for permission, and to `answer` for words. The
//! rule: time starts when the request arrives, and everything done here counts inside it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    SimulatorConfig,
    answer::{Answer, Question},
    api_error::ApiError,
    draw::Identity,
    faults::{self, Behaviour, Fault},
    latency::Schedule,
    limits::Limits,
    protocol::ChatRequest,
    reply::{self, Heading},
    run_limits::{RunLimits, SharedLimits},
    stats::{InFlight, Stats},
};

/// The largest body accepted, in bytes: 40 MB, room for the largest image.
const BODY_LIMIT: usize = 40_000_000;
/// Keys that begin so are refused, to show what an invalid key does.
const INVALID_KEY: &str = "sk-invalid";
/// How many different prompts are remembered; beyond it all are forgotten, so that a simulator
/// left running for weeks does not grow without end.
const REMEMBERED: usize = 1_000_000;

/// What all requests of one simulator share.
#[derive(Debug)]
pub(crate) struct Shared {
    config: SimulatorConfig,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: CancellationToken,
    limits: SharedLimits,
    run_limits: Mutex<RunLimits>,
    seen: Mutex<HashMap<(u64, u64), Seen>>,
}

/// What happened to one content before.
#[derive(Debug, Default)]
struct Seen {
    asked: u32,
    answered: bool,
}

impl Shared {
    pub(crate) fn new(config: SimulatorConfig) -> Self {
        Self {
            limits: Arc::new(Mutex::new(Limits::new(&config, Instant::now()))),
            run_limits: Mutex::default(),
            config,
            stats: Arc::default(),
            shutdown: CancellationToken::new(),
            seen: Mutex::default(),
        }
    }

    /// The limits that count for a request: its run's own, if its headers say so.
    fn limits(&self, run: Option<(&str, u32)>, now: Instant) -> SharedLimits {
        let Some((run, rpm)) = run else { return Arc::clone(&self.limits) };
        let mut runs = self.run_limits.lock().unwrap_or_else(PoisonError::into_inner);
        runs.of(run, rpm, &self.config, now)
    }

    fn seen(&self) -> MutexGuard<'_, HashMap<(u64, u64), Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts this asking of `content` and says which one it is.
    fn identify(&self, seed: u64, content: u64) -> Identity {
        let mut seen = self.seen();
        if seen.len() >= REMEMBERED {
            seen.clear();
        }
        let entry = seen.entry((seed, content)).or_default();
        let occurrence = entry.asked;
        entry.asked = entry.asked.saturating_add(1);
        Identity { seed, content, occurrence }
    }

    fn answered(&self, identity: Identity) {
        self.stats.answered.fetch_add(1, Relaxed);
        let mut seen = self.seen();
        let entry = seen.entry((identity.seed, identity.content)).or_default();
        if !std::mem::replace(&mut entry.answered, true) {
            self.stats.answered_prompts.fetch_add(1, Relaxed);
        }
    }
}

/// `POST /v1/chat/completions`
pub(crate) async fn create(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let arrival = Instant::now();
    let in_flight = shared.stats.enter();
    let outcome = tokio::select! {
        outcome = respond(&shared, request, arrival, in_flight) => outcome,
        () = shared.shutdown.cancelled() => Err(ApiError::stopping()),
    };
    outcome.unwrap_or_else(|error| {
        shared.stats.errors.fetch_add(1, Relaxed);
        error.into_response()
    })
}

async fn respond(
    shared: &Arc<Shared>,
    request: Request,
    arrival: Instant,
    in_flight: InFlight,
) -> Result<Response, ApiError> {
    check_key(request.headers())?;
    let behaviour = Behaviour::of(&shared.config, request.headers())?;
    let rates = shared.limits(faults::own_limit(request.headers())?, arrival);
    let question = read(request).await?;
    let reserved = question.estimate();
    // Refused requests are not counted as asked: whether one is refused depends on the clock, and
    // the draws of those that follow must not.
    let limits = locked(&rates).reserve(reserved, Instant::now())?;
    let identity = shared.identify(behaviour.seed, question.content());
    let schedule = behaviour.latency.schedule(identity);
    let fault = behaviour.fault(identity);
    let invalid = behaviour.is_invalid(identity);
    tracing::debug!(?identity, ?fault, "chat completion");

    let mut response = match fault {
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::Error(status)) => {
            sleep_until(arrival + schedule.first_token() / 2).await;
            locked(&rates).settle(reserved, 0);
            return Err(ApiError::injected(status).with_headers(limits));
        }
        Some(Fault::Truncate(share)) => {
            let cut = Some(share);
            let call = Call { shared, arrival, identity, schedule, cut, invalid, in_flight };
            call.answer(question, &rates, reserved).await?
        }
        None => {
            let cut = None;
            let call = Call { shared, arrival, identity, schedule, cut, invalid, in_flight };
            call.answer(question, &rates, reserved).await?
        }
    };
    response.headers_mut().extend(limits);
    Ok(response)
}

/// One request that will be answered, in full or in part.
struct Call<'a> {
    shared: &'a Arc<Shared>,
    arrival: Instant,
    identity: Identity,
    schedule: Schedule,
    cut: Option<f64>,
    /// Whether the answer breaks what it was asked to keep to.
    invalid: bool,
    in_flight: InFlight,
}

impl Call<'_> {
    async fn answer(
        self,
        question: Question,
        rates: &SharedLimits,
        reserved: u32,
    ) -> Result<Response, ApiError> {
        let (stream, include_usage) = (question.stream, question.include_usage);
        let invalid = self.invalid;
        // Computed while the first token is being waited for, since frames have absolute times.
        let answer = tokio::task::spawn_blocking(move || question.answer(invalid))
            .await
            .map_err(|_| ApiError::internal("The simulator failed to compute an answer."))?;
        locked(rates).settle(reserved, answer.usage.total_tokens);
        let heading = Heading {
            id: format!("chatcmpl-{:016x}", self.identity.name()),
            created: now_in_seconds(),
        };
        Ok(if stream {
            self.streamed(&heading, &answer, include_usage)
        } else {
            self.whole(&heading, &answer).await
        })
    }

    fn streamed(self, heading: &Heading, answer: &Answer, include_usage: bool) -> Response {
        let frames = reply::frames(heading, answer, self.schedule, include_usage, self.cut);
        let shared = Arc::clone(self.shared);
        let (identity, cut) = (self.identity, self.cut.is_some());
        let done = move || end(&shared, identity, cut);
        let shutdown = self.shared.shutdown.clone();
        reply::streamed(frames, self.arrival, shutdown, done, self.in_flight)
    }

    async fn whole(self, heading: &Heading, answer: &Answer) -> Response {
        sleep_until(self.arrival + self.schedule.end(answer.pieces.tokens)).await;
        end(self.shared, self.identity, self.cut.is_some());
        let bytes = reply::whole(heading, answer);
        match self.cut {
            Some(share) => reply::broken(bytes, share),
            None => reply::plain(bytes),
        }
    }
}

fn locked(limits: &SharedLimits) -> MutexGuard<'_, Limits> {
    limits.lock().unwrap_or_else(PoisonError::into_inner)
}

fn end(shared: &Shared, identity: Identity, cut: bool) {
    if cut {
        shared.stats.errors.fetch_add(1, Relaxed);
    } else {
        shared.answered(identity);
    }
}

/// Any key will do, and none, but those that stand for an invalid one.
fn check_key(headers: &HeaderMap) -> Result<(), ApiError> {
    let key = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, key)| key.trim());
    match key {
        Some(key) if key.starts_with(INVALID_KEY) => Err(ApiError::invalid_key(key)),
        _ => Ok(()),
    }
}

async fn read(request: Request) -> Result<Question, ApiError> {
    let body = to_bytes(request.into_body(), BODY_LIMIT).await.map_err(|error| {
        // The body may also end because the client went away; then nobody reads the answer.
        tracing::debug!(%error, "body not read");
        ApiError::too_large(BODY_LIMIT)
    })?;
    let request: ChatRequest = serde_json::from_slice(&body).map_err(|error| {
        ApiError::invalid(
            if error.is_data() {
                format!("The request body is not a chat completion request: {error}.")
            } else {
                format!("The request body is not valid JSON: {error}.")
            },
            None,
        )
    })?;
    Question::new(request)
}

fn now_in_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
