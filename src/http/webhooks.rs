//! Webhooks over REST. A secret is in the answer to `POST /api/webhooks` and in no other.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lanes_service::{
    DeliveryPage, DeliveryView, NewWebhook, Service, ServiceError, WebhookDefinition, WebhookView,
};

use super::body::parse;
use super::refusals::{Body, Conflict, Missing, Wrong};
use super::shapes::Redelivered;
use super::tasks::asked;
use super::{AppState, Problem};

/// The addresses of webhooks.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/webhooks", get(list).post(create))
        .route("/api/webhooks/{id}", get(show).put(replace).delete(delete))
        .route("/api/webhooks/{id}/test", post(test))
        .route("/api/webhooks/{id}/deliveries", get(deliveries))
        .route("/api/webhooks/{id}/deliveries/{delivery}/redeliver", post(redeliver))
}

/// The webhooks there are, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/webhooks",
    operation_id = "list_webhooks",
    tag = "Webhooks",
    responses(
        (status = 200, description = "All of them", body = Vec<WebhookView>)
    ),
)]
pub async fn list(State(service): State<Service>) -> Result<Json<Vec<WebhookView>>, Problem> {
    Ok(Json(service.webhooks().await?))
}

/// Makes a webhook. The secret that its messages are signed with is in this answer and in no other.
#[utoipa::path(
    post,
    path = "/api/webhooks",
    operation_id = "create_webhook",
    tag = "Webhooks",
    request_body(
        content = WebhookDefinition,
        example = json!({
            "name": "Pager", "url": "https://pager.example/hook",
            "events": ["run.failed", "alert.firing"]
        })
    ),
    responses(
        (status = 201, description = "It is made", body = NewWebhook),
        Body,
        Conflict
    ),
)]
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: WebhookDefinition = parse(&headers, body)?;
    let made = service.create_webhook(definition).await?;
    let headers = [
        (header::LOCATION, format!("/api/webhooks/{}", made.webhook.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(made)).into_response())
}

/// A webhook as it stands, without its secret.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}",
    operation_id = "show_webhook",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook")
    ),
    responses(
        (status = 200, description = "It", body = WebhookView),
        Missing
    ),
)]
pub async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(service.webhook(&id).await?))
}

/// Changes a webhook. Its secret stays.
#[utoipa::path(
    put,
    path = "/api/webhooks/{id}",
    operation_id = "replace_webhook",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook")
    ),
    request_body(
        content = WebhookDefinition,
        example = json!({
            "name": "Pager", "url": "https://pager.example/hook",
            "events": ["run.failed", "alert.firing"]
        })
    ),
    responses(
        (status = 200, description = "It is changed", body = WebhookView),
        Body,
        Missing,
        Conflict
    ),
)]
pub async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<WebhookView>, Problem> {
    let definition: WebhookDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_webhook(&id, definition).await?))
}

/// Forgets a webhook and what was sent there.
#[utoipa::path(
    delete,
    path = "/api/webhooks/{id}",
    operation_id = "delete_webhook",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook")
    ),
    responses(
        (status = 204, description = "It is gone"),
        Missing
    ),
)]
pub async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message that tells of nothing, at once, and says what came of it.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/test",
    operation_id = "test_webhook",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook")
    ),
    responses(
        (status = 200, description = "What came of it, also when it did not arrive", body = DeliveryView),
        Missing,
        Conflict
    ),
)]
pub async fn test(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(service.test_webhook(&id).await?))
}

/// What went to a webhook, newest first, 50 on a page.
#[utoipa::path(
    get,
    path = "/api/webhooks/{id}/deliveries",
    operation_id = "list_deliveries",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")
    ),
    responses(
        (status = 200, description = "A page", body = DeliveryPage),
        Missing,
        Wrong
    ),
)]
pub async fn deliveries(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<DeliveryPage>, Problem> {
    let cursor = asked(query.as_deref(), "cursor").filter(|cursor| !cursor.is_empty());
    Ok(Json(service.webhook_deliveries(&id, cursor.as_deref()).await?))
}

/// Sends a message again, whatever came of it before. It keeps its id.
#[utoipa::path(
    post,
    path = "/api/webhooks/{id}/deliveries/{delivery}/redeliver",
    operation_id = "redeliver",
    tag = "Webhooks",
    params(
        ("id" = String, Path, description = "The webhook"),
        ("delivery" = i64, Path, description = "The delivery")
    ),
    responses(
        (status = 202, description = "It is about to be sent", body = Redelivered),
        Missing,
        Conflict
    ),
)]
pub async fn redeliver(
    State(service): State<Service>,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, Json<Redelivered>), Problem> {
    let id_of_it = number(&delivery)?;
    service.redeliver(&id, id_of_it).await?;
    Ok((StatusCode::ACCEPTED, Json(Redelivered { id: id_of_it })))
}

/// The number of a delivery; what is none is not there.
pub(super) fn number(delivery: &str) -> Result<i64, Problem> {
    delivery
        .parse()
        .map_err(|_| Problem::from(ServiceError::NotFound("There is no such delivery.".to_owned())))
}
