//! Whether an answer is what its task asks for: one of its labels, or JSON that fits its schema.
//!
//! Pure. The reasons are words for a model to mend its answer by, and for people.

use jsonschema::{PatternOptions, Validator};
use lanes_model::{Output, Schema};
use serde_json::Value;

/// The most problems of an answer that are named.
const MOST_PROBLEMS: usize = 3;
/// The most characters of a problem, and of an answer in one.
const LONGEST: usize = 200;
/// The largest pattern of a schema, compiled, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// What a task's answers are held to, ready for many of them.
#[derive(Debug)]
pub enum OutputCheck {
    /// Any text will do.
    Text,
    /// One of these.
    Labels(Vec<String>),
    /// JSON that fits.
    Schema(Box<Validator>),
}

impl OutputCheck {
    /// The check of that output.
    ///
    /// # Errors
    /// What is wrong with its schema, as a sentence.
    pub fn new(output: &Output) -> Result<Self, String> {
        match output {
            Output::Text => Ok(Self::Text),
            Output::Labels(labels) => Ok(Self::Labels(labels.clone())),
            Output::Schema(schema) => Ok(Self::Schema(Box::new(validator(schema)?))),
        }
    }

    /// The answer as it is to be kept: a label as the task writes it, JSON without what stands around
    /// it.
    ///
    /// # Errors
    /// Why it is not what was asked for, in words.
    pub fn check(&self, answer: &str) -> Result<String, String> {
        match self {
            Self::Text => Ok(answer.to_owned()),
            Self::Labels(labels) => {
                let found = labels.iter().find(|label| plain(label) == plain(answer));
                found.map(|label| label.trim().to_owned()).ok_or_else(|| {
                    format!(
                        "“{}” is none of the labels: {}.",
                        shorten(answer.trim()),
                        shorten(&labels.join(", "))
                    )
                })
            }
            Self::Schema(validator) => {
                let text = without_fence(answer);
                let value: Value = serde_json::from_str(text)
                    .map_err(|error| format!("The answer is not JSON: {error}."))?;
                let mut errors = validator.iter_errors(&value).map(|error| {
                    let place = error.instance_path().to_string();
                    let place = if place.is_empty() { "the top".to_owned() } else { place };
                    format!("At {}: {}.", shorten(&place), shorten(&error.to_string()))
                });
                let problems: Vec<_> = errors.by_ref().take(MOST_PROBLEMS).collect();
                if problems.is_empty() { Ok(text.to_owned()) } else { Err(problems.join(" ")) }
            }
        }
    }
}

/// Checks one answer; see [`OutputCheck`], which is for many.
///
/// # Errors
/// Why it is not what was asked for, in words.
pub fn check(output: &Output, answer: &str) -> Result<String, String> {
    OutputCheck::new(output)?.check(answer)
}

fn validator(schema: &Schema) -> Result<Validator, String> {
    let value = schema.value().map_err(|error| format!("The schema is not JSON: {error}."))?;
    jsonschema::options()
        // Patterns that take time linear in the answer: it comes from outside.
        .with_pattern_options(PatternOptions::regex().size_limit(LARGEST_PATTERN))
        .build(&value)
        .map_err(|error| {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
            format!("This is no JSON schema{}: {}.", shorten(&place), shorten(&error.to_string()))
        })
}

/// As labels and answers are compared: without case, spaces around and a full stop.
fn plain(text: &str) -> String {
    text.trim().trim_end_matches('.').trim_end().to_lowercase()
}

/// What stands between Markdown's three back quotes, when the whole answer does.
fn without_fence(answer: &str) -> &str {
    let answer = answer.trim();
    let inside = answer.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    // The first line may name the language.
    let inside = inside.map(|text| match text.split_once('\n') {
        Some((name, rest)) if name.trim().chars().all(char::is_alphanumeric) => rest,
        _ => text,
    });
    inside.unwrap_or(answer).trim()
}

fn shorten(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    if text.chars().count() <= LONGEST {
        clean.collect()
    } else {
        clean.take(LONGEST - 1).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn labels() -> Output {
        Output::Labels(["Refund", "Technical fault", "Other"].map(str::to_owned).to_vec())
    }

    fn schema(text: &str) -> Output {
        Output::Schema(Schema::new(text))
    }

    const SCORE: &str = r#"{"type":"object","required":["score","why"],"additionalProperties":false,
        "properties":{"score":{"type":"integer","minimum":1,"maximum":5},"why":{"type":"string"}}}"#;

    #[test]
    fn a_label_may_differ_in_case_spaces_and_a_full_stop_and_is_kept_as_the_task_writes_it() {
        for answer in ["Technical fault", " technical FAULT. \n", "technical fault ."] {
            assert_eq!(check(&labels(), answer), Ok("Technical fault".to_owned()), "{answer:?}");
        }
        assert_eq!(check(&labels(), "OTHER"), Ok("Other".to_owned()));
    }

    #[test]
    fn what_is_no_label_is_repeated_with_the_labels() {
        for wrong in ["", "Refund, I think", "Technical", "fault"] {
            let reason = check(&labels(), wrong).unwrap_err();
            assert!(reason.contains("Refund, Technical fault, Other"), "{reason}");
        }
        let long = check(&labels(), &"x\n".repeat(10_000)).unwrap_err();
        assert!(long.chars().count() < 500 && !long.contains('\n'), "{long}");
    }

    #[test]
    fn json_that_fits_is_kept_without_its_fence() {
        let json = r#"{ "score": 4, "why": "It is." }"#;
        for answer in [
            json.to_owned(),
            format!("\n{json}\n"),
            format!("```json\n{json}\n```"),
            format!("```\n{json}\n```"),
            format!("```{json}```"),
        ] {
            assert_eq!(check(&schema(SCORE), &answer), Ok(json.to_owned()), "{answer}");
        }
    }

    #[test]
    fn what_does_not_fit_is_named_at_its_place() {
        let reason = |answer: &str| check(&schema(SCORE), answer).unwrap_err();
        assert!(reason("I would say 4.").contains("not JSON"));
        let high = reason(r#"{"score":"high","why":"x"}"#);
        assert!(high.contains("/score") && high.contains("integer"), "{high}");
        let missing = reason(r#"{"score":1}"#);
        assert!(missing.contains("why") && missing.contains("the top"), "{missing}");
        assert!(reason(r#"{"score":9,"why":"x","more":1}"#).matches("At ").count() >= 2);
    }

    #[test]
    fn what_is_no_schema_is_said_to_be_none() {
        for wrong in [r#"{"type":"nothing"}"#, r#"{"minimum":"low"}"#, r#"{"pattern":"("}"#, "{"] {
            assert!(OutputCheck::new(&schema(wrong)).is_err(), "{wrong}");
        }
        // Nothing is fetched, neither from the net nor from a file.
        for far in ["https://example.com/s.json", "file:///etc/passwd"] {
            assert!(OutputCheck::new(&schema(&format!(r#"{{"$ref":"{far}"}}"#))).is_err(), "{far}");
        }
    }

    #[test]
    fn a_pattern_takes_no_longer_for_an_answer_made_to_be_slow() {
        let slow = schema(r#"{"type":"string","pattern":"^(a+)+$"}"#);
        let answer = format!("\"{}!\"", "a".repeat(50_000));
        let begun = std::time::Instant::now();
        assert!(check(&slow, &answer).is_err());
        assert!(begun.elapsed().as_secs() < 5);
    }

    proptest! {
        #[test]
        fn every_label_is_found_however_it_is_dressed(which in 0usize..3, dots in "[.]{0,1}", space in "[ \n\t]{0,3}", upper in any::<bool>()) {
            let Output::Labels(all) = labels() else { unreachable!() };
            let written = if upper { all[which].to_uppercase() } else { all[which].to_lowercase() };
            let answer = format!("{space}{written}{dots}{space}");
            prop_assert_eq!(check(&labels(), &answer), Ok(all[which].clone()));
        }

        #[test]
        fn no_answer_is_a_mishap(answer in any::<String>()) {
            let _ = check(&labels(), &answer);
            let _ = check(&schema(SCORE), &answer);
            prop_assert_eq!(check(&Output::Text, &answer), Ok(answer));
        }
    }
}
