//! What stands for what in a request from which personal data was taken out: how an answer gets the
//! originals back, all at once or piece by piece as it streams.
//!
//! Finding what is personal is the service's matter; here there are placeholders and originals alone.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// The placeholders of one request, each with what it stands for. Shown by its size alone: the
/// originals are nobody's business.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redaction {
    originals: BTreeMap<String, String>,
    placeholders: BTreeMap<String, String>,
    longest: usize,
    count: u32,
}

impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Redaction({} items)", self.originals.len())
    }
}

impl Redaction {
    /// The placeholder of an original, if it has one.
    #[must_use]
    pub fn placeholder(&self, original: &str) -> Option<&str> {
        self.placeholders.get(original).map(String::as_str)
    }

    /// Whether a placeholder is taken.
    #[must_use]
    pub fn stands_for_something(&self, placeholder: &str) -> bool {
        self.originals.contains_key(placeholder)
    }

    /// Adds a placeholder, which is written in brackets and has none within, and what it stands for.
    pub fn add(&mut self, placeholder: String, original: String) {
        self.longest = self.longest.max(placeholder.len());
        self.placeholders.insert(original.clone(), placeholder.clone());
        self.originals.insert(placeholder, original);
    }

    /// Counts one more place from which something was taken.
    pub fn count_one(&mut self) {
        self.count = self.count.saturating_add(1);
    }

    /// From how many places something was taken.
    #[must_use]
    pub const fn count(&self) -> u32 {
        self.count
    }

    /// The text with originals in the place of their placeholders.
    #[must_use]
    pub fn restore(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find('[') {
            let (before, from) = rest.split_at(start);
            out.push_str(before);
            let placeholder = self.at_the_start_of(from);
            match placeholder.and_then(|p| self.originals.get(p).map(|original| (p, original))) {
                Some((placeholder, original)) => {
                    out.push_str(original);
                    rest = from.get(placeholder.len()..).unwrap_or_default();
                }
                None => {
                    out.push('[');
                    rest = from.get(1..).unwrap_or_default();
                }
            }
        }
        out + rest
    }

    /// What has the form of a placeholder there, as far as one of ours can reach.
    fn at_the_start_of<'a>(&self, text: &'a str) -> Option<&'a str> {
        let near = text.as_bytes().get(..self.longest.min(text.len()))?;
        let end = near.iter().position(|b| *b == b']')?;
        text.get(..=end)
    }

    /// Whether a placeholder begins with this and goes on.
    fn begins_with(&self, start: &str) -> bool {
        let from = (Bound::Excluded(start), Bound::Unbounded);
        self.originals.range::<str, _>(from).next().is_some_and(|(p, _)| p.starts_with(start))
    }

    /// The other way round: the text with placeholders in the place of originals, for what is kept where
    /// others may find it.
    #[must_use]
    pub fn hide(&self, text: &str) -> String {
        let mut pairs: Vec<_> = self.originals.iter().collect();
        // Longest first, or an original inside another would leave the rest of that one.
        pairs.sort_by_key(|(_, original)| std::cmp::Reverse(original.len()));
        let mut out = text.to_owned();
        for (placeholder, original) in pairs {
            out = out.replace(original, placeholder);
        }
        out
    }
}

/// Puts originals back into text that comes in pieces. What may be the beginning of a placeholder is
/// held back until it is known whether it is.
#[derive(Debug)]
pub struct Restorer {
    redaction: Arc<Redaction>,
    held: String,
}

impl Restorer {
    /// For an answer to this request.
    #[must_use]
    pub const fn new(redaction: Arc<Redaction>) -> Self {
        Self { redaction, held: String::new() }
    }

    /// Takes the next piece, and gives what can be shown of the text so far; empty when nothing can.
    pub fn push(&mut self, piece: &str) -> String {
        self.held.push_str(piece);
        let begins =
            |at: &usize| self.redaction.begins_with(self.held.get(*at..).unwrap_or_default());
        // Only the last bracket can be of a placeholder that is not whole yet.
        let cut = self.held.rfind('[').filter(begins).unwrap_or(self.held.len());
        let rest = self.held.split_off(cut);
        let ready = std::mem::replace(&mut self.held, rest);
        self.redaction.restore(&ready)
    }

    /// What was held back when the answer is over.
    pub fn finish(&mut self) -> String {
        let held = std::mem::take(&mut self.held);
        self.redaction.restore(&held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redaction() -> Redaction {
        let mut redaction = Redaction::default();
        redaction.add("[EMAIL_1]".to_owned(), "ann@example.org".to_owned());
        redaction.add("[EMAIL_10]".to_owned(), "bob@example.org".to_owned());
        redaction.add("[PHONE_1]".to_owned(), "+49 30 1234567".to_owned());
        redaction
    }

    #[test]
    fn placeholders_become_originals_and_other_brackets_stay() {
        let restored = redaction().restore("[[EMAIL_1]] and [EMAIL_10], not [EMAIL_2] or [EMAIL_1");
        assert_eq!(restored, "[ann@example.org] and bob@example.org, not [EMAIL_2] or [EMAIL_1");
        assert_eq!(redaction().hide("to ann@example.org."), "to [EMAIL_1].");
        assert!(!format!("{:?}", redaction()).contains("example.org"));
    }

    #[test]
    fn nothing_is_held_back_that_cannot_be_a_placeholder() {
        let mut restorer = Restorer::new(Arc::new(redaction()));
        assert_eq!(restorer.push("Dear [EM"), "Dear ");
        assert_eq!(restorer.push("AIL_1"), "");
        assert_eq!(restorer.push("], see [x"), "ann@example.org, see [x");
        assert_eq!(restorer.push(" [PHONE"), " ");
        assert_eq!(restorer.finish(), "[PHONE");
    }

    proptest! {
        #[test]
        fn pieces_give_the_same_as_the_whole(
            parts in prop::collection::vec(r"\[EMAIL_1\]|\[EMAIL_10\]|\[PHONE_1\]|\[|\]|EMAIL_1|[a-zé ]{0,4}", 0..20),
            cuts in prop::collection::vec(1usize..6, 0..60),
        ) {
            let text: String = parts.concat();
            let redaction = Arc::new(redaction());
            let mut restorer = Restorer::new(Arc::clone(&redaction));
            let (mut out, mut chars) = (String::new(), text.chars());
            for cut in cuts {
                let piece: String = chars.by_ref().take(cut).collect();
                out.push_str(&restorer.push(&piece));
            }
            out.push_str(&restorer.push(chars.as_str()));
            out.push_str(&restorer.finish());
            prop_assert_eq!(out, redaction.restore(&text));
        }
    }
}
