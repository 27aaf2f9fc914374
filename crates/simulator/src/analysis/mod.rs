//! Honest answers without a model: what simple text analysis can say about a text.
//!
//! `answer.rs` hands a prompt in and gets the answer's text back. `task` finds out what is asked
//! and about which text, one file per task answers. The rule: an answer is computed from the text
//! it is about, in time linear in its length, for any text whatever.

mod category;
mod generic;
mod json;
mod keywords;
mod labels;
mod language;
mod questions;
mod sentences;
mod sentiment;
mod summary;
mod task;
mod transcript;
mod translation;
mod words;

use task::{Reading, Task};

/// What a request says, as far as the analysis is concerned.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prompt {
    /// All system messages.
    pub(crate) system: String,
    /// The last user message.
    pub(crate) user: String,
    /// Images given with it.
    pub(crate) images: usize,
    /// What the answer is to fit, if it is to be JSON.
    pub(crate) schema: Option<serde_json::Value>,
}

/// Answers the prompt. An invalid answer breaks the labels or the schema it was asked to keep to; where
/// there are none, there is nothing to break.
pub(crate) fn answer(prompt: &Prompt, invalid: bool) -> String {
    let Reading { task, instructions, text } = task::read(&prompt.system, &prompt.user);
    let text = sentences::clean(&text);
    if let Some(schema) = &prompt.schema {
        let answer = json::answer(schema, &text);
        return if invalid {
            format!("Here it is, as well as I can say:\n{answer}")
        } else {
            answer
        };
    }
    let asked = labels::named(&instructions);
    if let Some(label) = labels::choose(&asked, &text) {
        return if invalid { format!("It could be {label}, or something else.") } else { label };
    }
    let answer = match task {
        Task::Summary => summary::answer(&text),
        Task::Sentiment => sentiment::answer(&text),
        Task::Keywords => keywords::answer(&text),
        Task::Questions => questions::answer(&text),
        Task::Translation => translation::answer(&instructions, &text),
        Task::Category => category::answer(&text),
        Task::Transcript => transcript::answer(&text),
        Task::Generic => generic::answer(&instructions, &text),
    };
    match prompt.images {
        0 => answer,
        1 => format!("{answer}\n(An image was given; the simulator does not look into images.)"),
        count => format!(
            "{answer}\n({count} images were given; the simulator does not look into images.)"
        ),
    }
}

#[cfg(test)]
mod tests;
