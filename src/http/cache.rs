//! The response cache: `GET /api/cache`, `DELETE /api/cache`, and the same as a plain form.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use lanes_service::{CacheStats, Service};

use super::Problem;

/// What the response cache holds and was good for.
#[utoipa::path(
    get,
    path = "/api/cache",
    operation_id = "cache_stats",
    tag = "Cache",
    responses(
        (status = 200, description = "Its figures", body = CacheStats)
    ),
)]
pub async fn stats(State(service): State<Service>) -> Result<Json<CacheStats>, Problem> {
    Ok(Json(service.cache_stats().await?))
}

/// Forgets every cached answer.
#[utoipa::path(
    delete,
    path = "/api/cache",
    operation_id = "purge_cache",
    tag = "Cache",
    responses(
        (status = 204, description = "It is empty")
    ),
)]
pub async fn purge(State(service): State<Service>) -> Result<StatusCode, Problem> {
    service.purge_cache().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /cache/purge`, from the list of runs.
pub async fn purge_form(State(service): State<Service>) -> Response {
    match service.purge_cache().await {
        Ok(()) => Redirect::to("/runs").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
