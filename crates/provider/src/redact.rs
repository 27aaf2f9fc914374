//! Makes foreign text safe to show: no secrets, no control characters, no endless text.
//!
//! Every failure passes through here once, at the crate's edge, so no other place needs to care.

use std::sync::Arc;

use lanes_model::Failure;
use secrecy::{ExposeSecret, SecretString};

const HIDDEN: &str = "[hidden]";
/// A secret this short may be part of ordinary words: it is hidden where it stands alone.
const SHORT: usize = 8;
/// The most characters of a provider's own words.
const MOST_WORDS: usize = 300;
/// The most characters of a whole message, our words included.
const MOST_MESSAGE: usize = 600;

/// Knows the secrets of one provider.
#[derive(Clone)]
pub(crate) struct Redactor(Arc<[SecretString]>);

impl Redactor {
    pub(crate) fn new(secrets: Vec<String>) -> Self {
        let mut secrets: Vec<String> = secrets.into_iter().filter(|s| !s.is_empty()).collect();
        // Longest first, or a secret inside another would leave the rest of that one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets.into_iter().map(SecretString::from).collect())
    }

    /// A provider's words for use in a message, at most 300 characters.
    pub(crate) fn words(&self, text: &str) -> String {
        self.clean(text, MOST_WORDS)
    }

    /// A failure whose message is safe whatever it was made of.
    pub(crate) fn failure(&self, mut failure: Failure) -> Failure {
        failure.message = self.clean(&failure.message, MOST_MESSAGE);
        failure
    }

    fn clean(&self, text: &str, most: usize) -> String {
        // Secrets first: cutting first could leave the beginning of one.
        let mut text = text.to_owned();
        for secret in self.0.iter() {
            text = hide(&text, secret.expose_secret());
        }
        cut(&one_line(&hide_lookalikes(&text)), most)
    }
}

fn hide(text: &str, secret: &str) -> String {
    if secret.len() >= SHORT {
        return text.replace(secret, HIDDEN);
    }
    let stands_alone = |at: usize| {
        let word = |c: char| c.is_alphanumeric();
        !text[..at].chars().next_back().is_some_and(word)
            && !text[at + secret.len()..].chars().next().is_some_and(word)
    };
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices(secret).filter(|(at, _)| stands_alone(*at)) {
        out.push_str(&text[from..at]);
        out.push_str(HIDDEN);
        from = at + secret.len();
    }
    out + &text[from..]
}

/// Hides what looks like a key of anyone's: `sk-…`, and words with a middle of asterisks, as
/// providers print keys they half hide.
fn hide_lookalikes(text: &str) -> String {
    let in_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '*' | '.' | '…');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(in_word) {
        let end = rest[start..].find(|c| !in_word(c)).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        out.push_str(&rest[..start]);
        if word.starts_with("sk-") || word.contains("***") {
            out.push_str(HIDDEN);
            // A full stop at the end belongs to the sentence.
            if word.ends_with('.') {
                out.push('.');
            }
        } else {
            out.push_str(word);
        }
        rest = &rest[end..];
    }
    out + rest
}

/// Control characters, and the marks that turn the direction of text, become spaces; runs of
/// spaces become one.
fn one_line(text: &str) -> String {
    let unfit = |c: char| {
        c.is_control()
            || c.is_whitespace()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.split(unfit).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redactor(secrets: &[&str]) -> Redactor {
        Redactor::new(secrets.iter().map(|s| (*s).to_owned()).collect())
    }

    #[test]
    fn keys_are_hidden_whole_or_half_hidden() {
        let redactor = redactor(&["planted-key-123"]);
        for (given, shown) in [
            (
                "Incorrect API key provided: planted-key-123.",
                "Incorrect API key provided: [hidden].",
            ),
            ("key=xplanted-key-123x", "key=x[hidden]x"),
            ("got 'sk-abc***xyz'.", "got '[hidden]'."),
            ("bad key: sk-other-0.", "bad key: [hidden]."),
            ("bad key: pla*****123", "bad key: [hidden]"),
            ("ask-me is no key, 2 ** 3 is no key", "ask-me is no key, 2 ** 3 is no key"),
        ] {
            assert_eq!(redactor.words(given), shown);
        }
    }

    #[test]
    fn a_short_key_is_hidden_only_where_it_stands_alone() {
        assert_eq!(redactor(&["abc"]).words("abcd abc (abc)"), "abcd [hidden] ([hidden])");
    }

    #[test]
    fn a_key_is_hidden_before_the_text_is_cut() {
        let text = format!("{}planted-key-123", "x ".repeat(148));
        assert!(!redactor(&["planted-key-123"]).words(&text).contains("plan"));
    }

    #[test]
    fn control_characters_become_spaces_and_long_text_is_cut() {
        let redactor = redactor(&[]);
        assert_eq!(redactor.words("a\r\n\tb\u{1b}[31m\u{202e}c\0"), "a b [31m c");
        let cut = redactor.words(&"é".repeat(1000));
        assert_eq!(cut.chars().count(), 300);
        assert!(cut.ends_with('…'));
    }

    proptest! {
        #[test]
        fn no_text_brings_a_planted_key_through(before in ".*", after in ".*") {
            let redactor = redactor(&["planted-key-123"]);
            let out = redactor.words(&format!("{before}planted-key-123{after}"));
            prop_assert!(!out.contains("planted-key-123"));
            prop_assert!(!out.chars().any(char::is_control));
        }
    }
}
