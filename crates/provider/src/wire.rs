//! What providers put on the wire, read leniently: servers that imitate OpenAI leave fields out.
//!
//! `async-openai`'s own response types insist on fields that many such servers do not send, so
//! these hold only what is used, all of it optional.

use serde::Deserialize;
use serde_json::Value;

use lanes_model::Usage;

/// A chunk of a streamed answer, or a whole answer: they differ in `delta` and `message`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) choices: Option<Vec<Choice>>,
    usage: Option<Value>,
    error: Option<Value>,
    model: Option<Value>,
}

/// One answer of several; only the first is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Choice {
    pub(crate) index: Option<i64>,
    delta: Option<Delta>,
    message: Option<Delta>,
    pub(crate) finish_reason: Option<String>,
    error: Option<Value>,
}

impl Choice {
    /// The error that stands in the answer's place.
    pub(crate) fn error(&self) -> Option<WireError> {
        self.error.as_ref().filter(|error| is_said(error)).map(WireError::from_error)
    }

    /// The piece of a stream, or the whole of an answer that is none.
    pub(crate) fn take_delta(&mut self) -> Option<Delta> {
        self.delta.take().or_else(|| self.message.take())
    }
}

/// A piece of an answer.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Delta {
    content: Option<Value>,
    pub(crate) refusal: Option<String>,
    /// The thoughts of reasoning models, under either of the names that servers give them.
    reasoning_content: Option<Value>,
    reasoning: Option<Value>,
}

impl Delta {
    /// Whether the model thinks aloud here. The thoughts are no part of the answer.
    pub(crate) fn is_thinking(&self) -> bool {
        [&self.reasoning_content, &self.reasoning]
            .into_iter()
            .flatten()
            .any(|thought| thought.as_str().is_some_and(|text| !text.is_empty()))
    }

    /// The text, whether it comes plainly or in typed parts.
    pub(crate) fn into_text(self) -> String {
        match self.content {
            Some(Value::String(text)) => text,
            Some(Value::Array(parts)) => {
                parts.iter().filter_map(|part| part.get("text")?.as_str()).collect()
            }
            _ => String::new(),
        }
    }
}

/// More tokens than one call can use: a provider that tells so many is not believed.
const ABSURD_TOKENS: u64 = 100_000_000;

impl Chunk {
    /// Whether it holds neither a piece of an answer, nor its usage, nor an error.
    pub(crate) fn is_blank(&self) -> bool {
        self.choices.is_none() && self.usage.is_none() && self.error.is_none()
    }

    /// The error that stands in the answer's place.
    pub(crate) fn error(&self) -> Option<WireError> {
        self.error.as_ref().filter(|error| is_said(error)).map(WireError::from_error)
    }

    /// The model that the provider says it asked.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_ref()?.as_str().filter(|model| !model.is_empty())
    }

    /// The tokens used, when the chunk tells both counts and they can be.
    pub(crate) fn usage(&self) -> Option<Usage> {
        let count = |path: &str| {
            let count = self.usage.as_ref()?.pointer(path)?.as_u64();
            count.filter(|count| *count <= ABSURD_TOKENS)
        };
        Some(Usage {
            input: count("/prompt_tokens")?,
            output: count("/completion_tokens")?,
            cached: count("/prompt_tokens_details/cached_tokens").unwrap_or(0),
            estimated: false,
        })
    }
}

/// A provider's account of what went wrong.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct WireError {
    /// In its words; empty when it has none.
    pub(crate) message: String,
    /// `error.code`, in lower case; numbers as digits.
    pub(crate) code: String,
    /// `error.type`, in lower case.
    pub(crate) kind: String,
    /// Whether it has the form of the protocol (an `error` member), not just any JSON.
    pub(crate) is_protocol: bool,
}

impl WireError {
    /// Reads the body of an error response. `None` when it is not JSON.
    pub(crate) fn from_body(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        // Some servers put the object into an array.
        let value = value.get(0).unwrap_or(&value);
        Some(match value.get("error") {
            Some(error) if is_said(error) => Self::from_error(error),
            // Older imitations put the fields at the top and say so.
            _ => Self { is_protocol: text(value, "object") == "error", ..Self::from_error(value) },
        })
    }

    /// Reads the value of an `error` member.
    pub(crate) fn from_error(error: &Value) -> Self {
        if let Value::String(message) = error {
            return Self { message: message.clone(), is_protocol: true, ..Self::default() };
        }
        let message = ["message", "detail"]
            .iter()
            .map(|name| text(error, name))
            .find(|text| !text.is_empty());
        Self {
            message: message.unwrap_or_default(),
            code: text(error, "code").to_lowercase(),
            kind: text(error, "type").to_lowercase(),
            is_protocol: true,
        }
    }
}

/// Whether an `error` member speaks of an error: some servers send an empty one with each answer.
fn is_said(error: &Value) -> bool {
    !matches!(error, Value::Null | Value::Bool(false)) && error.as_str() != Some("")
}

/// A member as text: strings as they are, numbers in digits, structures as JSON.
fn text(value: &Value, name: &str) -> String {
    match value.get(name) {
        None | Some(Value::Null | Value::Bool(_)) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// The body of `GET /models`.
#[derive(Debug, Deserialize)]
pub(crate) struct ModelList {
    pub(crate) data: Vec<ModelEntry>,
}

/// One model.
#[derive(Debug, Deserialize)]
pub(crate) struct ModelEntry {
    pub(crate) id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> WireError {
        WireError::from_body(body.as_bytes()).unwrap()
    }

    #[test]
    fn errors_are_read_in_every_known_form() {
        let openai = read(r#"{"error":{"message":"No.","type":"T","param":null,"code":"C_d"}}"#);
        assert_eq!(
            (openai.message.as_str(), openai.code.as_str(), openai.kind.as_str()),
            ("No.", "c_d", "t")
        );
        for (body, message, protocol) in [
            (r#"{"error":"busy"}"#, "busy", true),
            (r#"[{"error":{"message":"m","code":429}}]"#, "m", true),
            (r#"{"object":"error","message":"m","code":404}"#, "m", true),
            (r#"{"detail":"Not Found"}"#, "Not Found", false),
            (r#"{"detail":[{"loc":1}]}"#, r#"[{"loc":1}]"#, false),
            ("[]", "", false),
            ("7", "", false),
        ] {
            let error = read(body);
            assert_eq!((error.message.as_str(), error.is_protocol), (message, protocol), "{body}");
        }
        assert_eq!(WireError::from_body(b"<html>"), None);
    }

    #[test]
    fn usage_needs_both_counts_and_is_not_believed_when_it_cannot_be() {
        let usage = |text: &str| serde_json::from_str::<Chunk>(text).unwrap().usage();
        assert_eq!(usage(r#"{"usage":null}"#), None);
        assert_eq!(usage(r#"{"usage":{"prompt_tokens":1}}"#), None);
        for count in ["-1", "1.5", "\"7\"", "18446744073709551615", "1000000000000", "1e9"] {
            let told = format!(r#"{{"usage":{{"prompt_tokens":{count},"completion_tokens":2}}}}"#);
            assert_eq!(usage(&told), None, "{count}");
        }
        let full = r#"{"usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":4}}}"#;
        assert_eq!(usage(full), Some(Usage { input: 9, output: 2, cached: 4, estimated: false }));
    }
}
