//! Following a run: the log so far, then what happens, then the end.
//!
//! The live channel is subscribed to first and the stored log read after, so nothing falls between.
//! A watcher that falls behind reads the log again. Where many watch, each is woken less often and is
//! given more at once: a thousand who are each woken for each event would leave the run no time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream;
use lanes_model::{Micros, Progress, RunEvent, RunId, Seq};
use lanes_store::Store;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::broadcast::{Receiver, WeakSender};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::ServiceError;
use crate::hub::{Hub, Live};
use crate::pages::Page;
use crate::shared::Shared;

/// What a watcher receives.
#[derive(Debug, Clone)]
pub enum WatchItem {
    /// An event of the log, each once and in order.
    Event(Arc<Shared<RunEvent>>),
    /// A piece of streaming text.
    Progress(Arc<Shared<Progress>>),
    /// The run's clock at this moment, so that a viewer can show the time between events.
    Clock(Micros),
    /// Why the run stands still though nobody asked for that, such as a log that cannot be written;
    /// none: it does no more.
    Trouble(Option<String>),
    /// Nothing follows: the run is at rest at this event.
    End(Seq),
}

/// Events read from the store at a time.
const PAGE: u32 = 500;
/// From one time that a watcher is woken to the next, for each one who watches: what it costs to wake
/// it, to write to it and to have that read.
const EACH: Duration = Duration::from_micros(50);
/// But no longer than this.
const LONGEST: Duration = Duration::from_millis(50);

struct Watcher {
    hub: Arc<Hub>,
    store: Store,
    /// Why logs are not written, and what the viewer was told of that.
    trouble: watch::Receiver<Option<String>>,
    told: Option<String>,
    run: RunId,
    last: Seq,
    live: Option<Receiver<Live>>,
    /// All who watch.
    all: Option<WeakSender<Live>>,
    /// It is not woken before.
    rest: Instant,
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
    trouble: watch::Receiver<Option<String>>,
    run: RunId,
    after: Seq,
) -> Result<impl Stream<Item = Result<WatchItem, ServiceError>> + Send + use<>, ServiceError> {
    if !hub.is_live(&run) && store.last_seq(&run).await?.is_none() {
        return Err(ServiceError::no_run(run.as_str()));
    }
    let mut watcher = Watcher {
        hub,
        store,
        trouble,
        told: None,
        run,
        last: after,
        live: None,
        all: None,
        rest: Instant::now(),
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
            let texts = s.texts.into_iter().map(Shared::new).map(Arc::new);
            self.after_replay.extend(texts.map(WatchItem::Progress));
            self.all = s.all;
            s.live
        });
    }

    /// What is not known yet of why the run stands still.
    fn news(&mut self) -> Option<WatchItem> {
        let why = self.trouble.borrow_and_update().clone();
        (why != self.told).then(|| {
            self.told.clone_from(&why);
            WatchItem::Trouble(why)
        })
    }

    /// What the log has next.
    async fn page(&self) -> Result<Page, ServiceError> {
        let read = async {
            let events = self.store.events(&self.run, self.last, PAGE).await?;
            Ok(events.into_iter().map(Shared::new).map(Arc::new).collect())
        };
        match self.hub.live(&self.run) {
            Some(live) => live.pages.after(self.last, read).await,
            None => read.await,
        }
    }

    async fn next(&mut self) -> Option<Result<WatchItem, ServiceError>> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            match self.stage {
                Stage::Over => return None,
                Stage::Replay => match self.page().await {
                    Err(e) => {
                        self.stage = Stage::Over;
                        return Some(Err(e));
                    }
                    Ok(events) => match events.last() {
                        Some(event) => {
                            self.last = event.seq;
                            self.ready.extend(events.iter().cloned().map(WatchItem::Event));
                        }
                        None => {
                            self.ready.extend(self.after_replay.drain(..));
                            if self.live.is_some() {
                                let news = self.news();
                                self.ready.extend(news);
                            }
                            self.stage = Stage::Live;
                        }
                    },
                },
                Stage::Live => {
                    let Some(live) = &mut self.live else {
                        self.stage = Stage::Over;
                        return Some(Ok(WatchItem::End(self.last)));
                    };
                    let message = match live.try_recv() {
                        Err(TryRecvError::Empty) => {
                            sleep_until(self.rest).await;
                            let message = tokio::select! {
                                message = live.recv() => message,
                                Ok(()) = self.trouble.changed() => match self.news() {
                                    Some(news) => return Some(Ok(news)),
                                    None => continue,
                                },
                            };
                            self.rest = Instant::now() + pace(self.all.as_ref());
                            message
                        }
                        Err(TryRecvError::Closed) => Err(RecvError::Closed),
                        Err(TryRecvError::Lagged(missed)) => Err(RecvError::Lagged(missed)),
                        Ok(message) => Ok(message),
                    };
                    match message {
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

/// How long a watcher rests.
fn pace(all: Option<&WeakSender<Live>>) -> Duration {
    let watchers = all.and_then(WeakSender::upgrade).map_or(0, |all| all.receiver_count());
    let others = u32::try_from(watchers.saturating_sub(1)).unwrap_or(u32::MAX);
    EACH.saturating_mul(others).min(LONGEST)
}
