//! `lanes serve`: the web page and the REST API, with the simulator beside them.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lanes_model::Limits;
use lanes_service::{
    BackgroundConfig, ExtractLimits, Extractor, ProviderConfig, Service, ServiceConfig,
    ServiceError, Store, Timeouts,
};
use lanes_simulator::{LatencyProfile, Simulator, SimulatorConfig};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::data_lock::DataLock;
use super::{CliError, audio, stop_signal};
use crate::config::{Config, Flags};
use crate::http;

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
}

/// How long streams and requests may take to end once the program stops.
const GRACE: Duration = Duration::from_secs(3);

pub(super) async fn serve(args: ServeArgs) -> Result<(), CliError> {
    let flags = Flags { addr: args.addr, data_dir: args.data_dir, config: args.config };
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
    let service = Service::open(ServiceConfig {
        store: store.clone(),
        providers: config.providers,
        limits: Limits { max_concurrency: config.max_concurrency, ..Limits::default() },
        resume: config.resume,
        latency_problem,
        extractor: Extractor::child(std::env::current_exe()?, ExtractLimits::default()),
    })
    .await?;
    service.start_background(BackgroundConfig {
        data_dir: config.data_dir.clone(),
        public_url: config.public_url.unwrap_or_else(|| format!("http://{addr}")),
        allow_private: config.webhook_allow_private,
        ..BackgroundConfig::default()
    })?;
    let router = http::router(service.clone(), addr, stop.clone());
    println!("listening on http://{addr}");
    tracing::info!(data_dir = %config.data_dir.display(), "open http://localhost:{}", addr.port());

    let server =
        axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
    let mut server = tokio::spawn(server.into_future());
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
    Ok(())
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
