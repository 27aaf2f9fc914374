//! What the program tells operators of itself: figures for Prometheus and traces for OpenTelemetry, both
//! made from the events that the service stores.

pub mod metrics;
pub mod process;
pub mod traces;
