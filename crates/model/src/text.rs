//! The size of a text in the three ways that people and providers measure it.

use serde::{Deserialize, Serialize};

/// The size of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextCount {
    /// Tokens (o200k encoding).
    pub tokens: u64,
    /// Words: what stands between white space.
    pub words: u64,
    /// Bytes of UTF-8.
    pub bytes: u64,
    /// Whether `tokens` is a guess, made where there is no tokenizer.
    #[serde(default)]
    pub estimated: bool,
}

impl TextCount {
    /// The size with tokens counted by a tokenizer.
    #[must_use]
    pub fn exact(text: &str, tokens: u64) -> Self {
        Self { tokens, words: words(text), bytes: text.len() as u64, estimated: false }
    }

    /// The size with tokens guessed from the bytes: four to a token, as in English prose.
    #[must_use]
    pub fn guess(text: &str) -> Self {
        let bytes = text.len() as u64;
        Self { tokens: bytes.div_ceil(4), words: words(text), bytes, estimated: true }
    }
}

/// Words as people count them: what stands between white space.
#[must_use]
pub fn words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}
