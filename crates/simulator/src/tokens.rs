//! Counting and cutting text as OpenAI's `o200k_base` tokens.
//!
//! Used while an answer is computed, on a blocking thread. The rule: the tokenizer only ever sees
//! short slices, because its regular expression and its merging turn slow, or panic, on one
//! unbroken run of hundreds of kilobytes.

use tiktoken_rs::{CoreBPE, Rank, o200k_base_singleton};

/// The most bytes handed to the tokenizer at once.
const SLICE: usize = 2_048;
/// The most bytes of a run without a word boundary.
const UNBROKEN: usize = 512;

/// The first call loads tables for a fraction of a second: never from an async thread.
pub(crate) fn tokenizer() -> &'static CoreBPE {
    o200k_base_singleton()
}

/// The number of tokens in `text`; exact unless it holds a run of more than 512 bytes with no space
/// between words.
pub(crate) fn count(text: &str) -> u32 {
    let tokens: usize = Slices(text).map(|slice| tokenizer().encode_ordinary(slice).len()).sum();
    u32::try_from(tokens).unwrap_or(u32::MAX)
}

/// A piece of an answer that is whole characters, and how many tokens reach to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    /// Tokens of the answer up to and including this piece.
    pub(crate) tokens: u32,
}

/// An answer as tokens, cut to a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pieces {
    pub(crate) pieces: Vec<Piece>,
    /// How many tokens were produced.
    pub(crate) tokens: u32,
    /// Whether the limit cut the text short.
    pub(crate) cut: bool,
}

impl Pieces {
    pub(crate) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// Splits `text` on token boundaries, joining tokens until they are whole characters, and stops
/// after `limit` tokens; a character the limit cuts in two is left out, its tokens still count.
pub(crate) fn split(text: &str, limit: Option<u32>) -> Pieces {
    let all: Vec<Rank> =
        Slices(text).flat_map(|slice| tokenizer().encode_ordinary(slice)).collect();
    let allowed = limit.map_or(all.len(), |limit| (limit as usize).min(all.len()));
    let mut result = Pieces { pieces: Vec::new(), tokens: 0, cut: allowed < all.len() };
    let mut pending = Vec::new();
    for rank in &all[..allowed] {
        result.tokens += 1;
        // A rank the tokenizer gave always decodes.
        pending.extend(tokenizer().decode_bytes(&[*rank]).unwrap_or_default());
        if let Ok(whole) = std::str::from_utf8(&pending) {
            result.pieces.push(Piece { text: whole.to_owned(), tokens: result.tokens });
            pending.clear();
        }
    }
    result
}

/// Slices of at most [`SLICE`] bytes, cut before a space that follows a letter or digit, where
/// `o200k_base` always starts a token, so that slicing ordinary text changes no count.
struct Slices<'a>(&'a str);

impl<'a> Iterator for Slices<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let (mut cut, mut before) = (None, ' ');
        let mut end = self.0.len();
        for (at, c) in self.0.char_indices() {
            if at >= SLICE || (at >= UNBROKEN && cut.is_none_or(|cut| at - cut >= UNBROKEN)) {
                end = cut.unwrap_or(at);
                break;
            }
            if c == ' ' && before.is_alphanumeric() {
                cut = Some(at);
            }
            before = c;
        }
        let (slice, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(slice)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slicing_changes_no_count_of_ordinary_text() {
        let text = include_str!("../../model/samples/business-report.txt").repeat(5);
        assert_eq!(count(&text) as usize, tokenizer().encode_ordinary(&text).len());
    }

    #[test]
    fn a_character_of_several_tokens_is_one_piece() {
        let text = "𓀀𓂀";
        let pieces = split(text, None);
        assert_eq!(pieces.text(), text);
        assert!(pieces.tokens as usize > pieces.pieces.len());
        let cut = split(text, Some(1));
        assert_eq!((cut.text().as_str(), cut.tokens, cut.cut), ("", 1, true));
    }

    #[test]
    fn a_limit_above_the_length_cuts_nothing() {
        let pieces = split("one two three", Some(50));
        assert_eq!((pieces.tokens, pieces.cut), (3, false));
    }

    #[test]
    fn long_unbroken_runs_are_counted() {
        for run in ["a", " ", "\n", "中", "🙂", "\0", "="] {
            assert!(count(&run.repeat(100_000)) > 0);
        }
    }

    proptest! {
        #[test]
        fn pieces_join_to_the_text(text in "(\\PC|[ \n\0😀中ع]){0,200}") {
            let pieces = split(&text, None);
            prop_assert_eq!(pieces.text(), text);
            prop_assert!(!pieces.cut);
        }
    }
}
