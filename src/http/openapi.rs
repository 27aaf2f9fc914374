//! `GET /openapi.json`: the REST API described (OpenAPI 3.1), generated from the handlers and the types
//! they read and write. `tests/program/openapi.rs` holds it to the routes and sends its examples.

use std::sync::{Arc, LazyLock};

use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi as Description, PathItem, RefOr, Schema};
use utoipa::{Modify, OpenApi};

use super::{
    Problem, alerts, batch, cache, catalogue, documents, door, etag, events, frames, health, keys,
    metrics, process, refusals, runs, shapes, tasks, webhooks, workflows,
};

/// What every operation but those of the program's health may answer besides its own.
const ALWAYS: [(&str, &str); 7] = [
    ("400", "The request cannot be read: an address that is not UTF-8, a body that is broken"),
    ("401", "A key of this server is missing, or wrong; send it as `Authorization: Bearer …`"),
    ("403", "The key's scope is not enough; or a page of another site asked, and not with a key"),
    ("421", "The server is not called by the name in the address, or in `Host`"),
    (
        "429",
        "The client asks too often, or sent too many wrong keys; `Retry-After` says when to try",
    ),
    ("500", "Something went wrong inside Lanes; its log says what"),
    ("503", "The store cannot be used, or the program is stopping; try again"),
];
/// The name of what opens the door, in the description.
const KEY: &str = "key";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Lanes",
        description = "Runs LLM tasks one after another, in parallel, or both, and says where the \
            time went.\n\nEvery refusal is a problem (RFC 9457, `application/problem+json`). Times \
            are whole microseconds with the suffix `_us`, money is whole micro-dollars with the \
            suffix `_usd_micros`, instants are RFC 3339 in UTC. Fields are only ever added.\n\nA server \
            that others can reach wants a key with every request but those about its health; one \
            that listens on its own machine alone does not, unless it is told to."
    ),
    security((), ("key" = [])),
    tags(
        (name = "Runs", description = "Start, follow, steer and export runs"),
        (name = "Batches", description = "Documents and tasks in one request"),
        (name = "Documents", description = "Upload what runs are about"),
        (name = "Tasks", description = "What is asked about a document"),
        (name = "Workflows", description = "Stages of tasks that use one another's answers"),
        (name = "Catalogue", description = "What can be chosen"),
        (name = "Cache", description = "Answers that were given before"),
        (name = "Figures", description = "What happened, counted"),
        (name = "Alerts", description = "Rules on these figures, and which of them are broken"),
        (name = "Webhooks", description = "Other programs that are told what happens"),
        (name = "Keys", description = "What opens the door"),
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
        metrics::text, alerts::dashboard, alerts::all, alerts::list, alerts::create,
        alerts::replace, alerts::delete, webhooks::list, webhooks::create, webhooks::show,
        webhooks::replace, webhooks::delete, webhooks::test, webhooks::deliveries,
        webhooks::redeliver, keys::list, keys::create, keys::revoke,
        door::complete, door::models, door::model,
    ),
    components(schemas(
        Problem,
        door::refused::OpenAiError,
        lanes_service::DashboardRange,
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
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
            "A key of this server, made on the page /settings/keys, or its LANES_TOKEN",
        ));
        let schemes = api.components.get_or_insert_default();
        schemes.add_security_scheme(KEY, SecurityScheme::Http(bearer.build()));
        // A rule has all that its definition has, and its id.
        if let Some(RefOr::T(Schema::Object(definition))) =
            schemes.schemas.get_mut("AlertRuleDefinition")
        {
            definition.additional_properties = None;
        }
        for (path, item) in &mut api.paths.paths {
            let of_health = path == "/healthz" || path == "/readyz";
            for operation in operations(item) {
                if of_health {
                    // Whoever watches over the program needs no key.
                    operation.security = Some(Vec::new());
                    continue;
                }
                for (status, text) in &ALWAYS {
                    let known = &mut operation.responses.responses;
                    if !known.contains_key(*status) {
                        let refusal = match path.starts_with("/v1/") {
                            true => refusals::openai(text),
                            false => refusals::problem(text),
                        };
                        known.insert((*status).to_owned(), refusal.into());
                    }
                }
            }
        }
    }
}

/// The operations of a path.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let of = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
    of.into_iter().flatten()
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
