//! Where a run's attempts can go: its provider's endpoints, then those of its fallbacks.
//!
//! What is known of a provider with a model, its limits and the health of its endpoints, is shared by
//! all runs and kept while the program runs, since what was sent counts against the next run too. A run
//! with injected faults has its own: what is broken on purpose says nothing of the provider. One of
//! the faults is an endpoint more, at which nobody answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use lanes_engine::routes::{Changes, EndpointState};
use lanes_engine::{RunRoutes, Target, TargetLimits};
use lanes_model::{Fallback, PlannedStage, RouteInfo, RunHeader, RunSpec};
use lanes_provider::{Client, ProviderConfig};
use tokio::net::TcpSocket;

use crate::adapter::Route;
use crate::catalogue::Catalogue;

/// Everything that is shared, by provider and model.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    changes: Changes,
    known: Mutex<HashMap<(String, String), Arc<Target>>>,
    /// Keeps the port of the dead endpoint taken while the program runs.
    dead_port: OnceLock<Option<TcpSocket>>,
}

/// A provider and a model of a run.
#[derive(Debug, Clone, Copy)]
struct Tier<'a> {
    provider: &'a str,
    model: &'a str,
    /// Whether it has an endpoint more, at which nobody answers.
    dead_endpoint: bool,
}

/// The providers and models of a run, in order: its own, then those of stages that go elsewhere.
fn tiers<'a>(spec: &'a RunSpec, stages: &'a [PlannedStage]) -> impl Iterator<Item = Tier<'a>> {
    let of_stages = own_orders(stages).flat_map(|order| order.iter().map(Tier::of));
    of_run(spec).chain(of_stages)
}

/// The orders of providers that stages have of their own, each once.
fn own_orders(stages: &[PlannedStage]) -> impl Iterator<Item = &[Fallback]> {
    let orders = stages.iter().enumerate().map(|(i, stage)| (i, stage.providers.as_slice()));
    let earlier = |i: usize, order: &[Fallback]| {
        stages.iter().take(i).any(|other| other.providers.as_slice() == order)
    };
    let new = orders.filter(move |(i, order)| !order.is_empty() && !earlier(*i, order));
    new.map(|(_, order)| order)
}

/// The places of each stage's providers in the order of all; empty where all go where the run goes.
fn tiers_of_stages(spec: &RunSpec, stages: &[PlannedStage]) -> Vec<Range<u16>> {
    let place = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    if stages.iter().all(|stage| stage.providers.is_empty()) {
        return Vec::new();
    }
    let own = of_run(spec).count();
    let of_stage = |stage: &PlannedStage| {
        let mut first = own;
        for order in own_orders(stages) {
            if order == stage.providers.as_slice() {
                return place(first)..place(first + order.len());
            }
            first += order.len();
        }
        0..place(own)
    };
    stages.iter().map(of_stage).collect()
}

impl<'a> Tier<'a> {
    fn of(Fallback { provider, model }: &'a Fallback) -> Self {
        Self { provider, model, dead_endpoint: false }
    }
}

/// The run's own providers and models, in order.
fn of_run(spec: &RunSpec) -> impl Iterator<Item = Tier<'_>> {
    let dead_endpoint = spec.faults.as_ref().is_some_and(|f| f.dead_endpoint);
    let first = Tier { provider: &spec.provider, model: &spec.model, dead_endpoint };
    std::iter::once(first).chain(spec.fallback.iter().map(Tier::of))
}

/// The first provider of a run that is not configured any more.
pub(crate) fn missing<'a>(catalogue: &Catalogue, header: &'a RunHeader) -> Option<&'a str> {
    tiers(&header.spec, &header.plan.stages)
        .map(|tier| tier.provider)
        .find(|p| catalogue.client(p).is_none())
}

/// Whether a route of a run's log would be another provider or model now. Endpoints may come and go
/// where none of them follows.
pub(crate) fn changed(catalogue: &Catalogue, header: &RunHeader) -> bool {
    let now = tiers(&header.spec, &header.plan.stages).flat_map(|tier| {
        let endpoints = catalogue.endpoints(tier.provider).len() + usize::from(tier.dead_endpoint);
        std::iter::repeat_n((tier.provider, tier.model), endpoints)
    });
    let before = header.routes.iter().map(|r| (r.provider.as_str(), r.model.as_str()));
    before.zip(now).any(|(before, now)| before != now)
}

/// What people are told of a run's routes; nothing when there is but one.
pub(crate) fn infos(
    catalogue: &Catalogue,
    spec: &RunSpec,
    stages: &[PlannedStage],
) -> Vec<RouteInfo> {
    let mut infos = Vec::new();
    for Tier { provider, model, dead_endpoint } in tiers(spec, stages) {
        let endpoints = catalogue.endpoints(provider);
        let several = endpoints.len() + usize::from(dead_endpoint) > 1;
        let simulated = endpoints.first().is_some_and(|client| client.info(model).simulated);
        let route = |name| RouteInfo {
            provider: provider.to_owned(),
            name,
            model: model.to_owned(),
            simulated,
        };
        for client in endpoints {
            let name = client.info(model).name;
            infos.push(route(if several { format!("{name} · {}", client.host()) } else { name }));
        }
        let name = endpoints.first().filter(|_| dead_endpoint).map(|c| c.info(model).name);
        infos.extend(name.map(|name| route(format!("{name} · dead endpoint"))));
    }
    if infos.len() > 1 { infos } else { Vec::new() }
}

impl Targets {
    fn new_target(&self, catalogue: &Catalogue, tier: Tier<'_>) -> Arc<Target> {
        let config = catalogue.config(tier.provider);
        let limits = TargetLimits {
            rpm: config.and_then(|c| c.rpm),
            tpm: config.and_then(|c| c.tpm),
            in_flight: config.and_then(|c| c.max_concurrency),
            in_flight_each: None,
        };
        let endpoints = catalogue.endpoints(tier.provider).len() + usize::from(tier.dead_endpoint);
        Arc::new(Target::new(limits, endpoints, self.changes.clone()))
    }

    fn target(&self, catalogue: &Catalogue, spec: &RunSpec, tier: Tier<'_>) -> Arc<Target> {
        if spec.faults.is_some() {
            return self.new_target(catalogue, tier);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tier.provider.to_owned(), tier.model.to_owned());
        Arc::clone(known.entry(key).or_insert_with(|| self.new_target(catalogue, tier)))
    }

    /// A client of an endpoint at which nobody answers: its port is taken and not listened to, so that
    /// no other program can come to listen there.
    fn dead_client(&self, config: &ProviderConfig) -> Option<Client> {
        let port = self.dead_port.get_or_init(|| {
            let socket = TcpSocket::new_v4().ok()?;
            socket.bind((Ipv4Addr::LOCALHOST, 0).into()).ok()?;
            Some(socket)
        });
        let addr = port.as_ref().and_then(|socket| socket.local_addr().ok());
        // The port of the discard service: hardly anybody runs that any more.
        let addr = addr.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 9).into());
        let config = ProviderConfig {
            base_url: format!("http://{addr}/v1"),
            replicas: Vec::new(),
            ..config.clone()
        };
        Client::new(config).ok()
    }

    /// The way of a run to its providers, and its routes in their order.
    pub(crate) fn of_run(
        &self,
        catalogue: &Catalogue,
        spec: &RunSpec,
        stages: &[PlannedStage],
    ) -> (Arc<RunRoutes>, Vec<Route>) {
        let mut targets = Vec::new();
        let mut routes = Vec::new();
        for tier in tiers(spec, stages) {
            let Tier { provider, model, dead_endpoint } = tier;
            let target = self.target(catalogue, spec, tier);
            let living = catalogue.endpoints(provider);
            let dead = catalogue.config(provider).filter(|_| dead_endpoint);
            let dead = dead.and_then(|config| self.dead_client(config));
            for (i, client) in living.iter().chain(&dead).enumerate() {
                let mut client = client.clone();
                if let Some(rates) = target.rates(i) {
                    client = client.listened_to(Arc::new(move |told| rates.observe(told)));
                }
                let price = client.info(model).price;
                let headers = Vec::new();
                routes.push(Route { client, model: model.to_owned(), price, headers });
            }
            targets.push(target);
        }
        let run = RunRoutes::new(targets, spec.priority);
        (Arc::new(run.with_stages(tiers_of_stages(spec, stages))), routes)
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
