//! JSON that fits a schema, filled with what can be said about a text.
//!
//! The rule: an object has the schema's fields in their order, and each field's name and kind decide what
//! of the text goes into it. What a schema may ask for without end is not all kept to: patterns are not.

use serde_json::{Map, Value, json};

use super::{
    category, keywords, labels, questions, sentences::sentences, sentiment, summary, words::words,
};

/// How deep an answer may be nested before only what is required goes in.
const DEEP: usize = 4;
/// How deep at all.
const DEEPEST: usize = 12;
/// The most entries of an array that a schema asks for.
const MOST_ENTRIES: u64 = 50;

/// The answer as a text.
pub(super) fn answer(schema: &Value, text: &str) -> String {
    let writer = Writer { root: schema, text };
    let value = writer.value(schema, "", 0);
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

struct Writer<'a> {
    root: &'a Value,
    text: &'a str,
}

impl<'a> Writer<'a> {
    /// A value for a schema; the name is that of the field it stands in.
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            let found = target.strip_prefix('#').and_then(|at| self.root.pointer(at));
            return found.map_or(Value::Null, |found| self.value(found, name, depth + 1));
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(choices) = schema.get("enum").and_then(Value::as_array) {
            return self.one_of(choices);
        }
        for several in ["anyOf", "oneOf"] {
            if let Some(first) = schema.get(several).and_then(Value::as_array) {
                let kind = |s: &&Value| s.get("type").and_then(Value::as_str) != Some("null");
                let chosen = first.iter().find(kind).or(first.first());
                return chosen.map_or(Value::Null, |s| self.value(s, name, depth + 1));
            }
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut all = schema.as_object().cloned().unwrap_or_default();
            all.remove("allOf");
            for part in parts.iter().filter_map(Value::as_object) {
                all.extend(part.clone());
            }
            return self.value(&Value::Object(all), name, depth + 1);
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" | "number" => self.number(schema, name),
            "boolean" => json!(!sentiment::answer(self.text).starts_with("Negative")),
            "null" => Value::Null,
            _ => Value::String(self.words(schema, name)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let mut object = Map::new();
        if let Some(fields) = schema.get("properties").and_then(Value::as_object) {
            for (name, field) in fields {
                if depth < DEEP || required.contains(&name.as_str()) {
                    object.insert(name.clone(), self.value(field, name, depth + 1));
                }
            }
        }
        for name in required {
            if !object.contains_key(name) {
                object.insert(name.to_owned(), self.value(&Value::Bool(true), name, depth + 1));
            }
        }
        Value::Object(object)
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let items = schema.get("items").unwrap_or(&Value::Null);
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        let least = limit("minItems").unwrap_or(0).min(MOST_ENTRIES);
        let count = 3.max(least).min(limit("maxItems").unwrap_or(u64::MAX));
        let count = usize::try_from(count).unwrap_or(0);
        if let Some(choices) = items.get("enum").and_then(Value::as_array) {
            // What fits best comes first; each is named once.
            let mut left = choices.clone();
            let mut list = Vec::new();
            while list.len()
                < count.min(choices.len()).min(2.max(usize::try_from(least).unwrap_or(0)))
            {
                let next = self.one_of(&left);
                left.retain(|choice| choice != &next);
                list.push(next);
            }
            return Value::Array(list);
        }
        if kind(items) == "string" {
            let lower = name.to_lowercase();
            let found: Vec<String> = if lower.contains("question") {
                let asked = questions::answer(self.text);
                asked
                    .lines()
                    .map(|l| l.trim_start_matches(|c: char| !c.is_alphabetic()).to_owned())
                    .collect()
            } else if ["point", "finding", "sentence", "fact", "reason", "step"]
                .iter()
                .any(|w| lower.contains(w))
            {
                sentences(self.text).into_iter().map(|s| s.text.to_owned()).collect()
            } else {
                keywords::answer(self.text).split(", ").map(str::to_owned).collect()
            };
            let mut list: Vec<String> =
                found.into_iter().filter(|s| !s.is_empty()).take(count).collect();
            while list.len() < usize::try_from(least).unwrap_or(0) {
                list.push(format!("item {}", list.len() + 1));
            }
            return list.into_iter().map(|entry| Value::String(fitted(items, entry))).collect();
        }
        (0..count).map(|_| self.value(items, name, depth + 1)).collect()
    }

    fn number(&self, schema: &Value, name: &str) -> Value {
        let whole = kind(schema) == "integer";
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        let above =
            bound("exclusiveMinimum").map(|b| if whole { b.floor() + 1.0 } else { b + 1e-3 });
        let below =
            bound("exclusiveMaximum").map(|b| if whole { b.ceil() - 1.0 } else { b - 1e-3 });
        let least = bound("minimum").or(above);
        let most = bound("maximum").or(below);
        let mood = match sentiment::answer(self.text) {
            answer if answer.starts_with("Positive") => 0.8,
            answer if answer.starts_with("Negative") => 0.2,
            _ => 0.5,
        };
        let counted = if name.to_lowercase().contains("sentence") {
            sentences(self.text).len()
        } else {
            words(self.text).len()
        };
        #[allow(clippy::cast_precision_loss)] // no text has so many words
        let mut number = match (least, most) {
            // A scale: where the text's mood stands on it.
            (Some(least), Some(most)) => least + (most - least) * mood,
            _ => counted as f64,
        };
        if let Some(step) = bound("multipleOf").filter(|step| *step > 0.0) {
            number = (number / step).floor() * step;
        }
        number = number.max(least.unwrap_or(f64::MIN)).min(most.unwrap_or(f64::MAX));
        if whole {
            #[allow(clippy::cast_possible_truncation)] // saturates
            return json!(number.round() as i64);
        }
        json!((number * 1e3).round() / 1e3)
    }

    fn one_of(&self, choices: &[Value]) -> Value {
        let names: Vec<String> =
            choices.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        match labels::choose(&names, self.text) {
            Some(name) => Value::String(name),
            None => choices.first().cloned().unwrap_or(Value::Null),
        }
    }

    fn words(&self, schema: &Value, name: &str) -> String {
        let format = schema.get("format").and_then(Value::as_str).unwrap_or("");
        match format {
            "date" => return "2026-01-01".to_owned(),
            "date-time" => return "2026-01-01T00:00:00Z".to_owned(),
            "time" => return "00:00:00Z".to_owned(),
            "email" => return "nobody@example.com".to_owned(),
            "uri" | "url" => return "https://example.com/".to_owned(),
            "uuid" => return "00000000-0000-4000-8000-000000000000".to_owned(),
            _ => {}
        }
        let name = name.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        let first_word = |answer: String| answer.split('.').next().unwrap_or("").to_owned();
        let text = if has(&["sentiment", "mood", "tone"]) {
            first_word(sentiment::answer(self.text))
        } else if has(&["categor", "topic"]) {
            first_word(category::answer(self.text))
        } else if has(&["keyword", "tag", "title", "headline", "subject"]) {
            keywords::answer(self.text)
        } else if has(&["language"]) {
            "en".to_owned()
        } else if has(&["question"]) {
            questions::answer(self.text).lines().next().unwrap_or("").to_owned()
        } else if has(&["why", "reason", "explanation"]) {
            sentiment::answer(self.text)
        } else {
            summary::answer(self.text)
        };
        fitted(schema, text)
    }
}

/// The kind of value that a schema asks for, `null` only when there is no other.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let kinds = || kinds.iter().filter_map(Value::as_str);
            kinds().find(|kind| *kind != "null").or(kinds().next()).unwrap_or("string")
        }
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ if schema.get("minimum").or(schema.get("maximum")).is_some() => "number",
        _ => "string",
    }
}

/// A text as long as a schema allows.
fn fitted(schema: &Value, mut text: String) -> String {
    let limit = |key: &str| {
        schema.get(key).and_then(Value::as_u64).map(|n| usize::try_from(n).unwrap_or(usize::MAX))
    };
    while text.chars().count() < limit("minLength").unwrap_or(0).min(10_000) {
        text.push_str(" …");
    }
    match limit("maxLength") {
        Some(most) => text.chars().take(most).collect(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "The new clinic is wonderful. Patients praised the excellent doctors and nurses. \
        Waiting times fell by half.";

    fn value(schema: Value) -> Value {
        serde_json::from_str(&answer(&schema, TEXT)).unwrap()
    }

    #[test]
    fn an_object_has_its_fields_filled_from_the_text() {
        let found = value(json!({
            "type": "object",
            "required": ["sentiment", "score", "more"],
            "properties": {
                "sentiment": {"enum": ["positive", "negative", "mixed"]},
                "score": {"type": "integer", "minimum": 1, "maximum": 5},
                "share": {"type": "number", "minimum": 0, "maximum": 1},
                "good": {"type": "boolean"},
                "keywords": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2},
                "summary": {"type": ["string", "null"], "maxLength": 20},
                "when": {"type": "string", "format": "date"},
            },
        }));
        assert_eq!(found["sentiment"], "positive");
        assert_eq!(found["good"], true);
        assert!((1..=5).contains(&found["score"].as_i64().unwrap()), "{found}");
        assert!((0.0..=1.0).contains(&found["share"].as_f64().unwrap()), "{found}");
        assert_eq!(found["keywords"].as_array().unwrap().len(), 2);
        assert!(found["summary"].as_str().unwrap().chars().count() <= 20);
        assert!(found["more"].is_string());
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let found = value(json!({
            "$defs": {"node": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/$defs/node"}}}},
            "$ref": "#/$defs/node",
        }));
        assert!(found["next"]["next"].is_object());
        let list = value(
            json!({"type": "array", "items": {"type": "object", "properties": {"a": {"const": 7}}}}),
        );
        assert_eq!(list[0]["a"], 7);
    }

    #[test]
    fn no_schema_is_a_mishap() {
        for schema in [
            json!(true),
            json!(null),
            json!([]),
            json!({}),
            json!({"type": "nothing"}),
            json!({"enum": []}),
            json!({"minLength": 1e300, "type": "string"}),
        ] {
            let _ = value(schema);
        }
    }
}
