//! Lanes with everything around it, in this process: the simulator, the service, HTTP. `lanes serve` is
//! this until it is told to stop; other commands start one of their own on a free port and talk to it
//! like to any server.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lanes_model::Limits;
use lanes_service::{
    Access, BackgroundConfig, ExtractLimits, Extractor, Observer, ProviderConfig, Service,
    ServiceConfig, ServiceError, Store, Timeouts,
};
use lanes_simulator::{LatencyProfile, Simulator, SimulatorConfig};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::data_lock::DataLock;
use super::{CliError, audio};
use crate::config::Config;
use crate::http;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::Traces;

/// Files that connections leave for everything else.
const RESERVED_FILES: u32 = 256;
/// The most event streams, however many files may be open.
const MOST_STREAMS: u32 = 20_000;
/// How long streams and requests may take to end once the program stops.
const GRACE: Duration = Duration::from_secs(3);

/// What was started. It has to be stopped: what is dropped leaves its runs interrupted.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    service: Service,
    store: Store,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
    traces: Option<Arc<Traces>>,
    _lock: DataLock,
}

/// Starts it as the configuration says.
///
/// # Errors
/// [`CliError`] when the address or the data directory is in use, or a setting is wrong.
pub async fn start(mut config: Config, traces: Option<Arc<Traces>>) -> Result<Running, CliError> {
    let listener = TcpListener::bind(config.addr)
        .await
        .map_err(|source| CliError::Listen { addr: config.addr.to_string(), source })?;
    let addr = listener.local_addr()?;
    let stop = CancellationToken::new();

    let latency: LatencyProfile = config.simulator_latency.parse()?;
    let simulator = Simulator::bind(
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        SimulatorConfig {
            latency,
            rpm: config.simulator_limits.0,
            tpm: config.simulator_limits.1,
            ..SimulatorConfig::default()
        },
    )
    .await?;
    config.providers.push(simulated(simulator.addr(), config.simulator_limits));
    tokio::spawn(simulator.serve(stop.clone().cancelled_owned()));
    audio::serve(&mut config.providers, latency, &stop).await?;

    let lock = DataLock::take(&config.data_dir)?;
    let store = Store::open(&config.data_dir.join("lanes.db")).await.map_err(ServiceError::from)?;
    if !config.store_text {
        store.keep_figures_only();
    }
    let metrics = Arc::new(Metrics::new(&config.providers)?);
    let mut observers: Vec<Arc<dyn Observer>> = vec![Arc::clone(&metrics) as _];
    observers.extend(traces.iter().map(|traces| Arc::clone(traces) as _));
    let service = Service::open(ServiceConfig {
        store: store.clone(),
        providers: config.providers,
        limits: Limits {
            max_concurrency: config.max_concurrency,
            redact: config.redact,
            ..Limits::default()
        },
        parallel: config.parallel,
        resume: config.resume,
        latency_problem,
        observers,
        extractor: Extractor::child(std::env::current_exe()?, ExtractLimits::default()),
    })
    .await?;
    let public_url = config.access.public.as_ref().map(ToString::to_string);
    let public_url = public_url.unwrap_or_else(|| format!("http://{addr}"));
    service.start_background(BackgroundConfig {
        data_dir: config.data_dir.clone(),
        public_url,
        allow_private: config.webhook_allow_private,
        ..BackgroundConfig::default()
    })?;
    service.let_old_runs_go(config.retention);
    let access = Access::new(store.clone(), config.access.token.clone(), config.access.required)?;
    if access.is_required() && !access.has_a_way_in().await? {
        return Err(CliError::NoWayIn(addr));
    }
    let (files, patience) = (http::server::open_files(), config.access.patience);
    let connections = files.saturating_sub(RESERVED_FILES).max(files / 2);
    let streams = (connections / 4 * 3).min(MOST_STREAMS);
    let gate = http::Gate::new(access, config.access, addr, streams);
    let router = http::router(service.clone(), gate, addr, stop.clone(), metrics);
    lock.tell(&format!("http://{addr}"));
    let server = http::server::serve(listener, router, connections, patience, stop.clone());
    let server = tokio::spawn(server);
    Ok(Running { addr, service, store, stop, server, traces, _lock: lock })
}

impl Running {
    /// Resolves when it cannot go on.
    ///
    /// # Errors
    /// Why it cannot.
    pub async fn ended(&mut self) -> std::io::Result<()> {
        match (&mut self.server).await {
            Ok(Err(error)) => Err(error),
            _ => Ok(()),
        }
    }

    /// Stops it: runs that go on count as interrupted.
    ///
    /// # Errors
    /// When its traces cannot be sent.
    pub async fn stop(self) -> std::io::Result<()> {
        // The log first: calls in flight are given back while viewers still see it happen.
        if tokio::time::timeout(GRACE, self.service.shutdown()).await.is_err() {
            tracing::warn!("some runs did not stop in time; they count as interrupted");
        }
        self.stop.cancel();
        let open = !self.server.is_finished()
            && tokio::time::timeout(Duration::from_secs(1), self.server).await.is_err();
        if open {
            tracing::info!("some connections were still open");
        }
        self.store.close().await;
        if let Some(traces) = self.traces {
            // It waits for a thread.
            let sent = tokio::task::spawn_blocking(move || traces.shutdown()).await;
            sent.map_err(std::io::Error::other)?;
        }
        Ok(())
    }
}

/// What is wrong with a latency that a run asks of the simulator.
fn latency_problem(text: &str) -> Option<String> {
    let error = text.parse::<LatencyProfile>().err()?;
    Some(format!("The latency cannot be used: {error}."))
}

/// The built-in simulator as a provider like any other.
pub(super) fn simulated(
    addr: SocketAddr,
    (rpm, tpm): (Option<u32>, Option<u32>),
) -> ProviderConfig {
    ProviderConfig {
        id: "simulator".to_owned(),
        name: "Simulated".to_owned(),
        base_url: format!("http://{addr}/v1"),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: None,
        models: vec![lanes_simulator::MODEL.to_owned()],
        simulated: true,
        timeouts: Timeouts::default(),
        rpm,
        tpm,
        extra_headers: Vec::new(),
    }
}
