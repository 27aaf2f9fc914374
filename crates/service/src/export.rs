//! A run as a file: JSON, CSV or a Markdown report.
//!
//! Reads the folded state alone, so that an export says what every other face says. The rule: what
//! came from outside (titles, answers, messages) can neither break the file's form nor become a
//! formula or markup in the program that opens it.

mod columns;
mod report;
mod rows;
mod stream;
#[cfg(test)]
mod tests;
mod whole;

use lanes_model::{Micros, RunState, RunView};

pub use stream::StreamFormat;

use crate::ServiceError;

/// The longest part of a file name that comes from the run's title, in characters.
const SLUG_CHARS: usize = 40;

/// The forms a run can be exported in here; the chart is drawn by the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// Everything, as the REST API shows it.
    Json,
    /// One row for each call of each pass.
    Csv,
    /// A report to read.
    Markdown,
}

impl ExportFormat {
    /// The format of that name in requests: `json`, `csv` or `md`.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "md" => Some(Self::Markdown),
            _ => None,
        }
    }

    /// The end of its file names, which is also its name in requests.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Markdown => "md",
        }
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

/// A file to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// Its name, ASCII without spaces.
    pub file_name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub body: String,
}

/// Writes a run in a form, as it stands at `now` on its clock.
///
/// # Errors
/// [`ServiceError::Export`] when it cannot be written.
pub fn export(state: &RunState, now: Micros, format: ExportFormat) -> Result<Export, ServiceError> {
    let view = RunView::of(state, now);
    let body = match format {
        ExportFormat::Json => {
            let mut text = serde_json::to_string_pretty(&view)
                .map_err(|e| ServiceError::Export(e.to_string()))?;
            text.push('\n');
            text
        }
        ExportFormat::Csv => stream::csv_of(state)?,
        ExportFormat::Markdown => report::markdown(state, &view),
    };
    Ok(Export {
        file_name: file_name(&view.title, view.id.as_str(), format.extension()),
        media_type: format.media_type(),
        body,
    })
}

/// `lanes-<title>-<first 8 of the id>.<extension>`, safe in every file system and header.
#[must_use]
pub fn file_name(title: &str, id: &str, extension: &str) -> String {
    let mut slug = String::new();
    for c in title.chars() {
        if slug.len() >= SLUG_CHARS {
            break;
        }
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = match slug.trim_end_matches('-') {
        "" => "run",
        slug => slug,
    };
    let id: String = id.chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    format!("lanes-{slug}-{id}.{extension}")
}
