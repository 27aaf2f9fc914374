//! One request of somebody else, passed on as it is, and its answer passed back as it comes.
//!
//! Unlike [`Client::chat`], nothing of the answer is understood but what must be: whether it is one, how
//! it ended, what it used. The engine decides about retries here as everywhere; a key is added and
//! never taken over.

use lanes_model::{Failure, FailureKind, Finish, Usage, UsdMicros};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout, timeout_at};

use crate::client::{Client, Head, inside, read_at_most, release};
use crate::failures::{self, Asked};
use crate::sse;
use crate::tokens;
use crate::wire::{Chunk, WireError};

/// The most bytes of an answer that does not stream, and of all pieces of one that does.
const MOST_BODY: usize = 64 * 1024 * 1024;

/// A chat completion as somebody asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct RelayRequest {
    /// The body, with the model that is to be asked.
    pub body: Map<String, Value>,
    /// Whether the answer comes piece by piece.
    pub stream: bool,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relayed {
    /// The tokens used, as the provider reported them, or counted here and marked as estimated.
    pub usage: Usage,
    /// Its cost at list price; `None` when the model's price is not known.
    pub cost: Option<UsdMicros>,
    /// Why it ended.
    pub finish: Finish,
}

impl Client {
    /// Passes a request on, once, and hands each piece of the answer to `on_data`: the data of an event
    /// of a stream, without the closing `[DONE]`, or the whole body of an answer that does not stream.
    ///
    /// # Errors
    /// A [`Failure`] of the kind that the cause has. Pieces that had come by then were handed over.
    pub async fn relay(
        &self,
        request: &RelayRequest,
        mut on_data: impl FnMut(&str) + Send,
    ) -> Result<Relayed, Failure> {
        let limit = self.config.timeouts.total;
        let seen = timeout(limit, self.pass_on(request, &mut on_data))
            .await
            .unwrap_or_else(|_| Err(failures::timeout("The answer was not complete after", limit)))
            .map_err(|failure| self.redactor.failure(failure))?;
        let usage = match seen.usage {
            Some(usage) => usage,
            None => estimate(request, seen.text).await,
        };
        let model = model_of(request);
        let cost = crate::price(model).map(|price| price.cost(&usage));
        Ok(Relayed { usage, cost, finish: seen.finish.unwrap_or_default() })
    }

    async fn pass_on(
        &self,
        request: &RelayRequest,
        on_data: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Seen, Failure> {
        let timeouts = &self.config.timeouts;
        // Of an answer that does not stream nothing comes before all of it.
        let first = if request.stream { timeouts.first_token } else { timeouts.total };
        let no_answer = || failures::timeout("No answer arrived within", first);
        let first_by = Instant::now() + first;
        let response = timeout_at(first_by, self.send_raw(&request.body, request.stream)).await;
        let response = response.map_err(|_| no_answer())??;
        let asked = Asked::Chat { model: model_of(request) };
        let mut response = self.successful(response, asked).await?;
        let mut seen = Seen::default();
        if !request.stream {
            let body = read_at_most(&mut response, MOST_BODY).await;
            let whole = seen.whole(body.as_deref());
            on_data(whole.map_err(|failure| inside(failure, &Head::of(&response)))?);
            return Ok(seen);
        }
        let mut reader = Pieces::default();
        loop {
            let wait = if seen.pieces == 0 { first_by } else { Instant::now() + timeouts.gap };
            let piece = match timeout_at(wait, response.chunk()).await {
                Ok(Ok(Some(bytes))) => reader.feed(&bytes, &mut seen, on_data),
                Ok(Ok(None)) => {
                    reader.end(&mut seen, on_data)?;
                    return seen.ended();
                }
                Ok(Err(_)) => return seen.ended(),
                Err(_) if seen.finish.is_some() => return Ok(seen),
                Err(_) if seen.pieces == 0 => return Err(no_answer()),
                Err(_) => {
                    let what = "The answer stalled: nothing arrived for";
                    return Err(failures::timeout(what, timeouts.gap));
                }
            };
            piece.map_err(|failure| inside(failure, &Head::of(&response)))?;
            if seen.done {
                release(response).await;
                return seen.ended();
            }
        }
    }
}

fn model_of(request: &RelayRequest) -> &str {
    request.body.get("model").and_then(Value::as_str).unwrap_or_default()
}

fn malformed(message: &str) -> Failure {
    Failure::new(FailureKind::MalformedStream, message)
}

/// What is understood of an answer.
#[derive(Debug, Default)]
struct Seen {
    usage: Option<Usage>,
    finish: Option<Finish>,
    /// For counting, when nobody else does.
    text: String,
    pieces: usize,
    bytes: usize,
    /// `[DONE]` has come.
    done: bool,
}

impl Seen {
    /// Looks at a piece, or at the whole.
    fn look(&mut self, json: &[u8]) -> Result<(), Failure> {
        let chunk: Chunk = serde_json::from_slice(json)
            .map_err(|_| malformed("The provider's answer is not in OpenAI's form."))?;
        if let Some(error) = chunk.error() {
            return Err(failures::from_error_inside(&error));
        }
        if chunk.is_blank()
            && let Some(error) = WireError::from_body(json).filter(|error| error.is_protocol)
        {
            return Err(failures::from_error_inside(&error));
        }
        self.usage = chunk.usage().or(self.usage);
        for mut choice in chunk.choices.into_iter().flatten() {
            if let Some(error) = choice.error() {
                return Err(failures::from_error_inside(&error));
            }
            if let Some(delta) = choice.take_delta() {
                self.text.push_str(&delta.into_text());
            }
            match choice.finish_reason.as_deref() {
                None | Some("") => {}
                // What a filter has stopped is an answer, and none to be remembered.
                Some("length" | "max_tokens" | "content_filter") => {
                    self.finish = Some(Finish::Length);
                }
                Some(_) => self.finish = self.finish.or(Some(Finish::Stop)),
            }
        }
        Ok(())
    }

    /// An answer that does not stream.
    fn whole<'a>(&mut self, body: Option<&'a [u8]>) -> Result<&'a str, Failure> {
        let cut =
            || Failure::new(FailureKind::TruncatedStream, "The answer stopped in the middle.");
        let body = body.ok_or_else(cut)?;
        let not_text = |_| malformed("The provider's answer is not text.");
        let text = std::str::from_utf8(body).map_err(not_text)?;
        self.look(body)?;
        if self.finish.is_none() {
            return Err(malformed("The provider's answer is not a chat completion."));
        }
        Ok(text)
    }

    /// The stream has ended.
    fn ended(self) -> Result<Self, Failure> {
        if self.finish.is_some() {
            return Ok(self);
        }
        let message = "The answer stopped in the middle: it ended without a finish reason.";
        Err(Failure::new(FailureKind::TruncatedStream, message))
    }
}

/// The pieces of a stream.
#[derive(Default)]
struct Pieces {
    parser: sse::Parser,
    /// An answer that came whole, though it was asked for in pieces.
    json: Option<Vec<u8>>,
}

impl From<sse::TooLong> for Cut {
    fn from(_: sse::TooLong) -> Self {
        Cut(malformed("The provider's answer contains an event without end."))
    }
}

struct Cut(Failure);

impl Pieces {
    fn feed(
        &mut self,
        bytes: &[u8],
        seen: &mut Seen,
        on_data: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        seen.bytes += bytes.len();
        if seen.bytes > MOST_BODY {
            return Err(malformed("The provider sent more than 64 MB for one answer."));
        }
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        if seen.pieces == 0 && self.json.is_none() && first == Some(&b'{') {
            self.json = Some(Vec::new());
        }
        if let Some(json) = &mut self.json {
            json.extend_from_slice(bytes);
            return Ok(());
        }
        let fed = self.parser.feed(bytes, |event| take(&event, seen, on_data).map_err(Cut));
        fed.map_err(|Cut(failure)| failure)
    }

    fn end(
        &mut self,
        seen: &mut Seen,
        on_data: &mut (dyn FnMut(&str) + Send),
    ) -> Result<(), Failure> {
        if let Some(json) = self.json.take() {
            seen.look(&json)?;
            let whole: Value = serde_json::from_slice(&json)
                .map_err(|_| malformed("The provider's answer is not JSON."))?;
            on_data(&in_one_piece(whole).to_string());
            return Ok(());
        }
        match self.parser.finish() {
            Some(event) => take(&event, seen, on_data),
            None => Ok(()),
        }
    }
}

fn take(
    event: &sse::Event,
    seen: &mut Seen,
    on_data: &mut (dyn FnMut(&str) + Send),
) -> Result<(), Failure> {
    let data = event.data.trim();
    if data.is_empty() || seen.done {
        return Ok(());
    }
    if data == "[DONE]" {
        seen.done = true;
        return Ok(());
    }
    if event.is_error {
        let error = serde_json::from_str(data).unwrap_or_else(|_| Value::from(data));
        let error = error.get("error").unwrap_or(&error);
        return Err(failures::from_error_inside(&WireError::from_error(error)));
    }
    seen.look(data.as_bytes())?;
    seen.pieces += 1;
    on_data(data);
    Ok(())
}

/// A whole answer as the only piece of a stream.
fn in_one_piece(mut whole: Value) -> Value {
    whole["object"] = json!("chat.completion.chunk");
    for choice in whole["choices"].as_array_mut().into_iter().flatten() {
        if let Some(message) = choice.as_object_mut().and_then(|choice| choice.remove("message")) {
            choice["delta"] = message;
        }
    }
    whole
}

/// Counts what the provider has not.
async fn estimate(request: &RelayRequest, answer: String) -> Usage {
    let mut prompt = String::new();
    texts(request.body.get("messages").unwrap_or(&Value::Null), &mut prompt);
    let count = move || Usage {
        input: tokens::count(&prompt),
        output: tokens::count(&answer),
        cached: 0,
        estimated: true,
    };
    // A failure to join means that the runtime is going down.
    let none = Usage { estimated: true, ..Usage::default() };
    tokio::task::spawn_blocking(count).await.unwrap_or(none)
}

/// The texts of messages, one after the other.
fn texts(of: &Value, out: &mut String) {
    match of {
        Value::Array(parts) => parts.iter().for_each(|part| texts(part, out)),
        Value::Object(fields) => {
            for name in ["content", "text"] {
                match fields.get(name) {
                    Some(Value::String(text)) => out.push_str(text),
                    Some(other) => texts(other, out),
                    None => {}
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&str]) -> (Result<Seen, Failure>, Vec<String>) {
        let (mut reader, mut seen, mut data) = (Pieces::default(), Seen::default(), Vec::new());
        let mut on_data = |piece: &str| data.push(piece.to_owned());
        for piece in pieces {
            if let Err(failure) = reader.feed(piece.as_bytes(), &mut seen, &mut on_data) {
                return (Err(failure), data);
            }
        }
        let ended = reader.end(&mut seen, &mut on_data);
        (ended.and_then(|()| seen.ended()), data)
    }

    #[test]
    fn pieces_are_passed_on_as_they_are_also_those_that_nobody_here_knows() {
        let tool = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]},"x":1}]}"#;
        let last = r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#;
        let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
        let stream =
            format!(": hi\n\ndata: {tool}\n\ndata: {last}\n\ndata: {usage}\n\ndata: [DONE]\n\n");
        let (cut, rest) = stream.split_at(20);
        let (seen, data) = read(&[cut, rest]);
        let seen = seen.unwrap();
        assert_eq!(data, [tool, last, usage]);
        assert_eq!((seen.usage.unwrap().output, seen.finish), (4, Some(Finish::Stop)));
        assert!(seen.done);
    }

    #[test]
    fn a_stream_that_stops_early_or_tells_of_an_error_is_a_failure() {
        let begun = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        let (seen, data) = read(&[begun]);
        assert_eq!(seen.unwrap_err().kind, FailureKind::TruncatedStream);
        assert_eq!(data.len(), 1);
        let error = "data: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n";
        let (seen, data) = read(&[begun, error]);
        assert_eq!(seen.unwrap_err().kind, FailureKind::ServerError);
        assert_eq!(data.len(), 1);
        assert_eq!(read(&["data: nonsense\n\n"]).0.unwrap_err().kind, FailureKind::MalformedStream);
    }

    #[test]
    fn an_answer_that_comes_whole_is_a_stream_of_one_piece() {
        let whole = r#"{"object":"chat.completion","choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}"#;
        let (seen, data) = read(&[&whole[..30], &whole[30..]]);
        assert_eq!(seen.unwrap().text, "a");
        let piece: Value = serde_json::from_str(&data[0]).unwrap();
        assert_eq!(piece["object"], "chat.completion.chunk");
        assert_eq!(piece["choices"][0]["delta"]["content"], "a");
        assert!(piece["choices"][0].get("message").is_none());
    }

    #[test]
    fn the_texts_of_all_kinds_of_messages_count() {
        let mut out = String::new();
        let messages = json!([
            { "role": "system", "content": "a" },
            { "role": "user", "content": [{ "type": "text", "text": "b" }, { "type": "image_url" }] }
        ]);
        texts(&messages, &mut out);
        assert_eq!(out, "ab");
    }
}
