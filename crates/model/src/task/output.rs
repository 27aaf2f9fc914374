//! What a task's answer must look like: any text, one of some labels, or JSON that fits a schema.
//!
//! Whether an answer does is the service's matter, which has the library for it; here is how that is
//! written down and how a model is told.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What an answer must look like. In JSON `"text"`, `{"labels": [..]}` or `{"schema": {..}}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Output {
    /// Any text.
    #[default]
    Text,
    /// One of these and nothing else.
    Labels(Vec<String>),
    /// JSON that fits this schema.
    Schema(Schema),
}

impl Output {
    /// Whether any text will do.
    #[must_use]
    pub fn is_text(&self) -> bool {
        *self == Self::Text
    }

    /// The schema, where there is one.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        match self {
            Self::Schema(schema) => Some(schema),
            Self::Text | Self::Labels(_) => None,
        }
    }

    /// What a model is told of it; empty when any text will do.
    pub(super) fn instruction(&self) -> String {
        match self {
            Self::Text => String::new(),
            Self::Labels(labels) => {
                let mut words =
                    "Answer with exactly one of these labels and with nothing else:".to_owned();
                for label in labels {
                    words.push_str("\n- ");
                    words.push_str(label);
                }
                words
            }
            Self::Schema(schema) => format!(
                "Answer with one JSON value that fits this JSON schema and with nothing else:\n{}",
                schema.compact()
            ),
        }
    }
}

/// A JSON schema as its text, which may still be wrong; see [`Task::problems`](crate::Task::problems).
/// Written as JSON when it is JSON; read from that, or from a text that holds it, as in TOML.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = serde_json::Value))]
pub struct Schema(String);

impl Schema {
    /// The schema of that text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    /// Why it is none, in words.
    pub fn value(&self) -> Result<Value, String> {
        serde_json::from_str(&self.0).map_err(|error| error.to_string())
    }

    /// Its text without white space; as it is when it is not JSON.
    #[must_use]
    pub fn compact(&self) -> String {
        self.value().map_or_else(|_| self.0.clone(), |value| value.to_string())
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.0)
    }
}

impl Serialize for Schema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.value() {
            // A text is read as the text of a schema, and no schema is one.
            Err(_) | Ok(Value::String(_)) => serializer.serialize_str(&self.0),
            Ok(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Schema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            value => serde_json::to_string_pretty(&value).map(Self).map_err(D::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(json: &str) -> Output {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn each_kind_is_read_as_it_is_written() {
        let schema = r#"{"type":"object","properties":{"why":{},"a":{"enum":[null,1]}}}"#;
        for json in
            [r#""text""#, r#"{"labels":["Yes","No"]}"#, &format!(r#"{{"schema":{schema}}}"#)]
        {
            // The order of a schema's fields stays: models answer in it.
            assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        }
        let quoted = serde_json::to_string(schema).unwrap();
        let one = read(&format!(r#"{{"schema":{quoted}}}"#));
        assert_eq!(one.schema().unwrap().compact(), schema);
        assert!(serde_json::from_str::<Output>(r#"{"regex":"a"}"#).is_err());
    }

    #[test]
    fn a_schema_that_is_a_text_keeps_its_quotes() {
        for text in [r#""""#, r#""{}""#, " \"a\""] {
            let one = Output::Schema(Schema::new(text));
            assert_eq!(read(&serde_json::to_string(&one).unwrap()), one);
        }
    }

    #[test]
    fn a_model_is_told_its_labels_and_its_schema() {
        assert_eq!(Output::Text.instruction(), "");
        assert!(read(r#"{"labels":["Yes","No"]}"#).instruction().ends_with(":\n- Yes\n- No"));
        let schema = read("{\"schema\": {\"type\":\n \"object\"}}");
        assert!(schema.instruction().ends_with("\n{\"type\":\"object\"}"));
    }

    proptest! {
        #[test]
        fn whatever_a_schema_is_it_is_written_and_read_again(text in any::<String>()) {
            let one = Output::Schema(Schema::new(text));
            let again = read(&serde_json::to_string(&one).unwrap());
            prop_assert_eq!(again.schema().unwrap().compact(), one.schema().unwrap().compact());
        }
    }
}
