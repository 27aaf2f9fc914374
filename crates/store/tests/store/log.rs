//! Logs: their numbers, their order, and what they survive.

use std::collections::HashMap;

use lanes_model::{CallEnd, CallId, EventKind, Micros, PassId, Seq};
use lanes_store::{Entry, Store, StoreError};
use proptest::prelude::*;

use crate::support::{Place, create, entry, id, kind};

async fn numbers(store: &Store, run: &str) -> Vec<u64> {
    let events = store.events(&id(run), Seq(0), 10_000).await.unwrap();
    events.iter().map(|e| e.seq.0).collect()
}

#[tokio::test]
async fn numbers_have_no_gaps_over_runs_batches_and_a_restart() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    create(&store, "b").await;
    let written = store.append(&[entry("a", 1), entry("b", 2), entry("a", 3)]).await.unwrap();
    let seqs: Vec<_> = written.iter().map(|(run, e)| (run.as_str(), e.seq.0)).collect();
    assert_eq!(seqs, [("a", 2), ("b", 2), ("a", 3)]);
    assert_eq!(written[2].1.kind, kind(3));
    assert!(store.append(&[]).await.unwrap().is_empty());
    store.close().await;

    let store = place.open().await;
    store.append(&[entry("b", 4), entry("a", 5)]).await.unwrap();
    assert_eq!(numbers(&store, "a").await, [1, 2, 3, 4]);
    assert_eq!(numbers(&store, "b").await, [1, 2, 3]);
    assert_eq!(store.last_seq(&id("a")).await.unwrap(), Some(Seq(4)));
    assert_eq!(store.last_seq(&id("c")).await.unwrap(), None);
}

#[tokio::test]
async fn reading_goes_on_after_any_event_and_stops_at_the_limit() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let batch: Vec<_> = (0..9).map(|n| entry("a", n)).collect();
    let written = store.append(&batch).await.unwrap();
    let read = store.events(&id("a"), Seq(4), 3).await.unwrap();
    let expected: Vec<_> = written[3..6].iter().map(|(_, e)| e.clone()).collect();
    assert_eq!(read, expected);
    assert!(store.events(&id("a"), Seq(10), 3).await.unwrap().is_empty());
    assert!(store.events(&id("nobody"), Seq(0), 3).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_was_committed_is_there_after_the_program_is_killed() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    store.append(&[entry("a", 1), entry("a", 2)]).await.unwrap();
    // The files as a killed program leaves them: the write-ahead log is not carried over.
    let after = Place::new();
    for file in std::fs::read_dir(place.folder.path()).unwrap() {
        let file = file.unwrap();
        if file.file_name() != "lanes.db-shm" {
            std::fs::copy(file.path(), after.folder.path().join(file.file_name())).unwrap();
        }
    }
    assert!(after.folder.path().join("lanes.db-wal").metadata().unwrap().len() > 0);
    let store = after.open().await;
    assert_eq!(numbers(&store, "a").await, [1, 2, 3]);
}

#[tokio::test]
async fn a_batch_with_an_unknown_run_is_refused_as_a_whole() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let error = store.append(&[entry("a", 1), entry("nobody", 2)]).await.unwrap_err();
    assert!(matches!(&error, StoreError::NotFound { id, .. } if id == "nobody"), "{error}");
    assert_eq!(numbers(&store, "a").await, [1]);
    store.append(&[entry("a", 3)]).await.unwrap();
    assert_eq!(numbers(&store, "a").await, [1, 2]);
}

#[tokio::test]
async fn an_answer_keeps_its_nul_and_its_200_kilobytes() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let output = format!("before\0after {}", "é\u{1F600}\"\\\n".repeat(20_000));
    let kind = EventKind::CallEnded {
        pass: PassId(0),
        call: CallId(0),
        end: CallEnd::Succeeded { output, cached_usage: None },
    };
    let entry = Entry { run: id("a"), at: Micros(u64::MAX / 4), kind };
    store.append(std::slice::from_ref(&entry)).await.unwrap();
    let read = store.events(&id("a"), Seq(1), 1).await.unwrap();
    assert_eq!((read[0].at, &read[0].kind), (entry.at, &entry.kind));
}

#[tokio::test]
async fn an_event_that_is_no_longer_readable_is_named() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    place
        .raw_execute(
            r#"INSERT INTO events (run, seq, at_us, kind, body)
               VALUES ('a', 2, 0, 'unknown', '{"type":1}')"#,
        )
        .await;
    let error = store.events(&id("a"), Seq(0), 10).await.unwrap_err();
    assert!(error.to_string().contains("event 2 of run a"), "{error}");
}

#[tokio::test]
async fn the_kind_of_an_event_can_be_queried() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    store.append(&[entry("a", 1)]).await.unwrap();
    let sql = "SELECT count(*) FROM events WHERE kind IN ('run_created', 'calls_queued')";
    assert_eq!(place.raw_count(sql).await, 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_interleaving_gives_each_run_its_own_log_in_order(
        batches in prop::collection::vec(prop::collection::vec(0_usize..4, 0..12), 0..8)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let names = ["a", "b", "c", "d"];
            let store = Store::open_in_memory().await.unwrap();
            for name in names {
                create(&store, name).await;
            }
            let mut expected: HashMap<&str, Vec<EventKind>> = HashMap::new();
            let mut n = 0;
            for batch in &batches {
                let entries: Vec<_> = batch
                    .iter()
                    .map(|run| {
                        n += 1;
                        expected.entry(names[*run]).or_default().push(kind(n));
                        entry(names[*run], n)
                    })
                    .collect();
                store.append(&entries).await.unwrap();
            }
            for name in names {
                let events = store.events(&id(name), Seq(1), 1_000).await.unwrap();
                let kinds: Vec<_> = events.iter().map(|e| e.kind.clone()).collect();
                assert_eq!(kinds, expected.remove(name).unwrap_or_default());
                assert!(events.iter().zip(2..).all(|(e, n)| e.seq == Seq(n)));
            }
        });
    }
}
