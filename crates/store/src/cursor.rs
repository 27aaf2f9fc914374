//! Where a page of runs ended, as text that means nothing to whoever carries it.
//!
//! Hexadecimal of the last row's sort key, behind a version, so that it needs no escaping in a URL.

use crate::StoreError;

const VERSION: &str = "a";
const SEPARATOR: char = '\n';

/// The sort key of a run: newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub created_key: String,
    pub id: String,
}

impl Cursor {
    /// Before the first row: sorts after every text.
    pub fn start() -> Self {
        Self { created_key: char::MAX.to_string(), id: String::new() }
    }

    pub fn to_text(&self) -> String {
        let plain = format!("{}{SEPARATOR}{}", self.created_key, self.id);
        let mut text = String::from(VERSION);
        for byte in plain.bytes() {
            text.extend(
                [byte >> 4, byte & 15].map(|n| char::from(b"0123456789abcdef"[n as usize])),
            );
        }
        text
    }

    pub fn from_text(text: &str) -> Result<Self, StoreError> {
        Self::parse(text).ok_or(StoreError::BadCursor)
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix(VERSION)?
            .chars()
            .map(|c| if c.is_ascii_uppercase() { None } else { c.to_digit(16) })
            .collect::<Option<Vec<u32>>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes = pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok());
        let plain = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
        let (created_key, id) = plain.split_once(SEPARATOR)?;
        let whole = rest.is_empty() && !created_key.is_empty() && !id.is_empty();
        whole.then(|| Self { created_key: created_key.to_owned(), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_text_form() {
        let cursor = Cursor { created_key: "2026-11-21T03:55:07.5".into(), id: "é-1".into() };
        let text = cursor.to_text();
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(Cursor::from_text(&text).unwrap(), cursor);
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "a", "x", "a1", "azz", "a31", "aff0a31", "a0a31", "a310a", "a31 0a31", "é"]
        {
            assert!(matches!(Cursor::from_text(text), Err(StoreError::BadCursor)), "{text:?}");
        }
    }
}
