//! The server functions.

use lanes_model::{RunId, RunRequest, TextCount};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, Json};

use super::{ProviderBadge, RunPageData, RunsPageData, UiError, WorkbenchData};

/// The default provider.
#[server(endpoint = "provider", input = GetUrl)]
pub async fn default_provider() -> Result<ProviderBadge, UiError> {
    let service = super::service()?;
    let first = service.providers().first().cloned();
    first
        .map(|p| ProviderBadge {
            name: if p.simulated { "Simulated provider".to_owned() } else { p.name },
            simulated: p.simulated,
        })
        .ok_or_else(|| UiError::NotFound("No provider is configured.".to_owned()))
}

/// Everything the Workbench needs; `from` names a run to repeat.
#[server(endpoint = "workbench", input = GetUrl)]
pub async fn workbench(from: Option<String>) -> Result<WorkbenchData, UiError> {
    super::workbench_data(from).await
}

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

/// Starts a run.
#[server(endpoint = "start", input = Json)]
pub async fn start_run(request: RunRequest) -> Result<RunId, UiError> {
    Ok(super::service()?.start(&request, None).await?.id)
}

/// A run and what is needed to draw it.
#[server(endpoint = "run", input = GetUrl)]
pub async fn run_page(id: String) -> Result<RunPageData, UiError> {
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
    let spec = &state.header.spec;
    let history = service.history(&spec.provider, &spec.model).await?;
    Ok(RunPageData { state, now, history })
}

/// Stops a run.
#[server(endpoint = "cancel", input = Json)]
pub async fn cancel_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.cancel(&RunId(id)).await?)
}

/// Takes an interrupted run up again.
#[server(endpoint = "resume", input = Json)]
pub async fn resume_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.resume(&RunId(id)).await?)
}

/// Deletes a run.
#[server(endpoint = "delete", input = Json)]
pub async fn delete_run(id: String) -> Result<(), UiError> {
    Ok(super::service()?.delete(&RunId(id)).await?)
}

/// A page of runs. Empty strings mean "any".
#[server(endpoint = "list", input = GetUrl)]
pub async fn runs_page(
    mode: String,
    status: String,
    search: String,
    cursor: String,
) -> Result<RunsPageData, UiError> {
    use lanes_model::RunStatus;
    let service = super::service()?;
    let some = |s: String| (!s.is_empty()).then_some(s);
    let filter = lanes_service::RunFilter {
        mode: mode.parse().ok(),
        status: RunStatus::from_id(&status),
        search: some(search),
        limit: 25,
        cursor: some(cursor),
    };
    let page = service.list(&filter).await?;
    let totals = service.totals().await?;
    Ok(RunsPageData {
        items: page.items,
        next_cursor: page.next_cursor,
        matching: page.total,
        total: totals.runs,
        cost_usd_micros: totals.cost_usd_micros,
        simulated_cost_usd_micros: totals.simulated_cost_usd_micros,
        now: service.wall_clock(),
    })
}
