//! Whether the program is alive, and whether it could take a run.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use lanes_service::Service;
use serde_json::{Value, json};

use super::Problem;

/// `GET /healthz`
pub async fn alive() -> Json<Value> {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// `GET /readyz`
pub async fn ready(State(service): State<Service>) -> Result<Json<Value>, Problem> {
    match service.ready().await {
        Ok(()) => Ok(Json(json!({ "status": "ready", "live_runs": service.live_runs() }))),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.told()))
        }
    }
}
