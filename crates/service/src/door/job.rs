//! A request at the door as a job of the engine: a plan of one call, what it asks and how it is passed
//! on.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use lanes_engine::{Answer, Asked, CallRequest, Provider, RecordSource, TextSink};
use lanes_model::{
    CallId, DocumentInfo, EventKind, Failure, FailureKind, Micros, Mode, Plan, RouteId, RunEvent,
    RunHeader, RunId, RunSpec, Seq, Task,
};
use lanes_provider::RelayRequest;
use lanes_store::AnswerKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::ask::{Choice, DoorAsk};
use super::telling::Telling;
use crate::adapter::Route;
use crate::catalogue::Catalogue;

/// Goes up when the way in which keys are made changes.
const VERSION: &[u8] = b"lanes door 1";
/// A text has about so many bytes a token; used to reserve of a limit what is settled later.
const BYTES_PER_TOKEN: u64 = 4;
/// An answer whose length is not limited is taken to have at most so many tokens, likewise.
const LIKELY_ANSWER: u64 = 1_024;

/// The plan: one call, to the chosen provider and then its fallbacks.
pub(super) fn header(catalogue: &Catalogue, choice: &Choice, ask: &DoorAsk) -> RunHeader {
    let task = Task {
        id: "door".into(),
        name: "Chat completion".to_owned(),
        max_tokens: u32::try_from(ask.most_tokens().unwrap_or(0)).unwrap_or(u32::MAX),
        ..Task::default()
    };
    let (provider, model) = (&choice.provider, &choice.model);
    let spec = RunSpec {
        fallback: choice.fallback.clone(),
        ..RunSpec::plain(Mode::Parallel, 1, provider, model, std::slice::from_ref(&task))
    };
    let document =
        DocumentInfo { id: "door".into(), name: "Request".to_owned(), bytes: 0, tokens: 0 };
    RunHeader {
        id: RunId(uuid::Uuid::now_v7().to_string()),
        title: "Chat completion".to_owned(),
        created_at: Timestamp::now().to_string(),
        routes: crate::routing::infos(catalogue, &spec, &[]),
        plan: Plan::new(Mode::Parallel, false, 1, 1, 1),
        tasks: vec![task],
        documents: vec![document],
        provider: catalogue.info_of(provider, model),
        spec,
    }
}

/// The first event of its log.
pub(super) fn first_event(header: &RunHeader) -> RunEvent {
    let kind = EventKind::RunCreated { header: Box::new(header.clone()) };
    RunEvent { seq: Seq(1), at: Micros::ZERO, kind }
}

/// What makes two requests the same: where they go and everything that is asked, in whatever order.
pub(super) fn key(catalogue: &Catalogue, choice: &Choice, ask: &DoorAsk) -> AnswerKey {
    let url = catalogue.config(&choice.provider).map(|c| c.base_url.as_str()).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [VERSION, url.as_bytes(), choice.model.as_bytes()] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut body = ask.body.clone();
    body.remove("model");
    body.remove("stream_options");
    body.insert("stream".to_owned(), ask.stream.into());
    hash.update(sorted(Value::Object(body)).to_string());
    hash.finalize().into()
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// What is asked.
pub(super) struct Question {
    body: Map<String, Value>,
    stream: bool,
    keeps: bool,
    prompt_tokens: u64,
    most_tokens: u64,
}

impl Question {
    pub(super) fn new(ask: &DoorAsk) -> Self {
        let prompt = ask.body.get("messages").map_or(0, bytes_of) / BYTES_PER_TOKEN;
        Self {
            body: ask.body.clone(),
            stream: ask.stream,
            keeps: ask.use_cache,
            prompt_tokens: prompt,
            most_tokens: prompt + ask.most_tokens().unwrap_or(LIKELY_ANSWER),
        }
    }

    fn to(&self, model: &str) -> RelayRequest {
        let mut body = self.body.clone();
        body.insert("model".to_owned(), model.into());
        RelayRequest { body, stream: self.stream }
    }
}

/// The length of all texts; an image counts as a short one.
fn bytes_of(value: &Value) -> u64 {
    const IMAGE: u64 = 3_200;
    match value {
        Value::String(text) if text.starts_with("data:") => IMAGE,
        Value::String(text) => text.len() as u64,
        Value::Array(items) => items.iter().map(bytes_of).sum(),
        Value::Object(fields) => fields.values().map(bytes_of).sum(),
        _ => 0,
    }
}

impl RecordSource for Question {
    fn request(
        &self,
        _: CallId,
        _: Asked,
    ) -> BoxFuture<'static, Result<Arc<CallRequest>, Failure>> {
        // What is sent is the body; the engine need not see it.
        futures::future::ready(Ok(Arc::new(CallRequest::default()))).boxed()
    }

    fn most_tokens(&self, _: CallId, _: u64) -> u64 {
        self.most_tokens
    }

    fn prompt_tokens(&self, _: CallId) -> u64 {
        self.prompt_tokens
    }
}

/// Passes attempts on to the clients of the routes.
pub(super) struct Passing {
    routes: Vec<Route>,
    question: Arc<Question>,
    telling: Arc<Telling>,
}

impl Passing {
    pub(super) fn new(routes: Vec<Route>, question: Arc<Question>, telling: Arc<Telling>) -> Self {
        Self { routes, question, telling }
    }
}

impl Provider for Passing {
    fn attempt(
        &self,
        route: RouteId,
        _: Arc<CallRequest>,
        mut on_text: TextSink,
    ) -> BoxFuture<'static, Result<Answer, Failure>> {
        let Some(Route { client, model, .. }) = self.routes.get(route.index()) else {
            let missing = Failure::new(FailureKind::InvalidRequest, "The provider is missing.");
            return futures::future::ready(Err(missing)).boxed();
        };
        let (client, provider) = (client.clone(), client.info(model).id);
        let request = self.question.to(model);
        let (question, telling) = (Arc::clone(&self.question), Arc::clone(&self.telling));
        let model = model.clone();
        async move {
            let mut pieces: Vec<String> = Vec::new();
            // A beginning without substance is held back: until there is more, another attempt can
            // still take this one's place.
            let mut held = Vec::new();
            let mut begun = false;
            let result = client
                .relay(&request, |data| {
                    if question.keeps {
                        pieces.push(data.to_owned());
                    }
                    if !begun && question.stream && !has_substance(data) {
                        return held.push(data.to_owned());
                    }
                    if !std::mem::replace(&mut begun, true) {
                        // The engine hears of it before anybody else does.
                        on_text("…");
                        telling.begins(&provider, &model);
                        held.drain(..).for_each(|piece| telling.tell(&piece));
                    }
                    telling.tell(data);
                })
                .await?;
            if !begun {
                telling.begins(&provider, &model);
                held.iter().for_each(|piece| telling.tell(piece));
            }
            let text = match question.stream {
                true => serde_json::to_string(&pieces).unwrap_or_default(),
                false => pieces.concat(),
            };
            let (usage, cost, finish) = (result.usage, result.cost, result.finish);
            Ok(Answer { text, usage, cost, finish })
        }
        .boxed()
    }
}

/// Whether a piece of a stream says anything: more than that an answer begins.
fn has_substance(data: &str) -> bool {
    let Ok(piece) = serde_json::from_str::<Value>(data) else { return true };
    let choices = piece["choices"].as_array();
    choices.into_iter().flatten().any(|choice| {
        let delta = choice["delta"].as_object().into_iter().flatten();
        let mut said = delta.filter(|(name, _)| *name != "role");
        !choice["finish_reason"].is_null()
            || said.any(|(_, value)| !(value.is_null() || value.as_str() == Some("")))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_piece_that_only_begins_or_counts_has_no_substance() {
        let begins = json!({ "choices": [{ "delta": { "role": "assistant", "content": "" } }] });
        assert!(!has_substance(&begins.to_string()));
        assert!(!has_substance(&json!({ "choices": [], "usage": {} }).to_string()));
        for delta in [
            json!({ "content": "a" }),
            json!({ "tool_calls": [{ "index": 0 }] }),
            json!({ "refusal": "no" }),
            json!({ "reasoning_content": "hm" }),
        ] {
            let piece = json!({ "choices": [{ "delta": delta, "finish_reason": null }] });
            assert!(has_substance(&piece.to_string()), "{piece}");
        }
        let ends = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
        assert!(has_substance(&ends.to_string()));
    }

    #[test]
    fn the_order_of_fields_means_nothing_to_the_cache() {
        let one = json!({ "a": { "x": 1, "y": [ { "q": 1, "p": 2 } ] }, "b": 2 });
        let other = json!({ "b": 2, "a": { "y": [ { "p": 2, "q": 1 } ], "x": 1 } });
        assert_eq!(sorted(one).to_string(), sorted(other).to_string());
    }
}
