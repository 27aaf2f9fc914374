//! [`RunReader`]: a look at a run, live or at rest, that copies nothing.
//!
//! A large run at rest takes a second to read from its log and is looked at many times in a row (its
//! page, its timeline, page after page of its calls): the last one is kept for a while.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lanes_model::batch::Frame;
use lanes_model::{Batch, Micros, RunId, RunState, Seq};

use crate::ServiceError;
use crate::hub::LiveRun;
use crate::service::Service;
use crate::shared_frames::SharedFrame;

/// A run at rest is kept for so long after it was looked at last.
const KEPT: Duration = Duration::from_secs(60);

/// A run that can be looked at. What it shows goes on with the run, and stays when the run ends.
#[derive(Clone)]
pub struct RunReader(Kind);

#[derive(Clone)]
enum Kind {
    Live(Arc<LiveRun>),
    Rest(Arc<Rest>),
}

struct Rest {
    state: RunState,
    batch: Batch,
}

impl RunReader {
    /// Looks at the run, its sums and the reading of its clock. The events of a live run wait
    /// meanwhile: what takes long is done in parts.
    pub fn read<R>(&self, look: impl FnOnce(&RunState, &Batch, Micros) -> R) -> R {
        match &self.0 {
            Kind::Live(live) => live.read(look),
            Kind::Rest(rest) => look(&rest.state, &rest.batch, rest.state.latest),
        }
    }

    /// The run as it stands, or stood a moment ago for another viewer, but not before `after`; `trouble`
    /// says why it stands still.
    pub fn frame(
        &self,
        history: bool,
        after: Option<Seq>,
        trouble: impl FnOnce() -> Option<String>,
    ) -> Arc<SharedFrame> {
        let make = || -> Frame {
            let frame = self.read(|state, batch, now| batch.frame(state, now, history));
            frame.troubled(trouble())
        };
        match &self.0 {
            Kind::Live(live) => live.frames.get(history, after, make),
            Kind::Rest(_) => Arc::new(SharedFrame::new(make())),
        }
    }

    /// The last event that it knows.
    #[must_use]
    pub fn last_seq(&self) -> Seq {
        self.read(|state, _, _| state.last_seq)
    }
}

/// The large run at rest that was looked at last, and when.
#[derive(Default)]
pub(crate) struct LookedAt(Mutex<Option<(RunId, Arc<Rest>, Instant)>>);

impl LookedAt {
    fn get(&self, run: &RunId, last: Seq) -> Option<Arc<Rest>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, rest, at) =
            kept.as_mut().filter(|(id, rest, _)| id == run && rest.state.last_seq == last)?;
        *at = Instant::now();
        Some(Arc::clone(rest))
    }

    fn put(&self, run: RunId, rest: Arc<Rest>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = Some((run, rest, Instant::now()));
    }

    /// Lets go of what was looked at too long ago, or whatever there is.
    fn forget(&self, all: bool) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_some_and(|(_, _, at)| all || at.elapsed() >= KEPT) {
            *kept = None;
        }
        kept.is_some()
    }
}

impl Service {
    /// A look at a run.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a log that cannot be read.
    pub async fn reader(&self, run: &RunId) -> Result<RunReader, ServiceError> {
        let inner = self.inner();
        if let Some(live) = inner.hub.live(run) {
            return Ok(RunReader(Kind::Live(live)));
        }
        let last = inner.store.last_seq(run).await?;
        if let Some(rest) = last.and_then(|last| inner.looked_at.get(run, last)) {
            return Ok(RunReader(Kind::Rest(rest)));
        }
        inner.looked_at.forget(true);
        let state = inner.stored_state(run).await?;
        let rest = Arc::new(Rest { batch: Batch::of(&state), state });
        if rest.state.is_large() {
            inner.looked_at.put(run.clone(), Arc::clone(&rest));
            let service = self.clone();
            tokio::spawn(async move {
                while service.inner().looked_at.forget(false) {
                    tokio::time::sleep(KEPT).await;
                }
            });
        }
        Ok(RunReader(Kind::Rest(rest)))
    }
}
