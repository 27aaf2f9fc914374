//! How the configured providers stand.

use lanes_model::{Health, Micros, ProviderInfo};
use serde::Serialize;

use super::Service;
use crate::DoorTotals;

/// A provider and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ProviderHealth {
    /// What it is.
    #[serde(flatten)]
    pub info: ProviderInfo,
    /// How many endpoints it has.
    pub endpoints: usize,
    /// The most requests in flight at once, when that is limited.
    pub max_concurrency: Option<u32>,
    /// Whom to go on with when it fails, in order.
    pub fallback: Vec<String>,
    /// The endpoints as they stand, for each model that has been used since the program began.
    pub health: Vec<EndpointHealth>,
    /// What went to it through `/v1` since the program began, by model.
    pub door: Vec<DoorTotals>,
}

/// An endpoint with a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct EndpointHealth {
    /// Which model.
    pub model: String,
    /// Which endpoint: host and port.
    pub endpoint: String,
    /// Its circuit breaker.
    pub breaker: Health,
    /// For how long it stays open.
    pub opens_in_us: Option<Micros>,
    /// Why it is not closed.
    pub message: String,
    /// Requests in flight.
    pub in_flight: u32,
}

impl Service {
    /// The configured providers and how they stand, the default first.
    #[must_use]
    pub fn provider_health(&self) -> Vec<ProviderHealth> {
        let catalogue = &self.inner.catalogue;
        let of = |info: &ProviderInfo| {
            let config = catalogue.config(&info.id);
            let clients = catalogue.endpoints(&info.id);
            let mut health = Vec::new();
            for (model, endpoints) in self.inner.targets.health(&info.id) {
                for (client, stands) in clients.iter().zip(endpoints) {
                    health.push(EndpointHealth {
                        model: model.clone(),
                        endpoint: client.host(),
                        breaker: stands.health,
                        opens_in_us: stands.opens_in,
                        message: stands.message,
                        in_flight: stands.in_flight,
                    });
                }
            }
            ProviderHealth {
                info: info.clone(),
                endpoints: clients.len(),
                max_concurrency: config.and_then(|c| c.max_concurrency),
                fallback: config.map(|c| c.fallback.clone()).unwrap_or_default(),
                health,
                door: self.inner.door.of(&info.id),
            }
        };
        catalogue.providers.iter().map(of).collect()
    }
}
