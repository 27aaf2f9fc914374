//! The response cache as people see it: how much is in it, and away with it.

use super::Service;
use crate::{CacheStats, ServiceError};

impl Service {
    /// What the response cache holds, and how often it had the answer.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn cache_stats(&self) -> Result<CacheStats, ServiceError> {
        Ok(self.inner.cache.stats().await?)
    }

    /// Forgets every cached answer. Runs keep theirs.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn purge_cache(&self) -> Result<(), ServiceError> {
        Ok(self.inner.cache.purge().await?)
    }
}
