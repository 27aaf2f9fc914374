//! The built program over real HTTP, against its own simulator: the contract other programs rely on.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

mod alerts;
mod attacks;
mod batch;
mod cache;
mod contract;
mod documents;
mod door;
mod openapi;
mod process;
mod rest;
mod routes;
mod settings;
#[cfg(target_os = "linux")]
mod storage;
mod support;
mod survival;
mod tasks;
mod telemetry;
mod terminal;
mod unkept;
mod upkeep;
mod webhooks;
mod workflows;
