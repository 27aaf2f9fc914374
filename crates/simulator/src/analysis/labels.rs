//! The answer to instructions that name the labels to choose from.
//!
//! The rule: the label comes from the text, by its sentiment, its category or its words; only where none
//! of them says anything, chance does.

use crate::draw::ContentHash;

use super::{
    category, language, sentiment,
    words::{is_content, words},
};

/// The labels that instructions name: a list under "one of these labels:", or one behind "one of:".
pub(super) fn named(instructions: &str) -> Vec<String> {
    const HEADS: [&str; 3] = ["one of these labels", "one of the following", "one of:"];
    let mut lines = instructions.lines();
    let head = lines.by_ref().map(str::trim).find(|line| {
        let lower = line.to_lowercase();
        HEADS.iter().any(|head| lower.contains(head)) && lower.contains(':')
    });
    let Some(head) = head else { return Vec::new() };
    let inline = head.rsplit_once(':').map_or("", |(_, rest)| rest).trim().trim_end_matches('.');
    if !inline.is_empty() {
        return inline.split(',').map(|label| label.trim().to_owned()).collect();
    }
    let listed = lines.map_while(|line| line.trim().strip_prefix(['-', '*']));
    listed.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect()
}

/// The label that fits the text; none when there are none.
pub(super) fn choose(labels: &[String], text: &str) -> Option<String> {
    place(labels, text).and_then(|place| labels.get(place)).cloned()
}

fn place(labels: &[String], text: &str) -> Option<usize> {
    if labels.is_empty() {
        return None;
    }
    let lower: Vec<String> = labels.iter().map(|label| label.to_lowercase()).collect();
    if lower.iter().filter(|label| language::is_one(label)).count() > 1
        && let Some(spoken) = language::of(text)
        && let Some(found) = lower.iter().position(|label| label == spoken)
    {
        return Some(found);
    }
    let first = |answer: String| answer.split('.').next().unwrap_or("").trim().to_lowercase();
    let mood = first(sentiment::answer(text));
    if let Some(found) = lower.iter().position(|label| label.contains(&mood)) {
        return Some(found);
    }
    let category = first(category::answer(text));
    if let Some(found) = lower.iter().position(|label| label.contains(&category)) {
        return Some(found);
    }
    let agrees = match mood.as_str() {
        "negative" => "no",
        _ => "yes",
    };
    if let Some(found) = lower.iter().position(|label| label == agrees) {
        return Some(found);
    }
    let terms: Vec<String> = words(text).into_iter().map(|word| word.term).collect();
    // Words are alike when they begin alike: refund, refunded.
    let alike = |a: &str, b: &str| {
        let stem: String = b.chars().take(5).collect();
        b.chars().count() > 2 && a.starts_with(&stem)
    };
    let counts = lower.iter().map(|label| {
        let named: Vec<_> =
            words(label).into_iter().filter(|word| is_content(&word.term)).collect();
        terms.iter().filter(|term| named.iter().any(|word| alike(term, &word.term))).count()
    });
    let counts: Vec<usize> = counts.collect();
    let most = counts.iter().copied().max().unwrap_or(0);
    if most > 0 {
        return counts.iter().position(|count| *count == most);
    }
    let chance = ContentHash::new().with(text).finish() % labels.len() as u64;
    usize::try_from(chance).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose_from(labels: &[&str], text: &str) -> String {
        let labels: Vec<_> = labels.iter().map(|l| (*l).to_owned()).collect();
        choose(&labels, text).unwrap()
    }

    #[test]
    fn labels_are_found_in_a_list_and_behind_a_colon() {
        let list = "Route it.\n\nAnswer with exactly one of these labels and with nothing else:\n- Billing\n- Technical fault\n\nThanks.";
        assert_eq!(named(list), ["Billing", "Technical fault"]);
        assert_eq!(named("Answer with one of: yes, no."), ["yes", "no"]);
        assert_eq!(named("Pick one of them."), [""; 0]);
        assert_eq!(named(""), [""; 0]);
    }

    #[test]
    fn the_text_decides() {
        let angry = "This is terrible. I hate the broken, awful service. I want a refund.";
        assert_eq!(choose_from(&["Positive", "Neutral", "Negative"], angry), "Negative");
        assert_eq!(choose_from(&["Delivery", "Refunds", "Praise"], angry), "Refunds");
        let two = ["Alpha", "Beta"];
        assert_eq!(choose_from(&two, "Stone."), choose_from(&two, "Stone."));
        assert_eq!(
            choose_from(&["Say the bill", "Engineer"], "The engineer saw the cat."),
            "Engineer"
        );
        assert_eq!(choose(&[], angry), None);
        let tongues = ["English", "German", "Spanish"];
        assert_eq!(choose_from(&tongues, "Ich bin nicht zufrieden und das ist schade."), "German");
    }
}
