//! From an answer and its schedule to the bytes of the response, each at its time.
//!
//! The chat handler builds one of the two bodies here. The rule: every byte has an absolute
//! offset from the request's arrival, so that waiting late never makes the next wait later.

use std::{convert::Infallible, io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{
    MODEL,
    answer::Answer,
    latency::Schedule,
    protocol::{AssistantMessage, Choice, ChunkChoice, Completion, Delta, Usage, UsageField},
};

const FINGERPRINT: &str = "fp_simulator";
/// Tokens due within this of each other are sent together: timers and sockets are no finer.
const BATCH: Duration = Duration::from_millis(5);

/// What every object of one answer repeats.
#[derive(Debug, Clone)]
pub(crate) struct Heading {
    /// `chatcmpl-…`
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

/// Bytes that leave together, at an offset from the request's arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) at: Duration,
    pub(crate) bytes: Vec<u8>,
}

/// The server-sent events of a streamed answer. With `cut`, the share of tokens after which the
/// stream ends without a finish reason and without `[DONE]`.
pub(crate) fn frames(
    heading: &Heading,
    answer: &Answer,
    schedule: Schedule,
    include_usage: bool,
    cut: Option<f64>,
) -> Vec<Frame> {
    let mut frames = Frames { heading, include_usage, list: Vec::new() };
    let total = answer.pieces.tokens;
    let stop = cut.map(|share| f64::from(total) * share);
    let first = schedule.first_token();
    let role = Delta { role: Some("assistant"), content: Some("") };
    frames.delta(first, role, None);
    // The batch being filled: when it began. The first token never waits for company.
    let mut batch = first;
    let mut index = 0;
    for (position, piece) in answer.pieces.pieces.iter().enumerate() {
        if stop.is_some_and(|stop| f64::from(piece.tokens) > stop) {
            return frames.list;
        }
        let due = schedule.due(index, total);
        let delta = Delta { role: None, content: Some(&piece.text) };
        if position > 0 && due.saturating_sub(batch) < BATCH && batch > first {
            frames.join_last(due, delta);
        } else {
            frames.delta(due, delta, None);
            batch = due;
        }
        index = piece.tokens;
    }
    if stop.is_some() {
        return frames.list;
    }
    let end = schedule.end(total);
    frames.delta(end, Delta::default(), Some(answer.finish_reason()));
    if include_usage {
        frames.usage(end, answer.usage);
    }
    frames.push(end, b"data: [DONE]\n\n");
    frames.list
}

struct Frames<'a> {
    heading: &'a Heading,
    include_usage: bool,
    list: Vec<Frame>,
}

impl Frames<'_> {
    fn delta(&mut self, at: Duration, delta: Delta<'_>, finish_reason: Option<&'static str>) {
        let choice = ChunkChoice { index: 0, delta, logprobs: None, finish_reason };
        let usage = if self.include_usage { UsageField::Null } else { UsageField::Absent };
        self.event(at, vec![choice], usage);
    }

    /// Sends this token with the batch before it, when this one is due.
    fn join_last(&mut self, at: Duration, delta: Delta<'_>) {
        if let Some(last) = self.list.last_mut() {
            last.at = at;
        }
        self.delta(at, delta, None);
    }

    fn usage(&mut self, at: Duration, usage: Usage) {
        self.event(at, Vec::new(), UsageField::Is(usage));
    }

    fn event(&mut self, at: Duration, choices: Vec<ChunkChoice<'_>>, usage: UsageField) {
        let chunk = self.heading.object("chat.completion.chunk", choices, usage);
        let mut bytes = b"data: ".to_vec();
        bytes.extend(json(&chunk));
        bytes.extend(b"\n\n");
        self.push(at, &bytes);
    }

    fn push(&mut self, at: Duration, bytes: &[u8]) {
        match self.list.last_mut() {
            Some(last) if last.at == at => last.bytes.extend(bytes),
            _ => self.list.push(Frame { at, bytes: bytes.to_vec() }),
        }
    }
}

impl Heading {
    fn object<C>(
        &self,
        object: &'static str,
        choices: Vec<C>,
        usage: UsageField,
    ) -> Completion<'_, C> {
        Completion {
            id: &self.id,
            object,
            created: self.created,
            model: MODEL,
            system_fingerprint: FINGERPRINT,
            choices,
            usage,
        }
    }
}

/// These types hold strings and numbers only, which always serialise.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The one JSON object of an answer that is not streamed.
pub(crate) fn whole(heading: &Heading, answer: &Answer) -> Vec<u8> {
    let text = answer.pieces.text();
    let message = AssistantMessage { role: "assistant", content: &text, refusal: None };
    let choice =
        Choice { index: 0, message, logprobs: None, finish_reason: answer.finish_reason() };
    json(&heading.object("chat.completion", vec![choice], UsageField::Is(answer.usage)))
}

/// A response of server-sent events. `done` runs when the last frame was handed over; `kept` is
/// dropped when the stream ends in any way.
pub(crate) fn streamed<K: Send + 'static>(
    frames: Vec<Frame>,
    arrival: Instant,
    shutdown: CancellationToken,
    done: impl FnOnce() + Send + 'static,
    kept: K,
) -> Response {
    let state = (frames.into_iter(), Some((done, kept)));
    let body = stream::unfold(state, move |(mut frames, mut ending)| {
        let shutdown = shutdown.clone();
        async move {
            let frame = frames.next()?;
            tokio::select! {
                () = sleep_until(arrival + frame.at) => {}
                () = shutdown.cancelled() => return None,
            }
            if frames.len() == 0
                && let Some((done, kept)) = ending.take()
            {
                done();
                drop(kept);
            }
            Some((Ok::<_, Infallible>(Bytes::from(frame.bytes)), (frames, ending)))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// A response of one JSON object.
pub(crate) fn plain(bytes: Vec<u8>) -> Response {
    (json_type(), bytes).into_response()
}

/// A response whose connection breaks after this share of the JSON.
pub(crate) fn broken(mut bytes: Vec<u8>, share: f64) -> Response {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    bytes.truncate((bytes.len() as f64 * share) as usize);
    let cut = Arc::new(io::Error::new(io::ErrorKind::ConnectionAborted, "simulated cut"));
    let parts = [Ok(Bytes::from(bytes)), Err(cut)];
    // The pause lets the first part reach the socket before the connection breaks.
    let body = stream::unfold(parts.into_iter(), |mut parts| async {
        let part = parts.next()?;
        if part.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Some((part, parts))
    });
    (json_type(), Body::from_stream(body)).into_response()
}

fn json_type() -> [(header::HeaderName, HeaderValue); 1] {
    [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LatencyProfile, draw::Identity, tokens};

    fn frames_of(text: &str, latency: &str, cut: Option<f64>) -> Vec<Frame> {
        let pieces = tokens::split(text, None);
        let answer = Answer { usage: Usage::new(1, pieces.tokens), pieces };
        let identity = Identity { seed: 0, content: 0, occurrence: 0 };
        let schedule = latency.parse::<LatencyProfile>().unwrap().schedule(identity);
        let heading = Heading { id: "chatcmpl-1".to_owned(), created: 0 };
        frames(&heading, &answer, schedule, true, cut)
    }

    fn text_of(frames: &[Frame]) -> String {
        frames.iter().map(|frame| String::from_utf8(frame.bytes.clone()).unwrap()).collect()
    }

    #[test]
    fn frames_run_from_the_first_token_to_exactly_the_end() {
        let frames = frames_of("one two three four five", "fixed:2s", None);
        assert_eq!(frames.first().unwrap().at, Duration::from_millis(400));
        assert_eq!(frames.last().unwrap().at, Duration::from_secs(2));
        assert!(frames.windows(2).all(|pair| pair[0].at < pair[1].at));
        assert_eq!(frames.len(), 6);
    }

    #[test]
    fn close_tokens_leave_together_but_never_early() {
        let text = "word ".repeat(400);
        let frames = frames_of(&text, "fixed:200ms", None);
        assert!(frames.len() < 50, "{}", frames.len());
        assert_eq!(frames.last().unwrap().at, Duration::from_millis(200));
        assert_eq!(text_of(&frames).matches("\"content\":").count(), 402);
    }

    #[test]
    fn without_latency_everything_is_one_frame() {
        assert_eq!(frames_of("one two three", "none", None).len(), 1);
    }

    #[test]
    fn a_cut_answer_has_some_tokens_and_no_ending() {
        let text = text_of(&frames_of(&"word ".repeat(20), "none", Some(0.5)));
        assert!(text.contains("word") && !text.contains("[DONE]") && !text.contains("\"stop\""));
    }
}
