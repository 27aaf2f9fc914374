//! Uploaded documents: kept until deleted, listed newest first, and read by runs for as long as those
//! are there.

use lanes_model::{DocumentId, DocumentInfo};
use lanes_store::{NewContent, NewRecord, Store, StoredDocument};

use crate::support::{header, id, summary};

fn uploaded(name: &str, second: u32) -> StoredDocument {
    StoredDocument {
        id: DocumentId::from(name),
        name: format!("{name}.txt"),
        media_type: "text/plain".to_owned(),
        file_bytes: 9,
        text_bytes: 5,
        tokens: 2,
        pages: Some(3),
        sha256: "ab".repeat(32),
        created_at: format!("2026-11-21T10:00:{second:02}Z"),
        notes: vec!["Read as UTF-16LE.".to_owned()],
        records: None,
        columns: Vec::new(),
        text_column: None,
    }
}

fn table(name: &str, rows: usize) -> (StoredDocument, NewContent) {
    let record = |n: usize| NewRecord {
        info: DocumentInfo {
            id: DocumentId(format!("{name}-{n}")),
            name: format!("{name} #{n}"),
            bytes: 40,
            tokens: 9,
        },
        text: format!("The text of record {n}, as long as some are."),
        row: format!("{{\"n\":\"{n}\"}}"),
    };
    let document = StoredDocument {
        records: Some(rows as u64),
        columns: vec!["n".to_owned(), "text".to_owned()],
        text_column: Some("text".to_owned()),
        ..uploaded(name, 30)
    };
    (document, NewContent::Records((0..rows).map(record).collect()))
}

#[tokio::test]
async fn a_document_is_found_and_listed_as_it_was_stored() {
    let store = Store::open_in_memory().await.unwrap();
    for (n, name) in (1..).zip(["a", "b", "c"]) {
        let text = NewContent::Text("hello".to_owned());
        store.add_document(&uploaded(name, n), &text).await.unwrap();
    }
    let (document, records) = table("t", 3);
    store.add_document(&document, &records).await.unwrap();
    assert_eq!(store.uploaded(&"a".into()).await.unwrap(), Some(uploaded("a", 1)));
    assert_eq!(store.uploaded(&"t".into()).await.unwrap(), Some(document));
    // A record is no document of its own.
    assert_eq!(store.uploaded(&"t-1".into()).await.unwrap(), None);
    let first = store.uploads(3, None).await.unwrap();
    let names = |page: &lanes_store::Page<StoredDocument>| {
        page.items.iter().map(|d| d.id.0.clone()).collect::<Vec<_>>()
    };
    assert_eq!((names(&first), first.total), (vec!["t".into(), "c".into(), "b".into()], 4));
    let rest = store.uploads(3, first.next_cursor.as_deref()).await.unwrap();
    assert_eq!((names(&rest), rest.next_cursor), (vec!["a".to_owned()], None));
    assert_eq!(store.text_preview(&"a".into(), 4).await.unwrap(), "hell");
    assert_eq!(store.rows_of(&"t".into(), 2).await.unwrap(), ["{\"n\":\"0\"}", "{\"n\":\"1\"}"]);
}

#[tokio::test]
async fn a_deleted_document_leaves_the_list_at_once_and_its_runs_when_they_go() {
    let store = Store::open_in_memory().await.unwrap();
    let (document, records) = table("t", 3);
    store.add_document(&document, &records).await.unwrap();
    let read = store.records_of(&"t".into(), u32::MAX).await.unwrap();
    store.create_run(&header("a", &read[..2]), &summary("a"), &[], None).await.unwrap();

    assert!(store.delete_upload(&"t".into()).await.unwrap());
    assert!(!store.delete_upload(&"t".into()).await.unwrap());
    assert_eq!(store.uploads(9, None).await.unwrap().total, 0);
    let text = async |n: u32| store.document_text(&DocumentId(format!("t-{n}"))).await.unwrap();
    assert!(text(0).await.is_some() && text(1).await.is_some());
    assert_eq!(text(2).await, None);
    store.delete_run(&id("a")).await.unwrap();
    assert_eq!(text(0).await, None);
    // Uploaded again it is there as before.
    store.add_document(&document, &records).await.unwrap();
    assert_eq!(store.records_of(&"t".into(), u32::MAX).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_image_comes_back_byte_for_byte() {
    let store = Store::open_in_memory().await.unwrap();
    let data: Vec<u8> = (0..=255).collect();
    let content = NewContent::Image { text: "[a.png]".to_owned(), data: data.clone() };
    let document = StoredDocument { media_type: "image/png".to_owned(), ..uploaded("i", 1) };
    store.add_document(&document, &content).await.unwrap();
    let read = store.document_content(&"i".into()).await.unwrap().unwrap();
    assert_eq!(
        (read.text, read.image),
        ("[a.png]".to_owned(), Some(("image/png".to_owned(), data)))
    );
}

#[tokio::test]
async fn twenty_thousand_records_are_stored_and_run_on_in_seconds() {
    let place = crate::support::Place::new();
    let store = place.open().await;
    let (document, records) = table("t", 20_000);
    let started = std::time::Instant::now();
    store.add_document(&document, &records).await.unwrap();
    let read = store.records_of(&"t".into(), u32::MAX).await.unwrap();
    store.create_run(&header("a", &read), &summary("a"), &[], None).await.unwrap();
    // About one second on a quiet machine, unoptimised; this one may be busy.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    eprintln!("20,000 records stored and linked in {:?}", started.elapsed());
    assert_eq!(read.len(), 20_000);
    assert!(read.iter().zip(0..).all(|(r, n)| r.name == format!("t #{n}")));
}
