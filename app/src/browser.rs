//! What only a browser has: its clock, its keyboard, its event stream. On the server each function
//! does nothing, so that views need no conditions.

pub mod display;
#[cfg(feature = "hydrate")]
mod enhance;
#[cfg(feature = "hydrate")]
pub mod fetch;
pub mod frames;
pub mod keys;
pub mod live;
#[cfg(feature = "hydrate")]
mod live_form;
pub mod place;

#[cfg(feature = "hydrate")]
pub use enhance::enhance;
