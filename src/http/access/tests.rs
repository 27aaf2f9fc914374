use std::collections::BTreeSet;

use axum::http::Method;
use lanes_service::Scope;

use super::routes::{Need, TABLE, entry, need};

/// The addresses of everything that the program serves.
async fn addresses() -> BTreeSet<String> {
    let router = crate::http::testing::router().await;
    // axum has no list of them, but shows them.
    let shown = format!("{router:?}");
    let quoted = shown.split('"').skip(1).step_by(2);
    quoted.filter(|text| text.starts_with('/')).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_address_has_an_entry_in_the_table() {
    let addresses = addresses().await;
    // All kinds are seen: the API, server functions, pages, forms.
    for known in ["/api/runs/{id}", "/api/start", "/tasks/new", "/runs/{id}/delete", "/api/keys"] {
        assert!(addresses.contains(known), "{known} in {addresses:?}");
    }
    assert!(addresses.len() > 60, "{}", addresses.len());
    let inner = |a: &&String| !a.contains("__private__");
    let missing: Vec<_> = addresses.iter().filter(inner).filter(|a| entry(a).is_none()).collect();
    assert_eq!(missing, [""; 0], "say in src/http/access/routes.rs what these need");
}

#[test]
fn an_address_that_is_not_in_the_table_is_for_administrators() {
    for method in [Method::GET, Method::POST, Method::DELETE] {
        assert_eq!(need(&method, "/api/unheard-of"), Need::Scope(Scope::Admin));
    }
}

#[test]
fn the_table_has_each_address_once_and_lets_nobody_change_anything_without_a_key() {
    let mut seen = BTreeSet::new();
    for (pattern, read, change) in TABLE {
        assert!(seen.insert(pattern), "{pattern}");
        let open = [
            "/healthz",
            "/readyz",
            "/pkg/{*path}",
            "/favicon.svg",
            "/batch.js",
            "/login",
            "/logout",
        ];
        let is_open = |need: &Need| !matches!(need, Need::Scope(_));
        assert_eq!(is_open(read) || is_open(change), open.contains(pattern), "{pattern}");
    }
    assert_eq!(need(&Method::POST, "/api/runs"), Need::Scope(Scope::Run));
    assert_eq!(need(&Method::GET, "/api/runs"), Need::Scope(Scope::Read));
    for admin in ["/api/keys", "/api/keys/{id}", "/cache/purge", "/api/cache", "/settings/keys"] {
        assert_eq!(need(&Method::POST, admin), Need::Scope(Scope::Admin), "{admin}");
    }
}
