//! Where a run's attempts can go: its provider's endpoints, then those of its fallbacks.
//!
//! What is known of a provider with a model, its limits and the health of its endpoints, is shared by
//! all runs and kept while the program runs, since what was sent counts against the next run too. A run
//! with injected faults has its own: what is broken on purpose says nothing of the provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lanes_engine::routes::{Changes, EndpointState};
use lanes_engine::{RunRoutes, Target, TargetLimits};
use lanes_model::{Fallback, RouteInfo, RunHeader, RunSpec};

use crate::adapter::Route;
use crate::catalogue::Catalogue;

/// Everything that is shared, by provider and model.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    changes: Changes,
    known: Mutex<HashMap<(String, String), Arc<Target>>>,
}

/// The providers and models of a run, in order.
fn tiers(spec: &RunSpec) -> impl Iterator<Item = (&str, &str)> {
    let first = std::iter::once((spec.provider.as_str(), spec.model.as_str()));
    first.chain(
        spec.fallback
            .iter()
            .map(|Fallback { provider, model }| (provider.as_str(), model.as_str())),
    )
}

/// The first provider of a run that is not configured any more.
pub(crate) fn missing<'a>(catalogue: &Catalogue, spec: &'a RunSpec) -> Option<&'a str> {
    tiers(spec).map(|(provider, _)| provider).find(|p| catalogue.client(p).is_none())
}

/// Whether a route of a run's log would be another provider or model now. Endpoints may come and go
/// where none of them follows.
pub(crate) fn changed(catalogue: &Catalogue, header: &RunHeader) -> bool {
    let now = tiers(&header.spec)
        .flat_map(|tier| std::iter::repeat_n(tier, catalogue.endpoints(tier.0).len()));
    let before = header.routes.iter().map(|r| (r.provider.as_str(), r.model.as_str()));
    before.zip(now).any(|(before, now)| before != now)
}

/// What people are told of a run's routes; nothing when there is but one.
pub(crate) fn infos(catalogue: &Catalogue, spec: &RunSpec) -> Vec<RouteInfo> {
    let mut infos = Vec::new();
    for (provider, model) in tiers(spec) {
        let endpoints = catalogue.endpoints(provider);
        let several = endpoints.len() > 1;
        for client in endpoints {
            let name = client.info(model).name;
            infos.push(RouteInfo {
                provider: provider.to_owned(),
                name: if several { format!("{name} · {}", client.host()) } else { name },
                model: model.to_owned(),
            });
        }
    }
    if infos.len() > 1 { infos } else { Vec::new() }
}

impl Targets {
    fn new_target(&self, catalogue: &Catalogue, provider: &str) -> Arc<Target> {
        let config = catalogue.config(provider);
        let limits = TargetLimits {
            rpm: config.and_then(|c| c.rpm),
            tpm: config.and_then(|c| c.tpm),
            in_flight: config.and_then(|c| c.max_concurrency),
            in_flight_each: None,
        };
        let endpoints = catalogue.endpoints(provider).len();
        Arc::new(Target::new(limits, endpoints, self.changes.clone()))
    }

    fn target(&self, catalogue: &Catalogue, spec: &RunSpec, tier: (&str, &str)) -> Arc<Target> {
        if spec.faults.is_some() {
            return self.new_target(catalogue, tier.0);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tier.0.to_owned(), tier.1.to_owned());
        Arc::clone(known.entry(key).or_insert_with(|| self.new_target(catalogue, tier.0)))
    }

    /// The way of a run to its providers, and its routes in their order.
    pub(crate) fn of_run(
        &self,
        catalogue: &Catalogue,
        spec: &RunSpec,
    ) -> (Arc<RunRoutes>, Vec<Route>) {
        let mut targets = Vec::new();
        let mut routes = Vec::new();
        for (provider, model) in tiers(spec) {
            let target = self.target(catalogue, spec, (provider, model));
            for (i, client) in catalogue.endpoints(provider).iter().enumerate() {
                let mut client = client.clone();
                if let Some(rates) = target.rates(i) {
                    client = client.listened_to(Arc::new(move |told| rates.observe(told)));
                }
                let price = client.info(model).price;
                routes.push(Route { client, model: model.to_owned(), price });
            }
            targets.push(target);
        }
        (Arc::new(RunRoutes::new(targets, spec.priority)), routes)
    }

    /// How the endpoints of a provider stand, by model; only of what has been used.
    pub(crate) fn health(&self, provider: &str) -> Vec<(String, Vec<EndpointState>)> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let of = known.iter().filter(|((id, _), _)| id == provider);
        let mut health: Vec<_> = of.map(|((_, model), t)| (model.clone(), t.health())).collect();
        health.sort_by(|a, b| a.0.cmp(&b.0));
        health
    }
}
