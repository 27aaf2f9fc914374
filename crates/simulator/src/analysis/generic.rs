//! The answer to instructions that name no known task.
//!
//! Quotes the sentences nearest to what was asked. The rule: it says what it did, so that an extract
//! is not taken for an opinion.

use std::collections::HashSet;

use super::{
    sentences::sentences,
    summary,
    words::{is_content, words},
};

/// How much more a term counts when the instructions name it.
const ASKED: f64 = 4.0;

pub(super) fn answer(instructions: &str, text: &str) -> String {
    let sentences = sentences(text);
    if sentences.is_empty() {
        return "The text is empty, so there is nothing to answer from.".to_owned();
    }
    let asked: HashSet<String> = words(instructions)
        .into_iter()
        .map(|word| word.term)
        .filter(|term| is_content(term))
        .collect();
    let chosen =
        summary::choose(&sentences, 2, |term| if asked.contains(term) { ASKED } else { 1.0 });
    let count = words(text).len();
    format!(
        "From the text ({count} {}, {} {}), the passage nearest to the request: {}",
        if count == 1 { "word" } else { "words" },
        sentences.len(),
        if sentences.len() == 1 { "sentence" } else { "sentences" },
        summary::join(&sentences, &chosen),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_instructions_name_is_quoted() {
        let text = include_str!("../../../model/samples/technology-news.txt");
        let airlines = answer("Which airlines or pharmacies had trouble?", text);
        assert!(airlines.contains("Two regional airlines"), "{airlines}");
        assert_ne!(airlines, answer("What did the data protection authority open?", text));
    }

    #[test]
    fn an_empty_text_is_said_to_be_empty() {
        assert!(answer("Do something", "").contains("empty"));
    }
}
