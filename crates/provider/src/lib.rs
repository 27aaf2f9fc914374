//! The OpenAI-compatible client: one request in, one answer or one typed failure out.
//!
//! Speaks to a provider over HTTP through `async-openai`; the engine calls it and decides on its
//! failures. Rules: it never retries (the engine is the only one who does), no key leaves it in any
//! text, and what it reports of an answer is what arrived.

mod answer;
mod client;
mod config;
mod endpoint;
mod exchange;
mod failures;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod other_model;
mod price;
mod redact;
mod relay;
mod request;
mod retry_after;
mod sse;
pub mod tokens;
mod told;
mod wire;

pub use client::{Client, LimitListener};
pub use config::{ConfigError, ProviderConfig, Timeouts};
pub use endpoint::{TlsConfig, tls};
pub use price::price;
pub use relay::{RelayRequest, Relayed};
pub use request::{Answer, ChatRequest, ImagePart};
