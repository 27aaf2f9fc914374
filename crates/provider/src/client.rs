//! The client: sends a chat or asks for the models, and watches the clock while the answer comes.
//!
//! The engine calls it. One call is one HTTP request; dropping its future closes the connection.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use async_openai::traits::RequestOptionsBuilder as _;
use lanes_model::provider::Pace;
use lanes_model::{Failure, FailureKind, Micros, ProviderInfo, Told};
use reqwest::Response;
use serde_json::{Map, Value};
use tokio::time::{Duration, Instant, timeout, timeout_at};

use crate::answer::{BodyEnd, Reader, Received};
use crate::config::{ConfigError, ProviderConfig, Timeouts};
use crate::endpoint::Endpoint;
use crate::exchange::{Exchange, Handover, Unsent};
use crate::failures::{self, Asked};
use crate::other_model::OtherModels;
use crate::price::price;
use crate::redact::Redactor;
use crate::request::{self, Answer, ChatRequest};
use crate::retry_after::retry_after;
use crate::told::told;
use crate::wire::ModelList;

/// The most bytes of an error's body that are read.
const MOST_ERROR_BODY: usize = 64 * 1024;
/// How long they may take; the status says most of it.
const ERROR_BODY_WAIT: Duration = Duration::from_secs(5);
/// The most bytes of a list of models.
const MOST_MODELS_BODY: usize = 4 * 1024 * 1024;
/// After an answer has finished, how long its usage may take to follow.
const USAGE_WAIT: Duration = Duration::from_secs(5);
/// After `[DONE]`, how long the answer waits for the response to end, so that the connection is back
/// in the pool before the next call starts.
const END_WAIT: Duration = Duration::from_millis(5);
/// A response that has not ended by then is read to its end aside, for at most this long.
const DRAIN_WAIT: Duration = Duration::from_secs(2);

/// A client for one provider. Clones share its connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) config: ProviderConfig,
    endpoint: Endpoint,
    pub(crate) redactor: Redactor,
    pool: reqwest::Client,
    others: OtherModels,
    listener: Option<LimitListener>,
}

/// Hears what the provider says of its limits, with each response that says something.
pub type LimitListener = Arc<dyn Fn(&Told) + Send + Sync>;

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Client {
    /// A client for a provider. Connects to nothing yet.
    ///
    /// # Errors
    /// When the address, the key, a header or a limit of time cannot be used, or the system has no
    /// certificates and the address is https.
    pub fn new(config: ProviderConfig) -> Result<Self, ConfigError> {
        let (endpoint, redactor) = Endpoint::new(&config)?;
        let pool = endpoint.pool(&config.timeouts)?;
        let others = OtherModels::default();
        Ok(Self { config, endpoint, redactor, pool, others, listener: None })
    }

    /// The same client, with `listener` told of the limits that its own requests' responses state.
    #[must_use]
    pub fn listened_to(self, listener: LimitListener) -> Self {
        Self { listener: Some(listener), ..self }
    }

    /// The same client, for calls whose first text must come sooner than configured. What is
    /// configured stays when it is shorter.
    #[must_use]
    pub fn first_token_within(mut self, limit: Duration) -> Self {
        let first_token = &mut self.config.timeouts.first_token;
        *first_token = limit.min(*first_token);
        self
    }

    /// The host and port that its requests go to.
    #[must_use]
    pub fn host(&self) -> String {
        self.endpoint.authority()
    }

    /// What a run that uses `model` needs to know.
    #[must_use]
    pub fn info(&self, model: &str) -> ProviderInfo {
        let config = &self.config;
        let models =
            if config.models.is_empty() { vec![model.to_owned()] } else { config.models.clone() };
        // Before there is history: the simulator's known pace, and a middling one of real models.
        let pace = if config.simulated {
            Pace { ttft_us: 420_000, millitokens_per_s: 0, whole_us: 2_000_000, cv_permille: 180 }
        } else {
            Pace { ttft_us: 500_000, millitokens_per_s: 60_000, whole_us: 0, cv_permille: 300 }
        };
        ProviderInfo {
            id: config.id.clone(),
            name: config.name.clone(),
            simulated: config.simulated,
            models,
            price: price(model),
            rpm: config.rpm,
            tpm: config.tpm,
            pace,
        }
    }

    /// The models that the provider lists, in its order.
    ///
    /// # Errors
    /// As [`Self::chat`]. The whole list must come within the time to the first token.
    pub async fn models(&self) -> Result<Vec<String>, Failure> {
        let limit = self.config.timeouts.first_token.min(self.config.timeouts.total);
        let list = async {
            let handover = Handover::default();
            // The error is the note that the response was handed over.
            let _ = self.openai(&handover).models().list_byot::<Value>().await;
            let response = self.response(&handover)?;
            let mut response = self.successful(response, Asked::Models).await?;
            let body = read_at_most(&mut response, MOST_MODELS_BODY).await;
            let list = body.and_then(|body| serde_json::from_slice::<ModelList>(&body).ok());
            let malformed = || {
                let message = "The provider's list of models is not in OpenAI's form.";
                inside(Failure::new(FailureKind::MalformedStream, message), &Head::of(&response))
            };
            Ok(list.ok_or_else(malformed)?.data.into_iter().map(|model| model.id).collect())
        };
        timeout(limit, list)
            .await
            .unwrap_or_else(|_| {
                Err(failures::timeout("The list of models did not come within", limit))
            })
            .map_err(|failure| self.redactor.failure(failure))
    }

    /// Asks, and calls `on_text` with each piece of the answer as soon as it arrives. The request is
    /// sent once: nothing is retried here.
    ///
    /// # Errors
    /// A [`Failure`] of the kind that the cause has. Text that had come by then was handed to
    /// `on_text`.
    pub async fn chat(
        &self,
        request: &ChatRequest,
        mut on_text: impl FnMut(&str) + Send,
    ) -> Result<Answer, Failure> {
        let limit = self.config.timeouts.total;
        let received = timeout(limit, self.receive(request, &mut on_text))
            .await
            .unwrap_or_else(|_| Err(failures::timeout("The answer was not complete after", limit)))
            .map_err(|failure| self.redactor.failure(failure))?;
        let usage = match received.usage {
            Some(usage) => usage,
            None => request::estimate(request, &received.text).await,
        };
        if let Some(answered) = &received.model {
            self.others.note(&self.config.id, &request.model, answered, &self.redactor);
        }
        let cost = price(&request.model).map(|price| price.cost(&usage));
        Ok(Answer { text: received.text, usage, cost, finish: received.finish })
    }

    async fn receive(
        &self,
        request: &ChatRequest,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Received, Failure> {
        let Timeouts { first_token, gap, .. } = self.config.timeouts;
        let no_text = || failures::timeout("No text arrived within", first_token);
        let first_by = Instant::now() + first_token;
        let response = timeout_at(first_by, self.send(request)).await.map_err(|_| no_text())??;
        let mut response = self.successful(response, Asked::Chat { model: &request.model }).await?;
        let mut reader = Reader::default();
        // Set once: whatever follows the finish cannot put it off.
        let mut end_by = None;
        let ended = loop {
            let now = Instant::now();
            let deadline = if reader.is_finished() {
                *end_by.get_or_insert(now + gap.min(USAGE_WAIT))
            } else if reader.has_begun() {
                now + gap
            } else {
                first_by
            };
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(bytes))) => reader
                    .feed(&bytes, on_text)
                    .map_err(|failure| inside(failure, &Head::of(&response)))?,
                Ok(Ok(None)) => break BodyEnd::Complete,
                Ok(Err(_)) => break BodyEnd::Broken,
                Err(_) if reader.is_finished() => break BodyEnd::Broken,
                Err(_) => {
                    let failure = if reader.has_begun() {
                        failures::timeout("The answer stalled: nothing arrived for", gap)
                    } else {
                        no_text()
                    };
                    return Err(inside(failure, &Head::of(&response)));
                }
            }
            if reader.is_done() {
                break BodyEnd::Complete;
            }
        };
        let done = reader.is_done();
        let received = reader.end(ended, on_text);
        let received = received.map_err(|failure| inside(failure, &Head::of(&response)));
        if done {
            release(response).await;
        }
        received
    }

    async fn send(&self, request: &ChatRequest) -> Result<Response, Failure> {
        let handover = Handover::default();
        let body = request::body(request, self.endpoint.wants_max_completion_tokens());
        let chat = self.openai(&handover);
        let chat = chat.chat().headers(request::headers(&request.headers)?);
        // The error is the note that the response was handed over.
        let _ = chat.create_stream_byot::<_, Value>(body).await;
        self.response(&handover)
    }

    /// Sends somebody else's body as it is.
    pub(crate) async fn send_raw(
        &self,
        body: &Map<String, Value>,
        stream: bool,
    ) -> Result<Response, Failure> {
        let handover = Handover::default();
        let openai = self.openai(&handover);
        // The error is the note that the response was handed over.
        let _ = match stream {
            true => openai.chat().create_stream_byot::<_, Value>(body.clone()).await.err(),
            false => openai.chat().create_byot::<_, Value>(body.clone()).await.err(),
        };
        self.response(&handover)
    }

    /// `async-openai` for one call, sending through our own service.
    fn openai(&self, handover: &Handover) -> async_openai::Client<Endpoint> {
        let exchange = Exchange::new(self.pool.clone(), handover.clone());
        async_openai::Client::build(self.pool.clone(), self.endpoint.clone())
            .with_http_service(exchange)
    }

    /// The response of a call that was sent, whatever its status.
    fn response(&self, handover: &Handover) -> Result<Response, Failure> {
        let response = handover.take().map_err(|unsent| match unsent {
            Unsent::Request => {
                Failure::new(FailureKind::InvalidRequest, "The request could not be built.")
            }
            Unsent::Transport(error) => {
                failures::from_transport(&error, &self.endpoint, self.config.timeouts.connect)
            }
        })?;
        if let Some(listener) = &self.listener {
            let told = told(response.headers());
            if told != Told::default() {
                listener(&told);
            }
        }
        Ok(response)
    }

    /// The response, or the failure that it tells of.
    pub(crate) async fn successful(
        &self,
        mut response: Response,
        asked: Asked<'_>,
    ) -> Result<Response, Failure> {
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let wait = retry_after(response.headers(), SystemTime::now());
        // The status is enough when the body does not come.
        let limit = self.config.timeouts.gap.min(ERROR_BODY_WAIT);
        let body = timeout(limit, read_at_most(&mut response, MOST_ERROR_BODY));
        let body = body.await.ok().flatten().unwrap_or_default();
        Err(failures::from_status(status, &body, wait, asked, &self.endpoint, &self.redactor))
    }
}

/// What a failure takes from the head of its response.
pub(crate) struct Head {
    status: u16,
    retry_after: Option<Micros>,
}

impl Head {
    pub(crate) fn of(response: &Response) -> Self {
        let retry_after = retry_after(response.headers(), SystemTime::now());
        Self { status: response.status().as_u16(), retry_after }
    }
}

/// A failure inside a response whose status is a success.
pub(crate) fn inside(failure: Failure, head: &Head) -> Failure {
    let told = matches!(failure.kind, FailureKind::RateLimited | FailureKind::ServerError);
    let retry_after = head.retry_after.filter(|_| told);
    Failure { http_status: Some(head.status), retry_after, ..failure }
}

/// The body, or as much of it as is allowed; `None` when it broke off.
pub(crate) async fn read_at_most(response: &mut Response, most: usize) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(bytes) = response.chunk().await.ok()? {
        body.extend_from_slice(&bytes[..bytes.len().min(most - body.len())]);
        if body.len() >= most {
            break;
        }
    }
    Some(body)
}

/// Reads a response that matters no more to its end, which gives its connection back.
pub(crate) async fn release(mut response: Response) {
    let drained = async |response: &mut Response| while let Ok(Some(_)) = response.chunk().await {};
    if timeout(END_WAIT, drained(&mut response)).await.is_err() {
        tokio::spawn(async move { timeout(DRAIN_WAIT, drained(&mut response)).await });
    }
}
