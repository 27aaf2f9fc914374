//! The simulated steps of recordings, for workflows such as *Call centre*: endpoints of their own, each
//! with its own latency and the most requests it takes at once. They are there whenever the simulator
//! is, unless a provider of the same name is configured: then stages that name it go there.

use std::net::{Ipv4Addr, SocketAddr};

use lanes_service::ProviderConfig;
use lanes_simulator::{LatencyProfile, Simulator, SimulatorConfig};
use tokio_util::sync::CancellationToken;

use super::{CliError, local::simulated};

/// Id, name, latency and requests at once.
const STEPS: [(&str, &str, &str, u32); 5] = [
    ("audio-distribute", "Simulated distribution", "lognormal:mean=120ms,cv=0.3", 32),
    ("audio-denoise", "Simulated denoising", "lognormal:mean=900ms,cv=0.3", 8),
    ("audio-ivr", "Simulated IVR", "lognormal:mean=300ms,cv=0.3", 16),
    ("audio-language", "Simulated language detection", "lognormal:mean=250ms,cv=0.3", 16),
    ("audio-transcript", "Simulated transcription", "lognormal:mean=1500ms,cv=0.3", 12),
];

/// Serves the steps until the program stops, and adds them to the providers, behind all others. Where
/// the simulator's latency was chosen, it counts for them, too.
pub(super) async fn serve(
    providers: &mut Vec<ProviderConfig>,
    latency: LatencyProfile,
    stop: &CancellationToken,
) -> Result<(), CliError> {
    for (id, name, own, at_once) in STEPS {
        if providers.iter().any(|p| p.id == id) {
            continue;
        }
        let latency = match latency {
            LatencyProfile::Demo => own.parse()?,
            chosen => chosen,
        };
        let config = SimulatorConfig { latency, ..SimulatorConfig::default() };
        let simulator = Simulator::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), config).await?;
        providers.push(ProviderConfig {
            id: id.to_owned(),
            name: name.to_owned(),
            max_concurrency: Some(at_once),
            ..simulated(simulator.addr(), (None, None))
        });
        tokio::spawn(simulator.serve(stop.clone().cancelled_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn steps_stand_behind_other_providers_and_give_way_to_those_of_their_name() {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let own = ProviderConfig { id: "audio-ivr".to_owned(), ..simulated(addr, (None, None)) };
        let mut providers = vec![simulated(addr, (None, None)), own];
        let stop = CancellationToken::new();
        serve(&mut providers, LatencyProfile::None, &stop).await.expect("they start");
        let ids: Vec<_> = providers.iter().map(|p| p.id.as_str()).collect();
        assert_eq!(ids[..2], ["simulator", "audio-ivr"]);
        assert_eq!(
            ids[2..],
            ["audio-distribute", "audio-denoise", "audio-language", "audio-transcript"]
        );
        assert!(providers.iter().all(|p| p.simulated));
        stop.cancel();
    }

    #[test]
    fn every_latency_is_one() {
        assert!(STEPS.iter().all(|(_, _, latency, _)| latency.parse::<LatencyProfile>().is_ok()));
    }
}
