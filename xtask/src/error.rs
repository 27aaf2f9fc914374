//! What can go wrong while the site is built. Every error names the file, command or argument it
//! is about, because the reader sees one line and nothing else.

use std::io;
use std::path::{Path, PathBuf};

/// Why a command of the build tool failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line is not understood; the text says which part.
    #[error("{0}")]
    Usage(String),
    /// A file or directory could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory in question.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Cargo could not be started, failed, or answered with something unexpected.
    #[error("{0}")]
    Cargo(String),
    /// The compiled WebAssembly could not be bound to JavaScript.
    #[error("cannot bind the WebAssembly: {0}")]
    Bind(String),
    /// A style sheet ends inside a comment, a string or a url.
    #[error("{file}, line {line}: {what} is never closed")]
    Css {
        /// The style sheet, by name.
        file: String,
        /// Where the unclosed part begins; the first line is 1.
        line: usize,
        /// What was opened there.
        what: &'static str,
    },
    /// A JSON document (cargo's answer, our manifest or stamp) does not have the expected form.
    #[error("{what}: {source}")]
    Json {
        /// Which document.
        what: String,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// The site is larger than it may be; each line names one limit that is passed.
    #[error("{0}")]
    TooLarge(String),
}

/// Shorthand for the results of this program.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// For `map_err`: an I/O error about `path`.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
        let path = path.to_owned();
        move |source| Error::Io { path, source }
    }
}
