//! What the engine needs from outside, as traits: where requests go, where events go, who permits.
//!
//! Each has a local implementation. Nothing here knows of HTTP, of a database or of the
//! process that shows a run.

use std::ops::Range;
use std::sync::Arc;

use futures::future::BoxFuture;
use lanes_model::{
    CallId, EventKind, Failure, Finish, Health, HoldReason, Micros, Output, PassId, Progress,
    Redaction, RouteId, Temperature, Usage, UsdMicros,
};
use tokio::sync::watch;

/// One chat request of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallRequest {
    /// The model's name.
    pub model: String,
    /// The instruction.
    pub system: String,
    /// The user message, with the document's text in it.
    pub user: String,
    /// The longest answer allowed, in tokens.
    pub max_tokens: u32,
    /// How freely the model chooses its words; by default as it does by itself.
    pub temperature: Option<Temperature>,
    /// What the answer must look like.
    pub output: Output,
    /// Images that belong to the user message.
    pub images: Vec<RequestImage>,
    /// What stands for what in these texts, where personal data was taken out of them: the answer gets it
    /// back.
    pub redaction: Option<Arc<Redaction>>,
}

/// An image of a request. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestImage {
    /// What it is, such as `image/png`.
    pub media_type: String,
    /// The file.
    pub data: Arc<[u8]>,
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

/// Answers requests.
pub trait Provider: Send + Sync + 'static {
    /// Sends one request, once, on a route: the engine alone decides about retries. Dropping the
    /// future aborts the request.
    fn attempt(
        &self,
        route: RouteId,
        request: Arc<CallRequest>,
        on_text: TextSink,
    ) -> BoxFuture<'static, Result<Answer, Failure>>;

    /// What an attempt that is stopped in the middle has used, as far as that can be known, and what
    /// that costs.
    fn used(&self, route: RouteId, prompt_tokens: u64, text: &str) -> (Usage, Option<UsdMicros>) {
        let _ = (route, text);
        (Usage { input: prompt_tokens, estimated: true, ..Usage::default() }, None)
    }
}

/// Where the log of a run goes. No method blocks.
pub trait EventSink: Send + Sync + 'static {
    /// Takes the next event; the order of the calls is the order of the log. `at` is when the thing
    /// happened, which may be a little before the `at` of an event appended earlier.
    fn append(&self, at: Micros, kind: EventKind);

    /// Takes the next two events, of the same moment, of which a log must never have the first alone.
    fn append_both(&self, at: Micros, first: EventKind, second: EventKind) {
        self.append(at, first);
        self.append(at, second);
    }

    /// Why what was appended is not stored, in words, while that is so. Nothing new is started then:
    /// what it brought might be lost, and asked and paid for again.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Takes a piece of streaming text. The first event of its attempt has been appended before.
    fn progress(&self, progress: Progress);
}

/// What goes into a call's request and was not known when the run began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// What the calls that it needs have answered, in the order of its needs; none where one of them
    /// has no answer.
    pub needs: Vec<(CallId, Option<Arc<str>>)>,
    /// Why the answer before was not of the form that is asked for, in words.
    pub rejected: Option<Arc<str>>,
}

/// Knows what each call asks.
pub trait RecordSource: Send + Sync + 'static {
    /// The request of a call; the same whenever the same is `asked`. A failure fails the call without
    /// an attempt and is not retried here.
    fn request(
        &self,
        call: CallId,
        asked: Asked,
    ) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>>;

    /// The answer of a call that follows from what is `asked` alone and needs no request.
    fn known(&self, call: CallId, asked: &Asked) -> Option<String> {
        let _ = (call, asked);
        None
    }

    /// Whether calls of a stage may be [`known`](Self::known) at all.
    fn may_know(&self, stage: u16) -> bool {
        let _ = stage;
        false
    }

    /// Whether an answer is of the form that its task asks for: the answer in its proper form where
    /// that differs, or in words what is wrong with it. Such an answer is asked for once more.
    ///
    /// # Errors
    /// What is wrong, in words that the model is told.
    fn check(&self, call: CallId, answer: &str) -> Result<Option<String>, String> {
        let _ = (call, answer);
        Ok(None)
    }

    /// The most tokens that an attempt of a call may use, prompt and answer together, as far as that
    /// is known without looking anything up; the answers that it needs have `needed` bytes.
    fn most_tokens(&self, call: CallId, needed: u64) -> u64 {
        let _ = (call, needed);
        0
    }

    /// The tokens of a call's prompt, as far as that is known without looking anything up.
    fn prompt_tokens(&self, call: CallId) -> u64 {
        let _ = call;
        0
    }
}

/// Names one attempt of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttemptId {
    /// In which pass.
    pub pass: PassId,
    /// Of which call.
    pub call: CallId,
    /// Which try, from 1.
    pub number: u32,
}

/// An attempt that asks for a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PermitRequest {
    /// Which.
    pub attempt: AttemptId,
    /// The run's clock, now.
    pub now: Micros,
    /// The most tokens it may use, prompt and answer together.
    pub tokens: u64,
    /// How far down the run's order of providers its call has come: 0 for the first.
    pub tier: u16,
    /// The end of its stage's part of that order: it goes to none from there on.
    pub until: u16,
    /// Where the call has failed last, if it has: somewhere else is better.
    pub avoid: Option<RouteId>,
}

/// A limiter's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Permit {
    /// The attempt may start now, on this route; its share is taken.
    Granted(RouteId),
    /// Ask again at this time on the run's clock, or when the limiter tells of a change.
    NotBefore {
        /// When.
        at: Micros,
        /// What it waits for.
        why: HoldReason,
        /// In words, when it is more than a limit.
        message: String,
    },
    /// The attempt can never be permitted: its call fails with this.
    Refused(Failure),
}

/// How an attempt ended, for a limiter.
#[derive(Debug, Clone, Copy)]
pub enum Outcome<'a> {
    /// With an answer.
    Answered(&'a Answer),
    /// Without one.
    Failed(&'a Failure),
    /// Stopped from here, in the middle.
    Stopped,
    /// Never sent.
    Unsent,
}

/// What a limiter says of an attempt that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// It tried, for all, whether a provider works again, and failed: that is not its call's fault.
    pub was_probe: bool,
    /// Another endpoint of the same provider works.
    pub elsewhere: bool,
    /// No provider works, and has not for some time.
    pub hopeless: bool,
}

/// A circuit breaker has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteNews {
    /// Of which route.
    pub route: RouteId,
    /// How it stands.
    pub health: Health,
    /// For how long it stays open.
    pub wait: Option<Micros>,
    /// Why, in words.
    pub message: String,
}

/// Says where attempts go, and keeps to the limits of where they go.
pub trait Limiter: Send + Sync + 'static {
    /// Asked once before each attempt, when there is a lane for it. Never blocks. A refusal holds
    /// back all calls of the pass that have come as far down the order of providers, since limits are
    /// the provider's and not a call's; what is under way goes on.
    fn permit(&self, request: PermitRequest) -> Permit;

    /// An attempt that was permitted is over. Not told of attempts that end with their run.
    fn ended(&self, attempt: AttemptId, outcome: Outcome<'_>) -> Ended {
        let _ = (attempt, outcome);
        Ended::default()
    }

    /// How many providers there are to go to, one after the other; at least one.
    fn tiers(&self) -> u16 {
        1
    }

    /// The place in that order of the provider that a route belongs to.
    fn tier_of(&self, route: RouteId) -> u16 {
        let _ = route;
        0
    }

    /// The part of that order that the calls of a stage go down; never empty.
    fn tiers_of(&self, stage: u16) -> Range<u16> {
        let _ = stage;
        0..self.tiers().max(1)
    }

    /// A provider is of no use to this run: nothing goes there any more.
    fn give_up(&self, tier: u16) {
        let _ = tier;
    }

    /// Whether any of these is of use yet, once one has been given up.
    fn is_any_of_use(&self, tiers: Range<u16>) -> bool {
        let _ = tiers;
        false
    }

    /// The circuit breakers that have changed since it was asked last.
    fn news(&self) -> Vec<RouteNews> {
        Vec::new()
    }

    /// A pass does not wait for a permit any more, though it was told to.
    fn step_back(&self, pass: PassId) {
        let _ = pass;
    }

    /// Changes when something has happened for which a pass may be waiting.
    fn changes(&self) -> Option<watch::Receiver<u64>> {
        None
    }
}

/// A limiter without limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

impl Limiter for Unlimited {
    fn permit(&self, _: PermitRequest) -> Permit {
        Permit::Granted(RouteId::default())
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
