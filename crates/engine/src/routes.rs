//! Where attempts go: the endpoints of a provider, the fallbacks behind it, and what keeps an attempt
//! from going there. A [`Target`] for each provider and model is shared by all runs; [`RunRoutes`] is
//! one run's way to the targets it may use.

mod breaker;
mod line;
mod run;
mod target;
#[cfg(test)]
mod tests;

pub use run::RunRoutes;
pub use target::{Changes, EndpointState, Target, TargetLimits};
