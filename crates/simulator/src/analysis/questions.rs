//! Three questions a careful reader might ask.
//!
//! Built from the topics and from the sentences that invite doubt: a contrast, a figure, a claim
//! about the future. The rule: three numbered lines, each naming something the text says.

use super::{
    keywords,
    sentences::{Sentence, clip, sentences},
    summary,
    words::words,
};

/// The most characters quoted of one sentence.
const QUOTE: usize = 160;

pub(super) fn answer(text: &str) -> String {
    let sentences = sentences(text);
    let topics = keywords::topics(text, 3);
    let Some(first) = topics.first() else {
        return "1. What is the text that these questions should be about?\n\
                2. Was it meant to be empty, or was it lost on the way?\n\
                3. What would a reader want to learn from it?"
            .to_owned();
    };
    let mut used = Vec::new();
    let relation = match topics.get(1) {
        Some(second) => format!(
            "How does “{first}” bear on “{second}”, and which evidence in the text supports that link?"
        ),
        None => format!("What does the text leave out about “{first}” that a reader would need?"),
    };
    let contrast = pick(&sentences, &mut used, is_contrast)
        .map(|quote| format!("The text says: “{quote}” Who is most affected by this, and how?"))
        .unwrap_or_else(|| {
            format!("Which argument against its view of “{first}” would be strongest?")
        });
    let third = topics.last().unwrap_or(first);
    let figure = pick(&sentences, &mut used, has_share)
        .or_else(|| pick(&sentences, &mut used, has_figure))
        .map(|quote| {
            format!("What explains the figure in “{quote}”, and how far can it be generalised?")
        })
        .or_else(|| {
            central(&sentences, &used).map(|quote| {
                format!("What would have to change for this no longer to hold: “{quote}”?")
            })
        })
        .unwrap_or_else(|| format!("What would follow if “{third}” were to change?"));
    format!("1. {relation}\n2. {contrast}\n3. {figure}")
}

/// The first sentence that fits and is not used yet, as a quotation.
fn pick(
    sentences: &[Sentence<'_>],
    used: &mut Vec<usize>,
    fits: impl Fn(&str) -> bool,
) -> Option<String> {
    let at = (0..sentences.len()).find(|at| !used.contains(at) && fits(sentences[*at].text))?;
    used.push(at);
    Some(quote(sentences[at].text))
}

fn central(sentences: &[Sentence<'_>], used: &[usize]) -> Option<String> {
    let best = summary::choose(sentences, used.len() + 1, |_| 1.0);
    best.into_iter().find(|at| !used.contains(at)).map(|at| quote(sentences[at].text))
}

/// Quotation marks of its own would end ours.
fn quote(sentence: &str) -> String {
    clip(sentence, QUOTE).replace(['“', '”', '"'], "'")
}

fn is_contrast(sentence: &str) -> bool {
    const SIGNS: &[&str] = &[
        "but",
        "however",
        "although",
        "though",
        "despite",
        "yet",
        "nevertheless",
        "still",
        "whereas",
    ];
    words(sentence).iter().any(|word| SIGNS.contains(&word.term.as_str()))
}

/// Whether it tells a share of something, the figure that most often needs explaining.
fn has_share(sentence: &str) -> bool {
    let is_percent = |term: &str| matches!(term, "percent" | "cent");
    has_figure(sentence)
        && (sentence.contains('%') || words(sentence).iter().any(|word| is_percent(&word.term)))
}

/// Whether it holds a number of more than one digit.
fn has_figure(sentence: &str) -> bool {
    words(sentence).iter().any(|word| word.text.chars().filter(char::is_ascii_digit).count() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_numbered_questions_about_the_text() {
        let answer = answer(include_str!("../../../model/samples/business-report.txt"));
        let lines: Vec<&str> = answer.lines().collect();
        assert_eq!(lines.len(), 3, "{answer}");
        for (at, line) in lines.iter().enumerate() {
            assert!(line.starts_with(&format!("{}. ", at + 1)) && line.ends_with('?'), "{line}");
        }
        assert!(answer.contains("18 percent"), "{answer}");
    }

    #[test]
    fn no_sentence_is_quoted_twice() {
        let answer = answer("But 55 percent of the harbour froze.");
        assert_eq!(answer.matches("55 percent").count(), 1, "{answer}");
    }

    #[test]
    fn even_an_empty_text_gives_three_lines() {
        assert_eq!(answer("").lines().count(), 3);
    }
}
