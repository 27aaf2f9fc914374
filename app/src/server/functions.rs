//! What the islands ask of the server. The browser calls these through `ask`: a function, an argument
//! or an answer that changes here changes there too.

use lanes_model::{RunId, RunRequest, TextCount};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

use super::{Packed, RunPageData, UiError};

/// The text of a shipped sample.
#[server(endpoint = "sample", input = GetUrl)]
pub async fn sample_text(id: String) -> Result<String, UiError> {
    lanes_model::sample::find(&id)
        .map(|s| s.text.to_owned())
        .ok_or_else(|| UiError::NotFound("There is no such sample.".to_owned()))
}

/// The size of a text, with tokens counted.
#[server(endpoint = "count", input = Json)]
pub async fn count_text(text: String) -> Result<TextCount, UiError> {
    let service = super::service()?;
    if text.len() > 4 * service.limits().max_text_bytes {
        return Ok(TextCount::guess(&text));
    }
    Ok(service.count(&text).await)
}

/// Starts a run with the options that the form says, one a line.
#[server(endpoint = "start", input = Json)]
pub async fn start_run(request: RunRequest, options: String) -> Result<RunId, UiError> {
    let service = super::service()?;
    let id = service.start_form(request, &options).await?.id;
    // The page that opens next shows the first calls from its first moment on.
    let begun = |state: &lanes_model::RunState| {
        let calls = || state.passes.iter().flat_map(|p| &p.calls);
        calls().any(|c| !c.attempts.is_empty())
    };
    service.wait_until(&id, std::time::Duration::from_millis(100), begun).await;
    Ok(id)
}

/// A run and what is needed to draw it.
#[server(endpoint = "run", input = GetUrl)]
pub async fn run_page(id: String) -> Result<Packed<RunPageData>, UiError> {
    let service = super::service()?;
    let (state, now) = match service.state(&RunId(id)).await.map_err(UiError::from) {
        Ok(found) => found,
        Err(error) => {
            if matches!(error, UiError::NotFound(_)) {
                super::set_status(404);
            }
            return Err(error);
        }
    };
    if state.is_large() {
        return Err(UiError::Failed("A run of this size is read part by part.".to_owned()));
    }
    let spec = &state.header.spec;
    let history = service.history(&spec.provider, &spec.model).await?;
    let report = crate::pages::report_html(&state);
    let faults = spec.faults.as_ref().map(lanes_model::Faults::summary);
    let trouble = service.trouble();
    Ok(Packed(RunPageData { state, now, history, report, faults, trouble }))
}

/// Stops a run.
#[server(endpoint = "cancel", input = Json)]
pub async fn cancel_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.cancel(&RunId(id)).await?)
}

/// Pauses a run: nothing starts, what is under way goes on.
#[server(endpoint = "pause", input = Json)]
pub async fn pause_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.pause(&RunId(id)).await?)
}

/// Changes how many lanes a run uses.
#[server(endpoint = "change", input = Json)]
pub async fn change_run(id: String, concurrency: u32) -> Result<(), UiError> {
    let change = lanes_service::RunChange {
        concurrency: Some(concurrency.into()),
        ..lanes_service::RunChange::default()
    };
    Ok(super::service()?.change(&RunId(id), change).await?)
}

/// Takes an interrupted run up again, or lets a paused one go on.
#[server(endpoint = "resume", input = Json)]
pub async fn resume_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.resume(&RunId(id)).await?)
}
