//! The tower service under `async-openai`: one request, one response, handed over untouched.
//!
//! `async-openai` builds the request: its types, address, headers and body. Reading the response
//! through it would lose what must be known here. Its streams end the same way after `[DONE]`, after
//! a cut and after a body that is no stream; they pass through an unbounded channel fed by a task of
//! their own, so that dropping a call closes the connection only some time later; they let go of the
//! connection at `[DONE]`, so that it is not used again; its typed errors lose the headers, and for
//! bodies that are not OpenAI's also the status; and it logs bodies that it cannot read. So this
//! service takes the response out before any of that, and `async-openai` is told to stop there. Its
//! retries are not in this service, so there are none.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use reqwest::Response;

/// Why there is no response.
pub(crate) enum Unsent {
    /// The request could not be made.
    Request,
    /// It was not answered.
    Transport(reqwest::Error),
}

/// The response of one call, once it is there.
#[derive(Clone, Default)]
pub(crate) struct Handover(Arc<Mutex<Option<Result<Response, reqwest::Error>>>>);

impl Handover {
    fn put(&self, outcome: Result<Response, reqwest::Error>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
    }

    /// Takes it. Nothing is there when `async-openai` could not build a request to send.
    pub(crate) fn take(&self) -> Result<Response, Unsent> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(outcome) => outcome.map_err(Unsent::Transport),
            None => Err(Unsent::Request),
        }
    }
}

/// Sends one call's request.
#[derive(Clone)]
pub(crate) struct Exchange {
    pool: reqwest::Client,
    handover: Handover,
}

impl Exchange {
    pub(crate) fn new(pool: reqwest::Client, handover: Handover) -> Self {
        Self { pool, handover }
    }
}

/// Tells `async-openai` that there is nothing left for it to do.
#[derive(Debug, thiserror::Error)]
#[error("the response was handed over")]
struct HandedOver;

impl tower::Service<HttpRequestFactory> for Exchange {
    type Response = Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, OpenAIError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), OpenAIError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, factory: HttpRequestFactory) -> Self::Future {
        let Self { pool, handover } = self.clone();
        Box::pin(async move {
            let request = factory.build().await?;
            handover.put(pool.execute(request).await);
            Err(OpenAIError::Boxed(Box::new(HandedOver)))
        })
    }
}
