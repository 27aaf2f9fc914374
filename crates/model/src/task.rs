//! Tasks: what to ask about a document. Six are built in.

mod check;
mod definition;
mod output;
mod temperature;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::TaskId;
use crate::prompt::{Placeholder, fill};

pub use definition::{TaskDefinition, TaskFile};
pub use output::{Output, Schema};
pub use temperature::Temperature;

/// Where the document's text goes in a task's prompt.
pub const TEXT_PLACEHOLDER: &str = "{{text}}";

/// What to ask. A call is one task on one document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Task {
    /// The name used in requests: lower case, such as `summary`.
    pub id: TaskId,
    /// The name people read.
    pub name: String,
    /// The instruction, sent as the system message.
    #[serde(default)]
    pub system_message: String,
    /// The user message; `{{text}}` stands for the document's text.
    pub prompt: String,
    /// The longest answer allowed, in tokens.
    pub max_tokens: u32,
    /// How freely the model chooses its words; by default as freely as it does by itself. Not read in
    /// the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// What the answer must look like. Not read in the browser.
    #[serde(default, skip_serializing_if = "Output::is_text")]
    pub output: Output,
    /// Whether Lanes ships it.
    #[serde(default)]
    pub built_in: bool,
    /// How long an answer is expected to be, in tokens, for estimates before there is history;
    /// `None` when it grows with the document, as a translation does.
    #[serde(default)]
    pub typical_tokens: Option<u32>,
}

impl Task {
    /// The system message as it is sent: with a word on what the answer must look like.
    #[must_use]
    pub fn instructions(&self) -> Cow<'_, str> {
        let wanted = self.output.instruction();
        match (wanted.is_empty(), self.system_message.trim().is_empty()) {
            (true, _) => Cow::Borrowed(&self.system_message),
            (false, true) => Cow::Owned(wanted),
            (false, false) => Cow::Owned(format!("{}\n\n{wanted}", self.system_message)),
        }
    }

    /// The user message for one document, of a task that uses nothing but its text: answers of other
    /// stages are missing.
    #[must_use]
    pub fn user_message(&self, text: &str) -> String {
        fill(&self.prompt, |placeholder, message| {
            if placeholder == Placeholder::Text {
                message.push_str(text);
            }
        })
    }

    /// Whether the answers on the pieces of a long document need only follow one another to be the
    /// answer on the whole of it: that of a task whose answer grows with the document. The answers of
    /// others are put together by the task itself.
    #[must_use]
    pub const fn joins_parts(&self) -> bool {
        self.typical_tokens.is_none()
    }

    /// The tokens an answer is expected to have for a document of `document_tokens`.
    #[must_use]
    pub fn expected_tokens(&self, document_tokens: u64) -> u64 {
        // Spanish takes about a quarter more tokens than the English it translates.
        let expected = self.typical_tokens.map_or(document_tokens * 5 / 4, u64::from);
        expected.min(u64::from(self.max_tokens))
    }
}

/// The six built-in tasks, in the order people see them.
#[must_use]
pub fn built_in() -> Vec<Task> {
    let task = |id: &str, name: &str, system: &str, max_tokens, typical_tokens| Task {
        id: TaskId::from(id),
        name: name.to_owned(),
        system_message: system.to_owned(),
        prompt: format!("<text>\n{TEXT_PLACEHOLDER}\n</text>"),
        max_tokens,
        built_in: true,
        typical_tokens,
        ..Task::default()
    };
    vec![
        task(
            "summary",
            "Summary",
            "Summarise the text between <text> and </text> in two or three sentences. \
             Answer with the summary alone, in the language of the text.",
            300,
            Some(80),
        ),
        task(
            "sentiment",
            "Sentiment",
            "Judge the sentiment of the text between <text> and </text>. Answer with one word, \
             Positive, Negative or Neutral, a full stop, and one sentence that says why.",
            150,
            Some(35),
        ),
        task(
            "keywords",
            "Keywords",
            "Name the five to seven keywords (main topics) of the text between <text> and </text>. \
             Answer with the keywords alone, separated by commas, most important first.",
            100,
            Some(20),
        ),
        task(
            "questions",
            "Questions",
            "Write three insightful questions that the text between <text> and </text> raises. \
             Answer with the questions alone, numbered 1 to 3, one a line.",
            250,
            Some(65),
        ),
        task(
            "translation",
            "Translation (Spanish)",
            "Translate the text between <text> and </text> into Spanish. Answer with the \
             translation alone and keep its paragraphs.",
            16_000,
            None,
        ),
        task(
            "category",
            "Category",
            "Name the one content category that fits the text between <text> and </text> best, \
             such as Technology, Business, Health, Science, Politics, Sports, Finance, Education, \
             Environment or Entertainment. Answer with the category alone.",
            20,
            Some(3),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_six_built_in_tasks_put_the_text_into_their_prompt() {
        let tasks = built_in();
        let ids: Vec<_> = tasks.iter().map(|t| t.id.as_str()).collect();
        assert_eq!(
            ids,
            ["summary", "sentiment", "keywords", "questions", "translation", "category"]
        );
        for task in &tasks {
            assert_eq!(task.user_message("A & B"), "<text>\nA & B\n</text>");
        }
    }

    #[test]
    fn a_translation_is_expected_to_grow_with_its_document() {
        let tasks = built_in();
        assert_eq!(tasks[0].expected_tokens(1_000), tasks[0].expected_tokens(10));
        assert!(tasks[4].expected_tokens(1_000) > tasks[4].expected_tokens(10));
    }
}
