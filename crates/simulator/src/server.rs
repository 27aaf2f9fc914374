//! The HTTP server: routes, start and stop.
//!
//! Speaks HTTP through axum and hands chat completions to `chat`. The rule: whatever is asked, the
//! answer has OpenAI's form, and stopping ends hanging and streaming requests at once.

use std::{future::Future, net::SocketAddr, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Request},
    http::{HeaderName, HeaderValue, Method, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use tokio::net::TcpListener;

use crate::{
    MODEL, SimulatorConfig, SimulatorError, Stats,
    api_error::ApiError,
    chat::{self, Shared},
    protocol::{Model, ModelList},
};

/// When the one model came to be: 1 January 2026, in seconds since 1970.
const MODEL_CREATED: u64 = 1_767_225_600;

/// A simulator bound to its address, ready to serve.
#[derive(Debug)]
pub struct Simulator {
    listener: TcpListener,
    addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Simulator {
    /// Binds `addr`; port 0 takes a free one, which [`Self::addr`] then tells.
    ///
    /// # Errors
    /// When the configuration is invalid or the address cannot be bound.
    pub async fn bind(addr: SocketAddr, config: SimulatorConfig) -> Result<Self, SimulatorError> {
        config.validate()?;
        let failed = |source| SimulatorError::Bind { addr, source };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr, shared: Arc::new(Shared::new(config)) })
    }

    /// The address it listens on.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its counters, which stay readable while and after it serves.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.shared.stats)
    }

    /// Serves until `shutdown` resolves, then ends requests in flight and returns.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub async fn serve(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), SimulatorError> {
        // Small frames must leave when they are due, not when a packet is full.
        let listener = self.listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "cannot set TCP_NODELAY");
            }
        });
        let stop = self.shared.shutdown.clone();
        axum::serve(listener, routes(self.shared))
            .with_graceful_shutdown(async move {
                shutdown.await;
                stop.cancel();
            })
            .await
            .map_err(SimulatorError::Serve)
    }
}

/// The simulator's routes, to embed in another server or to test. Rates above 1 act as 1, rates
/// below 0 and NaN as 0, and a limit of 0 as 1: only [`Simulator::bind`] refuses them.
pub fn router(config: SimulatorConfig) -> Router {
    routes(Arc::new(Shared::new(config)))
}

fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat::create))
        .route("/v1/models", get(list_models))
        .route("/v1/models/{id}", get(get_model))
        .fallback(unknown_url)
        .method_not_allowed_fallback(wrong_method)
        .with_state(shared)
        .layer(middleware::from_fn(say_who))
}

/// `GET /v1/models`
async fn list_models() -> Json<ModelList> {
    Json(ModelList { object: "list", data: vec![model()] })
}

/// `GET /v1/models/{id}`
async fn get_model(Path(id): Path<String>) -> Result<Json<Model>, ApiError> {
    if id == MODEL { Ok(Json(model())) } else { Err(ApiError::model_not_found(&id)) }
}

fn model() -> Model {
    Model { id: MODEL, object: "model", created: MODEL_CREATED, owned_by: "lanes-simulator" }
}

async fn unknown_url(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown_url(method.as_str(), uri.path())
}

async fn wrong_method(method: Method, uri: Uri) -> ApiError {
    ApiError::wrong_method(method.as_str(), uri.path())
}

/// Marks every response as the simulator's, so that nobody takes it for a real provider's.
async fn say_who(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await.into_response();
    let headers = response.headers_mut();
    headers.insert(header::SERVER, HeaderValue::from_static("lanes-simulator"));
    headers.insert(HeaderName::from_static("x-simulated"), HeaderValue::from_static("true"));
    response
}
