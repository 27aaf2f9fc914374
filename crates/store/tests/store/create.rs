//! The beginning of a run, and requests that come twice.

use lanes_model::{EventKind, Micros, Seq};
use lanes_store::{Created, Store, StoreError};

use crate::support::{Place, create, document, header, id, summary};

#[tokio::test]
async fn a_new_run_has_its_first_event_its_summary_and_its_text() {
    let store = Store::open_in_memory().await.unwrap();
    let text = document("d", "some text");
    let header = header("a", std::slice::from_ref(&text.0));
    let created = store.create_run(&header, &summary("a"), &[text], None).await.unwrap();
    let Created::New(event) = created else { panic!("{created:?}") };
    assert_eq!((event.seq, event.at), (Seq(1), Micros::ZERO));
    assert_eq!(event.kind, EventKind::RunCreated { header: Box::new(header.clone()) });
    assert_eq!(store.events(&id("a"), Seq(0), 10).await.unwrap(), [event]);
    assert_eq!(store.summary(&id("a")).await.unwrap(), Some(summary("a")));
    let stored = store.document_text(&header.documents[0].id).await.unwrap();
    assert_eq!(stored.as_deref(), Some("some text"));
}

#[tokio::test]
async fn the_same_request_makes_one_run_however_often_and_at_once_it_comes() {
    let place = Place::new();
    let store = place.open().await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let run = format!("r{n}");
                let key = Some(("key", "hash"));
                store.create_run(&header(&run, &[]), &summary(&run), &[], key).await.unwrap()
            })
        })
        .collect();
    let (mut new, mut existing) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.unwrap() {
            Created::New(event) => new.push(event),
            Created::Existing(run) => existing.push(run),
        }
    }
    assert_eq!((new.len(), existing.len()), (1, 7));
    let EventKind::RunCreated { header } = &new[0].kind else { panic!("{new:?}") };
    assert!(existing.iter().all(|run| *run == header.id));
    assert_eq!(store.totals().await.unwrap().runs, 1);
}

#[tokio::test]
async fn a_key_used_for_another_request_is_refused_and_nothing_is_made() {
    async fn ask(store: &Store, run: &str, hash: &str) -> Result<Created, StoreError> {
        store.create_run(&header(run, &[]), &summary(run), &[], Some(("key", hash))).await
    }
    let place = Place::new();
    let store = place.open().await;
    ask(&store, "a", "one").await.unwrap();
    store.close().await;
    let store = place.open().await;
    assert!(matches!(ask(&store, "b", "two").await, Err(StoreError::IdempotencyMismatch)));
    assert_eq!(store.summary(&id("b")).await.unwrap(), None);
    assert_eq!(ask(&store, "c", "one").await.unwrap(), Created::Existing(id("a")));
}

#[tokio::test]
async fn a_repeat_after_the_run_was_deleted_makes_a_new_one() {
    let store = Store::open_in_memory().await.unwrap();
    let key = Some(("key", "hash"));
    store.create_run(&header("a", &[]), &summary("a"), &[], key).await.unwrap();
    store.delete_run(&id("a")).await.unwrap();
    let again = store.create_run(&header("b", &[]), &summary("b"), &[], key).await.unwrap();
    assert!(matches!(again, Created::New(_)));
}

#[tokio::test]
async fn an_id_is_given_once() {
    let store = Store::open_in_memory().await.unwrap();
    create(&store, "a").await;
    let again = store.create_run(&header("a", &[]), &summary("a"), &[], None).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    let crossed = store.create_run(&header("b", &[]), &summary("c"), &[], None).await;
    assert!(matches!(crossed, Err(StoreError::Conflict { .. })), "{crossed:?}");
    assert_eq!(store.last_seq(&id("a")).await.unwrap(), Some(Seq(1)));
}

#[tokio::test]
async fn a_run_whose_text_is_missing_is_not_made() {
    let store = Store::open_in_memory().await.unwrap();
    let (info, _) = document("nowhere", "text");
    let key = Some(("key", "hash"));
    let made = store.create_run(&header("a", &[info]), &summary("a"), &[], key).await;
    assert!(matches!(made, Err(StoreError::NotFound { what: "document", .. })), "{made:?}");
    assert_eq!(store.summary(&id("a")).await.unwrap(), None);
    assert_eq!(store.last_seq(&id("a")).await.unwrap(), None);
}
