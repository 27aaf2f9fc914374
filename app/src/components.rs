//! Pieces that several pages use.

pub mod badge;
pub mod definition;
pub mod icons;
pub mod markup;
#[cfg(feature = "ssr")]
pub mod topbar;
