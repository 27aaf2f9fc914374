//! One program at a time on one data directory: a second would take the first one's runs for
//! interrupted.

use std::fs::{File, TryLockError};
use std::path::Path;

use super::CliError;

/// Held for as long as the program uses the directory; the system lets it go with the process, however
/// that ends.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

impl DataLock {
    /// Takes the directory, which is made when it is not there.
    ///
    /// # Errors
    /// [`CliError::DataInUse`] when another program has it; an input or output error otherwise.
    pub fn take(directory: &Path) -> Result<Self, CliError> {
        std::fs::create_dir_all(directory)?;
        let file = File::create(directory.join("lanes.lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(CliError::DataInUse(directory.to_owned())),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
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
        drop(first);
        DataLock::take(directory.path()).unwrap();
    }
}
