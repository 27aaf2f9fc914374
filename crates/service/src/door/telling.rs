//! What whoever asked at the door is told, piece by piece, and what is counted of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_engine::EventSink;
use lanes_model::{AttemptEnd, CallEnd, EventKind, Micros, Progress, RunHeader};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedSender;

use super::redacted::Restoring;
use super::totals::Ended;
use super::{DoorHead, DoorNews};

/// Tells whoever asked.
pub(super) struct Telling {
    told: UnboundedSender<DoorNews>,
    looks: bool,
    header: Arc<RunHeader>,
    include_usage: bool,
    /// What was taken out of the request, when that was asked for.
    restoring: Option<Mutex<Restoring>>,
    attempt: AtomicU32,
}

impl Telling {
    pub(super) fn new(
        told: UnboundedSender<DoorNews>,
        looks: bool,
        header: Arc<RunHeader>,
        include_usage: bool,
        restoring: Option<Restoring>,
    ) -> Self {
        let (restoring, attempt) = (restoring.map(Mutex::new), AtomicU32::new(0));
        Self { told, looks, header, include_usage, restoring, attempt }
    }

    fn send(&self, news: DoorNews) {
        // Whoever has gone need not be told.
        let _ = self.told.send(news);
    }

    pub(super) fn begins(&self, provider: &str, model: &str) {
        self.send(DoorNews::Answers(DoorHead {
            provider: provider.to_owned(),
            model: model.to_owned(),
            cached: self.looks.then_some(false),
            attempt: self.attempt.load(Ordering::Relaxed),
            redacted: self.redacted(),
        }));
    }

    fn redacted(&self) -> Option<u32> {
        self.restoring.as_ref().map(|restoring| lock(restoring).count())
    }

    /// Sends a piece with the originals in it.
    fn send_data(&self, data: String) {
        match &self.restoring {
            None => self.send(DoorNews::Data(data)),
            Some(restoring) => {
                let pieces = lock(restoring).told(&data);
                pieces.into_iter().for_each(|piece| self.send(DoorNews::Data(piece)));
            }
        }
    }

    /// Tells a piece, without the tokens that were asked for on our own account.
    pub(super) fn tell(&self, data: &str) {
        if let Some(data) = for_client(data, self.include_usage) {
            self.send_data(data);
        }
    }

    /// An answer that was kept.
    fn tell_kept(&self, kept: &str) {
        let spec = &self.header.spec;
        self.send(DoorNews::Answers(DoorHead {
            provider: spec.provider.clone(),
            model: spec.model.clone(),
            cached: Some(true),
            attempt: 0,
            redacted: self.redacted(),
        }));
        match serde_json::from_str::<Vec<String>>(kept) {
            Ok(pieces) => pieces.iter().for_each(|piece| self.tell(piece)),
            Err(_) => self.send_data(kept.to_owned()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A piece of a stream as somebody gets it who did not ask for usage, or did. A whole answer keeps its
/// usage in any case.
fn for_client(data: &str, include_usage: bool) -> Option<String> {
    if include_usage || !data.contains("\"usage\"") {
        return Some(data.to_owned());
    }
    let Ok(mut piece) = serde_json::from_str::<Value>(data) else { return Some(data.to_owned()) };
    if piece["object"] != "chat.completion.chunk" {
        return Some(data.to_owned());
    }
    let empty = piece["choices"].as_array().is_none_or(Vec::is_empty);
    if let Some(fields) = piece.as_object_mut()
        && let Some(usage) = fields.shift_remove("usage")
        && empty
        && !usage.is_null()
    {
        return None;
    }
    Some(piece.to_string())
}

/// Counts what is used, and tells the end.
pub(super) struct Counting {
    ended: Mutex<Ended>,
    telling: Arc<Telling>,
}

impl Counting {
    pub(super) fn new(ended: Ended, telling: Arc<Telling>) -> Self {
        Self { ended: Mutex::new(ended), telling }
    }
}

impl EventSink for Counting {
    fn append(&self, _: Micros, kind: EventKind) {
        let mut ended = lock(&self.ended);
        match kind {
            EventKind::AttemptStarted { attempt, .. } => {
                self.telling.attempt.store(attempt.number, Ordering::Relaxed);
                ended.attempt();
            }
            EventKind::AttemptEnded { end, .. } => match end {
                AttemptEnd::Succeeded { usage, cost_usd_micros, .. } => {
                    ended.used(usage, cost_usd_micros);
                }
                AttemptEnd::Failed { usage: Some(usage), cost_usd_micros, .. } => {
                    ended.used(usage, cost_usd_micros);
                }
                AttemptEnd::Failed { .. } | AttemptEnd::Cancelled { .. } => {}
            },
            EventKind::CallEnded { end, .. } => {
                let result = match end {
                    CallEnd::Succeeded { output, cached_usage: Some(_) } => {
                        ended.cached();
                        self.telling.tell_kept(&output);
                        Ok(())
                    }
                    CallEnd::Succeeded { .. } => {
                        ended.answered();
                        Ok(())
                    }
                    CallEnd::Failed { failure, .. } => {
                        ended.failed();
                        Err(failure)
                    }
                    CallEnd::Cancelled { .. } => return,
                };
                self.telling.send(DoorNews::Ended(result));
            }
            _ => {}
        }
    }

    fn progress(&self, _: Progress) {
        // Pieces are told by who receives them.
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_that_were_asked_for_here_are_not_passed_on() {
        let piece = |usage: Value, choices: Value| {
            json!({ "object": "chat.completion.chunk", "choices": choices, "usage": usage })
                .to_string()
        };
        let last = piece(json!({ "prompt_tokens": 1 }), json!([]));
        assert_eq!(for_client(&last, false), None);
        assert_eq!(for_client(&last, true).as_deref(), Some(last.as_str()));
        let middle = piece(Value::Null, json!([{ "delta": { "content": "a" } }]));
        let shown: Value = serde_json::from_str(&for_client(&middle, false).unwrap()).unwrap();
        assert!(shown.get("usage").is_none() && shown["choices"][0]["delta"]["content"] == "a");
        let whole = json!({ "object": "chat.completion", "usage": {} }).to_string();
        assert_eq!(for_client(&whole, false), Some(whole));
    }
}
