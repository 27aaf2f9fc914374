//! Alerts and the dashboard over REST, and the rules' forms as plain posts.

use app::server::{AlertForm, AlertSent};
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Form, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use lanes_model::FieldError;
use lanes_service::{
    AlertRule, AlertRuleDefinition, Alerts, Dashboard, DashboardRange, Service, ServiceError,
};
use leptos::prelude::provide_context;

use super::body::parse;
use super::refusals::{Body, Conflict, Missing, Wrong};
use super::task_forms::rendered;
use super::tasks::asked;
use super::{AppState, Problem};

type Fields = Vec<(String, String)>;

/// The addresses of alerts and of the dashboard.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/api/alerts", get(all))
        .route("/api/alerts/rules", get(list).post(create))
        .route("/api/alerts/rules/{id}", put(replace).delete(delete))
        .route("/api/dashboard", get(dashboard))
}

/// The rules, how they stand and how they stood.
#[utoipa::path(
    get,
    path = "/api/alerts",
    operation_id = "show_alerts",
    tag = "Alerts",
    responses(
        (status = 200, description = "All of it", body = Alerts)
    ),
)]
pub async fn all(State(service): State<Service>) -> Result<Json<Alerts>, Problem> {
    Ok(Json(service.alerts().await?))
}

/// The rules of alerts, in the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/alerts/rules",
    operation_id = "list_alert_rules",
    tag = "Alerts",
    responses(
        (status = 200, description = "All of them", body = Vec<AlertRule>)
    ),
)]
pub async fn list(State(service): State<Service>) -> Result<Json<Vec<AlertRule>>, Problem> {
    Ok(Json(service.alert_rules().await?))
}

/// Makes a rule of an alert.
#[utoipa::path(
    post,
    path = "/api/alerts/rules",
    operation_id = "create_alert_rule",
    tag = "Alerts",
    request_body(
        content = AlertRuleDefinition,
        example = json!({
            "name": "Calls fail", "kind": "error_rate", "threshold": 5, "window_s": 300,
            "for_s": 60, "min_calls": 20, "severity": "critical"
        })
    ),
    responses(
        (status = 201, description = "It is made", body = AlertRule),
        Body,
        Conflict
    ),
)]
pub async fn create(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let definition: AlertRuleDefinition = parse(&headers, body)?;
    let rule = service.create_alert_rule(definition).await?;
    let location = [(header::LOCATION, format!("/api/alerts/rules/{}", rule.id))];
    Ok((StatusCode::CREATED, location, Json(rule)).into_response())
}

/// Puts a rule in the place of one that is there. How it stands is measured anew.
#[utoipa::path(
    put,
    path = "/api/alerts/rules/{id}",
    operation_id = "replace_alert_rule",
    tag = "Alerts",
    params(
        ("id" = String, Path, description = "The rule")
    ),
    request_body(
        content = AlertRuleDefinition,
        example = json!({
            "name": "Calls fail", "kind": "error_rate", "threshold": 5, "window_s": 300,
            "for_s": 60, "min_calls": 20, "severity": "critical"
        })
    ),
    responses(
        (status = 200, description = "It is changed", body = AlertRule),
        Body,
        Missing
    ),
)]
pub async fn replace(
    State(service): State<Service>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<AlertRule>, Problem> {
    let definition: AlertRuleDefinition = parse(&headers, body)?;
    Ok(Json(service.replace_alert_rule(&id, definition).await?))
}

/// Forgets a rule. An alert of it that fires is resolved with that.
#[utoipa::path(
    delete,
    path = "/api/alerts/rules/{id}",
    operation_id = "delete_alert_rule",
    tag = "Alerts",
    params(
        ("id" = String, Path, description = "The rule")
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
    service.delete_alert_rule(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The last hour, day or week in figures.
#[utoipa::path(
    get,
    path = "/api/dashboard",
    operation_id = "show_dashboard",
    tag = "Figures",
    params(
        ("range" = Option<DashboardRange>, Query, description = "Of what time; a day when absent")
    ),
    responses(
        (status = 200, description = "The figures", body = Dashboard),
        Wrong
    ),
)]
pub async fn dashboard(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
) -> Result<Json<Dashboard>, Problem> {
    let range = match asked(query.as_deref(), "range") {
        None => DashboardRange::default(),
        Some(id) => DashboardRange::from_id(&id).ok_or_else(|| {
            let wrong = "range must be one of hour, day, week.";
            Problem::invalid(vec![FieldError::new("/range", wrong)])
        })?,
    };
    Ok(Json(service.dashboard(range).await?))
}

/// The addresses of forms at which there is no page.
pub fn forms() -> Router<AppState> {
    Router::new().route("/alerts/{id}/delete", post(delete_form))
}

/// `POST /alerts`
pub async fn create_form(State(state): State<AppState>, Form(fields): Form<Fields>) -> Response {
    let form = AlertForm::read(&fields);
    match state.service.create_alert_rule(form.definition()).await {
        Ok(_) => Redirect::to("/alerts").into_response(),
        Err(error) => again(state, "/alerts", form, error).await,
    }
}

/// `POST /alerts/{id}`
pub async fn save_form(
    State(state): State<AppState>,
    Path(id): Path<String>,
    Form(fields): Form<Fields>,
) -> Response {
    let form = AlertForm::read(&fields);
    match state.service.replace_alert_rule(&id, form.definition()).await {
        Ok(rule) => Redirect::to(&format!("/alerts/{}?saved", rule.id)).into_response(),
        Err(error) => again(state, &format!("/alerts/{id}"), form, error).await,
    }
}

/// The form again, with what is wrong.
async fn again(state: AppState, path: &str, form: AlertForm, error: ServiceError) -> Response {
    let (status, errors) = match error {
        ServiceError::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors),
        ServiceError::Conflict(why) => (StatusCode::CONFLICT, vec![FieldError::new("", why)]),
        other => return Problem::from(other).into_response(),
    };
    let sent = AlertSent { form, errors };
    rendered(state, path, status, move || provide_context(sent.clone())).await
}

/// `POST /alerts/{id}/delete`
async fn delete_form(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete_alert_rule(&id).await {
        Ok(()) => Redirect::to("/alerts").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}
