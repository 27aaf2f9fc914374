//! What a simulator counts while it serves.
//!
//! Written by the request handlers, read by whoever embeds the server. The rule: `in_flight` falls
//! when a request ends in any way, because a guard lowers it on drop.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// Counts since the simulator started. Each is exact; they are not read as one snapshot.
#[derive(Debug, Default)]
pub struct Stats {
    /// Chat completions received, whatever became of them.
    pub requests: AtomicU64,
    /// Answers sent in full.
    pub answered: AtomicU64,
    /// Requests answered with an error status or cut off by an injected fault.
    pub errors: AtomicU64,
    /// Requests received and not ended, hanging ones included.
    pub in_flight: AtomicU64,
    /// The most requests that were ever in flight at once.
    pub peak_in_flight: AtomicU64,
    /// Different prompts that were answered in full at least once.
    pub answered_prompts: AtomicU64,
}

impl Stats {
    /// Counts one request in flight until the guard is dropped.
    pub(crate) fn enter(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Relaxed);
        let now = self.in_flight.fetch_add(1, Relaxed) + 1;
        self.peak_in_flight.fetch_max(now, Relaxed);
        InFlight(Arc::clone(self))
    }
}

/// One request in flight.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Stats>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_stays_when_requests_leave() {
        let stats = Arc::new(Stats::default());
        let first = stats.enter();
        let second = stats.enter();
        drop(first);
        drop(second);
        drop(stats.enter());
        assert_eq!(stats.requests.load(Relaxed), 3);
        assert_eq!(stats.in_flight.load(Relaxed), 0);
        assert_eq!(stats.peak_in_flight.load(Relaxed), 2);
    }
}
