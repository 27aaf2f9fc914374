//! [`EventWriter`]: a queue in front of the log, so that the engine never waits for the disk.
//!
//! One task drains it. Whatever is queued when it looks becomes one transaction. The first event
//! after a quiet moment is committed at once, and so are the next few; in a busy time events are gathered for
//! some milliseconds, so that it costs no commit for each. An event is published after it is committed and
//! in the order it came; when a commit fails, nothing is lost or passed over: the same events are
//! tried again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use lanes_model::{EventKind, Micros, RunEvent, RunId};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::log::{Entry, Hopeless};
use crate::{Store, StoreError};

/// The most events in one transaction.
const BATCH: usize = 1_000;
/// From one commit to the next, unless somebody waits for it.
const PACE: Duration = Duration::from_millis(10);
/// Commits in a row, each within [`PACE`] of the one before, after which that time is kept.
const AT_ONCE: u32 = 8;
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// The queue's entrance. Clones share it.
#[derive(Debug, Clone)]
pub struct EventWriter {
    queue: UnboundedSender<Message>,
    /// Why the last commit failed; none after one that did not.
    trouble: watch::Sender<Option<String>>,
    /// Told of each flush.
    hurry: Arc<Notify>,
}

#[derive(Debug)]
enum Message {
    Append(Entry),
    /// Two events that are stored together or not at all.
    AppendBoth(Box<[Entry; 2]>),
    Flush(oneshot::Sender<Result<(), StoreError>>),
}

impl EventWriter {
    /// Starts the task that writes. It calls `on_commit` for every event once that is stored, in
    /// order, and ends when every clone of the writer is dropped and the queue is empty, or when the
    /// store is closed. `on_commit` runs in the task: it must neither block nor panic.
    ///
    /// Must be called inside a Tokio runtime.
    pub fn spawn(
        store: Store,
        on_commit: impl Fn(&RunId, &RunEvent) + Send + Sync + 'static,
    ) -> (Self, JoinHandle<()>) {
        let (queue, incoming) = mpsc::unbounded_channel();
        let trouble = watch::Sender::default();
        let hurry = Arc::new(Notify::new());
        let task = Task {
            store,
            on_commit,
            incoming,
            trouble: trouble.clone(),
            hurry: Arc::clone(&hurry),
            waiting: VecDeque::new(),
            received: 0,
            settled: 0,
            pairs: VecDeque::new(),
            flushes: VecDeque::new(),
        };
        (Self { queue, trouble, hurry }, tokio::spawn(task.run()))
    }

    /// Queues an event. Never waits. An event of a run that does not exist (any more) is left out.
    pub fn append(&self, run: RunId, at: Micros, kind: EventKind) {
        self.send(Message::Append(Entry { run, at, kind }));
    }

    /// Queues two events of the same moment that are stored in one transaction, so that no log ever
    /// ends between them. Otherwise as [`Self::append`].
    pub fn append_both(&self, run: RunId, at: Micros, first: EventKind, second: EventKind) {
        let first = Entry { run: run.clone(), at, kind: first };
        self.send(Message::AppendBoth(Box::new([first, Entry { run, at, kind: second }])));
    }

    fn send(&self, message: Message) {
        // What the task said last says more.
        if self.queue.send(message).is_err()
            && tell(&self.trouble, self.trouble().unwrap_or_default())
        {
            tracing::error!("the log is no longer written: its task has ended");
        }
    }

    /// Waits until everything appended before is committed. When commits are failing, tries at once
    /// instead of waiting for the next turn.
    ///
    /// # Errors
    /// [`StoreError::NotWritten`] when the database does not take them now (they stay queued and are
    /// tried again); [`StoreError::Closed`] when it never will.
    pub async fn flush(&self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(Message::Flush(reply)).map_err(|_| StoreError::Closed)?;
        self.hurry.notify_one();
        answer.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Whether the last commit succeeded and the task is there.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.trouble.borrow().is_none() && !self.queue.is_closed()
    }

    /// Why events are not written now, and what to do about it, while that is so.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        let why = self.trouble.borrow().clone();
        why.or_else(|| self.queue.is_closed().then(|| UNWRITTEN.to_owned()))
    }

    /// The same, for those who want to be told when it changes.
    #[must_use]
    pub fn troubles(&self) -> watch::Receiver<Option<String>> {
        self.trouble.subscribe()
    }
}

const UNWRITTEN: &str = "The log cannot be written.";

/// Says why nothing is written; whether all was well before.
fn tell(trouble: &watch::Sender<Option<String>>, why: String) -> bool {
    let mut was_well = false;
    trouble.send_if_modified(|told| {
        was_well = told.is_none();
        let is_news = told.as_ref() != Some(&why);
        *told = Some(why);
        is_news
    });
    was_well
}

struct Task<F> {
    store: Store,
    on_commit: F,
    incoming: UnboundedReceiver<Message>,
    trouble: watch::Sender<Option<String>>,
    hurry: Arc<Notify>,
    /// Not yet committed, in order.
    waiting: VecDeque<Entry>,
    /// Events taken from the queue so far.
    received: u64,
    /// Events dealt with so far.
    settled: u64,
    /// Where pairs end that are not committed yet, counted as events received.
    pairs: VecDeque<u64>,
    /// Who waits, and for how many events to be settled.
    flushes: VecDeque<(u64, oneshot::Sender<Result<(), StoreError>>)>,
}

impl<F: Fn(&RunId, &RunEvent)> Task<F> {
    async fn run(mut self) {
        let mut backoff = FIRST_BACKOFF;
        let mut next = Instant::now();
        let mut in_a_row = 0u32;
        loop {
            if self.waiting.is_empty() {
                let Some(message) = self.incoming.recv().await else { return };
                self.take(message);
            }
            // The first few in a row go at once: somebody has just started a run and looks at it.
            in_a_row = if Instant::now() < next { in_a_row.saturating_add(1) } else { 0 };
            // Not by receiving: each event would wake this task.
            if self.flushes.is_empty() && in_a_row > AT_ONCE {
                let _ = timeout_at(next, self.hurry.notified()).await;
            }
            while let Ok(message) = self.incoming.try_recv() {
                self.take(message);
            }
            next = Instant::now() + PACE;
            match self.commit().await {
                Ok(()) => {
                    backoff = FIRST_BACKOFF;
                    if self.trouble.send_if_modified(|told| told.take().is_some()) {
                        tracing::info!("the log is written again");
                    }
                    self.answer_settled();
                }
                Err(error @ StoreError::Closed) => {
                    self.because(&error);
                    if !self.waiting.is_empty() {
                        let lost = self.waiting.len();
                        tracing::error!(
                            lost,
                            "the store was closed before its events were written"
                        );
                    }
                    self.answer_all(|| StoreError::Closed);
                    return;
                }
                Err(error) => {
                    let pending = self.waiting.len();
                    if self.because(&error) {
                        tracing::error!(%error, pending, "the log cannot be written; trying again");
                    }
                    self.answer_all(|| StoreError::NotWritten { pending });
                    self.pause(backoff).await;
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                }
            }
        }
    }

    /// Says why nothing is written; whether all was well before.
    fn because(&self, error: &StoreError) -> bool {
        tell(&self.trouble, format!("The log cannot be written: {error}. {}", error.advice()))
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Append(entry) => {
                self.received += 1;
                self.waiting.push_back(entry);
            }
            Message::AppendBoth(entries) => {
                self.received += 2;
                let [first, second] = *entries;
                self.waiting.extend([first, second]);
                self.pairs.push_back(self.received);
            }
            Message::Flush(reply) => self.flushes.push_back((self.received, reply)),
        }
    }

    /// Commits the oldest events and publishes them; touches nothing when that fails.
    async fn commit(&mut self) -> Result<(), StoreError> {
        let mut n = self.waiting.len().min(BATCH);
        while self.pairs.pop_front_if(|end| *end <= self.settled + n as u64).is_some() {}
        // The next pair would be cut in two.
        if self.pairs.front().is_some_and(|end| *end == self.settled + n as u64 + 1) {
            n += 1;
        }
        let batch = self.waiting.make_contiguous().get(..n).unwrap_or_default();
        let seqs = self.store.append_numbered(batch, Hopeless::LeaveOut).await?;
        self.settled += seqs.len() as u64;
        for (entry, seq) in self.waiting.drain(..n).zip(seqs) {
            if let Some(seq) = seq {
                let event = RunEvent { seq, at: entry.at, kind: entry.kind };
                (self.on_commit)(&entry.run, &event);
            }
        }
        Ok(())
    }

    fn answer_settled(&mut self) {
        while let Some((_, reply)) = self.flushes.pop_front_if(|(due, _)| *due <= self.settled) {
            // Who no longer waits needs no answer.
            let _ = reply.send(Ok(()));
        }
    }

    fn answer_all(&mut self, error: impl Fn() -> StoreError) {
        for (_, reply) in self.flushes.drain(..) {
            let _ = reply.send(Err(error()));
        }
    }

    /// Waits before the next try, but not when somebody asks for it by a flush.
    async fn pause(&mut self, length: Duration) {
        let end = Instant::now() + length;
        loop {
            match timeout_at(end, self.incoming.recv()).await {
                Ok(Some(message)) => {
                    let asked = matches!(message, Message::Flush(_));
                    self.take(message);
                    if asked {
                        return;
                    }
                }
                Ok(None) => return tokio::time::sleep_until(end).await,
                Err(_) => return,
            }
        }
    }
}
