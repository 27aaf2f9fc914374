//! The commands, one file each.

mod audio;
mod batch;
mod bench;
mod client;
mod data_lock;
mod doctor;
mod extract;
mod follow;
mod keys;
mod local;
mod progress;
mod report;
mod run;
mod runs;
mod serve;
mod shell;
mod simulate;
mod sse;
mod target;
mod terminal;
mod upkeep;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Parser, Subcommand};

use crate::config::ConfigError;
use crate::telemetry::metrics::MetricsError;
use crate::telemetry::traces::{Traces, TracesError};

/// Runs LLM tasks one after another, in parallel, or both, and says where the time went.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the web page and the REST API (the default).
    Serve(serve::ServeArgs),
    /// Make, list and revoke API keys, also while the server runs.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Run tasks on a text: exit code 0 when all calls succeeded, 1 when some failed, 2 for bad usage.
    Run(run::RunArgs),
    /// Run tasks or a workflow on files.
    Batch(batch::BatchArgs),
    /// Follow a run to its end.
    Watch(runs::WatchArgs),
    /// List runs.
    List(runs::ListArgs),
    /// Write a run as a file.
    Export(runs::ExportArgs),
    /// Stop a run.
    Cancel(runs::CancelArgs),
    /// Compare the batch endpoints and the modes on the same documents.
    Bench(bench::BenchArgs),
    /// Check the installation, and say what to do.
    Doctor(doctor::DoctorArgs),
    /// Run the simulator by itself, for any OpenAI client.
    Simulate(simulate::SimulateArgs),
    /// Delete old runs.
    Prune(upkeep::PruneArgs),
    /// Copy the database, also while a server uses it.
    Backup(upkeep::BackupArgs),
    /// Write completions for a shell.
    Completions(shell::CompletionsArgs),
    /// Write the manual.
    Man(shell::ManArgs),
    /// Read an uploaded file: the program starts itself so, apart from everything else.
    #[command(hide = true)]
    Extract(extract::ExtractArgs),
}

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A wrong setting.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {source}")]
    Listen {
        /// Which.
        addr: String,
        /// Why.
        source: std::io::Error,
    },
    /// Everybody would be let in.
    #[error(
        "{0} needs a key for every request, and there is none: set LANES_TOKEN (openssl rand -hex 24), \
         or make a key with “lanes keys create NAME --scope admin”, or listen on 127.0.0.1"
    )]
    NoWayIn(std::net::SocketAddr),
    /// Another program has the data directory.
    #[error(
        "another Lanes is using {}: stop it, or choose another directory with --data-dir",
        .0.display()
    )]
    DataInUse(std::path::PathBuf),
    /// Nothing has been kept there yet.
    #[error("there is no database in {}: give the directory with --data-dir", .0.display())]
    NoData(std::path::PathBuf),
    /// Something on the command line.
    #[error("{0}")]
    Usage(String),
    /// The server did not do it.
    #[error(transparent)]
    Client(#[from] client::ClientError),
    /// The runtime or a socket failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The service could not be opened.
    #[error("{0}")]
    Service(#[from] lanes_service::ServiceError),
    /// The simulator failed.
    #[error("{0}")]
    Simulator(#[from] lanes_simulator::SimulatorError),
    /// Traces cannot be sent.
    #[error(transparent)]
    Traces(#[from] TracesError),
    /// Figures cannot be counted.
    #[error("{0}")]
    Metrics(#[from] MetricsError),
    /// A wrong latency.
    #[error("{0}")]
    Latency(#[from] lanes_simulator::LatencyError),
}

/// Carries out a command.
///
/// # Errors
/// [`CliError`] when it cannot begin.
pub fn run(args: Args) -> Result<ExitCode, CliError> {
    let command = args.command.unwrap_or_else(|| Command::Serve(serve::ServeArgs::default()));
    // Without threads, whose stacks would count as its memory.
    match &command {
        Command::Extract(args) => return Ok(extract::extract(args)?),
        Command::Completions(args) => return shell::completions(args).map(|()| ExitCode::SUCCESS),
        Command::Man(args) => return shell::man(args).map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let traces = match command {
        Command::Serve(_) => Traces::from_env()?.map(Arc::new),
        _ => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = |()| ExitCode::SUCCESS;
    let code = runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::serve(args, traces).await.map(done),
            Command::Run(args) => run::run(args).await,
            Command::Batch(args) => batch::batch(args).await,
            Command::Watch(args) => runs::watch(args).await,
            Command::List(args) => runs::list(args).await,
            Command::Export(args) => runs::export(args).await,
            Command::Cancel(args) => runs::cancel(args).await,
            Command::Bench(args) => bench::bench(args).await,
            Command::Doctor(args) => doctor::doctor(args).await,
            Command::Keys(command) => keys::keys(command).await.map(done),
            Command::Simulate(args) => simulate::simulate(args).await.map(done),
            Command::Prune(args) => upkeep::prune_runs(args).await.map(done),
            Command::Backup(args) => upkeep::back_up(args).await.map(done),
            Command::Extract(_) | Command::Completions(_) | Command::Man(_) => Ok(done(())),
        }
    })?;
    // A blocking task (a tokenizer at work) must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    Ok(code)
}

impl Args {
    /// What is logged unless `RUST_LOG` says something else: a server tells what it does, a command
    /// only what went wrong.
    #[must_use]
    pub fn log_filter(&self) -> &'static str {
        match self.command {
            Some(
                Command::Run(_)
                | Command::Batch(_)
                | Command::Watch(_)
                | Command::List(_)
                | Command::Export(_)
                | Command::Cancel(_)
                | Command::Bench(_)
                | Command::Doctor(_),
            ) => "error,async_openai=off",
            _ => "warn,lanes=info,async_openai=off",
        }
    }
}

/// What is wrong with a `.env` file, without the lines that hold values.
pub fn without_values(error: &dotenvy::Error) -> String {
    match error {
        dotenvy::Error::LineParse(_, at) => format!("a line cannot be parsed (at character {at})"),
        other => other.to_string(),
    }
}

/// A provider that tests of other modules need.
#[cfg(test)]
pub(crate) fn simulated_for_tests() -> lanes_service::ProviderConfig {
    local::simulated(std::net::SocketAddr::from(([127, 0, 0, 1], 9)), (None, None))
}

/// Resolves at Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let term = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending::<()>().await,
        }
    };
    #[cfg(not(unix))]
    let term = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = term => {}
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_of_every_command_are_sound() {
        Args::command().debug_assert();
    }
}
