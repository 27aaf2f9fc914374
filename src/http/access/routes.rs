//! What each address needs: the one table. An address that is not in it needs the scope admin, and a
//! test names it.

use axum::http::Method;
use lanes_service::Scope;

/// What a request must bring along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Nothing: it is let in whoever sends it, and by whatever name it calls us.
    Nothing,
    /// Nothing, but it must call us by our name and come from our pages.
    OurPages,
    /// A key of this scope.
    Scope(Scope),
}

use Need::{Nothing, OurPages};
const READ: Need = Need::Scope(Scope::Read);
const RUN: Need = Need::Scope(Scope::Run);
const ADMIN: Need = Need::Scope(Scope::Admin);

/// For each address what reading (`GET`, `HEAD`) needs, and what everything else does. A star at the end
/// stands for any end.
pub(super) const TABLE: &[(&str, Need, Need)] = &[
    // health, and what a browser needs before anyone has signed in
    ("/healthz", Nothing, Nothing),
    ("/readyz", Nothing, Nothing),
    ("/pkg/{*path}", Nothing, Nothing),
    ("/favicon.svg", Nothing, Nothing),
    ("/batch.js", Nothing, Nothing),
    ("/login", OurPages, OurPages),
    ("/logout", OurPages, OurPages),
    // the API
    ("/api/tasks", READ, RUN),
    ("/api/tasks/export", READ, ADMIN),
    ("/api/tasks/import", ADMIN, RUN),
    ("/api/tasks/try", ADMIN, RUN),
    ("/api/tasks/{id}", READ, RUN),
    ("/api/tasks/{id}/copy", ADMIN, RUN),
    ("/api/workflows", READ, RUN),
    ("/api/workflows/check", ADMIN, READ),
    ("/api/workflows/import", ADMIN, RUN),
    ("/api/workflows/{id}", READ, RUN),
    ("/api/workflows/{id}/copy", ADMIN, RUN),
    ("/api/workflows/{id}/samples", READ, RUN),
    ("/api/samples", READ, ADMIN),
    ("/api/providers", READ, ADMIN),
    ("/api/cache", READ, ADMIN),
    ("/api/documents", READ, RUN),
    ("/api/documents/{id}", READ, RUN),
    ("/api/documents/{id}/content", READ, ADMIN),
    ("/api/runs", READ, RUN),
    ("/api/runs/{id}", READ, RUN),
    ("/api/runs/{id}/cancel", ADMIN, RUN),
    ("/api/runs/{id}/pause", ADMIN, RUN),
    ("/api/runs/{id}/resume", ADMIN, RUN),
    ("/api/runs/{id}/retry-failed", ADMIN, RUN),
    ("/api/runs/{id}/calls", READ, ADMIN),
    ("/api/runs/{id}/timeline", READ, ADMIN),
    ("/api/runs/{id}/frames", READ, ADMIN),
    ("/api/runs/{id}/events", READ, ADMIN),
    ("/api/runs/{id}/export", READ, ADMIN),
    ("/api/process-batch*", READ, RUN),
    ("/api/keys*", ADMIN, ADMIN),
    ("/api/webhooks*", ADMIN, ADMIN),
    ("/api/alerts*", READ, ADMIN),
    ("/api/dashboard*", READ, ADMIN),
    ("/api/retention*", ADMIN, ADMIN),
    ("/api/prune*", ADMIN, ADMIN),
    ("/api/{*rest}", READ, READ),
    ("/api", READ, READ),
    ("/api/", READ, READ),
    // what the pages' islands ask
    ("/api/sample", READ, READ),
    ("/api/count", READ, READ),
    ("/api/run", READ, READ),
    ("/api/start", ADMIN, RUN),
    ("/api/cancel", ADMIN, RUN),
    ("/api/pause", ADMIN, RUN),
    ("/api/change", ADMIN, RUN),
    ("/api/resume", ADMIN, RUN),
    // other ways in
    ("/v1/models*", READ, ADMIN),
    ("/v1/chat/completions", RUN, RUN),
    ("/v1/*", READ, RUN),
    ("/v1", READ, RUN),
    ("/openapi.json", READ, ADMIN),
    ("/docs*", READ, ADMIN),
    ("/metrics", READ, ADMIN),
    // pages and their forms
    ("/", READ, ADMIN),
    ("/documents", READ, RUN),
    ("/documents/{id}", READ, ADMIN),
    ("/documents/{id}/delete", ADMIN, RUN),
    ("/runs", READ, RUN),
    ("/runs/{id}", READ, ADMIN),
    ("/runs/{id}/cancel", ADMIN, RUN),
    ("/runs/{id}/pause", ADMIN, RUN),
    ("/runs/{id}/resume", ADMIN, RUN),
    ("/runs/{id}/retry-failed", ADMIN, RUN),
    ("/runs/{id}/change", ADMIN, RUN),
    ("/runs/{id}/delete", ADMIN, RUN),
    ("/tasks", READ, ADMIN),
    ("/tasks/new", READ, RUN),
    ("/tasks/import", ADMIN, RUN),
    ("/tasks/{id}", READ, RUN),
    ("/tasks/{id}/delete", ADMIN, RUN),
    ("/workflows", READ, ADMIN),
    ("/workflows/new", READ, RUN),
    ("/workflows/{id}", READ, RUN),
    ("/workflows/{id}/delete", ADMIN, RUN),
    ("/workflows/{id}/run", ADMIN, RUN),
    ("/cache/purge", ADMIN, ADMIN),
    ("/dashboard*", READ, ADMIN),
    ("/alerts*", READ, ADMIN),
    ("/webhooks*", READ, ADMIN),
    // the pages themselves say what is missing
    ("/settings*", READ, ADMIN),
];

/// What a request to the address of this pattern needs; the empty pattern is that of an address that
/// is not there.
pub(super) fn need(method: &Method, pattern: &str) -> Need {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if pattern.is_empty() {
        return READ;
    }
    match entry(pattern) {
        Some((_, read, _)) if reads => *read,
        Some((_, _, change)) => *change,
        None => ADMIN,
    }
}

/// The entry of a pattern: its own, or the first whose beginning it has.
pub(super) fn entry(pattern: &str) -> Option<&'static (&'static str, Need, Need)> {
    let own = TABLE.iter().find(|(known, ..)| *known == pattern);
    own.or_else(|| {
        TABLE.iter().find(|(known, ..)| {
            known.strip_suffix('*').is_some_and(|start| pattern.starts_with(start))
        })
    })
}
