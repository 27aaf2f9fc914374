//! Counting tokens the way OpenAI's current models do (the encoding `o200k_base`).
//!
//! Used for estimates before a run, and for an answer whose provider reports no usage.

use std::collections::HashSet;

use tiktoken_rs::{CoreBPE, o200k_base_singleton};

/// Where a text is cut when it cannot be counted in one go.
const PIECE: usize = 64 * 1024;

/// How many tokens a text has. Exact; text that looks like a special token counts as text.
///
/// Only a text with an unbroken run of about a million blanks or more, at which the tokenizer gives
/// up, is counted in pieces and may be off by a few tokens.
#[must_use]
pub fn count(text: &str) -> u64 {
    let encoding = o200k_base_singleton();
    exact(encoding, text).unwrap_or_else(|| in_pieces(encoding, text))
}

/// Loads the tables, which takes a fraction of a second, so that the first count does not have to.
pub fn warm_up() {
    let _ = o200k_base_singleton();
}

/// `CoreBPE::count_ordinary` panics where this reports an error.
fn exact(encoding: &CoreBPE, text: &str) -> Option<u64> {
    encoding.count(text, &HashSet::new()).ok().map(|count| count as u64)
}

fn in_pieces(encoding: &CoreBPE, mut text: &str) -> u64 {
    let mut total = 0;
    while !text.is_empty() {
        let (piece, rest) = text.split_at(cut_at(text));
        // A piece is far below the tokenizer's limits; one token a byte is the most there can be.
        total += exact(encoding, piece).unwrap_or(piece.len() as u64);
        text = rest;
    }
    total
}

/// Where the first piece ends: at the last space after a letter or digit, since no token spans
/// that; else wherever a character ends.
fn cut_at(text: &str) -> usize {
    if text.len() <= PIECE {
        return text.len();
    }
    let end = text.floor_char_boundary(PIECE);
    let mut after_word = false;
    let mut best = None;
    for (at, c) in text[..end].char_indices() {
        if c == ' ' && after_word {
            best = Some(at);
        }
        after_word = c.is_alphanumeric();
    }
    best.unwrap_or(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_are_those_of_o200k_base() {
        warm_up();
        // Held against another implementation, the npm package gpt-tokenizer.
        for (text, tokens) in [
            ("", 0),
            ("hello world", 2),
            ("Hello, world!", 4),
            ("tiktoken is great!", 6),
            ("antidisestablishmentarianism", 6),
            ("<|endoftext|>", 7),
            ("Grüße aus München, 東京 и Москва", 9),
            ("fn main() {\n    println!(\"hi\");\n}\n", 10),
            ("👩‍👩‍👧 1234567", 12),
        ] {
            assert_eq!(count(text), tokens, "{text}");
        }
    }

    #[test]
    fn a_text_of_one_endless_word_or_blank_is_counted() {
        assert_eq!(count(&"a".repeat(200_000)), 25_000);
        assert_eq!(count(&" ".repeat(200_000)), 1_563);
        // The tokenizer gives up on this one.
        let blanks = count(&format!("{}x", " ".repeat(2_000_000)));
        assert!((15_600..15_800).contains(&blanks), "{blanks}");
    }

    #[test]
    fn pieces_cut_between_words_count_the_same() {
        let text = "It was 7 o'clock, more or less; nobody knew. ".repeat(4_000);
        assert_eq!(in_pieces(o200k_base_singleton(), &text), count(&text));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_text_has_at_most_a_token_a_byte(text in ".{0,200}") {
            let tokens = count(&text);
            prop_assert!(tokens <= text.len() as u64);
            prop_assert_eq!(tokens == 0, text.is_empty());
        }
    }
}
