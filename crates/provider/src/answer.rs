//! Folds the bytes of a successful response into an answer. Pure: no IO and no clock.
//!
//! `client` feeds it what arrives; it calls back with each piece of text at once. Whatever the
//! bytes are, it ends in an answer or in a failure that says what was wrong with them; it never
//! takes a stream that stopped early for a whole answer.

use lanes_model::{Failure, FailureKind, Finish, Usage};

use crate::failures;
use crate::sse::{self, Event};
use crate::wire::{Choice, Chunk, WireError};

/// The most bytes of an answer's text.
const MOST_TEXT: usize = 4 * 1024 * 1024;
/// The most bytes of a body, all that is read over (comments, thoughts) included.
const MOST_BODY: usize = 64 * 1024 * 1024;

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) text: String,
    /// `None` when the provider told none.
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Finish,
    /// The model that the provider says has answered.
    pub(crate) model: Option<String>,
}

/// How the body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyEnd {
    /// Properly.
    Complete,
    /// The connection broke, or nothing came any more.
    Broken,
}

/// What the body turned out to be, by its first byte that is not blank.
#[derive(Default)]
enum Body {
    /// Only blanks so far.
    #[default]
    Unknown,
    Stream(sse::Parser),
    /// One JSON value: an error, or the whole answer from a server that does not stream.
    Json(Vec<u8>),
}

/// Reads one answer.
#[derive(Default)]
pub(crate) struct Reader {
    body: Body,
    /// How many bytes have come.
    bytes: usize,
    answer: Partial,
}

#[derive(Default)]
struct Partial {
    text: String,
    refusal: String,
    usage: Option<Usage>,
    finish: Option<Finish>,
    model: Option<String>,
    begun: bool,
    /// A chunk of the protocol has come.
    recognised: bool,
    /// `[DONE]` has come.
    done: bool,
}

impl From<sse::TooLong> for Failure {
    fn from(_: sse::TooLong) -> Self {
        malformed("The provider's answer contains an event without end.")
    }
}

fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::MalformedStream, message)
}

/// The error that a body of JSON is, when it is one.
fn error_inside(json: &[u8]) -> Option<Failure> {
    let error = WireError::from_body(json).filter(|error| error.is_protocol)?;
    Some(failures::from_error_inside(&error))
}

/// A chunk without any of the protocol's members may be an error in the older form.
fn check_blank(chunk: &Chunk, json: &[u8]) -> Result<(), Failure> {
    let failure = chunk.is_blank().then(|| error_inside(json)).flatten();
    failure.map_or(Ok(()), Err)
}

impl Reader {
    /// Whether the model has begun to write: text, or its thoughts before it.
    pub(crate) fn has_begun(&self) -> bool {
        self.answer.begun
    }

    /// Whether the answer is over, though usage may follow.
    pub(crate) fn is_finished(&self) -> bool {
        self.answer.finish.is_some()
    }

    /// Whether nothing follows that matters.
    pub(crate) fn is_done(&self) -> bool {
        self.answer.done
    }

    /// Reads on.
    ///
    /// # Errors
    /// When the bytes are no answer, or tell of an error. There is no reading on after that.
    pub(crate) fn feed(
        &mut self,
        bytes: &[u8],
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        self.bytes += bytes.len();
        if self.bytes > MOST_BODY {
            return Err(malformed("The provider sent more than 64 MB for one answer."));
        }
        if matches!(self.body, Body::Unknown) {
            match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None => return Ok(()),
                Some(b'{' | b'[') => self.body = Body::Json(Vec::new()),
                Some(b'<') => {
                    return Err(malformed("The provider answered with a web page, not a stream."));
                }
                Some(_) => self.body = Body::Stream(sse::Parser::default()),
            }
        }
        match &mut self.body {
            Body::Unknown => Ok(()),
            Body::Stream(parser) => {
                parser.feed(bytes, |event| self.answer.take_event(&event, on_text))
            }
            Body::Json(body) if body.len() + bytes.len() > sse::MOST => {
                Err(malformed("The provider's answer is one piece of more than 8 MB."))
            }
            Body::Json(body) => {
                body.extend_from_slice(bytes);
                Ok(())
            }
        }
    }

    /// The body has ended.
    ///
    /// # Errors
    /// When what has arrived is not a whole answer.
    pub(crate) fn end(
        mut self,
        end: BodyEnd,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Received, Failure> {
        let rest = match &mut self.body {
            Body::Unknown => Ok(()),
            Body::Stream(parser) => match parser.finish() {
                Some(event) => self.answer.take_event(&event, on_text),
                None => Ok(()),
            },
            Body::Json(body) => self.answer.take_whole(&std::mem::take(body), on_text),
        };
        // What is left may be half of something: a sign of the cut, which is told of below.
        let cut = end == BodyEnd::Broken || self.answer.recognised;
        match rest {
            Err(failure) if cut && failure.kind == FailureKind::MalformedStream => {}
            rest => rest?,
        }
        self.answer.into_received(end)
    }
}

impl Partial {
    fn take_event(
        &mut self,
        event: &Event,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() || self.done {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        // Nearly always it is a chunk; what it is instead is found out below.
        if !event.is_error
            && let Ok(chunk) = serde_json::from_str(data)
        {
            check_blank(&chunk, data.as_bytes())?;
            return self.take_chunk(chunk, on_text);
        }
        let value: serde_json::Value = match serde_json::from_str(data) {
            Ok(value) => value,
            Err(_) if event.is_error => data.into(),
            Err(_) => return Err(malformed("The provider sent an event that is not JSON.")),
        };
        if event.is_error && value.get("error").is_none() {
            return Err(failures::from_error_inside(&WireError::from_error(&value)));
        }
        let chunk = serde_json::from_value(value).map_err(|_| {
            malformed("The provider sent an event that is not a chat completion chunk.")
        })?;
        self.take_chunk(chunk, on_text)
    }

    /// A whole answer, from a server that does not stream.
    fn take_whole(
        &mut self,
        body: &[u8],
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        let chunk: Chunk = match serde_json::from_slice(body) {
            Ok(chunk) => chunk,
            Err(_) => {
                let failure = error_inside(body);
                let other = || malformed("The provider's answer is not a chat completion.");
                return Err(failure.unwrap_or_else(other));
            }
        };
        check_blank(&chunk, body)?;
        self.take_chunk(chunk, on_text)
    }

    fn take_chunk(
        &mut self,
        chunk: Chunk,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        if let Some(error) = chunk.error() {
            return Err(failures::from_error_inside(&error));
        }
        if self.model.is_none() {
            self.model = chunk.model().map(str::to_owned);
        }
        self.usage = chunk.usage().or(self.usage);
        for choice in chunk.choices.into_iter().flatten() {
            self.recognised = true;
            if choice.index.unwrap_or(0) == 0 {
                self.take_choice(choice, on_text)?;
            }
        }
        Ok(())
    }

    fn take_choice(
        &mut self,
        mut choice: Choice,
        on_text: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        if let Some(error) = choice.error() {
            return Err(failures::from_error_inside(&error));
        }
        if let Some(mut delta) = choice.take_delta() {
            let refusal = delta.refusal.take().unwrap_or_default();
            self.begun |= delta.is_thinking();
            let text = delta.into_text();
            if self.text.len() + self.refusal.len() + text.len() + refusal.len() > MOST_TEXT {
                return Err(malformed("The provider's answer is longer than 4 MB."));
            }
            self.refusal.push_str(&refusal);
            if !text.is_empty() {
                self.begun = true;
                self.text.push_str(&text);
                on_text(&text);
            }
        }
        match choice.finish_reason.as_deref() {
            None | Some("") => {}
            Some("content_filter") => return Err(failures::content_refused("")),
            Some("error") => return Err(failures::from_error_inside(&WireError::default())),
            Some("length" | "max_tokens") => self.finish = Some(Finish::Length),
            // `stop`, and the other servers' words for it.
            Some(_) => self.finish = Some(Finish::Stop),
        }
        Ok(())
    }

    fn into_received(self, end: BodyEnd) -> Result<Received, Failure> {
        let Some(finish) = self.finish else {
            return Err(if self.recognised {
                Failure::new(
                    FailureKind::TruncatedStream,
                    "The answer stopped in the middle: the stream ended without a finish reason.",
                )
            } else if end == BodyEnd::Broken {
                Failure::new(
                    FailureKind::TruncatedStream,
                    "The connection broke before the answer began.",
                )
            } else {
                malformed("The provider answered without a stream of chat completion chunks.")
            });
        };
        if self.text.is_empty() && !self.refusal.is_empty() {
            return Err(failures::content_refused(&self.refusal));
        }
        Ok(Received { text: self.text, usage: self.usage, finish, model: self.model })
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
