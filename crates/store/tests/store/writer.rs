//! The queue in front of the log: its order, its batches, and what a failing disk does to it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, mpsc};

use lanes_model::{Micros, RunEvent, RunId, Seq};
use lanes_store::{EventWriter, Store, StoreError};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::task::JoinHandle;

use crate::support::{Place, create, id, kind};

/// What `on_commit` was called with, in order.
type Seen = Arc<Mutex<Vec<(RunId, RunEvent)>>>;

fn spawn(store: &Store) -> (EventWriter, JoinHandle<()>, Seen) {
    let seen = Seen::default();
    let into = Arc::clone(&seen);
    let (writer, task) = EventWriter::spawn(store.clone(), move |run, event| {
        into.lock().unwrap().push((run.clone(), event.clone()));
    });
    (writer, task, seen)
}

fn append(writer: &EventWriter, run: &str, n: u32) {
    writer.append(id(run), Micros(u64::from(n)), kind(n));
}

/// Counts the events in a file at any moment, also where nothing can be awaited.
fn stored_events(file: PathBuf) -> impl Fn() -> u64 + Send + Sync {
    let (ask, asked) = mpsc::channel::<()>();
    let (reply, answers) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = SqliteConnectOptions::new().filename(file);
        let mut connection = runtime.block_on(options.connect()).unwrap();
        while asked.recv().is_ok() {
            let count = sqlx::query_scalar("SELECT count(*) FROM events");
            let count: i64 = runtime.block_on(count.fetch_one(&mut connection)).unwrap();
            reply.send(u64::try_from(count).unwrap()).unwrap();
        }
    });
    let line = Mutex::new((ask, answers));
    move || {
        let (ask, answers) = &*line.lock().unwrap();
        ask.send(()).unwrap();
        answers.recv().unwrap()
    }
}

async fn numbers(store: &Store, run: &str) -> Vec<u64> {
    let events = store.events(&id(run), Seq(1), 10_000).await.unwrap();
    events.iter().map(|e| e.at.0).collect()
}

#[tokio::test]
async fn events_are_committed_and_published_in_the_order_they_came() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    create(&store, "b").await;
    let (writer, task, seen) = spawn(&store);
    for n in 0..2_500 {
        append(&writer, if n % 3 == 0 { "b" } else { "a" }, n);
    }
    writer.flush().await.unwrap();
    assert!(writer.is_healthy());
    let published: Vec<_> = seen.lock().unwrap().iter().map(|(_, e)| e.at.0).collect();
    assert_eq!(published, (0..2_500).collect::<Vec<_>>());
    let expected: Vec<_> = (0..2_500).filter(|n| n % 3 != 0).collect();
    assert_eq!(numbers(&store, "a").await, expected);
    let last = store.last_seq(&id("b")).await.unwrap();
    assert_eq!(last, Some(Seq(1 + 2_500_u64.div_ceil(3))));
    drop(writer);
    task.await.unwrap();
}

#[tokio::test]
async fn what_is_queued_together_is_committed_together() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    // How much of the log is stored whenever an event is published.
    let counts = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&counts);
    let stored = stored_events(place.file());
    let (writer, _task) = EventWriter::spawn(store.clone(), move |_, event| {
        into.lock().unwrap().push((event.seq.0, stored()));
    });
    // The queue is filled before the task first runs: this test has one thread.
    for n in 0..1_500 {
        append(&writer, "a", n);
    }
    writer.flush().await.unwrap();
    let counts = counts.lock().unwrap();
    assert!(counts.iter().all(|(seq, stored)| stored >= seq), "published before it was stored");
    assert!(counts[..1_000].iter().all(|(_, stored)| *stored == 1_001), "not one transaction");
    assert!(counts[1_000..].iter().all(|(_, stored)| *stored == 1_501), "not one transaction");
}

#[tokio::test]
async fn every_writer_may_be_dropped_and_the_queue_is_still_written() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let (writer, task, seen) = spawn(&store);
    let second = writer.clone();
    append(&writer, "a", 1);
    append(&second, "a", 2);
    drop((writer, second));
    task.await.unwrap();
    assert_eq!(numbers(&store, "a").await, [1, 2]);
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn events_wait_in_order_while_commits_fail_and_are_written_after() {
    let place = Place::new();
    let store = place.open().await;
    create(&store, "a").await;
    let (writer, _task, seen) = spawn(&store);
    // Ends the transaction inside SQLite, as a full disk does.
    place
        .raw_execute(
            "CREATE TRIGGER failing BEFORE INSERT ON events
             BEGIN SELECT RAISE(ROLLBACK, 'no room'); END",
        )
        .await;
    append(&writer, "a", 1);
    append(&writer, "a", 2);
    let error = writer.flush().await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { pending: 2 }), "{error}");
    assert!(!writer.is_healthy());
    append(&writer, "a", 3);
    let error = writer.flush().await.unwrap_err();
    assert!(matches!(error, StoreError::NotWritten { pending: 3 }), "{error}");
    assert!(seen.lock().unwrap().is_empty());

    place.raw_execute("DROP TRIGGER failing").await;
    append(&writer, "a", 4);
    writer.flush().await.unwrap();
    assert!(writer.is_healthy());
    assert_eq!(numbers(&store, "a").await, [1, 2, 3, 4]);
    let published: Vec<_> = seen.lock().unwrap().iter().map(|(_, e)| e.seq.0).collect();
    assert_eq!(published, [2, 3, 4, 5]);
}

#[tokio::test]
async fn a_deleted_run_does_not_hold_up_the_others() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    create(&store, "b").await;
    let (writer, _task, seen) = spawn(&store);
    append(&writer, "a", 1);
    writer.flush().await.unwrap();
    assert!(store.delete_run(&id("a")).await.unwrap());
    append(&writer, "a", 2);
    append(&writer, "b", 3);
    writer.flush().await.unwrap();
    assert!(writer.is_healthy());
    assert_eq!(numbers(&store, "b").await, [3]);
    assert_eq!(store.last_seq(&id("a")).await.unwrap(), None);
    assert_eq!(seen.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_closed_store_ends_the_writer() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let (writer, task, seen) = spawn(&store);
    store.close().await;
    append(&writer, "a", 1);
    assert!(matches!(writer.flush().await, Err(StoreError::Closed)));
    task.await.unwrap();
    assert!(!writer.is_healthy());
    append(&writer, "a", 2);
    assert!(matches!(writer.flush().await, Err(StoreError::Closed)));
    assert!(seen.lock().unwrap().is_empty());
}
