//! What executors tell the dispatcher. Internal: `emit` alone turns these into public events.

use lanes_model::{Failure, Micros};
use tokio::sync::oneshot;

use crate::{Answer, AttemptId};

/// One message of an executor.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) id: AttemptId,
    pub(crate) news: News,
}

/// What has happened. An executor sends `NoRequest` alone, or `Prepared`, then perhaps `FirstText`
/// and `Text`s, then `Ended`.
#[derive(Debug)]
pub(crate) enum News {
    /// There is no request to send.
    NoRequest { at: Micros, failure: Failure },
    /// The request is at hand; it is sent when `go` says so.
    Prepared { go: oneshot::Sender<()>, redacted: u32 },
    /// The first piece of text arrived.
    FirstText { at: Micros, text: String },
    /// Another piece of text arrived.
    Text { text: String },
    /// The attempt is over.
    Ended { at: Micros, result: Result<Answer, Failure> },
    /// Not of an attempt: what the response cache says of a call.
    LookUp(LookUp),
}

/// What the response cache says of a call: perhaps `Waits`, then `Ended`.
#[derive(Debug)]
pub(crate) enum LookUp {
    /// An identical call is being asked; this one waits for its answer.
    Waits { at: Micros },
    /// There is an answer, or none and the call is to be asked.
    Ended { at: Micros, answer: Option<Box<Answer>> },
}
