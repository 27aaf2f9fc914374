//! One try to bring a message to its receiver, over HTTP.
//!
//! Rules: the connection goes to addresses that were looked at, redirects are not followed, no proxy
//! stands between, and nothing of the secret is in what is kept of the try.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lanes_store::DeliveryAttempt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::retry;
use super::signature::Secret;
use super::target::{self, TargetError};

const CONNECTING: Duration = Duration::from_secs(5);
/// For all of it, up to the answer's head.
const ANSWERING: Duration = Duration::from_secs(15);
/// For the first bytes of the answer after its head.
const READING: Duration = Duration::from_secs(2);
/// So much of an answer is kept.
const KEPT: usize = 1_000;

/// What is to be sent.
pub(super) struct Parcel<'a> {
    pub(super) url: &'a str,
    pub(super) id: &'a str,
    pub(super) payload: &'a str,
    pub(super) secret: &'a Secret,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It has arrived.
    Delivered,
    /// It has not; the receiver may have asked for some time.
    NotYet(Option<Duration>),
    /// The receiver wants no more, ever.
    Gone,
    /// It may not be sent there.
    Refused,
}

pub(super) struct Sender {
    pub(super) allow_private: bool,
    /// Made once: reading the system's certificates takes a while.
    tls: OnceLock<Result<lanes_provider::TlsConfig, String>>,
}

/// Names mean what they were found to mean.
struct Resolved(Vec<SocketAddr>);

impl Resolve for Resolved {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

impl Sender {
    pub(super) fn new(allow_private: bool) -> Self {
        Self { allow_private, tls: OnceLock::new() }
    }

    /// Sends it, once.
    pub(super) async fn send(&self, parcel: &Parcel<'_>) -> (DeliveryAttempt, Verdict) {
        let now = Timestamp::now();
        let started = Instant::now();
        let sent = tokio::time::timeout(ANSWERING, self.exchange(parcel, now));
        let sent = sent.await.unwrap_or_else(|_| Err(Miss::Slow));
        let mut attempt = DeliveryAttempt { at_us: now.as_microsecond(), ..Default::default() };
        let verdict = match sent {
            Ok(response) => {
                let status = response.status();
                attempt.status = Some(status.as_u16());
                let asked = response.headers().get(reqwest::header::RETRY_AFTER);
                let asked = asked.and_then(|v| retry::asked(v.to_str().ok()?, now));
                attempt.duration_us = micros(started);
                attempt.answer = first_bytes(response).await;
                match status.as_u16() {
                    200..=299 => Verdict::Delivered,
                    410 => Verdict::Gone,
                    300..=399 => {
                        attempt.error = Some("Redirects are not followed.".to_owned());
                        Verdict::NotYet(asked)
                    }
                    _ => Verdict::NotYet(asked),
                }
            }
            Err(miss) => {
                attempt.duration_us = micros(started);
                attempt.error = Some(miss.to_string());
                match miss {
                    Miss::Target(error) if !error.may_pass() => Verdict::Refused,
                    _ => Verdict::NotYet(None),
                }
            }
        };
        (attempt, verdict)
    }

    async fn exchange(
        &self,
        parcel: &Parcel<'_>,
        now: Timestamp,
    ) -> Result<reqwest::Response, Miss> {
        let url = target::parse(parcel.url, self.allow_private)?;
        let addresses = target::resolve(&url, self.allow_private).await?;
        let client = self.client(addresses).map_err(Miss::Client)?;
        let seconds = now.as_second();
        let signature = parcel.secret.sign(parcel.id, seconds, parcel.payload);
        let request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", parcel.id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signature)
            .body(parcel.payload.to_owned());
        // Without its address, which may hold a token.
        request.send().await.map_err(|error| Miss::Http(error.without_url()))
    }

    /// A client for one message: it knows no address but these.
    fn client(&self, addresses: Vec<SocketAddr>) -> Result<reqwest::Client, String> {
        let tls = self.tls.get_or_init(|| lanes_provider::tls(true).map_err(|e| e.to_string()));
        reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone()?)
            .dns_resolver(Arc::new(Resolved(addresses)))
            .user_agent(concat!("lanes/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECTING)
            .pool_max_idle_per_host(0)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| error.to_string())
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Miss {
    #[error("{0}")]
    Target(#[from] TargetError),
    #[error("There was no answer within 15 s.")]
    Slow,
    #[error("Nothing can be sent: {0}.")]
    Client(String),
    #[error("{}", in_words(.0))]
    Http(reqwest::Error),
}

/// What failed, down to the system's own words.
fn in_words(error: &reqwest::Error) -> String {
    let what = match error {
        e if e.is_connect() => "No connection could be made",
        e if e.is_timeout() => "It took too long",
        _ => "The connection failed",
    };
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    format!("{what}: {cause}.")
}

fn micros(started: Instant) -> i64 {
    i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// The beginning of an answer as text; that it goes on slowly is no matter.
async fn first_bytes(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.len() < KEPT
            && let Ok(Some(piece)) = response.chunk().await
        {
            bytes.extend_from_slice(&piece);
        }
    };
    let _ = tokio::time::timeout(READING, reading).await;
    bytes.truncate(KEPT);
    let text = String::from_utf8_lossy(&bytes);
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
