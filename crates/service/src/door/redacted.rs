//! Personal data at the door: taken out of a request before it is passed on, and put back into the
//! answer, also while it streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use lanes_model::{Redaction, Restorer};
use serde_json::{Map, Value, json};

use super::ask::DoorError;
use crate::redact::Redactor;

/// Takes it out of every text of a request but the model's name, and says what stands for what.
///
/// # Errors
/// [`DoorError::Invalid`] when a message has a part that is no text: nobody here can tell what is in an
/// image or a recording.
pub(super) fn hide(body: &mut Map<String, Value>) -> Result<Redaction, DoorError> {
    let messages = body.get("messages").and_then(Value::as_array).into_iter().flatten();
    let mut parts = messages.filter_map(|message| message["content"].as_array()).flatten();
    if let Some(part) = parts.find(|p| !matches!(p["type"].as_str(), Some("text" | "refusal"))) {
        let kind: String = part["type"].as_str().unwrap_or("unknown").chars().take(40).collect();
        return Err(DoorError::Invalid {
            param: "messages",
            message: format!(
                "Personal data is to be taken out of this request, and that can be done in text alone: \
                 leave the part of type “{kind}” out."
            ),
        });
    }
    let mut texts = Vec::new();
    let mut fields: Vec<_> = body.iter_mut().filter(|(name, _)| *name != "model").collect();
    for (_, value) in &mut fields {
        each_text(value, &mut Vec::new(), &mut |_, text| texts.push(text.clone()));
    }
    let mut redactor = Redactor::new(texts.iter().map(String::as_str));
    for (_, value) in &mut fields {
        each_text(value, &mut Vec::new(), &mut |_, text| *text = redactor.hide(text));
    }
    Ok(redactor.done())
}

/// A step to a place within a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Field(String),
    /// The item that says this of its `index`, as those of a stream do, or has this place.
    Item(u64),
}

/// Shows every text within a value, with the way to it.
fn each_text(value: &mut Value, way: &mut Vec<Step>, seen: &mut dyn FnMut(&[Step], &mut String)) {
    match value {
        Value::String(text) => seen(way, text),
        Value::Array(items) => {
            for (place, item) in (0..).zip(items) {
                way.push(Step::Item(item["index"].as_u64().unwrap_or(place)));
                each_text(item, way, seen);
                way.pop();
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                way.push(Step::Field(name.clone()));
                each_text(field, way, seen);
                way.pop();
            }
        }
        _ => {}
    }
}

/// A value that has nothing but this text, at the end of this way.
fn alone(way: &[Step], text: String) -> Value {
    match way {
        [] => text.into(),
        [Step::Field(name), rest @ ..] => json!({ name.as_str(): alone(rest, text) }),
        [Step::Item(index), rest @ ..] => {
            let mut item = alone(rest, text);
            if let Some(fields) = item.as_object_mut() {
                fields.insert("index".to_owned(), (*index).into());
            }
            json!([item])
        }
    }
}

/// Puts originals back into an answer. A placeholder may come in several pieces: what may be the
/// beginning of one is held back, for each text of each choice.
pub(super) struct Restoring {
    redaction: Arc<Redaction>,
    texts: BTreeMap<(u64, Vec<Step>), Restorer>,
}

impl Restoring {
    pub(super) fn new(redaction: Redaction) -> Self {
        Self { redaction: Arc::new(redaction), texts: BTreeMap::new() }
    }

    /// From how many places something was taken.
    pub(super) fn count(&self) -> u32 {
        self.redaction.count()
    }

    /// The pieces to tell in the place of this one; a whole answer is one piece.
    pub(super) fn told(&mut self, data: &str) -> Vec<String> {
        let Ok(mut piece) = serde_json::from_str::<Value>(data) else {
            return vec![data.to_owned()];
        };
        let mut rests = Vec::new();
        let choices = piece.get_mut("choices").and_then(Value::as_array_mut);
        for choice in choices.into_iter().flatten() {
            match choice.get("delta").is_some() {
                true => self.piece(choice, &mut rests),
                false => each_text(choice, &mut Vec::new(), &mut |_, text| {
                    *text = self.redaction.restore(text);
                }),
            }
        }
        let before = rests.into_iter().map(|choice| {
            let mut piece = piece.clone();
            piece["choices"] = json!([choice]);
            piece.to_string()
        });
        let mut told: Vec<_> = before.collect();
        told.push(piece.to_string());
        told
    }

    /// A choice of a piece of a stream. What was held back of a text that it does not go on with, though
    /// it ends it, is a choice of its own to be told before.
    fn piece(&mut self, choice: &mut Value, rests: &mut Vec<Value>) {
        let index = choice["index"].as_u64().unwrap_or(0);
        let ends = choice.get("finish_reason").is_some_and(|reason| !reason.is_null());
        let (redaction, texts) = (&self.redaction, &mut self.texts);
        each_text(&mut choice["delta"], &mut Vec::new(), &mut |way, text| {
            let new = || Restorer::new(Arc::clone(redaction));
            let mut restorer = texts.remove(&(index, way.to_vec())).unwrap_or_else(new);
            let mut ready = restorer.push(text);
            match ends {
                true => ready.push_str(&restorer.finish()),
                false => drop(texts.insert((index, way.to_vec()), restorer)),
            }
            *text = ready;
        });
        if !ends {
            return;
        }
        for ((_, way), mut restorer) in self.texts.extract_if(.., |(of, _), _| *of == index) {
            let rest = restorer.finish();
            if !rest.is_empty() {
                let delta = alone(&way, rest);
                rests.push(json!({ "index": index, "delta": delta, "finish_reason": null }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        let Value::Object(body) = value else { panic!("an object") };
        body
    }

    fn asked() -> (Map<String, Value>, Redaction) {
        let mut body = object(json!({
            "model": "ann@example.org", "user": "bob@example.org", "seed": 7,
            "messages": [
                { "role": "system", "content": "Not [EMAIL_1]." },
                { "role": "user", "content": [{ "type": "text", "text": "ann@example.org, bob@example.org" }] },
                { "role": "assistant", "tool_calls": [{ "id": "call_1", "type": "function",
                    "function": { "name": "mail", "arguments": "{\"to\":\"ann@example.org\"}" } }] }
            ]
        }));
        let redaction = hide(&mut body).unwrap();
        (body, redaction)
    }

    #[test]
    fn every_text_is_looked_at_and_the_rest_is_left_alone() {
        let (body, redaction) = asked();
        assert_eq!(
            Value::Object(body),
            json!({
                "model": "ann@example.org", "user": "[EMAIL_2]", "seed": 7,
                "messages": [
                    { "role": "system", "content": "Not [EMAIL_1]." },
                    { "role": "user", "content": [{ "type": "text", "text": "[EMAIL_3], [EMAIL_2]" }] },
                    { "role": "assistant", "tool_calls": [{ "id": "call_1", "type": "function",
                        "function": { "name": "mail", "arguments": "{\"to\":\"[EMAIL_3]\"}" } }] }
                ]
            })
        );
        assert_eq!(redaction.count(), 4);
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let image =
            json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,aaaa" } });
        let mut body = object(json!({ "messages": [{ "role": "user", "content": [image] }] }));
        let Err(DoorError::Invalid { param: "messages", message }) = hide(&mut body) else {
            panic!("refused")
        };
        assert!(message.contains("image_url"), "{message}");
    }

    #[test]
    fn a_whole_answer_has_its_originals_back_in_every_choice() {
        let mut restoring = Restoring::new(asked().1);
        let answer = json!({ "id": "[EMAIL_2]", "choices": [
            { "message": { "content": "To [EMAIL_3]." } },
            { "message": { "tool_calls": [{ "function": { "arguments": "{\"to\":\"[EMAIL_2]\"}" } }] } }
        ]});
        let told = restoring.told(&answer.to_string());
        let [told] = told.as_slice() else { panic!("{told:?}") };
        let told: Value = serde_json::from_str(told).unwrap();
        assert_eq!(told["choices"][0]["message"]["content"], "To ann@example.org.");
        let call = &told["choices"][1]["message"]["tool_calls"][0];
        assert_eq!(call["function"]["arguments"], "{\"to\":\"bob@example.org\"}");
        assert_eq!(told["id"], "[EMAIL_2]");
        assert_eq!(restoring.told("no JSON [EMAIL_2]"), ["no JSON [EMAIL_2]"]);
    }

    /// What a client puts together of a stream: the content of both choices, and the arguments.
    fn put_together(restoring: &mut Restoring, pieces: &[Value]) -> [String; 3] {
        let mut out = [const { String::new() }; 3];
        let mut ended = [false; 2];
        for told in pieces.iter().flat_map(|piece| restoring.told(&piece.to_string())) {
            let told: Value = serde_json::from_str(&told).unwrap();
            for choice in told["choices"].as_array().unwrap() {
                let index = usize::try_from(choice["index"].as_u64().unwrap()).unwrap();
                assert!(!ended[index], "nothing follows the end");
                let delta = &choice["delta"];
                out[index].push_str(delta["content"].as_str().unwrap_or(""));
                for call in delta["tool_calls"].as_array().into_iter().flatten() {
                    assert_eq!(call["index"], 1);
                    out[2].push_str(call["function"]["arguments"].as_str().unwrap_or(""));
                }
                ended[index] = !choice["finish_reason"].is_null();
            }
        }
        assert_eq!(ended, [true, true]);
        out
    }

    #[test]
    fn a_placeholder_in_pieces_becomes_its_original_and_what_was_held_back_comes_before_the_end() {
        let piece = |index: u64, delta: Value, end: Value| {
            json!({ "object": "chat.completion.chunk",
                "choices": [{ "index": index, "delta": delta, "finish_reason": end }] })
        };
        let call = |text: &str| {
            let function = json!({ "arguments": text });
            json!({ "tool_calls": [{ "index": 1, "function": function }] })
        };
        let pieces = [
            piece(0, json!({ "role": "assistant", "content": "To [EM" }), Value::Null),
            piece(1, json!({ "content": "[EMAIL" }), Value::Null),
            piece(0, json!({ "content": "AIL_3] and [EMAIL_" }), Value::Null),
            piece(1, call("{\"to\":\"[EMA"), Value::Null),
            piece(1, call("IL_2]\"}["), Value::Null),
            piece(0, json!({ "content": "2][" }), json!("stop")),
            piece(1, json!({}), json!("tool_calls")),
        ];
        let mut restoring = Restoring::new(asked().1);
        assert_eq!(
            put_together(&mut restoring, &pieces),
            ["To ann@example.org and bob@example.org[", "[EMAIL", "{\"to\":\"bob@example.org\"}["]
        );
        assert!(restoring.texts.is_empty());
    }
}
