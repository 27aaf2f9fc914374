//! A simulator on a free port, a service in front of it, and how to wait for a run.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::StreamExt;
use lanes_model::{
    EventKind, Limits, RunEvent, RunHeader, RunId, RunRequest, RunState, Seq, spec::InputRequest,
};
use lanes_service::{
    ProviderConfig, ResumePolicy, Service, ServiceConfig, Store, Timeouts, WatchItem,
};
use lanes_simulator::{LatencyProfile, MODEL, Simulator, SimulatorConfig, Stats};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::soak::create_with;

/// A simulator that serves until the test's runtime ends.
pub async fn simulator(config: SimulatorConfig) -> (SocketAddr, Arc<Stats>) {
    let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), config).await.unwrap();
    let (addr, stats) = (simulator.addr(), simulator.stats());
    tokio::spawn(simulator.serve(std::future::pending()));
    (addr, stats)
}

/// A simulator that can be stopped and started again at its address.
pub struct Server {
    pub addr: SocketAddr,
    pub stats: Arc<Stats>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
}

impl Server {
    /// At a port that no outgoing connection is given, so that nobody takes it in the meantime.
    pub async fn start(config: SimulatorConfig) -> Self {
        loop {
            let port = random_port();
            let addr = SocketAddr::from(([127, 0, 0, 1], port));
            if let Ok(simulator) = Simulator::bind(addr, config.clone()).await {
                return Self::serve(simulator);
            }
        }
    }

    /// Where one was before.
    pub async fn start_at(addr: SocketAddr, config: SimulatorConfig) -> Self {
        Self::serve(Simulator::bind(addr, config).await.unwrap())
    }

    fn serve(simulator: Simulator) -> Self {
        let (addr, stats) = (simulator.addr(), simulator.stats());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            simulator.serve(stopped).await.unwrap();
        });
        Self { addr, stats, stop, serving }
    }

    /// Ends what is under way and frees the address.
    pub async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// A port from 20000 to 29999; Linux gives outgoing connections those from 32768 on.
fn random_port() -> u16 {
    let random = RandomState::new().build_hasher().finish();
    20_000 + u16::try_from(random % 10_000).unwrap()
}

/// A simulator's configuration with that latency, such as `none`.
pub fn latency(profile: &str) -> SimulatorConfig {
    SimulatorConfig { latency: profile.parse().unwrap(), ..SimulatorConfig::default() }
}

pub fn provider(addr: SocketAddr) -> ProviderConfig {
    ProviderConfig {
        id: "simulator".into(),
        name: "Simulator".into(),
        base_url: format!("http://{addr}/v1"),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: None,
        models: vec![MODEL.into()],
        simulated: true,
        timeouts: Timeouts::default(),
        rpm: None,
        tpm: None,
        extra_headers: Vec::new(),
    }
}

fn latency_problem(text: &str) -> Option<String> {
    text.parse::<LatencyProfile>().err().map(|error| error.to_string())
}

pub async fn service(store: Store, provider: ProviderConfig) -> Service {
    with_providers(store, vec![provider]).await
}

/// A service with several providers, the default first.
pub async fn with_providers(store: Store, providers: Vec<ProviderConfig>) -> Service {
    with_limits(store, providers, Limits::default()).await
}

/// The same with limits of its own.
pub async fn with_limits(store: Store, providers: Vec<ProviderConfig>, limits: Limits) -> Service {
    Service::open(ServiceConfig {
        parallel: true,
        store,
        providers,
        limits,
        resume: ResumePolicy::Ask,
        latency_problem,
        observers: Vec::new(),
        extractor: lanes_service::Extractor::in_process(),
    })
    .await
    .unwrap()
}

/// A service of its own, in memory, that carries out a run of so many calls for this provider.
pub async fn going_on(
    provider: &ProviderConfig,
    calls: u32,
    lanes: u32,
    change: impl FnOnce(&mut RunHeader),
) -> (Service, RunId) {
    let store = Store::open_in_memory().await.unwrap();
    let run = create_with(&store, provider, calls, lanes, change).await;
    let service = service(store, provider.clone()).await;
    service.resume(&run).await.unwrap();
    (service, run)
}

/// A service of its own, in memory.
pub async fn fresh(provider: ProviderConfig) -> Service {
    service(Store::open_in_memory().await.unwrap(), provider).await
}

/// A service of its own in front of a simulator as fast as the machine.
pub async fn fast() -> (Service, Arc<Stats>) {
    let (addr, stats) = simulator(latency("none")).await;
    (fresh(provider(addr)).await, stats)
}

pub fn request(mode: &str, tasks: &[&str]) -> RunRequest {
    RunRequest {
        input: InputRequest { sample: Some("ai-technology".into()), ..InputRequest::default() },
        tasks: tasks.iter().map(|&t| t.to_owned()).collect(),
        mode: Some(mode.to_owned()),
        ..RunRequest::default()
    }
}

pub async fn start(service: &Service, request: &RunRequest) -> RunId {
    service.start(request, None).await.unwrap().id
}

/// Every event after `after`, up to the end that the stream announces.
pub async fn events(service: &Service, run: &RunId, after: Seq) -> Vec<RunEvent> {
    let mut stream = pin!(service.watch(run, after).await.unwrap());
    let mut events = Vec::new();
    while let Some(item) = stream.next().await {
        match item.unwrap() {
            WatchItem::Event(event) => events.push((*event).clone()),
            WatchItem::End(last) => {
                assert_eq!(events.last().map_or(after, |e| e.seq), last);
                assert!(stream.next().await.is_none(), "nothing follows the end");
                return events;
            }
            WatchItem::Progress(_) | WatchItem::Clock(_) | WatchItem::Trouble(_) => {}
        }
    }
    panic!("the stream stopped without an end");
}

/// Waits until an event of that kind has happened; says its place.
pub async fn until(service: &Service, run: &RunId, wanted: impl Fn(&EventKind) -> bool) -> Seq {
    let mut stream = pin!(service.watch(run, Seq(0)).await.unwrap());
    while let Some(item) = stream.next().await {
        if let WatchItem::Event(event) = item.unwrap()
            && wanted(&event.kind)
        {
            return event.seq;
        }
    }
    panic!("the run ended before that happened");
}

/// The run once it is at rest.
pub async fn finished(service: &Service, run: &RunId) -> RunState {
    events(service, run, Seq(0)).await;
    service.state(run).await.unwrap().0
}

/// How many requests a simulator has received.
pub fn asked(stats: &Stats) -> usize {
    usize::try_from(stats.requests.load(Ordering::SeqCst)).unwrap()
}
