//! The faces over HTTP: the page, the REST API, the event stream, the built files. Each handler
//! validates, calls the service and maps its error.

mod access;
mod alerts;
mod assets;
mod batch;
mod body;
mod cache;
mod catalogue;
mod documents;
mod door;
mod etag;
mod events;
mod forms;
mod frames;
mod headers;
mod health;
mod keys;
mod login;
mod metrics;
mod openapi;
mod page;
mod problem;
mod process;
mod refusals;
mod runs;
pub mod server;
mod shapes;
mod slow;
mod strict;
mod task_forms;
mod tasks;
#[cfg(test)]
mod testing;
mod webhook_forms;
mod webhooks;
mod workflow_forms;
mod workflows;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, FromRef};
use axum::routing::{any, delete, get, post};
use axum::{Router, middleware};
use lanes_service::Service;
use leptos::prelude::LeptosOptions;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};

use crate::telemetry::metrics::Metrics;

pub use access::Gate;
pub use problem::Problem;

/// The largest body of a request: a text at its limit, escaped in JSON in the worst way.
const MAX_BODY: usize = 2_000_000;

/// What handlers share.
#[derive(Clone, FromRef)]
pub struct AppState {
    service: Service,
    gate: Gate,
    options: LeptosOptions,
    stop: StopToken,
    metrics: Arc<Metrics>,
}

/// Cancelled when the program stops: streams end then.
#[derive(Clone)]
pub struct StopToken(CancellationToken);

/// Everything the program serves.
pub fn router(
    service: Service,
    gate: Gate,
    addr: SocketAddr,
    stop: CancellationToken,
    metrics: Arc<Metrics>,
) -> Router {
    let options = page::options(addr);
    let gates = (gate.clone(), gate.clone());
    let counted = Arc::clone(&metrics);
    let state = AppState { service, gate, options, stop: StopToken(stop), metrics };
    let compressed = CompressionLayer::new()
        .compress_when(DefaultPredicate::new().and(NotForContentType::new("text/event-stream")));
    let api = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::text))
        .route("/api/tasks", get(tasks::list).post(tasks::create))
        .route("/api/tasks/export", get(tasks::export))
        .route("/api/tasks/import", post(tasks::import))
        .route("/api/tasks/try", post(tasks::attempt))
        .route("/api/tasks/{id}", get(tasks::show).put(tasks::replace).delete(tasks::delete))
        .route("/api/tasks/{id}/copy", post(tasks::copy))
        .route("/api/workflows", get(workflows::list).post(workflows::create))
        .route("/api/workflows/check", post(workflows::check))
        .route("/api/workflows/import", post(workflows::import))
        .route(
            "/api/workflows/{id}",
            get(workflows::show).put(workflows::replace).delete(workflows::delete),
        )
        .route("/api/workflows/{id}/copy", post(workflows::copy))
        .route("/api/workflows/{id}/samples", get(workflows::samples).post(workflows::add_samples))
        .route("/api/samples", get(catalogue::samples))
        .route("/api/providers", get(catalogue::providers))
        .route("/api/cache", get(cache::stats).delete(cache::purge))
        .route("/api/documents", get(documents::list).merge(documents::upload()))
        .route("/api/documents/{id}", get(documents::show).delete(documents::delete))
        .route("/api/documents/{id}/content", get(documents::content))
        .route("/api/keys", get(keys::list).post(keys::create))
        .route("/api/keys/{id}", delete(keys::revoke))
        .route("/api/process-batch", process::one_answer())
        .route("/api/process-batch-stream", process::streamed())
        .route("/api/process-batch-fast", process::fast())
        .route("/api/runs", get(runs::list).post(runs::create))
        .route("/api/runs/{id}", get(runs::show).delete(runs::delete).patch(runs::change))
        .route("/api/runs/{id}/cancel", post(runs::cancel))
        .route("/api/runs/{id}/pause", post(runs::pause))
        .route("/api/runs/{id}/resume", post(runs::resume))
        .route("/api/runs/{id}/retry-failed", post(batch::retry))
        .route("/api/runs/{id}/calls", get(batch::calls))
        .route("/api/runs/{id}/timeline", get(batch::timeline))
        .route("/api/runs/{id}/frames", get(frames::stream))
        .route("/api/runs/{id}/events", get(events::stream))
        .route("/api/runs/{id}/export", get(runs::export))
        .merge(webhooks::routes())
        .merge(alerts::routes())
        .route("/openapi.json", get(openapi::show))
        .route("/api", any(problem::no_such_address))
        .route("/api/", any(problem::no_such_address))
        .route("/api/{*rest}", any(problem::no_such_address))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn(strict::problems));
    let door = Router::new()
        .route("/v1/chat/completions", post(door::complete))
        .route("/v1/models", get(door::models))
        .route("/v1/models/{*model}", get(door::model))
        .route("/v1", any(door::refused::no_such_address))
        .route("/v1/{*rest}", any(door::refused::no_such_address))
        .method_not_allowed_fallback(door::refused::method_not_allowed)
        .layer(DefaultBodyLimit::max(door::MAX_BODY))
        .layer(middleware::from_fn(door::refused::errors));
    let forms = Router::new()
        .route("/runs/{id}/cancel", post(forms::cancel))
        .route("/runs/{id}/pause", post(forms::pause))
        .route("/runs/{id}/resume", post(forms::resume))
        .route("/runs/{id}/retry-failed", post(forms::retry))
        .route("/runs/{id}/change", post(forms::change))
        .route("/runs/{id}/delete", post(forms::delete))
        .route("/workflows/{id}/delete", post(workflow_forms::delete))
        .route("/workflows/{id}/run", post(workflow_forms::run))
        .route("/tasks/import", post(task_forms::import))
        .route("/tasks/{id}/delete", post(task_forms::delete))
        .route("/documents", documents::upload_form())
        .route("/documents/{id}/delete", post(documents::delete_form))
        .merge(webhook_forms::routes())
        .merge(alerts::forms())
        .route("/cache/purge", post(cache::purge_form))
        .route("/logout", post(login::log_out))
        .route("/settings/keys/{id}/revoke", post(keys::revoke_form));
    let pages = page::routes(&state)
        .route("/runs", post(forms::start))
        .route("/login", post(login::log_in))
        .route("/settings/keys", post(keys::create_form))
        .route("/tasks/new", post(task_forms::create))
        .route("/tasks/{id}", post(task_forms::save))
        .route("/workflows/new", post(workflow_forms::create))
        .route("/workflows/{id}", post(workflow_forms::save))
        .route("/alerts", post(alerts::create_form))
        .route("/alerts/{id}", post(alerts::save_form))
        .route("/settings/webhooks", post(webhook_forms::create))
        .route("/settings/webhooks/{id}", post(webhook_forms::save));
    Router::new()
        .merge(api)
        .merge(door)
        .merge(forms)
        .merge(pages)
        .route("/pkg/{*path}", get(assets::built))
        .route("/favicon.svg", get(assets::favicon))
        .route("/batch.js", get(assets::batch_script))
        .fallback(page::fallback)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(compressed)
        // The door stands before everything that costs something, and what it says is said safely.
        .layer(middleware::from_fn_with_state(gates.0, access::admit))
        .layer(middleware::from_fn_with_state(gates.1, headers::secure))
        .layer(middleware::from_fn_with_state(counted, metrics::count))
        .with_state(state)
}
