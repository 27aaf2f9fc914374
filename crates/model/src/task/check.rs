//! What can be wrong with a task. Every problem is said at once, each at its place. Whether a schema
//! is one is for the service to say, which has the library for it.

use serde_json::Value;

use super::{Output, Task};
use crate::FieldError;
use crate::prompt::{Part, parts, placeholders};
use crate::spec::shorten;
use crate::workflow::id_problem;

/// The most bytes of a system message and of a prompt.
const LONGEST_PROMPT: usize = 100_000;
/// The most tokens of an answer that a task may ask for.
const LONGEST_ANSWER: u32 = 128_000;
/// The most labels of a task.
const MOST_LABELS: usize = 100;
/// The most characters of a label.
const LONGEST_LABEL: usize = 100;
/// The most bytes of a schema.
const LONGEST_SCHEMA: usize = 50_000;
/// Its deepest nesting: what reads runs in the browser has an end, too.
const DEEPEST_SCHEMA: usize = 40;

impl Task {
    /// What is wrong with a task that somebody wrote, apart from its id; each at its place in the task.
    #[must_use]
    pub fn problems(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut wrong = |field: &str, detail: String| errors.push(FieldError::new(field, detail));
        if self.name.trim().is_empty() || self.name.chars().count() > 100 {
            wrong("/name", "Give it a name of at most 100 characters.".to_owned());
        }
        if self.system_message.len() > LONGEST_PROMPT {
            wrong("/system_message", format!("It has at most {LONGEST_PROMPT} bytes."));
        }
        if self.prompt.len() > LONGEST_PROMPT {
            wrong("/prompt", format!("It has at most {LONGEST_PROMPT} bytes."));
        } else if placeholders(&self.prompt).next().is_none() {
            wrong(
                "/prompt",
                "The prompt has no placeholder: write {{text}} where the document's text goes."
                    .to_owned(),
            );
        }
        if !(1..=LONGEST_ANSWER).contains(&self.max_tokens) {
            wrong("/max_tokens", format!("It must be from 1 to {LONGEST_ANSWER} tokens."));
        }
        match &self.output {
            Output::Text => {}
            Output::Labels(labels) => label_problems(labels, &mut wrong),
            Output::Schema(schema) => {
                if let Some(problem) = schema_problem(schema) {
                    wrong("/output/schema", problem);
                }
            }
        }
        errors
    }

    /// What is wrong with a task that is to be kept for all to use: that, and with its id and with
    /// what stands in its prompt's braces.
    #[must_use]
    pub fn definition_problems(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        errors.extend(id_problem(self.id.as_str()).map(|problem| FieldError::new("/id", problem)));
        errors.extend(self.problems());
        for part in parts(&self.prompt) {
            if let Part::Unknown(braces) = part {
                errors.push(FieldError::new(
                    "/prompt",
                    format!(
                        "“{}” is no placeholder: use {{{{text}}}}, or {{{{stage.output}}}} in a \
                         workflow.",
                        shorten(braces)
                    ),
                ));
            }
        }
        errors
    }
}

fn label_problems(labels: &[String], wrong: &mut impl FnMut(&str, String)) {
    if !(2..=MOST_LABELS).contains(&labels.len()) {
        wrong("/output/labels", format!("Give from 2 to {MOST_LABELS} labels."));
        return;
    }
    // As answers are compared with them.
    let plain = |label: &str| label.trim().trim_end_matches('.').trim_end().to_lowercase();
    for (i, label) in labels.iter().enumerate() {
        let place = format!("/output/labels/{i}");
        let length = label.chars().count();
        if plain(label).is_empty() || length > LONGEST_LABEL || label.contains(char::is_control) {
            wrong(&place, format!("A label is one line of at most {LONGEST_LABEL} characters."));
        } else if labels.iter().take(i).any(|other| plain(other) == plain(label)) {
            wrong(&place, format!("The label “{}” is given twice.", shorten(label)));
        }
    }
}

fn schema_problem(schema: &super::Schema) -> Option<String> {
    if schema.as_str().trim().is_empty() {
        return Some("Give a JSON schema, such as {\"type\": \"object\"}.".to_owned());
    }
    if schema.as_str().len() > LONGEST_SCHEMA {
        return Some(format!("A schema has at most {LONGEST_SCHEMA} bytes."));
    }
    match schema.value() {
        Err(error) => Some(format!("The schema is not JSON: {error}.")),
        Ok(value) if !value.is_object() => Some("A schema is a JSON object.".to_owned()),
        Ok(value) if depth(&value) > DEEPEST_SCHEMA => {
            Some(format!("A schema is nested at most {DEEPEST_SCHEMA} deep; use $defs and $ref."))
        }
        Ok(_) => None,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Schema, built_in};

    fn places(change: impl FnOnce(&mut Task)) -> Vec<String> {
        let mut task = built_in().remove(0);
        change(&mut task);
        task.definition_problems().into_iter().map(|e| e.pointer).collect()
    }

    #[test]
    fn the_built_in_tasks_have_no_problems() {
        for task in built_in() {
            assert_eq!(task.definition_problems(), []);
        }
    }

    #[test]
    fn every_problem_is_said_at_its_place() {
        let wrong = places(|task| {
            *task = Task {
                id: "Bad Id".into(),
                prompt: "{{what}}".to_owned(),
                output: Output::Labels(vec!["one".to_owned()]),
                ..Task::default()
            };
        });
        assert_eq!(wrong, ["/id", "/name", "/prompt", "/max_tokens", "/output/labels", "/prompt"]);
    }

    #[test]
    fn a_stage_may_be_named_and_nothing_else() {
        assert_eq!(places(|t| t.prompt = "{{a.output}}".to_owned()), [""; 0]);
        assert_eq!(places(|t| t.prompt = "{{text}} {{summary}}".to_owned()), ["/prompt"]);
    }

    #[test]
    fn labels_differ_in_more_than_case_and_full_stop() {
        let labels = |list: &[&str]| {
            let list = list.iter().map(|l| (*l).to_owned()).collect();
            places(|task| task.output = Output::Labels(list))
        };
        assert_eq!(labels(&["Yes", "No"]), [""; 0]);
        assert_eq!(labels(&["Yes", "yes.", " . ", "a\nb"]).len(), 3);
        assert_eq!(labels(&["Yes", "YES"]), ["/output/labels/1"]);
    }

    #[test]
    fn a_schema_is_a_json_object() {
        let schema = |text: &str| {
            let one = Output::Schema(Schema::new(text));
            places(|task| task.output = one)
        };
        assert_eq!(schema(r#"{"type":"object"}"#), [""; 0]);
        let deep = format!("{{\"not\":{}1{}}}", "[".repeat(40), "]".repeat(40));
        for wrong in ["", "{", "7", "[]", &deep] {
            assert_eq!(schema(wrong), ["/output/schema"], "{wrong}");
        }
    }
}
