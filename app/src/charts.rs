//! Charts: pure geometry, apart from the views that draw it. The page and the export share it.

pub mod axis;
pub mod compare;
#[cfg(feature = "ssr")]
mod export;
#[cfg(test)]
pub(crate) mod fixture;
pub mod limit;
#[cfg(feature = "ssr")]
pub mod slots;
pub mod stages;
pub mod timeline;

#[cfg(feature = "ssr")]
pub use export::run_svg;
