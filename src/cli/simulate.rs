//! `lanes simulate`: the simulator by itself.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use clap::Args;
use lanes_simulator::{LatencyProfile, Simulator, SimulatorConfig};

use super::{CliError, stop_signal};

/// How the simulator behaves.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The address to listen on.
    #[arg(long, default_value = "127.0.0.1:9001")]
    addr: SocketAddr,
    /// How long answers take: demo, fixed:2s, rate:ttft=400ms,tps=60,cv=0.3, lognormal:mean=200ms,cv=0.6 or none.
    #[arg(long, default_value = "demo")]
    latency: String,
    /// Requests a minute before it answers 429.
    #[arg(long)]
    rpm: Option<u32>,
    /// Requests at once before it answers 429, where that is fewer than a minute's.
    #[arg(long)]
    burst: Option<u32>,
    /// Tokens a minute before it answers 429.
    #[arg(long)]
    tpm: Option<u32>,
    /// Share of requests that fail with a server error, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    error_rate: f64,
    /// Share of requests that are never answered, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    hang_rate: f64,
    /// Share of answers that are cut off, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    truncate_rate: f64,
    /// Share of answers that break the labels or the schema they are to keep to, 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    invalid_rate: f64,
    /// The same seed and requests give the same latencies, faults and texts.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub(super) async fn simulate(args: SimulateArgs) -> Result<(), CliError> {
    let latency: LatencyProfile = args.latency.parse()?;
    let config = SimulatorConfig {
        latency,
        rpm: args.rpm,
        burst: args.burst,
        tpm: args.tpm,
        error_rate: args.error_rate,
        hang_rate: args.hang_rate,
        truncate_rate: args.truncate_rate,
        invalid_rate: args.invalid_rate,
        seed: args.seed,
    };
    let simulator = Simulator::bind(args.addr, config).await?;
    let stats = simulator.stats();
    println!("listening on http://{}", simulator.addr());
    simulator.serve(stop_signal()).await?;
    let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "requests {}, answered {}, failed {}",
        of(&stats.requests),
        of(&stats.answered),
        of(&stats.errors)
    );
    Ok(())
}
