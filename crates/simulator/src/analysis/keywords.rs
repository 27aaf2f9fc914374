//! The topics of a text: words and pairs of words that keep coming back.
//!
//! Also feeds the questions. The rule: one line of five to seven topics, fewer only when the text
//! has no more, each as the text itself writes it.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    sentences::sentences,
    words::{Word, is_content, words},
};

const MOST: usize = 7;

/// What is known of one candidate.
#[derive(Debug)]
struct Candidate {
    count: u32,
    /// Written forms and how often, in the order of the text.
    forms: Vec<(String, u32)>,
    /// Appearances with a capital that is not due to opening a sentence.
    names: u32,
    terms: Vec<String>,
}

pub(super) fn answer(text: &str) -> String {
    let topics = topics(text, MOST);
    if topics.is_empty() {
        return "No topics: the text holds no words to choose from.".to_owned();
    }
    topics.join(", ")
}

/// At most `most` topics, the weightiest first.
pub(super) fn topics(text: &str, most: usize) -> Vec<String> {
    let mut candidates: Vec<Candidate> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for sentence in sentences(text) {
        let words = words(sentence.text);
        for (at, word) in words.iter().enumerate() {
            if !is_content(&word.term) {
                continue;
            }
            note(&mut candidates, &mut index, &[word]);
            // The next word, where nothing but a space is between them.
            if let Some(next) =
                words.get(at + 1).filter(|next| next.follows && is_content(&next.term))
            {
                note(&mut candidates, &mut index, &[word, next]);
            }
        }
    }
    // Stable: equal scores keep the order of the text.
    candidates.sort_by_key(|candidate| Reverse(score(candidate)));
    let mut chosen: Vec<&Candidate> = Vec::new();
    for candidate in &candidates {
        if chosen.len() == most {
            break;
        }
        let overlaps = |other: &&&Candidate| {
            candidate.terms.iter().any(|term| other.terms.iter().any(|o| similar(o, term)))
        };
        if chosen.iter().find(overlaps).is_none() {
            chosen.push(candidate);
        }
    }
    chosen.into_iter().map(shown).collect()
}

fn note(candidates: &mut Vec<Candidate>, index: &mut HashMap<String, usize>, words: &[&Word<'_>]) {
    let terms: Vec<String> = words.iter().map(|word| word.term.clone()).collect();
    let key = terms.join(" ");
    let at = *index.entry(key).or_insert(candidates.len());
    if at == candidates.len() {
        candidates.push(Candidate { count: 0, forms: Vec::new(), names: 0, terms });
    }
    let candidate = &mut candidates[at];
    candidate.count += 1;
    let capital = words.iter().all(|word| word.text.starts_with(char::is_uppercase));
    if capital && !(words.len() == 1 && words[0].first) {
        candidate.names += 1;
    }
    let form = words.iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    if let Some((_, count)) = candidate.forms.iter_mut().find(|(known, _)| *known == form) {
        *count += 1;
    } else if candidate.forms.len() < 8 {
        // Few forms are ever needed, and a text of endless variants must not cost more.
        candidate.forms.push((form, 1));
    }
}

/// Frequency first; a pair says more than a word, and a name more than a noun.
fn score(candidate: &Candidate) -> u32 {
    let pair = candidate.terms.len() == 2;
    let base = match (pair, candidate.count > 1, candidate.names > 0) {
        (true, true, _) => 26,
        (true, false, true) => 12,
        // A pair seen once is an accident more often than a topic.
        (true, false, false) => 7,
        (false, ..) => 10,
    };
    let name = if candidate.names > 0 { 4 } else { 0 };
    let longer = candidate.terms.iter().map(|term| term.chars().count()).max().unwrap_or(0).min(9);
    candidate.count * (base + name) + u32::try_from(longer).unwrap_or(0)
}

/// Whether two terms are forms of one word, such as `patient` and `patiently`.
fn similar(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short == long || (short.len() >= 6 && long.starts_with(short))
}

/// The commonest written form, in lower case unless it is a name throughout.
fn shown(candidate: &Candidate) -> String {
    let mut best = ("", 0);
    for (form, count) in &candidate.forms {
        if *count > best.1 {
            best = (form, *count);
        }
    }
    let acronym =
        best.0.chars().filter(|c| c.is_uppercase()).count() > 1 && candidate.terms.len() == 1;
    if (candidate.names > 0 && candidate.names * 2 >= candidate.count) || acronym {
        best.0.to_owned()
    } else {
        best.0.to_lowercase()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_what_comes_back_and_pairs_beat_words() {
        let text = "Solar panels are cheap. Solar panels need sun. A battery stores power. The \
                    battery is heavy. Grid operators in Norway worry.";
        let topics = topics(text, MOST);
        assert_eq!(topics[0], "solar panels");
        assert!(topics.contains(&"battery".to_owned()), "{topics:?}");
        assert!(!topics.contains(&"panels".to_owned()), "{topics:?}");
    }

    #[test]
    fn names_keep_their_capitals() {
        assert!(
            topics("The harbour of Oslo is busy. Ships like Oslo.", 7).contains(&"Oslo".to_owned())
        );
    }

    #[test]
    fn samples_give_five_to_seven_topics_on_one_line() {
        let line = answer(include_str!("../../../model/samples/healthcare-study.txt"));
        assert!((5..=7).contains(&line.split(", ").count()), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_text_without_words_has_no_topics() {
        assert!(answer("… 12 !").starts_with("No topics"));
    }
}
