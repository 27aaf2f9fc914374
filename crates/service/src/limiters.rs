//! The rate limiters of all providers: one for each provider and model, shared by every run that uses
//! them and kept while the program runs, since what was sent counts against the next run too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use lanes_engine::RateLimiter;
use lanes_model::RunHeader;

/// Limiters by provider and model.
#[derive(Debug, Default)]
pub(crate) struct Limiters(Mutex<HashMap<(String, String), Arc<RateLimiter>>>);

impl Limiters {
    /// The limiter that a run has to ask.
    pub(crate) fn of(&self, header: &RunHeader) -> Arc<RateLimiter> {
        let key = (header.spec.provider.clone(), header.spec.model.clone());
        let provider = &header.provider;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(RateLimiter::new(provider.rpm, provider.tpm));
        Arc::clone(all.entry(key).or_insert_with(new))
    }
}
