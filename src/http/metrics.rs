//! The program's figures, for Prometheus.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lanes_service::Service;

use super::Problem;
use crate::telemetry::metrics::Metrics;

/// The text format that every Prometheus reads.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The program's figures, in the text format of Prometheus.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "metrics",
    tag = "Figures",
    responses(
        (status = 200, description = "The figures", body = String, content_type = "text/plain")
    ),
)]
pub async fn text(
    State(service): State<Service>,
    State(metrics): State<Arc<Metrics>>,
) -> Result<Response, Problem> {
    match metrics.text(&service).await {
        Ok(text) => Ok(([(header::CONTENT_TYPE, TEXT)], text).into_response()),
        Err(error) => {
            tracing::error!(%error, "the figures cannot be written");
            let detail = "The figures cannot be written; the log says why.";
            Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, detail))
        }
    }
}

/// Counts requests by the route that they matched: an address in a label would be one label for each.
pub async fn count(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let response = next.run(request).await;
    let method = match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE") => known,
        _ => "other",
    };
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    metrics.answered(method, route, response.status().as_u16());
    response
}
