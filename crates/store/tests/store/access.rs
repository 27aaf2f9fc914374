//! Keys and sessions: what ends together, and what is gone.

use lanes_store::{NewSession, Store, StoreError, StoredKey};

fn key(id: &str) -> StoredKey {
    StoredKey {
        id: id.to_owned(),
        name: "nightly".to_owned(),
        scope: "run".to_owned(),
        hash: "$argon2id$…".to_owned(),
        created_at: "2026-11-21T03:55:07Z".to_owned(),
        expires_at: None,
        last_used_at: None,
    }
}

fn session(first: u8, key: Option<&str>, expires: i64) -> NewSession {
    NewSession { id: [first; 32], key: key.map(str::to_owned), expires }
}

#[tokio::test]
async fn a_key_is_kept_as_it_was_and_made_once() {
    let store = Store::open_in_memory().await.unwrap();
    store.put_api_key(&key("a")).await.unwrap();
    assert!(matches!(store.put_api_key(&key("a")).await, Err(StoreError::Conflict { .. })));
    store.touch_api_key("a", "2026-11-22T00:00:00Z").await.unwrap();
    let used = StoredKey { last_used_at: Some("2026-11-22T00:00:00Z".to_owned()), ..key("a") };
    assert_eq!(store.api_keys().await.unwrap(), std::slice::from_ref(&used));
    assert_eq!(store.api_key("a").await.unwrap(), Some(used));
    assert_eq!(store.api_key("b").await.unwrap(), None);
}

#[tokio::test]
async fn sessions_end_with_their_key_and_with_their_time() {
    let store = Store::open_in_memory().await.unwrap();
    store.put_api_key(&key("a")).await.unwrap();
    store.put_session(&session(1, Some("a"), 100), 0).await.unwrap();
    store.put_session(&session(2, None, 50), 0).await.unwrap();
    assert_eq!(store.session(&[1; 32], 99).await.unwrap(), Some(Some("a".to_owned())));
    assert_eq!(store.session(&[1; 32], 100).await.unwrap(), None);
    assert_eq!(store.session(&[2; 32], 0).await.unwrap(), Some(None));
    // Those that are over go when another one comes.
    store.put_session(&session(3, None, 500), 60).await.unwrap();
    assert_eq!(store.session(&[2; 32], 0).await.unwrap(), None);
    assert!(store.delete_api_key("a").await.unwrap());
    assert!(!store.delete_api_key("a").await.unwrap());
    assert_eq!(store.session(&[1; 32], 0).await.unwrap(), None);
    store.delete_session(&[3; 32]).await.unwrap();
    assert_eq!(store.session(&[3; 32], 0).await.unwrap(), None);
}
