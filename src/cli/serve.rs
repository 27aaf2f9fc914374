//! `lanes serve`: the web page and the REST API, with the simulator beside them, until it is told to
//! stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::{CliError, local, stop_signal};
use crate::config::{Config, Flags};
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
    /// Take e-mail addresses, phone, card, bank and social security numbers out of everything that
    /// goes to a provider [env: LANES_REDACT=true].
    #[arg(long)]
    redact: bool,
}

pub(super) async fn serve(args: ServeArgs, traces: Option<Arc<Traces>>) -> Result<(), CliError> {
    outlive_file_limits();
    let flags = Flags {
        addr: args.addr,
        data_dir: args.data_dir,
        config: args.config,
        no_store_text: args.no_store_text,
        redact: args.redact,
    };
    let config = Config::load(flags)?;
    let data_dir = config.data_dir.clone();
    let mut running = local::start(config, traces).await?;
    println!("listening on http://{}", running.addr);
    tracing::info!(data_dir = %data_dir.display(), "open http://localhost:{}", running.addr.port());
    tokio::select! {
        () = stop_signal() => {}
        ended = running.ended() => ended?,
    }
    Ok(running.stop().await?)
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
