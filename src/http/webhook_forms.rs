//! Webhooks as plain posts. Making one ends in the page itself rather than in a redirect: that page is
//! the only one that shows the secret, and it is not to be kept by anybody.

use app::server::{WebhookForm, WebhookSecret, WebhookSent};
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use lanes_service::{Service, ServiceError};
use leptos::prelude::provide_context;

use super::task_forms::rendered;
use super::webhooks::number;
use super::{AppState, Problem};

type Fields = Vec<(String, String)>;

/// The addresses at which there is no page.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/settings/webhooks/{id}/delete", post(delete))
        .route("/settings/webhooks/{id}/test", post(test))
        .route("/settings/webhooks/{id}/deliveries/{delivery}/redeliver", post(redeliver))
}

/// `POST /settings/webhooks`
pub async fn create(State(state): State<AppState>, Form(fields): Form<Fields>) -> Response {
    let form = WebhookForm::read(&fields);
    match state.service.create_webhook(form.definition()).await {
        Ok(made) => {
            let shown = WebhookSecret { name: made.webhook.name, secret: made.secret };
            let more = move || provide_context(shown.clone());
            let mut page = rendered(state, "/settings/webhooks", StatusCode::CREATED, more).await;
            let no_store = HeaderValue::from_static("no-store");
            page.headers_mut().insert(header::CACHE_CONTROL, no_store);
            page
        }
        Err(error) => again(state, "/settings/webhooks", form, error).await,
    }
}

/// `POST /settings/webhooks/{id}`
pub async fn save(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let form = WebhookForm::read(&fields);
    match state.service.replace_webhook(&id, form.definition()).await {
        Ok(webhook) => {
            Redirect::to(&format!("/settings/webhooks/{}?saved", webhook.id)).into_response()
        }
        Err(error) => again(state, &format!("/settings/webhooks/{id}"), form, error).await,
    }
}

/// The form again, with what is wrong.
async fn again(state: AppState, path: &str, form: WebhookForm, error: ServiceError) -> Response {
    let (status, errors) = match error {
        ServiceError::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        ServiceError::Conflict(why) => {
            (StatusCode::CONFLICT, vec![lanes_model::FieldError::new("", why)])
        }
        other => return Problem::from(other).into_response(),
    };
    let sent = WebhookSent { form, errors };
    rendered(state, path, status, move || provide_context(sent.clone())).await
}

/// `POST /settings/webhooks/{id}/delete`
async fn delete(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete_webhook(&id).await {
        Ok(()) => Redirect::to("/settings/webhooks").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /settings/webhooks/{id}/test`
async fn test(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.test_webhook(&id).await {
        Ok(_) => to_log(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /settings/webhooks/{id}/deliveries/{delivery}/redeliver`
async fn redeliver(
    State(service): State<Service>,
    Path((id, delivery)): Path<(String, String)>,
) -> Response {
    let number = match number(&delivery) {
        Ok(number) => number,
        Err(problem) => return problem.into_response(),
    };
    match service.redeliver(&id, number).await {
        Ok(()) => to_log(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn to_log(id: &str) -> Response {
    Redirect::to(&format!("/settings/webhooks/{id}#deliveries")).into_response()
}
