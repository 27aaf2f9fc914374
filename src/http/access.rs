//! The door: every request passes here first. Who asks (`client`, the service's `Access`), whether the
//! name it calls and the page it comes from are ours (`origin`), whether it may do what it asks for
//! (`routes`), and whether it asks too much (`limits`).
//!
//! The rule: what is not known to be allowed is not.

mod client;
mod limits;
mod origin;
mod routes;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use lanes_service::{Access, Caller, Scope};

use super::{Problem, door};
use crate::config::{AccessSettings, Network};
use limits::{Buckets, Streams, Who};
use origin::Names;
use routes::Need;

pub use client::{Client, Peer, cookie};

/// The cookie that holds a browser's session.
pub const COOKIE: &str = "lanes_session";
/// Wrong secrets that a client may send in a row; it gets as many again in a minute.
const WRONG_SECRETS: u32 = 10;
/// The longest secret that is looked at.
const LONGEST_SECRET: usize = 512;

/// What the door knows.
#[derive(Clone)]
pub struct Gate {
    inner: Arc<Inner>,
}

struct Inner {
    access: Access,
    settings: AccessSettings,
    names: Names,
    rate: Option<Buckets>,
    wrong: Buckets,
    streams: Arc<Streams>,
}

/// The caller has a session, which can be closed.
#[derive(Debug, Clone, Copy)]
pub struct BySession;

/// How a request shows who sent it.
enum Shown {
    /// By a secret in its header.
    Secret(Caller),
    /// By a session.
    Session(Caller),
    /// Not at all, and it need not.
    Nothing,
    /// Not at all, and it must.
    Missing,
    /// By a secret that is wrong.
    Wrong,
    /// By a secret that is not looked at, after too many wrong ones; the time until one is.
    TooMany(Duration),
}

impl Gate {
    /// A door of a program that listens at `addr`. `streams` is the most event streams it can have.
    pub fn new(access: Access, settings: AccessSettings, addr: SocketAddr, streams: u32) -> Self {
        let all = settings.streams.map_or(streams, |most| most.min(streams));
        let of_client = settings.streams_of_client.unwrap_or(all);
        let public = settings.public.as_ref().map(|public| public.authority.clone());
        Self {
            inner: Arc::new(Inner {
                access,
                names: Names::new(addr.ip(), settings.hosts.clone(), public),
                rate: settings.rate.map(Buckets::a_minute),
                wrong: Buckets::a_minute(WRONG_SECRETS),
                streams: Arc::new(Streams::new(all, of_client)),
                settings,
            }),
        }
    }

    /// Keys and sessions.
    pub fn access(&self) -> &Access {
        &self.inner.access
    }

    /// Who may say for whom they ask.
    pub fn proxies(&self) -> &[Network] {
        &self.inner.settings.proxies
    }

    /// Whether answers go out by https, as far as is known.
    pub fn is_https(&self, client: &Client) -> bool {
        client.https || self.inner.settings.public.as_ref().is_some_and(|public| public.https)
    }

    /// Opens a session for whoever sent a secret from a login page: the session, or how long it
    /// must wait after too many wrong secrets, or none when this one is wrong.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn log_in(
        &self,
        client: &Client,
        secret: &str,
    ) -> Result<Result<Option<secrecy::SecretString>, Duration>, Problem> {
        let who = Who::of(client);
        if let Err(wait) = self.may_try(&who, secret) {
            return Ok(Err(wait));
        }
        let opened = self.inner.access.open_session(secret).await?;
        if opened.is_none() {
            self.note_wrong(client);
        }
        Ok(Ok(opened))
    }

    fn may_try(&self, who: &Who, secret: &str) -> Result<(), Duration> {
        if self.inner.access.is_remembered(secret) {
            return Ok(());
        }
        self.inner.wrong.look(who)
    }

    fn note_wrong(&self, client: &Client) {
        tracing::info!(client = %client.ip, "a wrong key or token");
        let _ = self.inner.wrong.take(Who::of(client));
    }

    async fn shown(&self, client: &Client, headers: &HeaderMap) -> Result<Shown, Problem> {
        let access = &self.inner.access;
        if !access.is_required() {
            return Ok(Shown::Nothing);
        }
        if let Some(secret) = client::bearer(headers) {
            if secret.len() > LONGEST_SECRET {
                return Ok(Shown::Wrong);
            }
            let who = Who::of(client);
            if let Err(wait) = self.may_try(&who, secret) {
                return Ok(Shown::TooMany(wait));
            }
            let Some(caller) = access.holder(secret).await? else {
                self.note_wrong(client);
                return Ok(Shown::Wrong);
            };
            return Ok(Shown::Secret(caller));
        }
        let Some(session) = cookie(headers, COOKIE) else { return Ok(Shown::Missing) };
        Ok(access.session(session).await?.map_or(Shown::Missing, Shown::Session))
    }
}

/// Lets a request in, or says why not.
pub async fn admit(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let client = Client::of(&request, &gate.inner.settings.proxies);
    let path = request.uri().path();
    let for_openai = path == "/v1" || path.starts_with("/v1/");
    match check(&gate, &client, &mut request).await {
        Ok(who) => {
            let is_get = *request.method() == Method::GET;
            request.extensions_mut().insert(client);
            let response = next.run(request).await;
            if is_get { streamed(&gate, who, response) } else { response }
        }
        Err(refusal) if for_openai => door::refused::in_its_form(*refusal),
        Err(refusal) => *refusal,
    }
}

/// All checks in their order; whoever passes is whom it counts for.
async fn check(gate: &Gate, client: &Client, request: &mut Request) -> Result<Who, Box<Response>> {
    let inner = &gate.inner;
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = path.as_deref().unwrap_or("");
    let need = routes::need(request.method(), path);
    if need == Need::Nothing {
        return Ok(Who::of(client));
    }
    let shown = gate.shown(client, request.headers()).await.map_err(boxed)?;
    let mut who = Who::of(client);
    let caller = match shown {
        Shown::Secret(caller) => {
            who = Who::holding(client, &caller);
            Some(caller)
        }
        other => {
            // Without a secret of its own, a request may have been made by another site's page.
            inner.names.check(request).map_err(boxed)?;
            match other {
                Shown::Session(caller) => {
                    who = Who::holding(client, &caller);
                    request.extensions_mut().insert(BySession);
                    Some(caller)
                }
                Shown::Nothing => Some(Caller::Anyone),
                Shown::Wrong => return Err(Box::new(unauthorized("The key or token is wrong."))),
                Shown::TooMany(wait) => {
                    let words = "Too many wrong keys or tokens came from this address.";
                    return Err(Box::new(too_many(words, wait)));
                }
                _ => None,
            }
        }
    };
    if let Some(rate) = &inner.rate
        && let Err(wait) = rate.take(who.clone())
    {
        return Err(Box::new(too_many("This client asks too often.", wait)));
    }
    if let Need::Scope(needed) = need {
        let Some(caller) = &caller else {
            return Err(Box::new(not_signed_in(request)));
        };
        if !caller.scope().covers(needed) {
            return Err(boxed(out_of_scope(caller, needed)));
        }
    }
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    Ok(who)
}

fn boxed(problem: Problem) -> Box<Response> {
    Box::new(problem.into_response())
}

fn out_of_scope(caller: &Caller, needed: Scope) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        format!(
            "The key “{}” has the scope {}; this needs one with the scope {needed}.",
            caller.name(),
            caller.scope()
        ),
    )
}

/// A browser that wants a page is shown where to sign in; all others are told what is missing.
fn not_signed_in(request: &Request) -> Response {
    let text = |name| request.headers().get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let path = request.uri().path();
    let is_page = !["/api/", "/v1/", "/metrics", "/openapi"].iter().any(|p| path.starts_with(p));
    let wants_page = text(header::ACCEPT).is_some_and(|types| types.contains("text/html"));
    if is_page && wants_page {
        let get = matches!(*request.method(), Method::GET | Method::HEAD);
        let back = request.uri().path_and_query().map_or("/", |p| p.as_str());
        let back = serde_urlencoded::to_string([("next", back)]).unwrap_or_default();
        let to = if get && path != "/" { format!("/login?{back}") } else { "/login".to_owned() };
        return Redirect::to(&to).into_response();
    }
    unauthorized(
        "Send a key of this server, or its LANES_TOKEN, as “Authorization: Bearer …”. An \
         administrator makes keys on the page /settings/keys or with “lanes keys create”.",
    )
}

fn unauthorized(detail: &str) -> Response {
    let mut response = Problem::new(StatusCode::UNAUTHORIZED, detail).into_response();
    let challenge = HeaderValue::from_static("Bearer realm=\"lanes\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Status 429, with when to come again.
fn too_many(words: &str, wait: Duration) -> Response {
    let seconds = wait.as_secs().max(1);
    let detail = format!("{words} Try again in {seconds} s.");
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}

/// Counts an event stream for as long as it is open; one too many is not opened.
fn streamed(gate: &Gate, who: Who, response: Response) -> Response {
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if !is_stream {
        return response;
    }
    match gate.inner.streams.open(who) {
        Ok(open) => response.map(|body| Body::new(limits::Counted::new(body, open))),
        Err(words) => {
            let mut refusal = Problem::new(StatusCode::SERVICE_UNAVAILABLE, words).into_response();
            refusal.headers_mut().insert(header::RETRY_AFTER, 10.into());
            refusal
        }
    }
}
