//! One program at a time on one data directory: a second would take the first one's runs for
//! interrupted. The lock says where its holder listens, so that other commands find it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use super::CliError;

/// Held for as long as the program uses the directory; the system lets it go with the process, however
/// that ends.
#[derive(Debug)]
pub struct DataLock {
    file: File,
}

/// Its name in the directory.
const NAME: &str = "lanes.lock";

impl DataLock {
    /// Takes the directory, which is made when it is not there.
    ///
    /// # Errors
    /// [`CliError::DataInUse`] when another program has it; an input or output error otherwise.
    pub fn take(directory: &Path) -> Result<Self, CliError> {
        std::fs::create_dir_all(directory)?;
        // What is written in it stays until the lock is ours.
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).truncate(false).open(directory.join(NAME))?;
        match file.try_lock() {
            Ok(()) => {
                file.set_len(0)?;
                Ok(Self { file })
            }
            Err(TryLockError::WouldBlock) => Err(CliError::DataInUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// Says where the program listens.
    pub fn tell(&self, url: &str) {
        if let Err(error) = (&self.file).write_all(url.as_bytes()) {
            tracing::debug!(%error, "other commands will not find this server by its directory");
        }
    }

    /// Where the holder of the directory's lock listens, if it has said so.
    #[must_use]
    pub fn holder(directory: &Path) -> Option<String> {
        let url = std::fs::read_to_string(directory.join(NAME)).ok()?;
        url.starts_with("http://").then(|| url.trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_taken_once_and_free_again_afterwards() {
        let directory = tempfile::tempdir().unwrap();
        let first = DataLock::take(directory.path()).unwrap();
        let second = DataLock::take(directory.path());
        assert!(matches!(second, Err(CliError::DataInUse(_))), "{second:?}");
        assert_eq!(DataLock::holder(directory.path()), None);
        first.tell("http://127.0.0.1:7862");
        drop(DataLock::take(directory.path()));
        let url = DataLock::holder(directory.path());
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:7862"), "a second one changes nothing");
        drop(first);
        DataLock::take(directory.path()).unwrap();
    }
}
