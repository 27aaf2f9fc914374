//! A look at a database that changes nothing, not even its tables: for a check of the installation,
//! also while a server uses it.

use std::path::Path;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::{StoreError, open};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The last migration applied; none where it has none of ours.
    pub version: Option<i64>,
    /// The last migration that this program knows.
    pub known: i64,
    /// The size of the file.
    pub bytes: u64,
    /// Whether the whole file was looked through.
    pub whole: bool,
}

/// Up to this size the whole file is looked through; that takes some seconds.
const LOOK_THROUGH_BYTES: u64 = 1 << 30;

/// Looks at the database at `path`.
///
/// # Errors
/// When it cannot be read, is not sound, or is not ours.
pub async fn inspect(path: &Path) -> Result<Inspection, StoreError> {
    let bytes = std::fs::metadata(path)?.len();
    let options = SqliteConnectOptions::new().filename(path).read_only(true);
    let pool: SqlitePool =
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let found = async {
        let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&pool).await?;
        if id != open::APPLICATION_ID {
            return Err(StoreError::Foreign);
        }
        let version: Option<i64> =
            sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations WHERE success")
                .fetch_one(&pool)
                .await?;
        let whole = bytes <= LOOK_THROUGH_BYTES;
        if whole {
            let found: String =
                sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&pool).await?;
            if found != "ok" {
                return Err(StoreError::corrupt(found.lines().next_back().unwrap_or_default()));
            }
        }
        Ok(Inspection { version, known: open::newest(), bytes, whole })
    }
    .await;
    pool.close().await;
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[tokio::test]
    async fn a_database_in_use_is_sound_and_of_this_version() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lanes.db");
        let store = Store::open(&file).await.unwrap();
        let found = inspect(&file).await.unwrap();
        assert_eq!(found.version, Some(found.known));
        assert!(found.whole && found.bytes > 0);
        store.close().await;
        assert!(inspect(&file).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_that_is_something_else_is_told_apart_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lanes.db");
        assert!(inspect(&file).await.is_err(), "there is none");
        assert!(!file.exists(), "and none was made");
        std::fs::write(&file, "no database, though long enough for one".repeat(100)).unwrap();
        assert!(inspect(&file).await.is_err());
    }
}
