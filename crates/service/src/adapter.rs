//! Where the engine's ports meet the provider and the log: no logic, only translation.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, CallRequest, EventSink, Provider, RequestImage, TextSink};
use lanes_model::{
    EventKind, Failure, FailureKind, Faults, Micros, Price, Progress, Redaction, Restorer, RouteId,
    RunId, Usage, UsdMicros,
};
use lanes_provider::{ChatRequest, Client, ImagePart, tokens};
use lanes_store::EventWriter;

use crate::hub::Hub;

/// An attempt that the simulator is to let hang is given up after this long without a word: a
/// demonstration cannot wait a minute for each.
const HANGING: Duration = Duration::from_secs(10);

/// One place to which attempts go.
pub(crate) struct Route {
    pub(crate) client: Client,
    pub(crate) model: String,
    pub(crate) price: Option<Price>,
    /// What each request says besides its question.
    pub(crate) headers: Vec<(String, String)>,
}

/// Sends a run's calls through the clients of its routes.
pub(crate) struct RoutedProvider {
    routes: Vec<Route>,
}

impl RoutedProvider {
    /// Routes in their order, at least one. The faults reach simulators only: a fallback may be real.
    pub(crate) fn new(mut routes: Vec<Route>, run: &RunId, faults: Option<&Faults>) -> Self {
        let Some(faults) = faults else { return Self { routes } };
        for route in routes.iter_mut().filter(|r| r.client.info(&r.model).simulated) {
            route.headers = headers(run, faults);
            // A latency of the run's own may be slower than that on purpose.
            if !faults.hang_rate.is_zero() && faults.latency.is_none() {
                route.client = route.client.clone().first_token_within(HANGING);
            }
        }
        Self { routes }
    }
}

/// The faults in the simulator's own headers. They name no seed and no attempt: the simulator counts
/// how often it was asked the same, so a retry has a new chance. A limit counts for the run as a whole.
fn headers(run: &RunId, faults: &Faults) -> Vec<(String, String)> {
    let rates = [
        ("x-simulate-error-rate", faults.error_rate),
        ("x-simulate-hang-rate", faults.hang_rate),
        ("x-simulate-truncate-rate", faults.truncate_rate),
        ("x-simulate-invalid-rate", faults.invalid_rate),
    ];
    let rates = rates.into_iter().filter(|(_, rate)| !rate.is_zero());
    let latency = faults.latency.iter().map(|l| ("x-simulate-latency", l.clone()));
    let limit = faults
        .rpm
        .into_iter()
        .flat_map(|rpm| [("x-simulate-rpm", rpm.to_string()), ("x-simulate-run", run.to_string())]);
    rates
        .map(|(name, rate)| (name, rate.share().to_string()))
        .chain(latency)
        .chain(limit)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

impl Provider for RoutedProvider {
    fn used(&self, route: RouteId, prompt_tokens: u64, text: &str) -> (Usage, Option<UsdMicros>) {
        let output = tokens::count(text);
        let usage = Usage { input: prompt_tokens, output, cached: 0, estimated: true };
        let price = self.routes.get(route.index()).and_then(|r| r.price);
        (usage, price.map(|price| price.cost(&usage)))
    }

    fn attempt(
        &self,
        route: RouteId,
        request: Arc<CallRequest>,
        on_text: Box<dyn FnMut(&str) + Send>,
    ) -> BoxFuture<'static, Result<Answer, Failure>> {
        let Some(Route { client, model, headers, .. }) = self.routes.get(route.index()) else {
            return std::future::ready(Err(missing("The provider"))).boxed();
        };
        let (client, model, headers) = (client.clone(), model.clone(), headers.clone());
        let redaction = request.redaction.clone();
        async move {
            let request = ChatRequest {
                model,
                system: request.system.clone(),
                user: request.user.clone(),
                max_tokens: request.max_tokens,
                temperature: request.temperature,
                output: request.output.clone(),
                images: request.images.iter().map(part).collect(),
                headers,
            };
            let Some(redaction) = redaction else {
                return client.chat(&request, on_text).await.map(answered);
            };
            let restored = Restored::new(&redaction, on_text);
            let answer = client.chat(&request, restored.sink()).await?;
            restored.finish();
            Ok(Answer { text: redaction.restore(&answer.text), ..answered(answer) })
        }
        .boxed()
    }
}

fn answered(answer: lanes_provider::Answer) -> Answer {
    Answer { text: answer.text, usage: answer.usage, cost: answer.cost, finish: answer.finish }
}

/// Text that streams, with what was taken out of the request put back before anyone sees it.
#[derive(Clone)]
struct Restored(Arc<Mutex<(Restorer, TextSink)>>);

impl Restored {
    fn new(redaction: &Arc<Redaction>, on_text: TextSink) -> Self {
        Self(Arc::new(Mutex::new((Restorer::new(Arc::clone(redaction)), on_text))))
    }

    fn sink(&self) -> TextSink {
        let shared = Arc::clone(&self.0);
        Box::new(move |piece| {
            let (restorer, on_text) = &mut *lock(&shared);
            let ready = restorer.push(piece);
            if !ready.is_empty() {
                on_text(&ready);
            }
        })
    }

    /// Gives what was held back.
    fn finish(&self) {
        let (restorer, on_text) = &mut *lock(&self.0);
        let rest = restorer.finish();
        if !rest.is_empty() {
            on_text(&rest);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn part(image: &RequestImage) -> ImagePart {
    ImagePart { media_type: image.media_type.clone(), data: Arc::clone(&image.data) }
}

fn missing(what: &str) -> Failure {
    Failure::new(FailureKind::InvalidRequest, format!("{what} is missing."))
}

/// Gives events to the writer, which commits and then publishes them, and text to the hub.
pub(crate) struct LogSink {
    pub(crate) run: RunId,
    pub(crate) writer: EventWriter,
    pub(crate) hub: Arc<Hub>,
}

impl EventSink for LogSink {
    fn append(&self, at: Micros, kind: EventKind) {
        self.writer.append(self.run.clone(), at, kind);
    }

    fn append_both(&self, at: Micros, first: EventKind, second: EventKind) {
        self.writer.append_both(self.run.clone(), at, first, second);
    }

    fn trouble(&self) -> Option<String> {
        self.writer.trouble()
    }

    fn progress(&self, progress: Progress) {
        self.hub.progress(&self.run, progress);
    }
}
