//! [`StoreError`]: what can go wrong with the database, told apart by what a caller would do.
//!
//! SQLite's result codes are read here and nowhere else.

use std::path::PathBuf;

/// Any cause, kept for the log.
pub(crate) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database could not be opened at all; the source says why.
    #[error("the database {} cannot be opened: {source}. {}", path.display(), source.advice())]
    Open {
        /// The file, as an absolute path.
        path: PathBuf,
        /// Why.
        source: Box<StoreError>,
    },
    /// The file cannot be reached, read or written.
    #[error("the database cannot be used: {source}")]
    Unavailable {
        /// Why.
        source: Cause,
    },
    /// There is no room left on the disk.
    #[error("the disk that holds the database is full")]
    Full {
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// Someone else has held the database for longer than we wait.
    #[error("the database is locked by another program")]
    Locked {
        /// What SQLite said.
        source: sqlx::Error,
    },
    /// The file is damaged, or no database.
    #[error("the file is damaged or is no database ({source})")]
    Corrupt {
        /// What is wrong with it.
        source: Cause,
    },
    /// The file is a database of another program.
    #[error("the file is a database of another program")]
    Foreign,
    /// The file was written by another version of Lanes, whose tables this one does not know.
    #[error("the file was written by another version of Lanes ({source})")]
    OtherVersion {
        /// Which migration is missing or differs.
        source: sqlx::migrate::MigrateError,
    },
    /// Something stored is not the JSON it should be, or something given cannot be written as JSON.
    #[error("{what} cannot be read or written as JSON: {source}")]
    Json {
        /// What, such as "event 3 of run x".
        what: String,
        /// Where it stops being readable.
        source: serde_json::Error,
    },
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// It contradicts what is stored.
    #[error("{detail}")]
    Conflict {
        /// What contradicts what.
        detail: String,
        /// What SQLite said, when it noticed.
        source: Option<sqlx::Error>,
    },
    /// The idempotency key was used before, for another request.
    #[error("this idempotency key was already used for a different request")]
    IdempotencyMismatch,
    /// A cursor that no page ever gave.
    #[error("the cursor is not one that a page of runs gave")]
    BadCursor,
    /// Events are waiting in the writer because the last commit failed; they are tried again.
    #[error("{pending} events are not written yet: the database did not accept them")]
    NotWritten {
        /// How many wait.
        pending: usize,
    },
    /// The store, or the writer's task, has ended.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What a person can do about it, in a sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Open { source, .. } => source.advice(),
            Self::Unavailable { .. } => {
                "Check that the folder exists and can be written, or choose another data directory."
            }
            Self::Full { .. } | Self::NotWritten { .. } => "Free some space on the disk.",
            Self::Locked { .. } => "End the other program that uses it, or try again.",
            Self::Corrupt { .. } => {
                "Restore a backup, or move the file and its -wal and -shm neighbours away to begin \
                 with an empty database."
            }
            Self::Foreign => "Choose another data directory.",
            Self::OtherVersion { .. } => {
                "Use the version of Lanes that wrote it, or choose another data directory."
            }
            Self::Json { .. } => "Use the version of Lanes that wrote it.",
            Self::NotFound { .. } | Self::Conflict { .. } => "Check the name.",
            Self::IdempotencyMismatch => "Use a new key for a new request.",
            Self::BadCursor => "Begin again without a cursor.",
            Self::Closed => "Start the program again.",
        }
    }

    /// A damaged file, in our own words.
    pub(crate) fn corrupt(what: impl Into<Cause>) -> Self {
        Self::Corrupt { source: what.into() }
    }

    /// There is no run of this name.
    pub(crate) fn no_run(id: &lanes_model::RunId) -> Self {
        Self::NotFound { what: "run", id: id.0.clone() }
    }
}

/// The primary result code of SQLite: the low byte of what it reports.
fn primary_code(error: &dyn sqlx::error::DatabaseError) -> Option<i32> {
    Some(error.code()?.parse::<i32>().ok()? & 0xff)
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match &source {
            // https://www.sqlite.org/rescode.html
            sqlx::Error::Database(e) => match primary_code(e.as_ref()) {
                Some(5 | 6) => Self::Locked { source },
                Some(13) => Self::Full { source },
                Some(11 | 26) => Self::Corrupt { source: source.into() },
                Some(19) => Self::Conflict {
                    detail: format!("the database refused it: {}", e.message()),
                    source: Some(source),
                },
                _ => Self::Unavailable { source: source.into() },
            },
            sqlx::Error::PoolTimedOut => Self::Locked { source },
            sqlx::Error::PoolClosed => Self::Closed,
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Corrupt { source: source.into() }
            }
            _ => Self::Unavailable { source: source.into() },
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError as E;
        match error {
            E::Execute(source) | E::ExecuteMigration(source, _) => source.into(),
            source => Self::OtherVersion { source },
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(source: std::io::Error) -> Self {
        Self::Unavailable { source: source.into() }
    }
}
