//! A server that speaks the OpenAI protocol with chosen latency, limits and faults.
//!
//! It stands in for a provider wherever none is at hand: the first run of a newcomer, the tests, a
//! demonstration of what happens under a rate limit. It talks to any OpenAI client over HTTP and
//! to no other crate of the workspace. Its rule: everything it does is a pure function of the
//! seed and of what it was asked, so the same seed and the same requests give the same latencies,
//! faults and text, and its answers are computed from the text, never constant.

mod analysis;
mod answer;
mod api_error;
mod chat;
mod config;
mod draw;
mod error;
mod faults;
mod latency;
mod limits;
mod protocol;
mod reply;
mod run_limits;
mod server;
mod stats;
mod tokens;

pub use config::SimulatorConfig;
pub use draw::{ContentHash, Identity};
pub use error::SimulatorError;
pub use latency::{LatencyError, LatencyProfile, Schedule};
pub use server::{Simulator, router};
pub use stats::Stats;

/// The one model the simulator offers, as listed by `GET /v1/models`.
pub const MODEL: &str = "simulated-mini";
