//! The language of a text, by its smallest words.

/// Languages and words that hardly any text of theirs is without.
const SMALL_WORDS: &[(&str, &str)] = &[
    ("english", "the and is of to my you it i a not have for with was"),
    ("spanish", "el la los las que de y en es mi por para no se con una un está"),
    ("german", "der die das und ist ich nicht ein eine mit zu es sie den auf für mein meine"),
    ("french", "le la les des est et je ne pas un une mon ma vous que pour dans"),
    ("italian", "il lo gli che di è e non un una per con mio sono la"),
];

/// Whether a label names a language that is known here.
pub(super) fn is_one(label: &str) -> bool {
    SMALL_WORDS.iter().any(|(name, _)| *name == label)
}

/// The name of the language, in lower case; none when no small word is there.
pub(super) fn of(text: &str) -> Option<&'static str> {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphabetic()).collect();
    let counts = SMALL_WORDS.iter().map(|(name, list)| {
        let small: Vec<&str> = list.split(' ').collect();
        (words.iter().filter(|word| small.contains(word)).count(), *name)
    });
    // Of two that are alike the first.
    let best = counts.fold((0, ""), |best, one| if one.0 > best.0 { one } else { best });
    (best.0 > 0).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_words_tell_the_language() {
        assert_eq!(of("My bill is wrong and I have called before."), Some("english"));
        assert_eq!(of("La factura de mi casa no es la que esperaba."), Some("spanish"));
        assert_eq!(of("Ich habe die Rechnung nicht und das ist nicht gut."), Some("german"));
        assert_eq!(of("12345"), None);
    }
}
