//! Whether the program is alive, and whether it could take a run.

use super::Problem;
use super::refusals::NotReady;
use super::shapes::{Alive, Ready};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lanes_service::Service;

/// Whether the program is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "alive",
    tag = "Health",
    responses(
        (status = 200, description = "It is", body = Alive)
    ),
)]
pub async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok", version: env!("CARGO_PKG_VERSION") })
}

/// Whether the program could take a run now: its store can be written.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "ready",
    tag = "Health",
    responses(
        (status = 200, description = "It could", body = Ready),
        NotReady
    ),
)]
pub async fn ready(State(service): State<Service>) -> Result<Json<Ready>, Problem> {
    match service.ready().await {
        Ok(()) => Ok(Json(Ready { status: "ready", live_runs: service.live_runs() })),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.told()))
        }
    }
}
