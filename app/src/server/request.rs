//! What a request brings along on the server: the service, the form it sent, how it wants the page.

use lanes_model::{FieldError, Mode, RunId, TextCount};
use lanes_service::Service;
use leptos::prelude::use_context;

use super::{ModelHistory, Prefill, UiError, WorkbenchData};

/// The service, put into the context of every request.
///
/// # Errors
/// When it is not there, which would be a mistake in the program's set-up.
pub fn service() -> Result<Service, UiError> {
    use_context::<Service>().ok_or_else(|| UiError::Failed("The service is not set up.".to_owned()))
}

/// Sets the status of the response being made.
pub fn set_status(status: u16) {
    if let (Some(response), Ok(status)) =
        (use_context::<leptos_axum::ResponseOptions>(), http::StatusCode::from_u16(status))
    {
        response.set_status(status);
    }
}

/// How the viewer wants pages shown, from the cookies `theme` and `present`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Display {
    /// `light` or `dark`; none: as the system is.
    pub theme: Option<&'static str>,
    /// Whether everything is enlarged for a projector.
    pub present: bool,
}

impl Display {
    /// Read from the request being answered.
    #[must_use]
    pub fn of_request() -> Self {
        let Some(parts) = use_context::<http::request::Parts>() else { return Self::default() };
        let cookies =
            parts.headers.get_all(http::header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let mut display = Self::default();
        for pair in cookies.flat_map(|c| c.split(';')) {
            match pair.trim() {
                "theme=dark" => display.theme = Some("dark"),
                "theme=light" => display.theme = Some("light"),
                "present=1" => display.present = true,
                _ => {}
            }
        }
        display
    }
}

/// A form that was sent without JavaScript and found wrong: shown again as it was, with what is
/// wrong. Put into the context by the handler of the form.
#[derive(Debug, Clone)]
pub struct FormState {
    /// The values as sent.
    pub prefill: Prefill,
    /// What is wrong.
    pub errors: Vec<FieldError>,
}

/// Everything the Workbench needs.
///
/// # Errors
/// A store that fails; a run to repeat that is not there.
pub async fn workbench_data(from: Option<String>) -> Result<WorkbenchData, UiError> {
    let service = service()?;
    let form = use_context::<FormState>();
    let (mut prefill, errors) = match (form, from.filter(|id| !id.is_empty())) {
        (Some(form), _) => (form.prefill, form.errors),
        (None, Some(id)) => (repeat(&service, RunId(id)).await?, Vec::new()),
        (None, None) => (first_visit(&service), Vec::new()),
    };
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
        tasks: service.tasks().to_vec(),
        providers: service.providers().to_vec(),
        limits: service.limits().clone(),
        history,
        prefill,
        errors,
    })
}

/// All six tasks on the first sample, to compare.
fn first_visit(service: &Service) -> Prefill {
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
        tasks: service.tasks().iter().map(|t| t.id.to_string()).collect(),
        mode: Mode::Compare.id().to_owned(),
        provider: provider.map(|p| p.id.clone()).unwrap_or_default(),
        model: provider.and_then(|p| p.models.first().cloned()).unwrap_or_default(),
        ..Prefill::default()
    }
}

/// The choices of an earlier run.
async fn repeat(service: &Service, id: RunId) -> Result<Prefill, UiError> {
    let (state, _) = service.state(&id).await?;
    let text = service.input_text(&state).await?;
    let spec = &state.header.spec;
    Ok(Prefill {
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
        from: Some(id),
    })
}
