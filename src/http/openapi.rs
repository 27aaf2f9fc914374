//! `GET /openapi.json`: the REST API described (OpenAPI 3.1), generated from the handlers and the types
//! they read and write. `tests/program/openapi.rs` holds it to the routes and sends its examples.

use std::sync::{Arc, LazyLock};

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi as Description, PathItem};
use utoipa::{Modify, OpenApi};

use super::{
    Problem, batch, cache, catalogue, documents, door, etag, events, frames, health, process,
    refusals, runs, shapes, tasks, workflows,
};

/// What every operation below `/api` may answer besides its own.
const ALWAYS: [(&str, &str); 3] = [
    ("400", "The request cannot be read: an address that is not UTF-8, a body that is broken"),
    ("500", "Something went wrong inside Lanes; its log says what"),
    ("503", "The store cannot be used, or the program is stopping; try again"),
];
/// And those that change something.
const CHANGING: [(&str, &str); 1] =
    [("403", "A page of another site asked: only this server's own pages and programs may")];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lanes",
        description = "Runs LLM tasks one after another, in parallel, or both, and says where the \
            time went.\n\nEvery refusal is a problem (RFC 9457, `application/problem+json`). Times \
            are whole microseconds with the suffix `_us`, money is whole micro-dollars with the \
            suffix `_usd_micros`, instants are RFC 3339 in UTC. Fields are only ever added."
    ),
    tags(
        (name = "Runs", description = "Start, follow, steer and export runs"),
        (name = "Batches", description = "Documents and tasks in one request"),
        (name = "Documents", description = "Upload what runs are about"),
        (name = "Tasks", description = "What is asked about a document"),
        (name = "Workflows", description = "Stages of tasks that use one another's answers"),
        (name = "Catalogue", description = "What can be chosen"),
        (name = "Cache", description = "Answers that were given before"),
        (name = "OpenAI", description = "The door for OpenAI's clients"),
        (name = "Health", description = "Whether the program works")
    ),
    paths(
        runs::create, runs::list, runs::show, runs::delete, runs::change, runs::cancel, runs::pause,
        runs::resume, runs::export, batch::retry, batch::calls, batch::timeline, frames::stream,
        events::stream, process::process, process::process_stream, process::process_fast,
        documents::create, documents::list, documents::show, documents::delete, documents::content,
        tasks::list, tasks::create, tasks::export, tasks::import, tasks::attempt,
        tasks::show, tasks::replace, tasks::delete, tasks::copy, workflows::list, workflows::create,
        workflows::check, workflows::import, workflows::show, workflows::replace, workflows::delete,
        workflows::copy, workflows::samples, workflows::add_samples, catalogue::samples,
        catalogue::providers, cache::stats, cache::purge, health::alive, health::ready,
        door::complete, door::models, door::model,
    ),
    components(schemas(
        Problem,
        door::OpenAiError,
        process::OnDisconnect,
        shapes::CallOrder,
        shapes::ExportAs
    )),
    modifiers(&Common)
)]
struct Api;

/// Adds what all operations have in common.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut Description) {
        api.info.version = env!("CARGO_PKG_VERSION").to_owned();
        let paths = api.paths.paths.iter_mut().filter(|(path, _)| path.starts_with("/api/"));
        for (operation, changes) in paths.flat_map(|(_, item)| operations(item)) {
            let more = if changes { &CHANGING[..] } else { &[] };
            for (status, text) in ALWAYS.iter().chain(more) {
                let responses = &mut operation.responses.responses;
                let known = responses.contains_key(*status);
                if !known {
                    responses.insert((*status).to_owned(), refusals::problem(text).into());
                }
            }
        }
    }
}

/// The operations of a path, and whether they change something.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, bool)> {
    let safe = item.get.iter_mut().map(|operation| (operation, false));
    let changing = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    safe.chain(changing.into_iter().flatten().map(|operation| (operation, true)))
}

/// The description.
static DESCRIPTION: LazyLock<Arc<Value>> = LazyLock::new(|| {
    // What is generated always can be written.
    Arc::new(serde_json::to_value(Api::openapi()).unwrap_or_default())
});

/// The description as JSON.
pub fn description() -> Arc<Value> {
    Arc::clone(&DESCRIPTION)
}

/// `GET /openapi.json`
pub async fn show(headers: HeaderMap) -> Response {
    etag::json(&headers, &*DESCRIPTION)
}
