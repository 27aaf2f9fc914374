//! The bodies of answers that are nobody else's type: lists with their cursors, ids of what was made.
//! The field names are a contract with other programs: they are only ever added to.

use lanes_model::batch::CallRow;
use lanes_model::{DocumentId, FieldError, RunSummary, TaskId};
use lanes_service::{ApiKey, DocumentView, SampleRecord};
use serde::Serialize;
use utoipa::ToSchema;

/// The program is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Alive {
    /// Always `ok`.
    pub status: &'static str,
    /// The program's version.
    pub version: &'static str,
}

/// The program could take a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// Always `ready`.
    pub status: &'static str,
    /// Runs that are going on.
    pub live_runs: usize,
}

/// What was made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Named {
    /// Its id.
    pub id: String,
}

/// A sample text.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleView {
    /// The name used in requests.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Length in tokens (o200k encoding).
    pub tokens: u64,
    /// Length in words.
    pub words: u64,
    /// Length in bytes of UTF-8.
    pub bytes: u64,
    /// The text.
    pub text: Option<&'static str>,
}

/// A page of the list of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    /// The runs, newest first.
    pub items: Vec<RunSummary>,
    /// Where the next page begins; null after the last.
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A page of the list of documents.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentList {
    /// The documents, newest first.
    pub items: Vec<DocumentView>,
    /// Where the next page begins; null after the last.
    pub next_cursor: Option<String>,
    /// How many there are on all pages.
    pub total: u64,
}

/// A page of the calls of a run.
#[derive(Debug, Serialize, ToSchema)]
pub struct CallList {
    /// The calls.
    pub items: Vec<CallRow>,
    /// Where the next page begins; null after the last.
    pub next_cursor: Option<String>,
}

/// Failed calls that are tried again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Retried {
    /// The run.
    pub id: String,
    /// How many calls.
    pub calls: u32,
}

/// Tasks that were taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Imported {
    /// Their ids.
    pub imported: Vec<TaskId>,
}

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Checked {
    /// Whether nothing is wrong.
    pub valid: bool,
    /// What is wrong.
    pub errors: Vec<Found>,
}

/// One thing that is wrong in a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Found {
    /// Where and what.
    #[serde(flatten)]
    pub error: FieldError,
    /// In which line of the file, from 1, as far as that is known.
    pub line: Option<usize>,
}

/// Records to try a workflow on.
#[derive(Debug, Serialize, ToSchema)]
pub struct Records {
    /// The records.
    pub records: Vec<SampleRecord>,
}

/// Documents that were taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentIds {
    /// Their ids.
    pub document_ids: Vec<DocumentId>,
}

/// The keys there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyList {
    /// The keys, in the order in which they were made.
    pub items: Vec<ApiKey>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub struct NewKey {
    /// The key as it is listed from now on.
    #[serde(flatten)]
    pub listed: ApiKey,
    /// All of it, with the secret. It is shown this once.
    pub key: String,
}

/// A message that is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Redelivered {
    /// The delivery.
    pub id: i64,
}

/// What an upload consists of.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "described, not made: the parts are read as they come")]
pub struct UploadForm {
    /// A file; repeat the part for each.
    #[schema(value_type = String, format = Binary)]
    pub file: Vec<u8>,
    /// The column of tables that holds the text.
    pub text_column: Option<String>,
}

/// The kinds of file that a run can be read as.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "described, not made: the handler reads the names")]
pub enum ExportAs {
    /// The state as JSON.
    Json,
    /// A call a line.
    Jsonl,
    /// A call a row.
    Csv,
    /// The same in columns.
    Parquet,
    /// A report.
    Md,
    /// The timeline.
    Svg,
}

/// The order of a list of calls.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "described, not made: the handler reads the names")]
pub enum CallOrder {
    /// That of the plan.
    Plan,
    /// By the documents' names.
    Document,
    /// The longest first.
    Duration,
}
