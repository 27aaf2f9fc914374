//! What an uploaded file says: its text, its rows, or that it is an image; or why it is refused, in
//! words. Pure: bytes and a name in, no files, no network, no clock. The service has it run in a child
//! process with limits ([`extract`] may be given anything); [`plain`] alone is safe enough to run in
//! place. Rule: nothing is ever cut silently — what cannot be taken whole is refused or noted.

mod docx;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzz;
mod image;
mod kind;
mod pdf;
mod split;
mod table;
mod text;

pub use image::image_tokens;
pub use kind::{Kind, kind};
pub use split::split;
pub use table::Table;

use serde::{Deserialize, Serialize};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: u64 = 25 << 20;
/// The most records of one table, and of one run.
pub const MAX_RECORDS: usize = 100_000;
/// The most pages of a document.
pub const MAX_PAGES: u64 = 10_000;
/// The most text that one file may hold, in bytes: a file that unpacks to more is no document.
pub(crate) const MAX_TEXT: usize = 100 << 20;

/// What the caller chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Options {
    /// The column of a table that holds the text; by default the one with the longest texts.
    pub text_column: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extracted {
    /// What it was found to be, such as `application/pdf`.
    pub media_type: String,
    /// Pages, where there are any.
    pub pages: Option<u32>,
    /// What it says.
    pub content: Content,
    /// What the user should know of how it was read.
    pub notes: Vec<String>,
}

/// What a file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A text.
    Text(String),
    /// Records.
    Table(Table),
    /// A picture, sent to the model as it is.
    Image {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is nothing in it.
    Empty,
    /// It is too large, or has too many pages, rows or columns.
    TooLarge,
    /// It is of a kind that is not read.
    Unsupported,
    /// It breaks the rules of its format.
    Damaged,
    /// It is protected by a password.
    Encrypted,
    /// It unpacks to far more than it should, or holds other archives.
    Bomb,
    /// There is no text in it.
    NoText,
    /// There is no such column.
    NoColumn,
    /// Reading it took too much time or memory.
    OverLimit,
}

/// A file that is not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{detail}")]
pub struct Refusal {
    /// For programs.
    pub reason: Reason,
    /// For people: what is wrong and what to do.
    pub detail: String,
}

impl Refusal {
    /// A refusal in words.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// The file is larger than files may be.
    #[must_use]
    pub fn too_large() -> Self {
        let most = MAX_FILE_BYTES >> 20;
        Self::new(Reason::TooLarge, format!("The file is larger than {most} MB: split it."))
    }
}

/// Reads a file. A parser that panics is a file that is damaged.
///
/// # Errors
/// Why it is refused.
pub fn extract(name: &str, bytes: &[u8], options: &Options) -> Result<Extracted, Refusal> {
    let read = || read(name, bytes, options);
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Refusal::new(
            Reason::Damaged,
            "The file is damaged: its parts contradict each other. Open it in the program that made \
             it and save it again.",
        ))
    })
}

/// Reads a file that is nothing but text, or an image of which only the header is looked at: that
/// takes no time and no memory worth a process of its own. None for everything else.
#[must_use]
pub fn plain(name: &str, bytes: &[u8]) -> Option<Result<Extracted, Refusal>> {
    match kind(name, bytes) {
        Ok(Kind::Text | Kind::Markdown | Kind::Png | Kind::Jpeg | Kind::Webp) => {
            Some(extract(name, bytes, &Options::default()))
        }
        Ok(_) => None,
        Err(refusal) => Some(Err(refusal)),
    }
}

fn read(name: &str, bytes: &[u8], options: &Options) -> Result<Extracted, Refusal> {
    let kind = kind(name, bytes)?;
    let mut notes: Vec<String> = kind.surprise(name).into_iter().collect();
    let (content, pages) = match kind {
        Kind::Text | Kind::Markdown => (Content::Text(text::text(bytes, &mut notes)?), None),
        Kind::Pdf => pdf::pdf(bytes, &mut notes)?,
        Kind::Docx => docx::docx(bytes, &mut notes)?,
        Kind::Csv => {
            let text = text::decode(bytes, &mut notes)?;
            (Content::Table(table::csv(name, &text, options, &mut notes)?), None)
        }
        Kind::Jsonl => {
            let text = text::decode(bytes, &mut notes)?;
            (Content::Table(table::jsonl(&text, options, &mut notes)?), None)
        }
        Kind::Png | Kind::Jpeg | Kind::Webp => (image::image(bytes)?, None),
    };
    Ok(Extracted { media_type: kind.media_type().to_owned(), pages, content, notes })
}
