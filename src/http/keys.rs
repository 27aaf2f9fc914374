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

use super::access::Gate;
use super::body::parse;
use super::refusals::{Body as BodyRefused, Conflict, Missing};
use super::shapes::{KeyList, NewKey};
use super::{AppState, Problem, page};

/// The keys there are, without their secrets.
#[utoipa::path(
    get,
    path = "/api/keys",
    operation_id = "list_keys",
    tag = "Keys",
    responses(
        (status = 200, description = "All of them", body = KeyList)
    ),
)]
pub async fn list(State(gate): State<Gate>) -> Result<Json<KeyList>, Problem> {
    Ok(Json(KeyList { items: gate.access().keys().await? }))
}

/// Makes a key. Its secret is in this answer and in no other.
#[utoipa::path(
    post,
    path = "/api/keys",
    operation_id = "create_key",
    tag = "Keys",
    request_body(
        content = KeyRequest,
        example = json!({ "name": "Nightly evaluation", "scope": "run", "expires_in_days": 90 })
    ),
    responses(
        (status = 201, description = "It is made", body = NewKey),
        BodyRefused,
        Conflict
    ),
)]
pub async fn create(
    State(gate): State<Gate>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let request: KeyRequest = parse(&headers, body)?;
    let made = gate.access().create_key(&request).await?;
    let headers = [
        (header::LOCATION, format!("/api/keys/{}", made.key.id)),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let answer = NewKey { listed: made.key, key: made.secret.expose_secret().to_owned() };
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

/// Revokes a key, and ends the sessions that were opened with it.
#[utoipa::path(
    delete,
    path = "/api/keys/{id}",
    operation_id = "revoke_key",
    tag = "Keys",
    params(
        ("id" = String, Path, description = "The part of the key that is not secret")
    ),
    responses(
        (status = 204, description = "It is revoked"),
        Missing
    ),
)]
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
