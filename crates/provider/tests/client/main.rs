//! The client against servers on loopback that do exactly as scripted, by raw bytes.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy takes the helpers of an integration test for production code"
)]

mod answers;
mod bad_input;
mod connections;
mod failures;
mod logs;
mod server;
mod times;
