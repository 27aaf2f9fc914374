//! Reading JSON in the browser. What serde derives for reading the types of a run was an eighth of the
//! page's WebAssembly; here a text becomes a tree, and each type takes its fields from it by name.
//!
//! Rule: the server that wrote the text is the one that sent the page, so nothing is checked. What is
//! missing, or is not what was expected, reads as nothing: zero, empty, the first of an enum's words.
//! The tests hold every type to what serde writes of it.

use crate::event::{Attempt, Finish, Usage};
use crate::failure::FailureKind;
use crate::plan::{DocumentInfo, PassPlan, PlannedCall, PlannedStage};
use crate::provider::Pace;
use crate::sample::SampleInfo;
use crate::state::{CallEndState, Hold, LimitChange, RouteState};
use crate::{
    AttemptResult, AttemptState, Budget, CallId, CallState, DocumentId, Failure, Fallback,
    FieldError, Health, HoldReason, Input, LaneId, LimitReason, Limits, Micros, Mode, PassId,
    PassMode, PassState, PassStatus, Plan, Price, Priority, Progress, ProviderInfo, RouteId,
    RouteInfo, RunHeader, RunId, RunSpec, RunState, RunStatus, Scope, Seq, StageId, Task,
    TaskHistory, TaskId, TextCount, UsdMicros,
};

/// A value of a JSON text. A number that is no `u64` reads as nothing: we write no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`, and whatever is missing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object's fields, in order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of that text; none when it is not JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        (parser.next() == 0).then_some(value)
    }

    /// A field of an object; `null` when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Json {
        static NULL: Json = Json::Null;
        match self {
            Json::Object(fields) => {
                fields.iter().find(|(key, _)| key == name).map_or(&NULL, |(_, value)| value)
            }
            _ => &NULL,
        }
    }

    /// A text; empty when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            _ => "",
        }
    }

    /// A number; 0 when it is none.
    #[must_use]
    pub const fn number(&self) -> u64 {
        match self {
            Json::Number(number) => *number,
            _ => 0,
        }
    }

    fn list(&self) -> &[Json] {
        match self {
            Json::List(list) => list,
            _ => &[],
        }
    }

    /// Which of the words it is; the first when it is none of them.
    fn word(&self, words: &[&str]) -> usize {
        let word = self.text();
        words.iter().position(|w| *w == word).unwrap_or(0)
    }
}

/// Nesting deeper than this is none of ours.
const DEEPEST: u8 = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// The byte that comes next, 0 at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The byte that comes next after white space, 0 at the end.
    fn next(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.peek()
    }

    /// Steps over that byte, if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.next() == byte;
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self, depth: u8) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        match self.next() {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let mut list = Vec::new();
                self.each(b']', |parser| {
                    list.push(parser.value(depth + 1)?);
                    Some(())
                })?;
                Some(Json::List(list))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.each(b'}', |parser| {
                    parser.next();
                    let name = parser.string()?;
                    let value = parser.eat(b':').then(|| parser.value(depth + 1))??;
                    fields.push((name, value));
                    Some(())
                })?;
                Some(Json::Object(fields))
            }
            _ => self.number(),
        }
    }

    /// What stands between brackets, with commas between.
    fn each(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.eat(end) {
            return Some(());
        }
        loop {
            one(self)?;
            if !self.eat(b',') {
                return self.eat(end).then_some(());
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        while matches!(self.peek(), b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).filter(|t| !t.is_empty())?;
        Some(text.parse().map_or(Json::Null, Json::Number))
    }

    fn string(&mut self) -> Option<String> {
        if self.peek() != b'"' {
            return None;
        }
        let mut out = String::new();
        loop {
            self.at += 1;
            let start = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at)?);
            if self.peek() != b'\\' {
                let closed = self.peek() == b'"';
                self.at += 1;
                return closed.then_some(out);
            }
            self.at += 1;
            out.push(match self.peek() {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.unicode()?,
                // A quotation mark, a slash or a backslash stands for itself.
                byte => char::from(byte),
            });
        }
    }

    /// The character after `\u`, with its other half when it has two; leaves the last digit.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        let code = match first {
            0xd800..0xdc00 => {
                self.at += 1;
                self.word("\\u", Json::Null)?;
                self.at -= 1;
                0x1_0000 + ((first - 0xd800) << 10) + self.hex()?.checked_sub(0xdc00)?
            }
            _ => first,
        };
        char::from_u32(code)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// What can be read from JSON.
pub trait Read {
    /// What it says; whatever is missing is zero or empty.
    fn read(json: &Json) -> Self;
}

impl Read for String {
    fn read(json: &Json) -> Self {
        json.text().to_owned()
    }
}

impl Read for bool {
    fn read(json: &Json) -> Self {
        *json == Json::Bool(true)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(json: &Json) -> Self {
        match json {
            Json::Null => None,
            json => Some(T::read(json)),
        }
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(json: &Json) -> Self {
        json.list().iter().map(T::read).collect()
    }
}

impl Read for (Micros, Micros) {
    fn read(json: &Json) -> Self {
        match json.list() {
            [from, to] => (Read::read(from), Read::read(to)),
            _ => Default::default(),
        }
    }
}

macro_rules! numbers {
    ($($name:ident)*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            json.number() as $name
        }
    })* };
}

/// Types around a single value, which are written as that value.
macro_rules! wrappers {
    ($($name:ident)*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            $name(Read::read(json))
        }
    })* };
}

/// Structs, with their fields, and how those are called where it is not the same.
#[macro_export]
macro_rules! reads {
    ($($name:ident { $($field:ident $(= $key:literal)?),* $(,)? })*) => {
        $(impl $crate::Read for $name {
            fn read(json: &$crate::Json) -> Self {
                $name { $($field: $crate::Read::read(
                    json.get($crate::reads!(@key $field $($key)?))
                )),* }
            }
        })*
    };
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
}

/// Enums of words.
macro_rules! words {
    ($($name:ident { $($word:literal $variant:ident),* })*) => { $(impl Read for $name {
        fn read(json: &Json) -> Self {
            const ALL: &[$name] = &[$($name::$variant),*];
            ALL[json.word(&[$($word),*])]
        }
    })* };
}

numbers! { u64 u32 u16 u8 usize }

wrappers! { Micros UsdMicros Seq PassId CallId LaneId RunId TaskId DocumentId RouteId StageId }

reads! {
    Attempt { number, of }
    AttemptState {
        attempt, lane, start, first_token, end, result, usage, cost_usd_micros, finish, failure,
        retry_at, route, hedge,
    }
    Budget { max_cost_usd_micros, deadline_ms }
    CallState { ready, attempts, end, ended, output, failure, cached, awaited, awaiting }
    DocumentInfo { id, name, bytes, tokens }
    Fallback { provider, model }
    Failure { kind, message, http_status, retry_after = "retry_after_us" }
    FieldError { pointer, detail }
    Hold { from, until, why, message }
    LimitChange { at, limit, why }
    Limits { max_text_bytes, max_concurrency }
    Pace { ttft_us, millitokens_per_s, whole_us, cv_permille }
    PassPlan { mode, lanes }
    PassState { mode, lanes, status, started_at, start, end, calls, holds, holding, paused, limits }
    PlannedCall { task, document, stage }
    PlannedStage { id, name, tasks, needs, scope, concurrency, providers }
    Price { input_usd_micros_per_mtok, cached_usd_micros_per_mtok, output_usd_micros_per_mtok }
    Progress { pass, call, number, offset, text }
    ProviderInfo { id, name, simulated, models, price, rpm, tpm, pace }
    RouteInfo { provider, name, model }
    RouteState { route, health, until, message, opened }
    RunHeader { id, title, created_at, spec, tasks, documents, provider, routes, plan }
    RunState {
        last_seq, latest, status, cancel_requested, paused, priority, routes, resumed, header, passes,
    }
    SampleInfo { id, name, tokens, words, bytes }
    Task { id, name, system_message, prompt, max_tokens, built_in, typical_tokens }
    TaskHistory { task, samples, duration_us, ttft_us, output_tokens, deviation_us }
    TextCount { tokens, words, bytes, estimated }
    Usage { input, output, cached, estimated }
}

words! {
    AttemptResult {
        "running" Running, "succeeded" Succeeded, "failed" Failed, "cancelled" Cancelled
    }
    CallEndState { "succeeded" Succeeded, "failed" Failed, "cancelled" Cancelled }
    FailureKind {
        "server_error" ServerError, "invalid_key" InvalidKey, "quota_exhausted" QuotaExhausted,
        "unknown_model" UnknownModel, "invalid_request" InvalidRequest,
        "content_refused" ContentRefused, "rate_limited" RateLimited, "unreachable" Unreachable,
        "timeout" Timeout, "malformed_stream" MalformedStream,
        "truncated_stream" TruncatedStream, "budget_reached" BudgetReached,
        "invalid_output" InvalidOutput, "skipped" Skipped
    }
    Finish { "stop" Stop, "length" Length }
    Health { "closed" Closed, "half_open" HalfOpen, "open" Open }
    HoldReason {
        "rate_limit" RateLimit, "queue" Queue, "breaker" Breaker, "pause" Pause
    }
    LimitReason {
        "start" Start, "rate_limited" RateLimited, "slower" Slower, "grew" Grew, "probe" Probe,
        "user" User
    }
    Mode { "compare" Compare, "sequential" Sequential, "parallel" Parallel }
    PassMode { "sequential" Sequential, "parallel" Parallel }
    PassStatus {
        "waiting" Waiting, "running" Running, "completed" Completed, "cancelled" Cancelled
    }
    Priority { "interactive" Interactive, "batch" Batch }
    Scope { "record" Record, "all" All }
    RunStatus {
        "queued" Queued, "running" Running, "succeeded" Succeeded, "partial" Partial,
        "failed" Failed, "cancelled" Cancelled, "interrupted" Interrupted
    }
}

/// The calls follow from the stages.
impl Read for Plan {
    fn read(json: &Json) -> Self {
        let get = |name| json.get(name);
        Plan::with_calls(
            Read::read(get("passes")),
            Read::read(get("race")),
            Read::read(get("stages")),
            Read::read(get("documents")),
            Read::read(get("calls")),
        )
    }
}

/// What a run is about is not shown beyond its title: it reads as a text given with the request.
impl Read for Input {
    fn read(_: &Json) -> Self {
        Input::Text
    }
}

/// Faults are not read: the browser is told in words what they are. Nor are fallbacks: the run's routes
/// say where attempts can go.
impl Read for RunSpec {
    fn read(json: &Json) -> Self {
        RunSpec {
            input: Read::read(json.get("input")),
            tasks: Read::read(json.get("tasks")),
            mode: Read::read(json.get("mode")),
            race: Read::read(json.get("race")),
            concurrency: Read::read(json.get("concurrency")),
            provider: Read::read(json.get("provider")),
            model: Read::read(json.get("model")),
            faults: None,
            budget: Read::read(json.get("budget")),
            cache: Read::read(json.get("cache")),
            adaptive: Read::read(json.get("adaptive")),
            hedge: Read::read(json.get("hedge")),
            fallback: Vec::new(),
            priority: Read::read(json.get("priority")),
        }
    }
}

#[cfg(test)]
mod tests;
