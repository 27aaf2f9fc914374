//! The description of the REST API: complete, and true of the running program.

use std::collections::BTreeSet;

use reqwest::{Method, RequestBuilder, StatusCode, header, multipart};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

/// Addresses of the router that are no operations: the description itself, and what catches the rest.
const NO_OPERATIONS: [&str; 6] =
    ["/openapi.json", "/api", "/api/", "/api/{*rest}", "/v1", "/v1/{*rest}"];
/// The methods, in the order in which the examples are sent.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

async fn description(program: &Program) -> Value {
    json(program.get("/openapi.json").await).await
}

/// Every operation: method, path and what is said of it.
fn operations(api: &Value) -> Vec<(String, String, Value)> {
    let paths = api["paths"].as_object().expect("paths");
    let of = paths.iter().flat_map(|(path, item)| {
        let found = METHODS.iter().filter_map(|m| Some((*m, item.get(*m)?)));
        found.map(|(m, about)| (m.to_owned(), path.clone(), about.clone())).collect::<Vec<_>>()
    });
    of.collect()
}

/// The addresses that the router's sources name.
fn routes() -> Vec<&'static str> {
    let sources = [
        include_str!("../../src/http.rs"),
        include_str!("../../src/http/alerts.rs"),
        include_str!("../../src/http/webhooks.rs"),
    ];
    let after = sources.iter().flat_map(|source| source.split(".route(").skip(1));
    let paths = after.filter_map(|text| text.trim_start().strip_prefix('"')?.split('"').next());
    let rest = |path: &&str| {
        let of = ["/api", "/v1", "/healthz", "/readyz", "/metrics", "/openapi.json"];
        of.iter().any(|start| path.starts_with(start)) && !NO_OPERATIONS.contains(path)
    };
    paths.filter(rest).collect()
}

#[tokio::test]
async fn every_route_is_described_and_everything_described_is_a_route() {
    let program = Program::start("none");
    let api = description(&program).await;
    let described: BTreeSet<String> =
        operations(&api).iter().map(|(m, p, _)| format!("{} {p}", m.to_uppercase())).collect();
    let mut routed = BTreeSet::new();
    for path in routes() {
        // The answer to a method that nobody has says which there are.
        let odd = Method::from_bytes(b"BREW").expect("a method");
        let address = format!("{}{}", program.url, path.replace(['{', '}', '*'], ""));
        let answer = program.client.request(odd, address).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "{path}");
        let allowed = answer.headers()[header::ALLOW].to_str().expect("text").to_owned();
        for method in allowed.split(',').filter(|m| *m != "HEAD") {
            routed.insert(format!("{method} {}", path.replace("{*", "{")));
        }
    }
    assert_eq!(routed, described);
}

#[tokio::test]
async fn every_operation_says_what_it_does_and_every_refusal_what_it_is() {
    let program = Program::start("none");
    let api = description(&program).await;
    assert_eq!(api["openapi"], "3.1.0");
    assert_eq!(api["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut ids = BTreeSet::new();
    for (method, path, about) in operations(&api) {
        let id = about["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id), "{method} {path}: its id is not its own");
        assert!(about["summary"].as_str().is_some_and(|s| s.len() > 10), "{method} {path}");
        let responses = about["responses"].as_object().expect("responses");
        for status in ["401", "403", "421", "429"] {
            // Whoever watches over the program is let in by any name and without a key.
            let open = path == "/healthz" || path == "/readyz";
            assert_eq!(responses.contains_key(status), !open, "{method} {path} {status}");
        }
        for (status, response) in responses {
            if !status.starts_with(['4', '5']) {
                continue;
            }
            let (media, schema) = match path.starts_with("/v1/") {
                true => ("application/json", "#/components/schemas/OpenAiError"),
                false => ("application/problem+json", "#/components/schemas/Problem"),
            };
            let found = &response["content"][media]["schema"]["$ref"];
            assert_eq!(found, schema, "{method} {path} {status}");
        }
    }
    // Nothing is referred to that is not there.
    let text = api.to_string();
    for name in text.split("#/components/schemas/").skip(1).filter_map(|t| t.split('"').next()) {
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
}

/// The examples of an operation's body, each with its media type.
fn examples(about: &Value) -> Vec<(String, Value)> {
    let Some(content) = about["requestBody"]["content"].as_object() else { return Vec::new() };
    let of = content.iter().flat_map(|(media, body)| {
        let one = body.get("example").cloned();
        let many = body["examples"].as_object().into_iter().flatten();
        let many = many.map(|(_, example)| example["value"].clone());
        one.into_iter().chain(many).map(|e| (media.clone(), e)).collect::<Vec<_>>()
    });
    of.collect()
}

fn with_body(request: RequestBuilder, media: &str, example: &Value) -> RequestBuilder {
    if media != "multipart/form-data" {
        return request.json(example);
    }
    let fields = example.as_object().expect("fields").iter();
    request.multipart(fields.fold(multipart::Form::new(), |form, (name, value)| {
        let value = value.as_str().expect("text").to_owned();
        let part = multipart::Part::text(value);
        let named = |part: multipart::Part| part.file_name("example.txt");
        form.part(name.clone(), if name == "file" { named(part) } else { part })
    }))
}

/// A run in the state in which an operation can be carried out.
async fn run_for(program: &Program, operation: &str) -> String {
    let mut request = body!({
        "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel",
    });
    match operation {
        "cancel_run" | "pause_run" | "resume_run" | "change_run" => {
            request["faults"] = body!({ "latency": "fixed:60s" });
        }
        "retry_run" => request["faults"] = body!({ "error_rate": 1 }),
        _ => {}
    }
    let slow = request["faults"]["latency"].is_string();
    let id = program.run(&request).await;
    if !slow {
        program.events(&id, 0).await;
    }
    if operation == "resume_run" {
        let paused = program.post(&format!("/api/runs/{id}/pause"), &body!(null)).await;
        assert_eq!(paused.status(), StatusCode::ACCEPTED);
    }
    id
}

async fn document_for(program: &Program) -> String {
    let image = include_bytes!("../files/scan.png").as_slice();
    let part = multipart::Part::bytes(image).file_name("scan.png");
    let form = multipart::Form::new().part("file", part);
    let post = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    let added = json(post.send().await.expect("an answer")).await;
    added["documents"][0]["id"].as_str().expect("an id").to_owned()
}

/// Makes what an operation is about, and says which it is.
async fn made(program: &Program, path: &str, request: &Value) -> String {
    let answer = program.post(path, request).await;
    assert_eq!(answer.status(), StatusCode::CREATED, "{path}");
    json(answer).await["id"].as_str().expect("an id").to_owned()
}

async fn webhook_for(program: &Program) -> String {
    // Nobody takes messages there, which is all the same to these operations.
    let hook = body!({ "name": "Of a test", "url": format!("{}/hook", program.url),
        "events": ["run.ended"] });
    made(program, "/api/webhooks", &hook).await
}

/// A message that went to a webhook.
async fn delivery_for(program: &Program, hook: &str) -> String {
    let sent = program.post(&format!("/api/webhooks/{hook}/test"), &body!(null)).await;
    assert_eq!(sent.status(), StatusCode::OK);
    json(sent).await["id"].to_string()
}

/// The address of an operation, with what it is about in it.
async fn address(program: &Program, path: &str, about: &Value) -> String {
    let Some((before, after)) = path.split_once('{') else { return path.to_owned() };
    let (name, after) = after.split_once('}').expect("its end");
    let parameters = about["parameters"].as_array().expect("parameters").iter();
    let example = parameters.filter(|p| p["name"] == name).find_map(|p| p["example"].as_str());
    let id = match (example, about["tags"][0].as_str()) {
        (Some(example), _) => example.to_owned(),
        (None, Some("Runs")) => {
            run_for(program, about["operationId"].as_str().expect("an id")).await
        }
        (None, Some("Keys")) => {
            let key = body!({ "name": "Of a test", "scope": "read" });
            made(program, "/api/keys", &key).await
        }
        (None, Some("Alerts")) => {
            let rule = body!({ "name": "Of a test", "kind": "daily_spend", "threshold": 1 });
            made(program, "/api/alerts/rules", &rule).await
        }
        (None, Some("Webhooks")) => {
            let hook = webhook_for(program).await;
            let Some((between, end)) = after.split_once("{delivery}") else {
                return format!("{before}{hook}{after}");
            };
            let delivery = delivery_for(program, &hook).await;
            return format!("{before}{hook}{between}{delivery}{end}");
        }
        (None, tag) => {
            assert_eq!(tag, Some("Documents"), "{path} has no example");
            document_for(program).await
        }
    };
    format!("{before}{id}{after}")
}

#[tokio::test]
async fn every_example_of_the_description_works_as_it_stands() {
    let private = ("LANES_WEBHOOK_ALLOW_PRIVATE", "true");
    let program = Program::start_with("none", "", &[private]);
    let api = description(&program).await;
    let mut all = operations(&api);
    // What is made first is changed and deleted later.
    all.sort_by_key(|(m, p, _)| (METHODS.iter().position(|of| of == m), p.matches('/').count()));
    all.sort_by_key(|(m, _, _)| m != "post");
    let mut sent = 0;
    for (method, path, about) in all {
        let examples = examples(&about);
        let required = about["requestBody"]["required"] == true;
        assert!(!required || !examples.is_empty(), "{method} {path} has no example");
        let bodies: Vec<_> = match examples.is_empty() {
            true => vec![None],
            false => examples.into_iter().map(Some).collect(),
        };
        for example in bodies {
            let address = format!("{}{}", program.url, address(&program, &path, &about).await);
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let mut request = program.client.request(method.clone(), &address);
            if let Some((media, example)) = &example {
                request = with_body(request, media, example);
            }
            let answer = request.send().await.expect("an answer");
            let status = answer.status();
            let media = answer.headers().get(header::CONTENT_TYPE).cloned();
            let text = answer.bytes().await.expect("a body");
            let said = String::from_utf8_lossy(&text);
            assert!(status.is_success(), "{method} {address} {example:?}: {status} {said}");
            let told = &about["responses"][status.as_str()];
            assert!(told.is_object(), "{method} {path}: {status} is not described");
            if let Some(media) = media {
                let media = media.to_str().expect("text").split(';').next().expect("a type");
                assert!(told["content"][media].is_object(), "{method} {path}: {media}");
            }
            sent += 1;
        }
    }
    assert!(sent > 60, "{sent}");
}

#[tokio::test]
async fn the_page_of_the_description_has_every_operation_and_needs_nothing_from_elsewhere() {
    let program = Program::start("none");
    let page = program.get("/docs").await;
    assert_eq!(page.status(), StatusCode::OK);
    let page = page.text().await.expect("text");
    for (method, path, about) in operations(&description(&program).await) {
        let id = about["operationId"].as_str().expect("an id");
        assert!(page.contains(&format!("id=\"{id}\"")), "{method} {path}");
        assert!(page.contains(&format!("href=\"#{id}\"")), "{method} {path}");
    }
    for place in ["src=\"http", "href=\"http", "url(http"] {
        assert!(!page.contains(place), "{place}");
    }
    // Every link to a type finds it.
    for name in page.split("href=\"#schema-").skip(1).filter_map(|t| t.split('"').next()) {
        assert!(page.contains(&format!("id=\"schema-{name}\"")), "{name}");
    }
}
