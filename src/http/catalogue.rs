//! What can be chosen: `GET /api/samples`, `/api/providers`.

use axum::Json;
use axum::extract::State;
use lanes_model::sample;
use lanes_service::{ProviderHealth, Service};
use serde_json::{Value, json};

/// `GET /api/samples`
pub async fn samples(State(service): State<Service>) -> Json<Vec<Value>> {
    let samples = service.samples().iter().map(|info| {
        json!({
            "id": info.id,
            "name": info.name,
            "tokens": info.tokens,
            "words": info.words,
            "bytes": info.bytes,
            "text": sample::find(&info.id).map(|s| s.text),
        })
    });
    Json(samples.collect())
}

/// `GET /api/providers`
pub async fn providers(State(service): State<Service>) -> Json<Vec<ProviderHealth>> {
    Json(service.provider_health())
}
