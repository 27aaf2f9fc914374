//! How a run is steered from outside while it goes on: stopped, by its user or because the program
//! ends, paused, or given more lanes or fewer.

use tokio::sync::watch;

/// Why a run is to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The user wants no more of it: its calls end as cancelled.
    Cancel,
    /// The program ends: the run can be resumed later.
    Interrupt,
}

/// Everything that is wished of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Wishes {
    pub(crate) stop: Option<Stop>,
    /// Whether it is to pause; what the log says until somebody says otherwise.
    pub(crate) paused: Option<bool>,
    /// How many lanes its parallel passes are to use; as planned until somebody says otherwise.
    pub(crate) lanes: Option<u32>,
}

/// Steers a run. Clones steer the same run; the first request to stop counts, of the others the last.
#[derive(Debug, Clone)]
pub struct RunControl {
    wishes: watch::Sender<Wishes>,
}

impl Default for RunControl {
    fn default() -> Self {
        Self::new()
    }
}

impl RunControl {
    /// Controls for one run.
    #[must_use]
    pub fn new() -> Self {
        Self { wishes: watch::Sender::new(Wishes::default()) }
    }

    /// Asks the run to end now, as cancelled.
    pub fn cancel(&self) {
        self.stop(Stop::Cancel);
    }

    /// Asks the run to stop now, so that it can be resumed.
    pub fn interrupt(&self) {
        self.stop(Stop::Interrupt);
    }

    /// Asks the run to start nothing; what is under way goes on.
    pub fn pause(&self) {
        self.wish(|wishes| wishes.paused = Some(true));
    }

    /// Asks a paused run to go on.
    pub fn go_on(&self) {
        self.wish(|wishes| wishes.paused = Some(false));
    }

    /// Asks for so many lanes in parallel passes, at least one.
    pub fn use_lanes(&self, lanes: u32) {
        self.wish(|wishes| wishes.lanes = Some(lanes.max(1)));
    }

    /// What stop was asked for, if any was.
    #[must_use]
    pub fn requested(&self) -> Option<Stop> {
        self.wishes.borrow().stop
    }

    fn stop(&self, stop: Stop) {
        self.wish(|wishes| {
            wishes.stop.get_or_insert(stop);
        });
    }

    fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        self.wishes.send_if_modified(|wishes| {
            let before = *wishes;
            change(wishes);
            *wishes != before
        });
    }

    pub(crate) fn watch(&self) -> WishWatch {
        let mut wishes = self.wishes.subscribe();
        wishes.mark_changed();
        WishWatch { wishes }
    }
}

/// The engine's end of a [`RunControl`].
pub(crate) struct WishWatch {
    wishes: watch::Receiver<Wishes>,
}

impl WishWatch {
    /// What is wished now.
    pub(crate) fn now(&self) -> Wishes {
        *self.wishes.borrow()
    }

    /// Waits until something is wished that has not been seen. Cancel-safe.
    pub(crate) async fn changed(&mut self) -> Wishes {
        match self.wishes.changed().await {
            Ok(()) => *self.wishes.borrow_and_update(),
            // Every handle is gone: nobody can wish any more.
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_request_to_stop_counts_for_every_clone() {
        let control = RunControl::new();
        let mut watch = control.watch();
        assert_eq!(control.requested(), None);
        control.clone().cancel();
        control.interrupt();
        assert_eq!(control.requested(), Some(Stop::Cancel));
        assert_eq!(watch.changed().await.stop, Some(Stop::Cancel));
    }

    #[tokio::test]
    async fn of_other_wishes_the_last_counts() {
        let control = RunControl::new();
        control.pause();
        control.use_lanes(0);
        control.go_on();
        let wishes = control.watch().changed().await;
        assert_eq!((wishes.paused, wishes.lanes), (Some(false), Some(1)));
    }
}
