//! Size, copies and old runs.

use lanes_model::{RunStatus, RunSummary};
use lanes_store::Store;

use crate::support::{Place, create, create_with, document, id, summary};

async fn old(store: &Store, before: Option<&str>) -> Vec<String> {
    let runs = store.old_runs(before, 10).await.unwrap();
    runs.into_iter().map(|r| r.run.0).collect()
}

#[tokio::test]
async fn runs_at_rest_are_listed_from_the_oldest_on_and_those_that_go_on_are_not() {
    let store = Store::open_in_memory().await.unwrap();
    let at = |run: &str, day: u32, status| RunSummary {
        created_at: format!("2026-11-{day:02}T00:00:00Z"),
        status,
        ..summary(run)
    };
    create_with(&store, &at("third", 3, RunStatus::Failed)).await;
    create_with(&store, &at("first", 1, RunStatus::Succeeded)).await;
    create_with(&store, &at("going", 2, RunStatus::Running)).await;
    create_with(&store, &at("second", 2, RunStatus::Interrupted)).await;
    assert_eq!(old(&store, None).await, ["first", "second", "third"]);
    assert_eq!(old(&store, Some("2026-11-02T00:00:00Z")).await, ["first"]);
    assert_eq!(old(&store, Some("2026-11-02T00:00:00.1Z")).await, ["first", "second"]);
}

#[tokio::test]
async fn a_copy_is_whole_private_and_never_written_over_another_file() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    let copy = place.folder.path().join("copy.db");
    store.backup(&copy).await.unwrap();
    create(&store, "b").await;
    assert!(store.backup(&copy).await.is_err(), "the copy that is there stays");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let copied = Store::open(&copy).await.unwrap();
    assert!(copied.summary(&id("a")).await.unwrap().is_some());
    assert!(copied.summary(&id("b")).await.unwrap().is_none());
    let nowhere = place.folder.path().join("no/such/folder/copy.db");
    assert!(store.backup(&nowhere).await.is_err());
}

#[tokio::test]
async fn what_is_deleted_is_room_to_use_again_and_can_be_given_back() {
    let place = Place::new();
    let store = place.open().await;
    let (info, text) = document("d", &"x".repeat(1 << 20));
    store.put_document(&info, &text).await.unwrap();
    let full = store.size().await.unwrap();
    assert!(full.used > 1 << 20 && full.file >= full.used);
    place.raw_execute("DELETE FROM documents").await;
    let freed = store.size().await.unwrap();
    assert_eq!(freed.file, full.file);
    assert!(freed.used < 1 << 20);
    store.shrink().await.unwrap();
    let small = store.size().await.unwrap();
    assert!(small.file < 1 << 20, "{small:?}");
    assert_eq!(std::fs::metadata(place.file()).unwrap().len(), small.file);
}
