//! API keys over REST, and the forms of the page `/settings/keys`.

use app::server::KeySent;
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{Form, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Redirect, Response};
use lanes_service::{KeyRequest, ServiceError};
use leptos::prelude::provide_context;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::access::Gate;
use super::{AppState, Problem, page, runs};

/// `GET /api/keys`
pub async fn list(State(gate): State<Gate>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "items": gate.access().keys().await? })))
}

/// `POST /api/keys`: the answer alone has the secret.
pub async fn create(
    State(gate): State<Gate>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request: KeyRequest = runs::parse(&headers, body)?;
    let made = gate.access().create_key(&request).await?;
    let mut answer = json!(made.key);
    answer["key"] = json!(made.secret.expose_secret());
    let headers = [
        (header::LOCATION, format!("/api/keys/{}", made.key.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

/// `DELETE /api/keys/{id}`
pub async fn revoke(
    State(gate): State<Gate>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    gate.access().revoke_key(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The form that makes a key, as it is typed.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct KeyForm {
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    expires_in_days: String,
}

/// `POST /settings/keys`: the page again, with the new key, which nobody sees twice.
pub async fn create_form(
    State(state): State<AppState>,
    State(gate): State<Gate>,
    Form(form): Form<KeyForm>,
) -> Response {
    let days = form.expires_in_days.trim();
    let request = KeyRequest {
        name: form.name,
        scope: form.scope,
        // What is no number is refused as one that is out of range.
        expires_in_days: (!days.is_empty()).then(|| days.parse().unwrap_or(0)),
    };
    let (status, sent) = match gate.access().create_key(&request).await {
        Ok(made) => (StatusCode::OK, KeySent { made: Some(made), ..KeySent::default() }),
        Err(ServiceError::Invalid(errors)) => (
            StatusCode::UNPROCESSABLE_ENTITY,
            KeySent { request, days: form.expires_in_days, errors, made: None },
        ),
        Err(error) => return Problem::from(error).into_response(),
    };
    let mut again = Request::new(Body::empty());
    *again.method_mut() = Method::GET;
    *again.uri_mut() = Uri::from_static("/settings/keys");
    let mut response = page::render(state, move || provide_context(sent.clone()), again).await;
    *response.status_mut() = status;
    let never = header::HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    response
}

/// `POST /settings/keys/{id}/revoke`
pub async fn revoke_form(State(gate): State<Gate>, Path(id): Path<String>) -> Response {
    match gate.access().revoke_key(&id).await {
        // One that is gone already is what was wanted.
        Ok(()) | Err(ServiceError::NotFound(_)) => Redirect::to("/settings/keys").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
