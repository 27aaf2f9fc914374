//! The store from outside, on real files: one module for each thing it does.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod access;
mod answers;
mod create;
mod documents;
mod figures;
mod history;
mod log;
mod open;
mod outbox;
mod runs;
mod support;
mod tasks;
mod upkeep;
mod uploads;
mod workflows;
mod writer;
