//! The runs that are going on in this process: their state so far, and who watches them.
//!
//! A committed event is folded into the state and then sent to the watchers, under one lock, so that
//! a snapshot and what follows it never overlap or leave a hole. Text may overtake the commit of
//! its attempt's first event; it is held back until that event is in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_engine::{Clock, RunControl, RunRoutes};
use lanes_model::{Applied, Micros, Progress, RunEvent, RunId, RunState};
use tokio::sync::broadcast;

/// What watchers of a live run receive.
#[derive(Debug, Clone)]
pub(crate) enum Live {
    Event(Arc<RunEvent>),
    Progress(Arc<Progress>),
}

/// Messages a slow watcher may fall behind before it has to read the log again.
const BACKLOG: usize = 4_096;

pub(crate) struct LiveRun {
    state: RunState,
    clock: Arc<dyn Clock>,
    control: RunControl,
    routes: Arc<RunRoutes>,
    early: Vec<Progress>,
    watchers: broadcast::Sender<Live>,
}

/// A live run at one moment, and everything after it.
pub(crate) struct Subscription {
    pub(crate) state: RunState,
    pub(crate) now: Micros,
    pub(crate) live: broadcast::Receiver<Live>,
}

#[derive(Default)]
pub(crate) struct Hub {
    runs: Mutex<HashMap<RunId, LiveRun>>,
}

impl Hub {
    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, LiveRun>> {
        // A panic elsewhere cannot leave the map half changed in a way that matters here.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a run up; `state` is its log so far.
    pub(crate) fn insert(
        &self,
        run: RunId,
        state: RunState,
        clock: Arc<dyn Clock>,
        control: RunControl,
        routes: Arc<RunRoutes>,
    ) {
        let (watchers, _) = broadcast::channel(BACKLOG);
        self.runs()
            .insert(run, LiveRun { state, clock, control, routes, early: Vec::new(), watchers });
    }

    /// Lets a run go: its watchers' streams end.
    pub(crate) fn remove(&self, run: &RunId) {
        self.runs().remove(run);
    }

    /// Folds and publishes an event that is in the store.
    pub(crate) fn committed(&self, run: &RunId, event: &RunEvent) {
        let mut runs = self.runs();
        let Some(live) = runs.get_mut(run) else { return };
        if live.state.apply(event) != Applied::Yes {
            return;
        }
        live.send(|| Live::Event(Arc::new(event.clone())));
        for progress in std::mem::take(&mut live.early) {
            live.publish(progress);
        }
    }

    /// Applies and publishes a piece of text.
    pub(crate) fn progress(&self, run: &RunId, progress: Progress) {
        if let Some(live) = self.runs().get_mut(run) {
            live.publish(progress);
        }
    }

    pub(crate) fn subscribe(&self, run: &RunId) -> Option<Subscription> {
        let runs = self.runs();
        let live = runs.get(run)?;
        Some(Subscription {
            state: live.state.clone(),
            now: live.clock.now(),
            live: live.watchers.subscribe(),
        })
    }

    pub(crate) fn state(&self, run: &RunId) -> Option<(RunState, Micros)> {
        self.runs().get(run).map(|live| (live.state.clone(), live.clock.now()))
    }

    pub(crate) fn control(&self, run: &RunId) -> Option<RunControl> {
        self.runs().get(run).map(|live| live.control.clone())
    }

    pub(crate) fn routes(&self, run: &RunId) -> Option<Arc<RunRoutes>> {
        self.runs().get(run).map(|live| Arc::clone(&live.routes))
    }

    pub(crate) fn controls(&self) -> Vec<RunControl> {
        self.runs().values().map(|live| live.control.clone()).collect()
    }

    pub(crate) fn is_live(&self, run: &RunId) -> bool {
        self.runs().contains_key(run)
    }

    pub(crate) fn is_paused(&self, run: &RunId) -> bool {
        self.runs().get(run).is_some_and(|live| live.state.paused)
    }

    pub(crate) fn len(&self) -> usize {
        self.runs().len()
    }
}

impl LiveRun {
    fn publish(&mut self, progress: Progress) {
        let known = self
            .state
            .passes
            .get(usize::from(progress.pass.0))
            .and_then(|p| p.calls.get(progress.call.index()))
            .is_some_and(|c| c.attempts.iter().any(|a| a.attempt.number == progress.number));
        if !known {
            self.early.push(progress);
        } else if self.state.apply_progress(&progress) {
            self.send(|| Live::Progress(Arc::new(progress)));
        }
    }

    /// Makes a message for those who watch; most of the time nobody does.
    fn send(&self, message: impl FnOnce() -> Live) {
        if self.watchers.receiver_count() > 0 {
            // The last of them leaving just now is not an error.
            let _ = self.watchers.send(message());
        }
    }
}
