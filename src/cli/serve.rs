//! `lanes serve`: the web page and the REST API, with the simulator beside them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use lanes_model::Limits;
use lanes_service::{
    Access, BackgroundConfig, ExtractLimits, Extractor, Observer, ProviderConfig, Service,
    ServiceConfig, ServiceError, Store, Timeouts,
};
use lanes_simulator::{LatencyProfile, Simulator, SimulatorConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::data_lock::DataLock;
use super::{CliError, audio, stop_signal};
use crate::config::{Config, Flags};
use crate::http;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::traces::Traces;

/// Where to serve and where to keep runs; what is not given comes from the environment, lanes.toml
/// and the defaults.
#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// The address to listen on [env: LANES_ADDR] [default: 127.0.0.1:7862].
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// Where runs are kept [env: LANES_DATA_DIR] [default: the platform's data directory].
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// The configuration file [env: LANES_CONFIG] [default: lanes.toml, if it is there].
    #[arg(long)]
    config: Option<PathBuf>,
    /// Keep figures only: no texts, no answers [env: LANES_STORE_TEXT=false].
    #[arg(long)]
    no_store_text: bool,
}

/// Files that connections leave for everything else.
const RESERVED_FILES: u32 = 256;
/// The most event streams, however many files may be open.
const MOST_STREAMS: u32 = 20_000;
/// How long streams and requests may take to end once the program stops.
const GRACE: Duration = Duration::from_secs(3);

pub(super) async fn serve(args: ServeArgs, traces: Option<Arc<Traces>>) -> Result<(), CliError> {
    outlive_file_limits();
    let flags = Flags {
        addr: args.addr,
        data_dir: args.data_dir,
        config: args.config,
        no_store_text: args.no_store_text,
    };
    let mut config = Config::load(flags)?;
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

    let _lock = DataLock::take(&config.data_dir)?;
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
        limits: Limits { max_concurrency: config.max_concurrency, ..Limits::default() },
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
    println!("listening on http://{addr}");
    tracing::info!(data_dir = %config.data_dir.display(), "open http://localhost:{}", addr.port());

    let server = http::server::serve(listener, router, connections, patience, stop.clone());
    let mut server = tokio::spawn(server);
    tokio::select! {
        () = stop_signal() => {}
        ended = &mut server => {
            if let Ok(Err(error)) = ended { return Err(error.into()); }
        }
    }
    // The log first: calls in flight are given back while viewers still see it happen.
    if tokio::time::timeout(GRACE, service.shutdown()).await.is_err() {
        tracing::warn!("some runs did not stop in time; they count as interrupted");
    }
    stop.cancel();
    if tokio::time::timeout(Duration::from_secs(1), server).await.is_err() {
        tracing::info!("some connections were still open");
    }
    store.close().await;
    if let Some(traces) = traces {
        // It waits for a thread.
        let sent = tokio::task::spawn_blocking(move || traces.shutdown()).await;
        sent.map_err(std::io::Error::other)?;
    }
    Ok(())
}

/// Where the system limits how large files may be, writing beyond that is to be an error like that of a
/// full disk, from which there is a way back, and not the end of the program.
fn outlive_file_limits() {
    /// The same on Linux and on macOS.
    #[cfg(unix)]
    const SIGXFSZ: i32 = 25;
    #[cfg(unix)]
    if let Err(error) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ))
    {
        tracing::debug!(%error, "a limit of file sizes would end the program");
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
