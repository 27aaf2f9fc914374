//! What somebody asks for at the door: read from the body, and the provider and model chosen by name.

use lanes_model::{Fallback, Stage};
use serde_json::{Map, Value, json};

use crate::catalogue::Catalogue;

/// The longest name of a model.
const LONGEST_NAME: usize = 200;

/// A chat completion as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct DoorAsk {
    /// The body, as it is to be passed on but for the model.
    pub(super) body: Map<String, Value>,
    /// The name of the model as it was given.
    pub(super) model: String,
    /// Whether the answer is to come in pieces.
    pub stream: bool,
    /// Whether whoever asks wants the last piece, with the tokens.
    pub(super) include_usage: bool,
    /// Whether the answer may come from the cache and be kept there.
    pub use_cache: bool,
    /// Whether personal data is to be taken out of what is passed on.
    pub redact: bool,
}

/// Why nobody is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DoorError {
    /// The body is wrong, at this parameter.
    #[error("{message}")]
    Invalid {
        /// Which.
        param: &'static str,
        /// What is wrong and what to do.
        message: String,
    },
    /// Nobody serves that model.
    #[error("{0}")]
    UnknownModel(String),
    /// The program takes nothing new.
    #[error("Lanes is stopping; try again once it is back.")]
    Stopping,
    /// The program's own mistake.
    #[error("Lanes could not plan this request: {0}")]
    Internal(String),
}

impl DoorAsk {
    /// Reads a body. `cache` says whether to use the cache; without a word only where the answer is
    /// meant to be the same each time: at temperature 0 or with a seed.
    ///
    /// # Errors
    /// [`DoorError::Invalid`].
    pub fn read(mut body: Map<String, Value>, cache: Option<bool>) -> Result<Self, DoorError> {
        let invalid = |param: &'static str, message: &str| {
            Err(DoorError::Invalid { param, message: message.to_owned() })
        };
        let model = match body.get("model") {
            Some(Value::String(name)) if !name.trim().is_empty() && name.len() <= LONGEST_NAME => {
                name.trim().to_owned()
            }
            _ => return invalid("model", "Name a model: GET /v1/models lists what there is."),
        };
        if body.get("messages").and_then(Value::as_array).is_none_or(Vec::is_empty) {
            return invalid("messages", "Give a list of at least one message.");
        }
        let stream = match body.get("stream") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(stream)) => *stream,
            Some(_) => return invalid("stream", "stream is true or false."),
        };
        let options = body.get("stream_options").cloned().unwrap_or_default();
        if !matches!(options, Value::Null | Value::Object(_)) {
            return invalid("stream_options", "stream_options is an object.");
        }
        let include_usage = options["include_usage"] == true;
        if stream {
            // Asked for in any case: what an answer used is counted here.
            let mut options = options;
            options["include_usage"] = json!(true);
            body.insert("stream_options".to_owned(), options);
        }
        let number = |name: &str| body.get(name).and_then(Value::as_f64);
        let same = number("temperature") == Some(0.0) || number("seed").is_some();
        let use_cache = cache.unwrap_or(same);
        Ok(Self { body, model, stream, include_usage, use_cache, redact: false })
    }

    /// The most tokens that the answer may have, when that is said.
    pub(super) fn most_tokens(&self) -> Option<u64> {
        let of = |name: &str| self.body.get(name).and_then(Value::as_u64);
        of("max_completion_tokens").or_else(|| of("max_tokens"))
    }
}

/// A provider and a model, and whom to go on with when it fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) provider: String,
    pub(super) model: String,
    pub(super) fallback: Vec<Fallback>,
}

/// Who is meant by a model's name: `provider/model`, or a model that one provider alone serves.
pub(super) fn choose(catalogue: &Catalogue, ask: &DoorAsk) -> Result<Choice, DoorError> {
    let providers = catalogue.of_runs();
    let named = ask.model.split_once('/').filter(|(id, _)| providers.iter().any(|p| &p.id == id));
    let (provider, model) = match named {
        Some((provider, model)) if !model.is_empty() => (provider, model),
        _ => {
            let serves = |models: &[String]| models.contains(&ask.model);
            let mut serving = providers.iter().filter(|p| serves(catalogue.models(&p.id)));
            match (serving.next(), serving.next()) {
                (Some(only), None) => (only.id.as_str(), ask.model.as_str()),
                (Some(one), Some(other)) => {
                    return Err(DoorError::UnknownModel(format!(
                        "Several providers serve the model “{}”: write {}/{} or {}/{}.",
                        ask.model, one.id, ask.model, other.id, ask.model
                    )));
                }
                (None, _) => return Err(unknown(catalogue, &ask.model)),
            }
        }
    };
    let stage = Stage {
        provider: Some(provider.to_owned()),
        model: Some(model.to_owned()),
        ..Stage::default()
    };
    let mut order = catalogue.providers_of(&stage, provider).into_iter();
    let Some(Fallback { provider, model }) = order.next() else {
        return Err(unknown(catalogue, &ask.model));
    };
    Ok(Choice { provider, model, fallback: order.collect() })
}

fn unknown(catalogue: &Catalogue, name: &str) -> DoorError {
    let short: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    let known: Vec<_> = models(catalogue).into_iter().map(|m| m.id).take(12).collect();
    DoorError::UnknownModel(format!(
        "There is no model “{short}”. There are {}.",
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    ))
}

/// A model that can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorModel {
    /// Its name here.
    pub id: String,
    /// Who serves it.
    pub provider: String,
}

/// All models, first as `provider/model`, then by their own name where that is enough.
pub(super) fn models(catalogue: &Catalogue) -> Vec<DoorModel> {
    let all = || {
        let of = catalogue.of_runs().iter();
        of.flat_map(|p| catalogue.models(&p.id).iter().map(move |model| (p.id.as_str(), model)))
    };
    let model = |id: String, provider: &str| DoorModel { id, provider: provider.to_owned() };
    let full = all().map(|(provider, name)| model(format!("{provider}/{name}"), provider));
    let alone = all().filter(|(_, name)| all().filter(|(_, other)| other == name).count() == 1);
    full.chain(alone.map(|(provider, name)| model(name.clone(), provider))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value, cache: Option<bool>) -> Result<DoorAsk, DoorError> {
        let Value::Object(body) = body else { panic!("an object") };
        DoorAsk::read(body, cache)
    }

    fn hello(field: &str, value: Value) -> Value {
        let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Hi" }] });
        body[field] = value;
        body
    }

    #[test]
    fn what_is_wrong_is_said_with_its_parameter_and_the_rest_is_left_alone() {
        let wrong = |field, value| match read(hello(field, value), None) {
            Err(DoorError::Invalid { param, .. }) => param,
            other => panic!("{other:?}"),
        };
        assert_eq!(wrong("model", json!(7)), "model");
        assert_eq!(wrong("model", json!(" ")), "model");
        assert_eq!(wrong("messages", json!([])), "messages");
        assert_eq!(wrong("messages", json!("Hi")), "messages");
        assert_eq!(wrong("stream", json!("yes")), "stream");
        assert_eq!(wrong("stream_options", json!(1)), "stream_options");
        let odd = hello("a_field_of_tomorrow", json!({ "a": [1] }));
        assert_eq!(Value::Object(read(odd.clone(), None).unwrap().body), odd);
    }

    #[test]
    fn usage_is_always_asked_for_in_streams_and_told_to_whoever_wants_it() {
        let quiet = read(hello("stream", json!(true)), None).unwrap();
        assert!(quiet.stream && !quiet.include_usage);
        assert_eq!(quiet.body["stream_options"], json!({ "include_usage": true }));
        let mut body = hello("stream", json!(true));
        body["stream_options"] = json!({ "include_usage": true, "other": 1 });
        let asked = read(body, None).unwrap();
        assert!(asked.include_usage);
        assert_eq!(asked.body["stream_options"]["other"], 1);
        assert!(!read(hello("n", json!(1)), None).unwrap().body.contains_key("stream_options"));
    }

    #[test]
    fn the_cache_is_used_where_answers_are_meant_to_be_the_same_or_on_request() {
        let uses = |field, value, cache| read(hello(field, value), cache).unwrap().use_cache;
        assert!(uses("temperature", json!(0), None) && uses("temperature", json!(0.0), None));
        assert!(uses("seed", json!(7), None) && uses("n", json!(1), Some(true)));
        assert!(!uses("temperature", json!(0.1), None) && !uses("n", json!(1), None));
        assert!(!uses("temperature", json!(0), Some(false)));
    }
}
