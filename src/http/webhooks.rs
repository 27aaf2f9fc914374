//! Webhooks over REST. A secret is in the answer to `POST /api/webhooks` and in no other.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use lanes_service::{
    DeliveryPage, DeliveryView, Service, ServiceError, WebhookDefinition, WebhookView,
};
use serde_json::json;

use super::runs::parse;
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

/// `GET /api/webhooks`
async fn list(State(service): State<Service>) -> Result<Json<Vec<WebhookView>>, Problem> {
    Ok(Json(service.webhooks().await?))
}

/// `POST /api/webhooks`
async fn create(
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

/// `GET /api/webhooks/{id}`
async fn show(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<WebhookView>, Problem> {
    Ok(Json(service.webhook(&id).await?))
}

/// `PUT /api/webhooks/{id}`
async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<WebhookView>, Problem> {
    let definition: WebhookDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_webhook(&id, definition).await?))
}

/// `DELETE /api/webhooks/{id}`
async fn delete(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    service.delete_webhook(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/webhooks/{id}/test`
async fn test(
    State(service): State<Service>,
    Path(id): Path<String>,
) -> Result<Json<DeliveryView>, Problem> {
    Ok(Json(service.test_webhook(&id).await?))
}

/// `GET /api/webhooks/{id}/deliveries?cursor=`
async fn deliveries(
    State(service): State<Service>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<DeliveryPage>, Problem> {
    let cursor = asked(query.as_deref(), "cursor").filter(|cursor| !cursor.is_empty());
    Ok(Json(service.webhook_deliveries(&id, cursor.as_deref()).await?))
}

/// `POST /api/webhooks/{id}/deliveries/{delivery}/redeliver`
async fn redeliver(
    State(service): State<Service>,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let number = number(&delivery)?;
    service.redeliver(&id, number).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": number }))).into_response())
}

/// The number of a delivery; what is none is not there.
pub(super) fn number(delivery: &str) -> Result<i64, Problem> {
    delivery
        .parse()
        .map_err(|_| Problem::from(ServiceError::NotFound("There is no such delivery.".to_owned())))
}
