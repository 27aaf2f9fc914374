//! The user interface of Lanes. The server renders every page whole; the parts that move are islands,
//! whose code also runs in the browser and brings them to life. It sees the model alone; what needs
//! the service goes through `server`.

// An island is one deeply nested type.
#![recursion_limit = "512"]

#[cfg(feature = "ssr")]
mod app;
pub mod browser;
pub mod charts;
mod components;
mod pages;
pub mod server;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use app::App;
#[cfg(feature = "ssr")]
pub use pages::{ApiDescription, batch};
#[cfg(feature = "ssr")]
pub use shell::{NONCE_HEADER, SiteFiles, shell};
