//! What the engine needs from outside, as traits: where requests go, where events go, who permits.
//!
//! Each has a local implementation. Nothing here knows of HTTP, of a database or of the
//! process that shows a run.

use std::sync::Arc;

use futures::future::BoxFuture;
use lanes_model::{CallId, EventKind, Failure, Finish, Micros, PassId, Progress, Usage, UsdMicros};

/// One chat request of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallRequest {
    /// The model's name.
    pub model: String,
    /// The instruction.
    pub system: String,
    /// The user message, with the document's text in it.
    pub user: String,
    /// The longest answer allowed, in tokens.
    pub max_tokens: u32,
}

/// One complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// All of its text.
    pub text: String,
    /// Tokens used.
    pub usage: Usage,
    /// Cost, when the model's price is known.
    pub cost: Option<UsdMicros>,
    /// Why it ended.
    pub finish: Finish,
}

/// Called with each piece of an answer's text as it arrives, in order. Never blocks.
pub type TextSink = Box<dyn FnMut(&str) + Send>;

/// An endpoint that answers requests.
pub trait Provider: Send + Sync + 'static {
    /// Sends one request, once: the engine alone decides about retries. Dropping the future aborts
    /// the request.
    fn attempt(
        &self,
        request: Arc<CallRequest>,
        on_text: TextSink,
    ) -> BoxFuture<'static, Result<Answer, Failure>>;
}

/// Where the log of a run goes. Neither method blocks.
pub trait EventSink: Send + Sync + 'static {
    /// Takes the next event; the order of the calls is the order of the log. `at` is when the thing
    /// happened, which may be a little before the `at` of an event appended earlier.
    fn append(&self, at: Micros, kind: EventKind);

    /// Takes a piece of streaming text. The first event of its attempt has been appended before.
    fn progress(&self, progress: Progress);
}

/// Knows what each call asks.
pub trait RecordSource: Send + Sync + 'static {
    /// The request of a call, the same in every pass and attempt. A failure fails the call without
    /// an attempt and is not retried here.
    fn request(&self, call: CallId) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>>;

    /// The most tokens that an attempt of a call may use, prompt and answer together, as far as that
    /// is known without looking anything up.
    fn most_tokens(&self, call: CallId) -> u64 {
        let _ = call;
        0
    }
}

/// An attempt that asks for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermitRequest {
    /// In which pass.
    pub pass: PassId,
    /// Of which call.
    pub call: CallId,
    /// The run's clock, now.
    pub now: Micros,
    /// The most tokens it may use, prompt and answer together.
    pub tokens: u64,
}

/// A limiter's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// The attempt may start now; its share is taken.
    Granted,
    /// Ask again at this time on the run's clock, and not before.
    NotBefore(Micros),
    /// The attempt can never be permitted: its call fails with this.
    Refused(Failure),
}

/// Keeps to the limits of a provider.
pub trait Limiter: Send + Sync + 'static {
    /// Asked once before each attempt, when there is a lane for it. Never blocks. A refusal holds
    /// back all calls of the pass, in their order, since limits are the provider's and not a call's;
    /// what is under way goes on.
    fn permit(&self, request: PermitRequest) -> Permit;

    /// An attempt that was permitted is over. Not told of attempts that were aborted.
    fn ended(&self, pass: PassId, call: CallId, result: Result<&Answer, &Failure>) {
        let _ = (pass, call, result);
    }
}

/// A limiter without limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Limiter for Unlimited {
    fn permit(&self, _: PermitRequest) -> Permit {
        Permit::Granted
    }
}

/// What a response cache says of a call.
pub enum Cached {
    /// The answer was there.
    Hit(Answer),
    /// It was not: the call is to be asked. Identical calls wait for it until it has ended.
    Miss,
    /// An identical call, of this run or of another, is being asked. The future gives the answer once
    /// it is there; or none when that call got none, and this one is to be asked in its place, as
    /// after a [`Cached::Miss`].
    Awaited(BoxFuture<'static, Option<Answer>>),
}

/// A run's access to answers that were given before. What its calls hold is given back when it is
/// dropped.
pub trait AnswerCache: Send + Sync + 'static {
    /// Looks a call up. When the future is dropped before it is ready, the call holds nothing.
    fn look_up(
        &self,
        pass: PassId,
        call: CallId,
        request: Arc<CallRequest>,
    ) -> BoxFuture<'static, Cached>;

    /// A call has ended, with this answer or for good without one: whoever waits for it need not
    /// wait any longer. Never blocks. Calls that the cache was not asked about may come by too.
    fn ended(&self, pass: PassId, call: CallId, answer: Option<&Answer>);
}
