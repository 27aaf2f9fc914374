//! How a run is stopped from outside: by its user, or because the program ends.

use tokio::sync::watch;

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user wants no more of it: its calls end as cancelled.
    Cancel,
    /// The program ends: the run can be resumed later.
    Interrupt,
}

/// Stops a run. Clones stop the same run; the first request counts.
#[derive(Debug, Clone)]
pub struct StopHandle {
    request: watch::Sender<Option<Stop>>,
}

impl Default for StopHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl StopHandle {
    /// A handle for one run.
    #[must_use]
    pub fn new() -> Self {
        Self { request: watch::Sender::new(None) }
    }

    /// Asks the run to end now, as cancelled.
    pub fn cancel(&self) {
        self.ask(Stop::Cancel);
    }

    /// Asks the run to stop now, so that it can be resumed.
    pub fn interrupt(&self) {
        self.ask(Stop::Interrupt);
    }

    /// What was asked for, if anything was.
    #[must_use]
    pub fn requested(&self) -> Option<Stop> {
        *self.request.borrow()
    }

    fn ask(&self, stop: Stop) {
        self.request.send_if_modified(|request| {
            let first = request.is_none();
            request.get_or_insert(stop);
            first
        });
    }

    pub(crate) fn watch(&self) -> StopWatch {
        StopWatch { request: self.request.subscribe() }
    }
}

/// The engine's end of a [`StopHandle`].
pub(crate) struct StopWatch {
    request: watch::Receiver<Option<Stop>>,
}

impl StopWatch {
    /// What has been asked for, if anything has.
    pub(crate) fn requested(&self) -> Option<Stop> {
        *self.request.borrow()
    }

    /// Waits until something is asked for. Cancel-safe.
    pub(crate) async fn asked(&mut self) -> Stop {
        if let Ok(request) = self.request.wait_for(Option::is_some).await
            && let Some(stop) = *request
        {
            return stop;
        }
        // Every handle is gone: nobody can ask any more.
        std::future::pending().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_request_counts_for_every_clone() {
        let handle = StopHandle::new();
        let mut watch = handle.watch();
        assert_eq!(handle.requested(), None);
        handle.clone().cancel();
        handle.interrupt();
        assert_eq!(handle.requested(), Some(Stop::Cancel));
        assert_eq!(watch.asked().await, Stop::Cancel);
    }
}
