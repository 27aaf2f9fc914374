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

/// How an answer begins, and what stands before what it quotes.
const BEGINNING: &str = "From the text (";
const QUOTED: &str = ", the passage nearest to the request:";

/// A text that is an earlier answer of this kind, or has some in it, without the words that are not of
/// the text it was about.
fn without_own_words(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(BEGINNING) {
        plain.push_str(before);
        match after.split_once(QUOTED) {
            // The counts between them are short.
            Some((counts, quoted)) if counts.len() < 60 => rest = quoted,
            _ => {
                plain.push_str(BEGINNING);
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

pub(super) fn answer(instructions: &str, text: &str) -> String {
    let text = without_own_words(text);
    let sentences = sentences(&text);
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
    let count = words(&text).len();
    format!(
        "{BEGINNING}{count} {}, {} {}){QUOTED} {}",
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
    fn what_an_earlier_answer_says_of_itself_is_not_quoted_again() {
        let once = answer("Say more.", "The bridge is old. Its steel is thin. Repairs cost much.");
        let twice = answer("Say more.", &format!("## Step\n{once}"));
        assert_eq!(twice.matches(BEGINNING).count(), 1, "{twice}");
    }

    #[test]
    fn an_empty_text_is_said_to_be_empty() {
        assert!(answer("Do something", "").contains("empty"));
    }
}
