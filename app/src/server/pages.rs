//! What the server gathers for each page it renders.

use lanes_model::{Mode, RunId, RunStatus, TextCount};
use lanes_service::Service;
use leptos::prelude::use_context;

use super::{
    Doc, FormState, ModelHistory, Prefill, ProviderBadge, RunsPageData, UiError, WorkbenchData,
    service,
};

/// The default provider, for the top bar; none when the service is not set up.
#[must_use]
pub fn default_provider() -> Option<ProviderBadge> {
    let first = service().ok()?.providers().first().cloned()?;
    Some(ProviderBadge {
        name: if first.simulated { "Simulated provider".to_owned() } else { first.name },
        simulated: first.simulated,
    })
}

/// A page of runs. Empty strings mean "any".
///
/// # Errors
/// A store that fails.
pub async fn runs_page(
    mode: String,
    status: String,
    search: String,
    cursor: String,
) -> Result<RunsPageData, UiError> {
    let service = service()?;
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

/// Everything the Workbench needs.
///
/// # Errors
/// A store that fails; a run to repeat that is not there.
pub async fn workbench_data(from: Option<String>) -> Result<WorkbenchData, UiError> {
    let service = service()?;
    let form = use_context::<FormState>();
    let uploaded = use_context::<http::request::Parts>()
        .and_then(|parts| uploaded(parts.uri.query().unwrap_or_default()));
    let (mut prefill, errors) = match (form, from.filter(|id| !id.is_empty())) {
        (Some(form), _) => (form.prefill, form.errors),
        (None, Some(id)) => (repeat(&service, RunId(id)).await?, Vec::new()),
        (None, None) => (first_visit(&service), Vec::new()),
    };
    if let Some(ids) = uploaded.filter(|_| prefill.documents.is_empty()) {
        prefill.documents = docs(&service, &ids).await?;
    }
    if prefill.count == TextCount::default() && !prefill.text.is_empty() {
        prefill.count = service.count(&prefill.text).await;
    }
    let mut history = Vec::new();
    for provider in service.providers() {
        for model in provider.models.iter().take(8) {
            history.push(ModelHistory {
                provider: provider.id.clone(),
                model: model.clone(),
                tasks: service.history(&provider.id, model).await?,
            });
        }
    }
    Ok(WorkbenchData {
        samples: service.samples().to_vec(),
        tasks: service.tasks(),
        providers: service.providers().to_vec(),
        limits: service.limits().clone(),
        parallel: service.check_parallel().is_ok(),
        history,
        prefill,
        errors,
    })
}

/// The documents that an address names: `?documents=id,id`.
fn uploaded(query: &str) -> Option<Vec<String>> {
    let ids = query.split('&').find_map(|pair| pair.strip_prefix("documents="))?;
    Some(ids.split(',').filter(|id| !id.is_empty()).map(str::to_owned).collect())
}

/// Those of the documents that are there.
async fn docs(service: &Service, ids: &[String]) -> Result<Vec<Doc>, UiError> {
    Ok(service.documents_of(ids).await?.into_iter().map(Doc::of).collect())
}

/// A document for its page, with what there is to know of it in words.
///
/// # Errors
/// One that is not there; a store that fails.
pub async fn document_page(id: &str) -> Result<(lanes_service::DocumentPreview, String), UiError> {
    let preview = service()?.document_preview(id).await?;
    let about = Doc::of(preview.document.clone()).about;
    Ok((preview, about))
}

/// All six tasks on the first sample, to compare.
#[must_use]
pub fn first_visit(service: &Service) -> Prefill {
    let provider = service.providers().first();
    let sample = service.samples().first();
    Prefill {
        sample: sample.map(|s| s.id.clone()),
        text: sample
            .and_then(|s| lanes_model::sample::find(&s.id))
            .map(|s| s.text.to_owned())
            .unwrap_or_default(),
        count: sample.map_or_else(TextCount::default, |s| TextCount {
            tokens: s.tokens,
            words: s.words,
            bytes: s.bytes,
            estimated: false,
        }),
        tasks: service.tasks().iter().filter(|t| t.built_in).map(|t| t.id.to_string()).collect(),
        mode: Mode::Compare.id().to_owned(),
        provider: provider.map(|p| p.id.clone()).unwrap_or_default(),
        model: provider.and_then(|p| p.models.first().cloned()).unwrap_or_default(),
        ..Prefill::default()
    }
}

/// The choices of an earlier run.
async fn repeat(service: &Service, id: RunId) -> Result<Prefill, UiError> {
    let (state, _) = service.state(&id).await?;
    let spec = &state.header.spec;
    if let Some(workflow) = spec.workflow.as_ref().filter(|w| service.workflow(w).is_ok()) {
        // Its own page has the form for that.
        leptos_axum::redirect(&format!("/workflows/{workflow}?run={id}"));
    }
    let (text, documents) = match &spec.input {
        lanes_model::Input::Documents(ids) => (String::new(), docs(service, ids).await?),
        _ => (service.input_text(&state).await?, Vec::new()),
    };
    Ok(Prefill {
        documents,
        sample: match &spec.input {
            lanes_model::Input::Sample(id) => Some(id.clone()),
            _ => None,
        },
        count: TextCount::exact(&text, state.header.documents.first().map_or(0, |d| d.tokens)),
        text,
        tasks: spec.tasks.iter().map(ToString::to_string).collect(),
        mode: spec.mode.id().to_owned(),
        race: spec.race,
        concurrency: spec.concurrency.to_string(),
        provider: spec.provider.clone(),
        model: spec.model.clone(),
        cache: spec.cache,
        options: service.option_lines(spec),
        faults: spec.faults.as_ref().map(lanes_model::Faults::fields).unwrap_or_default(),
        from: Some(id),
        ..Prefill::default()
    })
}
