//! Spanish for the sentences it was shipped with, and a plain refusal for all others.
//!
//! Looks sentences up in the parallel texts of `translations/`. The rule: a translation is known or
//! it is not; none is ever made up.

use std::{collections::HashMap, sync::LazyLock};

use super::sentences::sentences;

const PARALLEL: &[&str] = &[
    include_str!("../../translations/ai-technology.tsv"),
    include_str!("../../translations/business-report.tsv"),
    include_str!("../../translations/healthcare-study.tsv"),
    include_str!("../../translations/technology-news.tsv"),
];

static SPANISH: LazyLock<HashMap<String, &str>> = LazyLock::new(|| {
    PARALLEL
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.split_once('\t'))
        .map(|(english, spanish)| (key(english), spanish.trim()))
        .collect()
});

pub(super) fn answer(instructions: &str, text: &str) -> String {
    let sentences = sentences(text);
    if sentences.is_empty() {
        return "The text is empty, so there is nothing to translate.".to_owned();
    }
    if !asks_for_spanish(instructions) {
        return "The simulator holds Spanish translations of its sample texts and no other language. \
                This translation needs a real model."
            .to_owned();
    }
    let (mut translated, mut known, mut paragraph) = (String::new(), 0, 0);
    for sentence in &sentences {
        let Some(spanish) = SPANISH.get(&key(sentence.text)) else { continue };
        if known > 0 {
            translated.push_str(if sentence.paragraph == paragraph { " " } else { "\n\n" });
        }
        translated.push_str(spanish);
        paragraph = sentence.paragraph;
        known += 1;
    }
    match sentences.len() - known {
        0 => translated,
        _ if known == 0 => {
            "The simulator cannot translate this text: it only knows the sentences of \
                            its sample texts. This translation needs a real model."
                .to_owned()
        }
        unknown => format!(
            "{translated}\n\n({unknown} of {} sentences left out: translating what is not in the \
             sample texts needs a real model.)",
            sentences.len()
        ),
    }
}

/// Spanish is meant when it is named, or when no other language is.
fn asks_for_spanish(instructions: &str) -> bool {
    const OTHERS: &[&str] = &[
        "arabic",
        "chinese",
        "czech",
        "danish",
        "dutch",
        "finnish",
        "french",
        "german",
        "greek",
        "hebrew",
        "hindi",
        "italian",
        "japanese",
        "korean",
        "mandarin",
        "norwegian",
        "polish",
        "portuguese",
        "romanian",
        "russian",
        "swedish",
        "turkish",
        "ukrainian",
        "vietnamese",
    ];
    let lower = instructions.to_lowercase();
    ["spanish", "español", "castellano"].iter().any(|name| lower.contains(name))
        || !OTHERS.iter().any(|name| lower.contains(name))
}

/// Spaces and typographic marks do not make another sentence.
fn key(sentence: &str) -> String {
    let words: Vec<&str> = sentence.split_whitespace().collect();
    words.join(" ").replace(['“', '”'], "\"").replace(['‘', '’'], "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sentences_are_translated_in_order() {
        let spanish = answer("into Spanish", "Two challenges remain. The damage spread quickly.");
        assert_eq!(spanish, "Quedan dos retos. Los daños se extendieron con rapidez.");
    }

    #[test]
    fn what_is_not_known_is_counted_not_invented() {
        let mixed = answer("into Spanish", "Two challenges remain. My cat is grey.");
        assert!(mixed.starts_with("Quedan dos retos.") && mixed.contains("1 of 2"), "{mixed}");
        let none = answer("into Spanish", "My cat is grey.");
        assert!(none.contains("needs a real model") && !none.contains("gato"), "{none}");
    }

    #[test]
    fn other_languages_are_refused_plainly() {
        assert!(
            answer("Translate to French", "Two challenges remain.").contains("needs a real model")
        );
        assert_eq!(
            answer("Translate from French to Spanish", "Two challenges remain."),
            "Quedan dos retos."
        );
    }

    #[test]
    fn the_parallel_texts_have_two_columns_and_no_doubles() {
        let lines: Vec<&str> = PARALLEL.iter().flat_map(|file| file.lines()).collect();
        assert!(lines.iter().all(|line| line.split('\t').count() == 2));
        assert_eq!(SPANISH.len(), lines.len());
    }
}
