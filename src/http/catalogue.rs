//! What can be chosen: `GET /api/samples`, `/api/providers`.

use axum::Json;
use axum::extract::State;
use lanes_model::sample;
use lanes_service::{ProviderHealth, Service};

use super::shapes::SampleView;

/// The sample texts that come with the program.
#[utoipa::path(
    get,
    path = "/api/samples",
    operation_id = "list_samples",
    tag = "Catalogue",
    responses(
        (status = 200, description = "All of them", body = Vec<SampleView>)
    ),
)]
pub async fn samples(State(service): State<Service>) -> Json<Vec<SampleView>> {
    let samples = service.samples().iter().map(|info| SampleView {
        id: info.id.clone(),
        name: info.name.clone(),
        tokens: info.tokens,
        words: info.words,
        bytes: info.bytes,
        text: sample::find(&info.id).map(|s| s.text),
    });
    Json(samples.collect())
}

/// The configured providers, the default first: limits, models, how their endpoints stand. Never a key.
#[utoipa::path(
    get,
    path = "/api/providers",
    operation_id = "list_providers",
    tag = "Catalogue",
    responses(
        (status = 200, description = "All of them", body = Vec<ProviderHealth>)
    ),
)]
pub async fn providers(State(service): State<Service>) -> Json<Vec<ProviderHealth>> {
    Json(service.provider_health())
}
