//! What can go wrong when the program is asked to do something, apart from failures of calls, which
//! are results.

use lanes_model::FieldError;
use lanes_provider::ConfigError;
use lanes_store::StoreError;

/// Why a request to the service failed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The request itself is wrong, at these places.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// There is no such run, document or text.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done in the present state.
    #[error("{0}")]
    Conflict(String),
    /// A provider is configured wrongly.
    #[error(transparent)]
    Provider(#[from] ConfigError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored log cannot be read.
    #[error("the stored run cannot be read: {0}")]
    Fold(#[from] lanes_model::FoldError),
    /// An export could not be written.
    #[error("the export could not be written: {0}")]
    Export(String),
    /// The log of the runs that go on cannot be written.
    #[error("{0}")]
    NotWritten(String),
    /// The system gives no random bytes, or a hash cannot be made.
    #[error("{0}")]
    Random(String),
    /// Something that always works did not.
    #[error("{0}")]
    Internal(String),
    /// The program is stopping and takes no new run.
    #[error("Lanes is stopping; try again once it is back")]
    Stopping,
}

impl ServiceError {
    /// What is wrong and what to do about it, in sentences.
    #[must_use]
    pub fn told(&self) -> String {
        let words = self.to_string();
        let mut chars = words.chars();
        let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
        let words = first + chars.as_str();
        match self {
            Self::Store(error) => format!("{words}. {}", error.advice()),
            _ if words.ends_with(['.', '!', '?']) => words,
            _ => words + ".",
        }
    }

    /// No run has that id.
    #[must_use]
    pub fn no_run(id: &str) -> Self {
        let id: String = id.chars().filter(|c| !c.is_control()).take(40).collect();
        Self::NotFound(format!("There is no run “{id}”."))
    }
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(|e| e.detail.as_str()).collect::<Vec<_>>().join(" ")
}
