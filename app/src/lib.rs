//! The user interface of Lanes: the same code renders a page on the server and brings it to life in
//! the browser. It sees the model alone; what needs the service goes through `server`.

// A page is one deeply nested type.
#![recursion_limit = "512"]

mod app;
pub mod browser;
pub mod charts;
mod components;
mod pages;
pub mod server;
#[cfg(feature = "ssr")]
mod shell;

pub use app::App;
#[cfg(feature = "ssr")]
pub use shell::{SiteFiles, shell};
