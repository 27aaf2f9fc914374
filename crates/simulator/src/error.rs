//! What can go wrong while the simulator starts or serves.
//!
//! These errors are for the program that embeds the simulator. What HTTP clients see is in
//! `api_error.rs`, in OpenAI's form.

use std::net::SocketAddr;

/// Why a simulator could not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address is taken or not ours to bind.
    #[error("cannot listen on {addr}: {source}")]
    Bind {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A rate is not a probability.
    #[error("{name} must be between 0 and 1, not {value}")]
    InvalidRate {
        /// The field of the configuration.
        name: &'static str,
        /// What it held.
        value: f64,
    },
    /// A limit of nothing would refuse every request for ever.
    #[error("{name} must be at least 1; leave it out for no limit")]
    ZeroLimit {
        /// The field of the configuration.
        name: &'static str,
    },
    /// The server stopped on an input or output error.
    #[error("the simulator stopped: {0}")]
    Serve(#[source] std::io::Error),
}
