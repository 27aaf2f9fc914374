//! Texts: what they survive, and when they go.

use lanes_model::DocumentId;
use lanes_store::Store;

use crate::support::{Place, document, header, id, summary};

async fn has(store: &Store, name: &str) -> bool {
    store.document_text(&DocumentId::from(name)).await.unwrap().is_some()
}

#[tokio::test]
async fn a_text_keeps_its_nul_its_200_kilobytes_and_its_alphabets() {
    let place = Place::new();
    let store = place.open().await;
    let long = "naïve \u{1F600} 漢字\r\n".repeat(12_000);
    assert!(long.len() > 200_000);
    for (name, text) in [("nul", "\0before\0after\0"), ("long", &long), ("empty", "")] {
        store.put_document(&document(name, text).0, text).await.unwrap();
    }
    store.close().await;
    let store = place.open().await;
    for (name, text) in [("nul", "\0before\0after\0"), ("long", &long), ("empty", "")] {
        let read = store.document_text(&DocumentId::from(name)).await.unwrap();
        assert!(read.as_deref() == Some(text), "{name} changed");
    }
    assert!(!has(&store, "other").await);
}

#[tokio::test]
async fn a_deleted_run_takes_its_text_along_unless_another_reads_it() {
    let place = Place::new();
    let store = place.open().await;
    let (shared, own) = (document("shared", "both read this"), document("own", "one reads this"));
    let infos = [shared.0.clone(), own.0.clone()];
    let texts = [shared.clone(), own];
    store.create_run(&header("a", &infos), &summary("a"), &texts, None).await.unwrap();
    store.create_run(&header("b", &infos[..1]), &summary("b"), &[shared], None).await.unwrap();

    assert!(store.delete_run(&id("a")).await.unwrap());
    assert!(has(&store, "shared").await);
    assert!(!has(&store, "own").await);
    assert!(store.delete_run(&id("b")).await.unwrap());
    assert!(!has(&store, "shared").await);
    assert!(!store.delete_run(&id("b")).await.unwrap());
    let left = "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM run_documents)";
    assert_eq!(place.raw_count(left).await, 0);
}

#[tokio::test]
async fn a_text_stored_for_its_own_sake_stays() {
    let store = Store::open_in_memory().await.unwrap();
    for (run, before) in [("a", true), ("b", false)] {
        let text = document(run, "kept");
        let header = header(run, std::slice::from_ref(&text.0));
        if before {
            store.put_document(&text.0, &text.1).await.unwrap();
            store.create_run(&header, &summary(run), &[], None).await.unwrap();
        } else {
            let texts = std::slice::from_ref(&text);
            store.create_run(&header, &summary(run), texts, None).await.unwrap();
            store.put_document(&text.0, &text.1).await.unwrap();
        }
        store.delete_run(&id(run)).await.unwrap();
        assert!(has(&store, run).await);
    }
}
