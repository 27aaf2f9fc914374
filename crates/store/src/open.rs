//! Opening: the folder, the file, its permissions, the checks, the migrations.
//!
//! Nothing of a file is changed before it is known to be ours, and every error says which file it
//! is about and what to do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::{Store, StoreError};

static MIGRATOR: Migrator = sqlx::migrate!();

/// Marks our files; the first migration writes the same number.
pub(crate) const APPLICATION_ID: i64 = 0x4c41_4e45;
/// How long SQLite waits for a lock.
const BUSY: Duration = Duration::from_secs(5);
/// How long to wait for the one writing connection, which others of this program may hold.
const ACQUIRE: Duration = Duration::from_secs(15);
const READERS: u32 = 4;
/// Up to this size the whole file is looked through at opening; that takes a fraction of a second.
/// The pages of a larger one are checked when they are read.
const LOOK_THROUGH_BYTES: u64 = 64 << 20;
/// The smallest page that SQLite has, and so the smallest file with anything in it.
const SMALLEST_BYTES: u64 = 512;

impl Store {
    /// Opens the database at `path`, and makes it, with its folders, when there is none. Only its
    /// owner may read it.
    ///
    /// # Errors
    /// [`StoreError::Open`], which names the file, the reason and what to do about it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        open_waiting(path, BUSY).await
    }

    /// A database that lives as long as this store, for tests.
    ///
    /// # Errors
    /// When SQLite cannot even do that.
    pub async fn open_in_memory() -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new().in_memory(true).foreign_keys(true);
        // One connection is the database, so that both roles share it.
        let pool = pool(1).connect_with(options).await?;
        MIGRATOR.run(&pool).await?;
        Ok(Store::new(pool.clone(), pool, true))
    }
}

/// [`Store::open`] with a chosen patience for locks.
pub(crate) async fn open_waiting(path: &Path, busy: Duration) -> Result<Store, StoreError> {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    open_file(&absolute, busy)
        .await
        .map_err(|source| StoreError::Open { path: absolute, source: Box::new(source) })
}

async fn open_file(path: &Path, busy: Duration) -> Result<Store, StoreError> {
    // A few system calls, once in the program's life: not worth a thread.
    make_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(busy)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true);
    check(path, &options).await?;
    make_private(path);
    let writer = pool(1).connect_with(options.clone().journal_mode(SqliteJournalMode::Wal)).await?;
    if let Err(error) = MIGRATOR.run(&writer).await {
        writer.close().await;
        return Err(error.into());
    }
    let reader = pool(READERS).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Store::new(writer, reader, false))
}

/// The last migration that there is.
pub(crate) fn newest() -> i64 {
    MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
}

fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        // A connection is tried when it is given back. To try it again when it is taken would only
        // cost a change of threads, which is most of what a short query costs.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Looks before touching: whether the file is a sound database, and ours.
async fn check(path: &Path, options: &SqliteConnectOptions) -> Result<(), StoreError> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes == 0 {
        return Ok(());
    }
    if bytes < SMALLEST_BYTES {
        // SQLite takes a file of a single byte for an empty one.
        return Err(StoreError::corrupt("it ends within its first page"));
    }
    let pool: SqlitePool = pool(1).connect_with(options.clone()).await?;
    let verdict = async {
        let id: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&pool).await?;
        let tables: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_master").fetch_one(&pool).await?;
        if id != APPLICATION_ID && (id != 0 || tables > 0) {
            return Err(StoreError::Foreign);
        }
        if bytes <= LOOK_THROUGH_BYTES {
            let found: String =
                sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&pool).await?;
            if found != "ok" {
                // The lines before the last are a heading.
                return Err(StoreError::corrupt(found.lines().next_back().unwrap_or_default()));
            }
        }
        Ok(())
    }
    .await;
    pool.close().await;
    verdict
}

/// Makes the folders (0700) and the file (0600) when they are missing.
fn make_file(path: &Path) -> Result<(), StoreError> {
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

/// Takes the rights of others away from the file: texts and answers may be private. SQLite gives
/// its -wal and -shm files the same rights.
fn make_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let done = std::fs::metadata(path).and_then(|found| {
            if found.permissions().mode() & 0o077 == 0 {
                return Ok(());
            }
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
        });
        if let Err(error) = done {
            tracing::warn!(path = %path.display(), %error, "others may read the database");
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
