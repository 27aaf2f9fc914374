//! The program `lanes`: reads the configuration, then does what the command says. No logic of its
//! own: what it can do is in the service, how it is reached is in `http` and `cli`.

// A page is one deeply nested type.
#![recursion_limit = "512"]

mod cli;
mod config;
mod http;
mod log_lines;
mod telemetry;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    // A missing file is no mistake; one that cannot be read is said once logging is up.
    let env_file = dotenvy::dotenv();
    let args = cli::Args::parse();
    // One TLS implementation for every client. It fails where one has been chosen already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    start_logging(args.log_filter());
    if let Err(error) = env_file
        && !error.not_found()
    {
        tracing::warn!("the .env file cannot be read: {}", cli::without_values(&error));
    }
    match cli::run(args) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lanes: {error}");
            ExitCode::from(2)
        }
    }
}

/// Logs go to stderr: stdout is for results. async-openai logs whole bodies when decoding fails, so
/// it is silent.
fn start_logging(default: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| log_lines::OneLine(std::io::stderr()));
    match std::env::var("LANES_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).init(),
        _ => log.init(),
    }
}
