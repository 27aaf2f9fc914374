//! A summary: the two or three sentences that say most of what the text says.
//!
//! Also lends its scoring to the generic answer. The method is extractive: terms that are frequent
//! in the text make a sentence central (after Luhn, 1958), and openings count a little more. The
//! rule: chosen sentences keep their order.

use super::{
    sentences::{Sentence, clip, sentences},
    words::{Counts, is_content, words},
};

/// The most characters quoted of one sentence.
const SENTENCE: usize = 400;
/// Two sentences that share more than this of their terms say the same.
const SAME: f64 = 0.6;

pub(super) fn answer(text: &str) -> String {
    let sentences = sentences(text);
    if sentences.is_empty() {
        return "The text is empty, so there is nothing to summarise.".to_owned();
    }
    let wanted = if sentences.len() <= 8 { 2 } else { 3 };
    join(&sentences, &choose(&sentences, wanted, |_| 1.0))
}

/// The chosen sentences as one paragraph.
pub(super) fn join(sentences: &[Sentence<'_>], chosen: &[usize]) -> String {
    let texts: Vec<String> = chosen.iter().map(|at| clip(sentences[*at].text, SENTENCE)).collect();
    texts.join(" ")
}

/// The indices of the best `wanted` sentences, in order; `weight` says how much a term matters.
pub(super) fn choose(
    sentences: &[Sentence<'_>],
    wanted: usize,
    weight: impl Fn(&str) -> f64,
) -> Vec<usize> {
    let terms: Vec<Vec<String>> =
        sentences.iter().map(|sentence| terms_of(sentence.text)).collect();
    let mut counts = Counts::default();
    for term in terms.iter().flatten() {
        counts.add(term);
    }
    let mut scored: Vec<(usize, f64)> = terms
        .iter()
        .enumerate()
        .map(|(at, terms)| {
            let sum: f64 = terms.iter().map(|t| f64::from(counts.of(t)).ln_1p() * weight(t)).sum();
            (at, sum * shape(terms.len()) * place(sentences, at))
        })
        .collect();
    // Equal scores keep the order of the text: the sort is stable.
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let mut chosen: Vec<usize> = Vec::new();
    for (at, _) in scored {
        if chosen.len() == wanted {
            break;
        }
        if chosen.iter().all(|other| shared(&terms[at], &terms[*other]) <= SAME) {
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// The different content terms of a sentence.
fn terms_of(sentence: &str) -> Vec<String> {
    let mut terms: Vec<String> =
        words(sentence).into_iter().map(|word| word.term).filter(|term| is_content(term)).collect();
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// Turns a sum over terms into something between sum and mean, and discounts fragments.
#[allow(clippy::cast_precision_loss)] // counts of words
fn shape(terms: usize) -> f64 {
    let fragment = if terms < 4 { 0.5 } else { 1.0 };
    fragment / (terms.max(1) as f64).powf(0.6)
}

/// Openings announce, and the last sentence concludes.
fn place(sentences: &[Sentence<'_>], at: usize) -> f64 {
    if at == 0 {
        1.3
    } else if at + 1 == sentences.len() || sentences[at].opens {
        1.12
    } else {
        1.0
    }
}

/// The share of the shorter list's terms that the longer has too; both are sorted.
#[allow(clippy::cast_precision_loss)] // counts of words
fn shared(a: &[String], b: &[String]) -> f64 {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    let common = short.iter().filter(|term| long.binary_search(term).is_ok()).count();
    common as f64 / short.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_two_or_three_sentences_of_the_text_in_order() {
        let text = include_str!("../../../model/samples/technology-news.txt");
        let sentences = sentences(text);
        let chosen = choose(&sentences, 3, |_| 1.0);
        assert_eq!(chosen.len(), 3);
        assert!(chosen.is_sorted());
        assert!(answer(text).starts_with("A faulty software update"));
    }

    #[test]
    fn a_sentence_repeated_is_chosen_once() {
        let text = "Rain fell on the harbour town. Rain fell on the harbour town. Boats stayed home today.";
        assert_eq!(answer(text).matches("Rain").count(), 1);
    }

    #[test]
    fn a_text_without_sentences_is_clipped_not_returned_whole() {
        assert!(answer(&"data ".repeat(40_000)).chars().count() <= SENTENCE + 1);
    }

    #[test]
    fn an_empty_text_is_said_to_be_empty() {
        assert!(answer(" \n ").contains("empty"));
    }
}
