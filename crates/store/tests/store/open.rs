//! Opening: what is made, and what is refused with which words.

use std::fs;
use std::path::Path;

use lanes_model::Seq;
use lanes_store::{Store, StoreError};

use sqlx::{ConnectOptions, Connection};

use crate::support::{Place, create, entry, id, summary};

/// The reason of a failed opening, after a look at the words that people get.
async fn refusal(path: &Path) -> StoreError {
    let error = Store::open(path).await.unwrap_err();
    let words = error.to_string();
    assert!(words.contains(&path.display().to_string()), "{words}");
    assert!(words.contains(error.advice()) && !error.advice().is_empty(), "{words}");
    match error {
        StoreError::Open { source, .. } => *source,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn folders_and_file_are_made_for_their_owner_alone() {
    let place = Place::new();
    let file = place.folder.path().join("some/new folder/lanes.db");
    let store = Store::open(&file).await.unwrap();
    create(&store, "a").await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(rights(&file), 0o600);
        assert_eq!(rights(&file.with_extension("db-wal")), 0o600);
        assert_eq!(rights(file.parent().unwrap()), 0o700);
        store.close().await;
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        Store::open(&file).await.unwrap();
        assert_eq!(rights(&file), 0o600);
    }
}

#[tokio::test]
async fn a_path_with_odd_characters_is_a_path() {
    let place = Place::new();
    let file = place.folder.path().join("file:é ?mode=memory#%41.db");
    let store = Store::open(&file).await.unwrap();
    create(&store, "a").await;
    store.close().await;
    assert!(fs::metadata(&file).unwrap().len() > 0);
    assert_eq!(Store::open(&file).await.unwrap().totals().await.unwrap().runs, 1);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    let text = "these are my notes, not a database\n".repeat(1_000);
    fs::write(place.file(), &text).unwrap();
    let reason = refusal(&place.file()).await;
    assert!(matches!(reason, StoreError::Corrupt { .. }), "{reason}");
    assert_eq!(fs::read_to_string(place.file()).unwrap(), text);
}

#[tokio::test]
async fn a_truncated_database_is_refused_at_any_length() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    store.append(&(0..2_000).map(|n| entry("a", n)).collect::<Vec<_>>()).await.unwrap();
    store.close().await;
    let whole = fs::read(place.file()).unwrap();
    for length in [1, 50, 99, 100, 1_000, 4_096, 4_097, whole.len() / 2, whole.len() - 4_096] {
        fs::write(place.file(), &whole[..length]).unwrap();
        let reason = refusal(&place.file()).await;
        assert!(matches!(reason, StoreError::Corrupt { .. }), "{length}: {reason}");
    }
    fs::write(place.file(), &whole).unwrap();
    let store = place.open().await;
    assert_eq!(store.last_seq(&id("a")).await.unwrap(), Some(Seq(2_001)));
}

#[tokio::test]
async fn a_database_with_damaged_pages_is_refused() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    store.append(&(0..2_000).map(|n| entry("a", n)).collect::<Vec<_>>()).await.unwrap();
    store.close().await;
    let mut bytes = fs::read(place.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8_192].fill(0xa5);
    fs::write(place.file(), bytes).unwrap();
    let reason = refusal(&place.file()).await;
    assert!(matches!(reason, StoreError::Corrupt { .. }), "{reason}");
}

#[tokio::test]
async fn a_database_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    place.raw_execute("CREATE TABLE bookmarks (url TEXT)").await;
    let before = fs::read(place.file()).unwrap();
    assert!(matches!(refusal(&place.file()).await, StoreError::Foreign));
    assert_eq!(fs::read(place.file()).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let place = Place::new();
    place.open().await.close().await;
    place
        .raw_execute(
            "INSERT INTO _sqlx_migrations
                 (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, x'00', 0)",
        )
        .await;
    let reason = refusal(&place.file()).await;
    assert!(matches!(reason, StoreError::OtherVersion { .. }), "{reason}");
}

#[tokio::test]
async fn a_place_where_no_file_can_be_is_refused() {
    let place = Place::new();
    let file = place.folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let below = file.join("data/lanes.db");
    assert!(matches!(refusal(&below).await, StoreError::Unavailable { .. }));
    assert!(matches!(refusal(place.folder.path()).await, StoreError::Unavailable { .. }));
}

#[tokio::test]
async fn readiness_is_a_real_write() {
    let place = Place::new();
    let store = place.open().await;
    store.is_writable().await.unwrap();
    store.is_writable().await.unwrap();
    assert_eq!(place.raw_count("SELECT checks FROM health").await, 2);
    place
        .raw_execute(
            "CREATE TRIGGER failing BEFORE UPDATE ON health
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END",
        )
        .await;
    store.is_writable().await.unwrap_err();
    store.is_writable().await.unwrap_err();
    place.raw_execute("DROP TRIGGER failing").await;
    store.is_writable().await.unwrap();
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let place = Place::new();
    let store = place.open().await;
    store.close().await;
    assert!(matches!(store.is_writable().await, Err(StoreError::Closed)));
    assert!(matches!(store.last_seq(&id("a")).await, Err(StoreError::Closed)));
    assert!(!place.file().with_extension("db-wal").exists());
}

/// The migrations up to a version, as a program of that time had them.
fn up_to(version: i64) -> sqlx::migrate::Migrator {
    let all = sqlx::migrate!();
    let migrations: Vec<_> = all.iter().filter(|m| m.version <= version).cloned().collect();
    sqlx::migrate::Migrator { migrations: migrations.into(), ..sqlx::migrate::Migrator::DEFAULT }
}

#[tokio::test]
async fn a_database_of_every_earlier_version_is_brought_up_with_what_is_in_it() {
    let versions: Vec<i64> = sqlx::migrate!().iter().map(|m| m.version).collect();
    for version in versions {
        let place = Place::new();
        let mut raw = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(place.file())
            .create_if_missing(true)
            .connect()
            .await
            .unwrap();
        up_to(version).run(&mut raw).await.unwrap();
        // A run and its text, as the first version wrote them.
        let json = serde_json::to_string(&summary("old")).unwrap();
        sqlx::query(
            "INSERT INTO runs (id, created_key, title_key, mode, status, simulated, summary)
             VALUES ('old', '2026-11-21T03:55:07', 'run old', 'compare', 'succeeded', 1, ?1)",
        )
        .bind(json)
        .execute(&mut raw)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO events (run, seq, at_us, kind, body)
             VALUES ('old', 1, 7, 'run_started', '{\"type\":\"run_started\"}')",
        )
        .execute(&mut raw)
        .await
        .unwrap();
        sqlx::query(
            "INSERT INTO documents (id, name, bytes, tokens, kept, text)
             VALUES ('d', 'd.txt', 4, 1, 1, 'text')",
        )
        .execute(&mut raw)
        .await
        .unwrap();
        raw.close().await.unwrap();

        let store = place.open().await;
        assert!(store.summary(&id("old")).await.unwrap().is_some(), "from version {version}");
        assert_eq!(store.events(&id("old"), Seq(0), 10).await.unwrap().len(), 1);
        assert_eq!(store.document_text(&"d".into()).await.unwrap().as_deref(), Some("text"));
        create(&store, "new").await;
        store.is_writable().await.unwrap();
        assert_eq!(place.raw_count("SELECT count(*) FROM pragma_foreign_key_check").await, 0);
    }
}
