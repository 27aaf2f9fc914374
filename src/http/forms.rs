//! Forms as plain posts, for browsers without JavaScript: they end in a redirect, or in the form
//! again with what is wrong.

use app::server::{Doc, FormState, Prefill};
use axum::body::Body;
use axum::extract::{Form, Path, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use lanes_model::options::form;
use lanes_model::{FaultsRequest, FieldError, RunId, RunRequest, sample, spec::InputRequest};
use lanes_service::{RetryRequest, RunChange, Service, ServiceError};
use leptos::prelude::provide_context;

use super::{AppState, Problem, page};

/// `POST /runs`: starts a run.
pub async fn start(
    State(state): State<AppState>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Response {
    let (mut request, mut prefill, errors) = read(&fields);
    let chosen: Vec<String> =
        fields.iter().filter(|(k, _)| k == "document").map(|(_, v)| v.clone()).collect();
    if !chosen.is_empty() {
        prefill.documents = match state.service.documents_of(&chosen).await {
            Ok(documents) => documents.into_iter().map(Doc::of).collect(),
            Err(error) => return Problem::from(error).into_response(),
        };
        request.input = InputRequest { document_ids: Some(chosen), ..InputRequest::default() };
    }
    // The page hides the faults while a real provider is chosen, and what is hidden does not count.
    let mut providers = state.service.providers().iter();
    if providers.any(|p| !p.simulated && Some(&p.id) == request.provider.as_ref()) {
        request.faults = None;
    }
    let problem = if errors.is_empty() {
        match state.service.start_form(request, &prefill.options).await {
            Ok(started) => return Redirect::to(&format!("/runs/{}", started.id)).into_response(),
            Err(ServiceError::Invalid(errors)) => errors,
            Err(other) => return Problem::from(other).into_response(),
        }
    } else {
        errors
    };
    let form = FormState { prefill, errors: problem };
    let mut again = Request::new(Body::empty());
    *again.method_mut() = Method::GET;
    *again.uri_mut() = Uri::from_static("/");
    let mut response = page::render(state, move || provide_context(form.clone()), again).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

/// The form's fields as a request, and as values to show again.
fn read(fields: &[(String, String)]) -> (RunRequest, Prefill, Vec<FieldError>) {
    let one = |name: &str| {
        fields.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()).unwrap_or_default()
    };
    let some = |name: &str| Some(one(name)).filter(|v| !v.trim().is_empty());
    let tasks: Vec<String> =
        fields.iter().filter(|(k, _)| k == "task").map(|(_, v)| v.clone()).collect();
    // Browsers send line ends as CR LF.
    let text = one("text").replace("\r\n", "\n");
    let sample = some("sample");
    let chosen = sample.as_deref().and_then(sample::find);
    let unchanged = chosen.is_some_and(|s| text.trim().is_empty() || text.trim() == s.text.trim());
    let mut errors = Vec::new();
    let typed = one("concurrency");
    let concurrency = match typed.trim() {
        "" => None,
        number => number
            .parse::<i64>()
            .map_err(|_| {
                errors.push(FieldError::new("/concurrency", "Concurrency must be a whole number."));
            })
            .ok(),
    };
    let faults = FaultsRequest::FIELDS.map(one).join("\n");
    let mut options = form::FIELDS.map(one).to_vec();
    let fallback = |name: &str| name.starts_with(form::FALLBACK);
    options.extend(fields.iter().filter(|(k, _)| fallback(k)).map(|(_, v)| v.clone()));
    let request = RunRequest {
        input: match (&sample, unchanged) {
            (Some(id), true) => InputRequest { sample: Some(id.clone()), ..Default::default() },
            _ => InputRequest { text: Some(text.clone()), ..Default::default() },
        },
        tasks: tasks.clone(),
        mode: some("mode"),
        race: some("race").is_some() && one("mode") == "compare",
        concurrency,
        provider: some("provider"),
        model: some("model"),
        // Compare hides the box, and what is hidden does not count.
        cache: (some("cache").is_some() && one("mode") != "compare").then_some(true),
        faults: FaultsRequest::typed(faults.clone()),
        ..RunRequest::default()
    };
    let prefill = Prefill {
        sample: sample.filter(|_| unchanged),
        text: match chosen {
            Some(s) if unchanged => s.text.to_owned(),
            _ => text,
        },
        tasks,
        mode: some("mode").unwrap_or_else(|| "compare".to_owned()),
        race: request.race,
        concurrency: typed,
        provider: one("provider"),
        model: one("model"),
        cache: some("cache").is_some(),
        faults,
        options: options.join("\n"),
        ..Prefill::default()
    };
    (request, prefill, errors)
}

/// `POST /runs/{id}/cancel`
pub async fn cancel(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.cancel(&RunId(id.clone())).await {
        // A run that ended meanwhile needs no cancelling: its page says how it ended.
        Ok(()) | Err(ServiceError::Conflict(_)) => to_run(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /runs/{id}/pause`
pub async fn pause(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.pause(&RunId(id.clone())).await {
        Ok(()) => to_run(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// The number of lanes as it was typed.
#[derive(Debug, serde::Deserialize)]
pub struct Lanes {
    concurrency: String,
}

/// `POST /runs/{id}/change`: how many lanes to use from now on.
pub async fn change(
    State(service): State<Service>,
    Path(id): Path<String>,
    Form(lanes): Form<Lanes>,
) -> Response {
    // What is no number is refused as one that is out of range.
    let concurrency = Some(lanes.concurrency.trim().parse().unwrap_or(0));
    let change = RunChange { concurrency, ..RunChange::default() };
    match service.change(&RunId(id.clone()), change).await {
        Ok(()) | Err(ServiceError::Conflict(_)) => to_run(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /runs/{id}/resume`
pub async fn resume(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.resume(&RunId(id.clone())).await {
        Ok(()) => to_run(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /runs/{id}/retry-failed`: all failed calls, or those of a stage or of a kind.
pub async fn retry(
    State(service): State<Service>,
    Path(id): Path<String>,
    Form(request): Form<RetryRequest>,
) -> Response {
    match service.retry_failed(&RunId(id.clone()), request).await {
        Ok(_) => to_run(&id),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// `POST /runs/{id}/delete`
pub async fn delete(State(service): State<Service>, Path(id): Path<String>) -> Response {
    match service.delete(&RunId(id)).await {
        Ok(()) => Redirect::to("/runs").into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

fn to_run(id: &str) -> Response {
    Redirect::to(&format!("/runs/{id}")).into_response()
}
