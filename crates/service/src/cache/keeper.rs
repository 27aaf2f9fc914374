//! Writes answers to the store behind the engine's back, several at once and in their order.
//!
//! An answer that cannot be written is only not found the next time.

use jiff::Timestamp;
use lanes_store::{AnswerKey, AnswerNote, Store, StoreError};
use tokio::sync::{mpsc, oneshot};

/// Notes written in one transaction.
const BATCH: usize = 200;

enum Message {
    Note(AnswerKey, AnswerNote),
    Flush(oneshot::Sender<()>),
    Purge(oneshot::Sender<Result<(), StoreError>>),
}

/// The queue in front of the store; its task ends with it.
pub(super) struct Keeper(mpsc::UnboundedSender<Message>);

impl Keeper {
    pub(super) fn spawn(store: Store, most_bytes: u64) -> Self {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut inbox = Vec::with_capacity(BATCH);
            while receiver.recv_many(&mut inbox, BATCH).await > 0 {
                let mut notes = Vec::new();
                for message in inbox.drain(..) {
                    match message {
                        Message::Note(key, note) => notes.push((key, note)),
                        Message::Flush(reply) => {
                            write(&store, &mut notes, most_bytes).await;
                            // Who no longer waits needs no answer.
                            let _ = reply.send(());
                        }
                        Message::Purge(reply) => {
                            // What was noted before would be forgotten at once.
                            notes.clear();
                            let _ = reply.send(store.purge_answers().await);
                        }
                    }
                }
                write(&store, &mut notes, most_bytes).await;
            }
        });
        Self(sender)
    }

    /// Notes what was given or used. Never waits.
    pub(super) fn note(&self, key: AnswerKey, note: AnswerNote) {
        // A closed queue means that the program is going down.
        let _ = self.0.send(Message::Note(key, note));
    }

    /// Waits until what was noted is written, or known not to be.
    pub(super) async fn flush(&self) {
        let (reply, done) = oneshot::channel();
        let _ = self.0.send(Message::Flush(reply));
        let _ = done.await;
    }

    /// Forgets everything that was noted.
    pub(super) async fn purge(&self) -> Result<(), StoreError> {
        let (reply, done) = oneshot::channel();
        let _ = self.0.send(Message::Purge(reply));
        done.await.unwrap_or(Err(StoreError::Closed))
    }
}

async fn write(store: &Store, notes: &mut Vec<(AnswerKey, AnswerNote)>, most_bytes: u64) {
    if notes.is_empty() {
        return;
    }
    let at = Timestamp::now().to_string();
    if let Err(error) = store.note_answers(notes, &at, most_bytes).await {
        let lost = notes.len();
        tracing::warn!(%error, lost, "the response cache cannot be written");
    }
    notes.clear();
}
