//! The router over a store in memory, for tests that ask it what it serves.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use lanes_model::Limits;
use lanes_service::{
    Access, ExtractLimits, Extractor, ResumePolicy, Service, ServiceConfig, Store,
};
use tokio_util::sync::CancellationToken;

use super::Gate;
use crate::config::{AccessSettings, DEFAULT_ADDR};
use crate::telemetry::metrics::Metrics;

/// Everything the program serves.
pub async fn router() -> Router {
    let store = Store::open_in_memory().await.unwrap();
    let service = Service::open(ServiceConfig {
        store: store.clone(),
        providers: vec![crate::cli::simulated_for_tests()],
        limits: Limits::default(),
        parallel: true,
        resume: ResumePolicy::Ask,
        observers: Vec::new(),
        latency_problem: |_| None,
        extractor: Extractor::child("/nowhere".into(), ExtractLimits::default()),
    })
    .await
    .unwrap();
    let settings = AccessSettings {
        token: None,
        required: false,
        hosts: Vec::new(),
        public: None,
        proxies: Vec::new(),
        rate: None,
        streams: None,
        streams_of_client: None,
        patience: Duration::from_secs(30),
    };
    let access = Access::new(store, None, false).unwrap();
    let gate = Gate::new(access, settings, DEFAULT_ADDR, 100);
    let metrics = Arc::new(Metrics::new(&[]).unwrap());
    super::router(service, gate, DEFAULT_ADDR, CancellationToken::new(), metrics)
}
