//! The tone of a text, from words that praise or complain.
//!
//! The rule: the answer's first word is `Positive`, `Negative` or `Neutral`, and what follows are
//! the counts and words it rests on.

use std::{collections::HashMap, sync::LazyLock};

use super::{
    sentences::sentences,
    words::{Counts, term, words},
};

/// How many words after a negation are turned round.
const REACH: usize = 3;
/// How many words of each tone are quoted.
const QUOTED: usize = 3;

const POSITIVE: &str = "able accurate achieve achieved admire advance affordable amazing attracted award \
awesome beautiful beneficial benefit best better bright brilliant calm celebrate clean clear clever \
climbed comfortable confident delight delighted delightful durable eager easy effective efficient \
elegant encouraging enjoy enjoyed excellent excited exciting fair faster favourite favorite fast \
friendly gain gained generous glad good grateful great grew growth happy healthy helpful hope hopeful \
impressed impressive improve improved improvement innovative innovation joy kind leading like love \
loved loyal lovely modern nice optimistic outstanding perfect pleasant pleased popular positive praise \
praised profit profitable progress promising proud quality recommend recover recovered \
reliable remarkable resilient rewarded rewarding rich robust rose safe satisfied save saved \
smooth stable strength strong stronger strongest succeed success successful superb support supportive \
thank thriving thrilled trusted useful valuable vibrant welcome welcomed well win winner won \
wonderful worth";

const NEGATIVE: &str = "abuse accident afraid alarming anger angry annoying anxious attack attacker awful bad \
badly blame blind breach broke broken bug burden cancelled chaos complain complained complaint \
concern costly crash crashed crisis critical critic cruel damage damaged danger dangerous dead death \
decline declined defect delay delayed deny difficult difficulty dirty disappointed disappointing \
disappointment disaster disease doubt down dull error exaggerated expensive expired fail failed failing \
failure false fault faulty fear fell flaw flawed fraud frustrated frustrating guilty harm harmful hate \
hated horrible hurt ignored illness inadequate injured injury lawsuit lose losing loss lost \
mediocre mislead misleading mistake murder negative outage pain painful panic poor poorly problem \
refused regret reject rejected risk risky sad scandal severe shortage shrank shrunk sick slow sobering \
steepest stolen struggle suffer suffered symptom terrible theft threat threaten tragic trouble ugly \
unable unfair unhappy unreliable unsafe upset useless victim violence volatile vulnerable warn warned \
warning waste weak weakness worried worry worse worst wrong";

const NEGATIONS: &[&str] = &[
    "no", "not", "never", "neither", "nor", "without", "hardly", "barely", "nobody", "nothing",
    "cannot",
];

static TONES: LazyLock<HashMap<String, bool>> = LazyLock::new(|| {
    let tone = |list: &'static str, good| list.split_whitespace().map(move |w| (term(w), good));
    tone(POSITIVE, true).chain(tone(NEGATIVE, false)).collect()
});

/// What was found, in the order of the text.
#[derive(Debug, Default)]
struct Found {
    words: usize,
    positive: Counts,
    negative: Counts,
}

pub(super) fn answer(text: &str) -> String {
    let found = find(text);
    if found.words == 0 {
        return "Neutral. The text holds no words to judge.".to_owned();
    }
    let (good, bad) = (total(&found.positive), total(&found.negative));
    match (good, bad) {
        (0, 0) => format!(
            "Neutral. None of the {} words found carries a clear positive or negative tone.",
            found.words
        ),
        _ if good > bad && clear(good, bad) => format!(
            "Positive. The text uses {} ({}){}, so its tone is mostly favourable.",
            counted(good, "positive"),
            quoted(&found.positive),
            against(&found.negative, "negative"),
        ),
        _ if bad > good && clear(bad, good) => format!(
            "Negative. The text uses {} ({}){}, so its tone is mostly critical.",
            counted(bad, "negative"),
            quoted(&found.negative),
            against(&found.positive, "positive"),
        ),
        _ => format!(
            "Neutral. Positive and negative words nearly balance: {good} of the one kind ({}) and \
             {bad} of the other ({}).",
            quoted(&found.positive),
            quoted(&found.negative),
        ),
    }
}

fn find(text: &str) -> Found {
    let mut found = Found::default();
    for sentence in sentences(text) {
        let mut negated = 0;
        for word in words(sentence.text) {
            found.words += 1;
            if NEGATIONS.contains(&word.term.as_str()) || word.term.ends_with("n't") {
                negated = REACH + 1;
            } else if let Some(good) = TONES.get(&word.term) {
                let lower = word.text.to_lowercase();
                if negated > 0 {
                    let shown = format!("not {lower}");
                    if *good { found.negative.add(&shown) } else { found.positive.add(&shown) }
                } else if *good {
                    found.positive.add(&lower);
                } else {
                    found.negative.add(&lower);
                }
            }
            negated = negated.saturating_sub(1);
        }
    }
    found
}

/// Whether the larger count clearly outweighs the smaller.
fn clear(more: u32, less: u32) -> bool {
    u64::from(more) * 5 >= u64::from(less) * 6 + 2
}

fn total(counts: &Counts) -> u32 {
    counts.iter().map(|(_, count)| count).sum()
}

fn counted(count: u32, tone: &str) -> String {
    format!("{count} {tone} {}", if count == 1 { "word" } else { "words" })
}

fn against(counts: &Counts, tone: &str) -> String {
    match total(counts) {
        0 => format!(" and no {tone} ones"),
        count => format!(" against {} ({})", counted(count, tone), quoted(counts)),
    }
}

/// The most frequent words, the earlier first among equals.
fn quoted(counts: &Counts) -> String {
    let mut list: Vec<(&str, u32)> = counts.iter().collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<&str> = list.iter().take(QUOTED).map(|(word, _)| *word).collect();
    let more = if list.len() > QUOTED { "such as " } else { "" };
    if shown.is_empty() { "none".to_owned() } else { format!("{more}{}", shown.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tones_are_told_apart() {
        assert!(answer("A wonderful, reliable phone. I love it.").starts_with("Positive."));
        assert!(answer("It broke. A terrible, useless phone.").starts_with("Negative."));
        assert!(answer("The phone is black and has two buttons.").starts_with("Neutral."));
        assert!(answer("Good screen, bad battery.").starts_with("Neutral."));
    }

    #[test]
    fn a_negation_turns_the_next_words_round() {
        let answer = answer("It is not good. It isn't useful.");
        assert!(answer.starts_with("Negative.") && answer.contains("not good"), "{answer}");
    }

    #[test]
    fn a_negation_does_not_reach_into_the_next_sentence() {
        assert!(answer("She said no. Excellent value, lovely people.").starts_with("Positive."));
    }

    #[test]
    fn an_answer_quotes_counts_and_words() {
        let answer = answer("The attack caused damage. The damage was severe.");
        assert!(answer.contains("4 negative words (damage, attack, severe)"), "{answer}");
    }

    #[test]
    fn no_words_are_neutral() {
        assert!(answer("").starts_with("Neutral."));
        assert!(answer("🙂 …").starts_with("Neutral."));
    }
}
