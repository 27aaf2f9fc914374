//! The service against the real simulator over the loopback, one binary.
//!
//! Runs are waited for by following their log to its end; nothing sleeps.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "service/accounting.rs"]
mod accounting;
#[path = "service/alerts.rs"]
mod alerts;
#[path = "service/cache.rs"]
mod cache;
#[path = "service/failures.rs"]
mod failures;
#[path = "service/faults.rs"]
mod faults;
#[path = "service/figures.rs"]
mod figures;
#[path = "service/following.rs"]
mod following;
#[path = "service/interruption.rs"]
mod interruption;
#[path = "service/pieces.rs"]
mod pieces;
#[path = "service/receiver.rs"]
mod receiver;
#[path = "service/redaction.rs"]
mod redaction;
#[path = "service/requests.rs"]
mod requests;
#[path = "service/routing.rs"]
mod routing;
#[path = "service/soak.rs"]
mod soak;
#[path = "service/steering.rs"]
mod steering;
#[path = "service/support.rs"]
mod support;
#[path = "service/tasks.rs"]
mod tasks;
#[path = "service/webhooks.rs"]
mod webhooks;
#[path = "service/workflows.rs"]
mod workflows;
