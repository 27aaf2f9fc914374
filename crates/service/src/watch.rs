//! Following a run: the log so far, then what happens, then the end.
//!
//! The live channel is subscribed to first and the stored log read after, so nothing falls between.
//! A watcher that falls behind reads the log again.

use std::collections::VecDeque;
use std::sync::Arc;

use futures::Stream;
use futures::stream;
use lanes_model::{Micros, Progress, RunEvent, RunId, Seq};
use lanes_store::Store;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::ServiceError;
use crate::hub::{Hub, Live};

/// What a watcher receives.
#[derive(Debug, Clone)]
pub enum WatchItem {
    /// An event of the log, each once and in order.
    Event(Arc<RunEvent>),
    /// A piece of streaming text.
    Progress(Arc<Progress>),
    /// The run's clock at this moment, so that a viewer can show the time between events.
    Clock(Micros),
    /// Nothing follows: the run is at rest at this event.
    End(Seq),
}

/// Events read from the store at a time.
const PAGE: u32 = 500;

struct Watcher {
    hub: Arc<Hub>,
    store: Store,
    run: RunId,
    last: Seq,
    live: Option<Receiver<Live>>,
    /// To be given out before anything else is read.
    ready: VecDeque<WatchItem>,
    /// The clock and the texts so far: they wait until the log is through, because a text belongs
    /// to an attempt that the log starts.
    after_replay: Vec<WatchItem>,
    stage: Stage,
}

enum Stage {
    /// Reading the stored log.
    Replay,
    /// Listening.
    Live,
    /// `End` was sent, or an error.
    Over,
}

/// Everything of a run after an event, as it happens.
pub(crate) async fn watch(
    hub: Arc<Hub>,
    store: Store,
    run: RunId,
    after: Seq,
) -> Result<impl Stream<Item = Result<WatchItem, ServiceError>> + Send + use<>, ServiceError> {
    if !hub.is_live(&run) && store.last_seq(&run).await?.is_none() {
        return Err(ServiceError::no_run(run.as_str()));
    }
    let mut watcher = Watcher {
        hub,
        store,
        run,
        last: after,
        live: None,
        ready: VecDeque::new(),
        after_replay: Vec::new(),
        stage: Stage::Replay,
    };
    watcher.subscribe();
    Ok(stream::unfold(watcher, |mut w| async move {
        let item = w.next().await?;
        Some((item, w))
    }))
}

impl Watcher {
    fn subscribe(&mut self) {
        self.stage = Stage::Replay;
        self.live = self.hub.subscribe(&self.run).map(|s| {
            self.after_replay.push(WatchItem::Clock(s.now));
            self.after_replay.extend(s.texts.into_iter().map(WatchItem::Progress));
            s.live
        });
    }

    async fn next(&mut self) -> Option<Result<WatchItem, ServiceError>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            match self.stage {
                Stage::Over => return None,
                Stage::Replay => match self.store.events(&self.run, self.last, PAGE).await {
                    Err(e) => {
                        self.stage = Stage::Over;
                        return Some(Err(e.into()));
                    }
                    Ok(events) => match events.last() {
                        Some(event) => {
                            self.last = event.seq;
                            let events = events.into_iter().map(Arc::new).map(WatchItem::Event);
                            self.ready.extend(events);
                        }
                        None => {
                            self.ready.extend(self.after_replay.drain(..));
                            self.stage = Stage::Live;
                        }
                    },
                },
                Stage::Live => {
                    let Some(live) = &mut self.live else {
                        self.stage = Stage::Over;
                        return Some(Ok(WatchItem::End(self.last)));
                    };
                    match live.recv().await {
                        Ok(Live::Progress(p)) => return Some(Ok(WatchItem::Progress(p))),
                        Ok(Live::Event(e)) if e.seq <= self.last => {}
                        Ok(Live::Event(e)) if e.seq == self.last.next() => {
                            self.last = e.seq;
                            return Some(Ok(WatchItem::Event(e)));
                        }
                        // It fell behind, or there is a hole: the log has it all.
                        Ok(Live::Event(_)) | Err(RecvError::Lagged(_)) => self.subscribe(),
                        // The run is at rest; whatever was committed last is in the log.
                        Err(RecvError::Closed) => {
                            self.live = None;
                            self.stage = Stage::Replay;
                        }
                    }
                }
            }
        }
    }
}
