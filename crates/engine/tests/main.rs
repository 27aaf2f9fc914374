//! The scheduler's tests: scripted providers on a paused clock, judged by the folded log.

// Helpers outside test functions may fail a test too.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod budget;
mod cache;
mod conditions;
mod failure;
mod laws;
mod limiter;
mod order;
mod pauses;
mod progress;
mod rates;
mod reopened;
mod resume;
mod retry;
mod scale;
mod stages;
mod stop;
mod storage;
mod support;
