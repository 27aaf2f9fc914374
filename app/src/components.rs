//! Pieces that several pages use.

pub mod badge;
pub mod definition;
pub mod icons;
#[cfg(feature = "ssr")]
pub mod key_list;
pub mod markup;
#[cfg(feature = "ssr")]
pub mod missing;
#[cfg(feature = "ssr")]
pub mod settings_nav;
pub mod standstill;
#[cfg(feature = "ssr")]
pub mod topbar;
