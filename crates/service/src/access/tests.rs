use super::*;

async fn access(token: Option<&str>) -> (Access, Store) {
    let store = Store::open_in_memory().await.unwrap();
    (over(&store, token), store)
}

fn over(store: &Store, token: Option<&str>) -> Access {
    Access::new(store.clone(), token.map(SecretString::from), true).unwrap()
}

fn asked(scope: &str) -> KeyRequest {
    KeyRequest { name: "nightly".to_owned(), scope: scope.to_owned(), expires_in_days: None }
}

#[test]
fn a_scope_includes_the_lower_ones() {
    for (i, scope) in Scope::ALL.into_iter().enumerate() {
        for (j, needed) in Scope::ALL.into_iter().enumerate() {
            assert_eq!(scope.covers(needed), i >= j);
        }
        assert_eq!(Scope::from_id(scope.id()), Some(scope));
    }
}

#[tokio::test]
async fn a_key_is_worth_its_scope_until_it_is_revoked() {
    let (access, _) = access(None).await;
    let made = access.create_key(&asked("run")).await.unwrap();
    let secret = made.secret.expose_secret();
    for _ in 0..2 {
        let caller = access.holder(secret).await.unwrap().unwrap();
        assert_eq!((caller.scope(), caller.name()), (Scope::Run, "nightly"));
    }
    assert!(access.is_remembered(secret));
    let other = access.create_key(&asked("run")).await.unwrap().secret;
    let mixed = format!("{}{}", &secret[..15], &other.expose_secret()[15..]);
    for wrong in ["", "lanes_", "x", &secret[..secret.len() - 1], &mixed, &secret.to_uppercase()] {
        assert_eq!(access.holder(wrong).await.unwrap(), None, "{wrong}");
    }
    access.revoke_key(&made.key.id).await.unwrap();
    assert_eq!(access.holder(secret).await.unwrap(), None);
    assert!(matches!(access.revoke_key(&made.key.id).await, Err(ServiceError::NotFound(_))));
}

#[tokio::test]
async fn the_store_has_no_secret_and_the_list_has_no_hash() {
    let (access, store) = access(None).await;
    let made = access.create_key(&asked("admin")).await.unwrap();
    let secret = made.secret.expose_secret();
    let part = secret.rsplit('_').next().unwrap();
    let kept = store.api_keys().await.unwrap();
    assert!(kept[0].hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", kept[0].hash);
    assert!(!format!("{kept:?}").contains(part));
    let listed = serde_json::to_string(&access.keys().await.unwrap()).unwrap();
    assert!(!listed.contains(part) && !listed.contains("argon2"), "{listed}");
    assert!(!format!("{:?}", made.secret).contains(part));
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    let (access, store) = access(None).await;
    let request = KeyRequest { expires_in_days: Some(1), ..asked("read") };
    let made = access.create_key(&request).await.unwrap();
    assert!(access.holder(made.secret.expose_secret()).await.unwrap().is_some());
    let mut row = store.api_key(&made.key.id).await.unwrap().unwrap();
    let session = access.open_session(made.secret.expose_secret()).await.unwrap().unwrap();
    store.delete_api_key(&row.id).await.unwrap();
    row.expires_at = Some("2020-01-01T00:00:00Z".to_owned());
    store.put_api_key(&row).await.unwrap();
    assert_eq!(access.holder(made.secret.expose_secret()).await.unwrap(), None);
    assert_eq!(access.session(session.expose_secret()).await.unwrap(), None);
    assert!(access.keys().await.unwrap()[0].expired);
    assert!(!access.has_a_way_in().await.unwrap());
}

#[tokio::test]
async fn what_is_wrong_with_a_request_for_a_key_is_said_with_its_place() {
    let (access, _) = access(None).await;
    for name in ["", "  ", "a\nb", "a\r\nSet-Cookie: x", &"x".repeat(81)] {
        let request = KeyRequest {
            name: name.to_owned(),
            scope: "root".to_owned(),
            expires_in_days: Some(0),
        };
        let Err(ServiceError::Invalid(errors)) = access.create_key(&request).await else {
            panic!("{name}");
        };
        let at: Vec<_> = errors.iter().map(|e| e.pointer.as_str()).collect();
        assert_eq!(at, ["/name", "/scope", "/expires_in_days"]);
    }
}

#[tokio::test]
async fn a_session_ends_with_its_key_with_its_token_and_when_it_is_closed() {
    let (access, store) = access(Some("a token of the environment")).await;
    assert!(access.open_session("another token").await.unwrap().is_none());
    let made = access.create_key(&asked("read")).await.unwrap();
    let of_key = access.open_session(made.secret.expose_secret()).await.unwrap().unwrap();
    let of_token = access.open_session("a token of the environment").await.unwrap().unwrap();
    let (of_key, of_token) = (of_key.expose_secret(), of_token.expose_secret());
    let caller = access.session(of_key).await.unwrap().unwrap();
    assert_eq!(caller.scope(), Scope::Read);
    assert_eq!(access.session(of_token).await.unwrap(), Some(Caller::Token));
    // After a restart they are still there, but not with another token.
    assert_eq!(
        over(&store, Some("a token of the environment")).session(of_token).await.unwrap(),
        Some(Caller::Token)
    );
    for other in [Some("changed"), None] {
        let access = over(&store, other);
        assert_eq!(access.session(of_token).await.unwrap(), None);
        assert!(access.session(of_key).await.unwrap().is_some());
    }
    access.close_session(of_token).await.unwrap();
    assert_eq!(access.session(of_token).await.unwrap(), None);
    access.revoke_key(&made.key.id).await.unwrap();
    assert_eq!(access.session(of_key).await.unwrap(), None);
}
