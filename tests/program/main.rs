//! The built program over real HTTP, against its own simulator: the contract other programs rely on.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so")]

mod alerts;
mod batch;
mod cache;
mod documents;
mod rest;
mod routes;
mod settings;
mod support;
mod survival;
mod tasks;
mod webhooks;
mod workflows;
