//! Cached answers over REST and plain forms.

use reqwest::{StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn cached(mode: &str) -> Value {
    body!({
        "input": { "sample": "ai-technology" },
        "tasks": ["summary", "category"],
        "mode": mode,
        "cache": true,
    })
}

async fn finished(program: &Program, request: &Value) -> (String, Value) {
    let id = program.run(request).await;
    program.events(&id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    (id, run)
}

/// A field of each call of the only pass.
fn each(run: &Value, field: &str) -> Vec<Value> {
    let calls = run["passes"][0]["calls"].as_array().expect("calls");
    calls.iter().map(|c| c[field].clone()).collect()
}

#[tokio::test]
async fn a_second_run_is_marked_costs_nothing_and_asks_again_after_a_purge() {
    let program = Program::start("fixed:100ms");
    let (_, first) = finished(&program, &cached("parallel")).await;
    assert_eq!(each(&first, "cached"), [false, false]);
    let (id, second) = finished(&program, &cached("sequential")).await;
    assert_eq!((&second["status"], &second["cache"]), (&body!("succeeded"), &body!(true)));
    assert_eq!(each(&second, "cached"), [true, true]);
    assert_eq!(each(&second, "attempts"), [0, 0]);
    assert_eq!(each(&second, "cost_usd_micros"), [0, 0]);
    assert_eq!(each(&second, "tokens"), each(&first, "tokens"));
    assert_eq!(each(&second, "output"), each(&first, "output"));
    let number = |v: &Value| v.as_u64().expect("a number");
    let pass = &second["passes"][0];
    let parts: u64 = pass["ledger"].as_object().expect("a ledger").values().map(number).sum();
    assert_eq!(parts, number(&pass["wall_us"]) * number(&pass["concurrency"]));
    let page = program.get(&format!("/runs/{id}")).await.text().await.expect("a page");
    assert!(page.contains("2 answers from cache"), "the report says so");

    let stats = json(program.get("/api/cache").await).await;
    assert_eq!(["entries", "hits", "misses"].map(|f| number(&stats[f])), [2, 2, 2]);
    let purge = program.client.delete(format!("{}/api/cache", program.url)).send().await;
    assert_eq!(purge.expect("an answer").status(), StatusCode::NO_CONTENT);
    let stats = json(program.get("/api/cache").await).await;
    assert_eq!((&stats["entries"], &stats["bytes"]), (&body!(0), &body!(0)));
    let (_, third) = finished(&program, &cached("parallel")).await;
    assert_eq!(each(&third, "cached"), [false, false]);
}

#[tokio::test]
async fn compare_measures_and_refuses_cached_answers() {
    let program = Program::start("none");
    let response = program.post("/api/runs", &cached("compare")).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem = json(response).await;
    assert_eq!(problem["errors"][0]["pointer"], "/cache");
    assert!(problem["detail"].as_str().expect("text").starts_with("Compare measures both passes"));
}

#[tokio::test]
async fn plain_forms_ask_for_cached_answers_and_purge_them() {
    let program = Program::start("none");
    let send = async |path: &str, fields: &str| {
        let post = program.client.post(format!("{}{path}", program.url));
        let post = post.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        post.body(fields.to_owned()).send().await.expect("an answer")
    };
    let start = async |mode: &str| {
        let fields = format!("text=Some+words.&task=summary&cache=on&mode={mode}");
        let started = send("/runs", &fields).await;
        let place = started.headers()["location"].to_str().expect("text").to_owned();
        let id = place.trim_start_matches("/runs/").to_owned();
        program.events(&id, 0).await;
        json(program.get(&format!("/api/runs/{id}")).await).await
    };
    assert_eq!(each(&start("parallel").await, "cached"), [false]);
    assert_eq!(each(&start("parallel").await, "cached"), [true]);
    // Compare hides the box, so that it does not count.
    assert_eq!(each(&start("compare").await, "cached"), [false]);
    let purged = send("/cache/purge", "").await;
    assert_eq!(purged.status(), StatusCode::SEE_OTHER);
    assert_eq!(purged.headers()["location"], "/runs");
    assert_eq!(each(&start("parallel").await, "cached"), [false]);
    let wrong = send("/runs", "text=+&task=summary&cache=on&mode=parallel").await;
    let page = wrong.text().await.expect("text");
    assert!(page.contains(r#"name="cache" value="on" checked>"#), "the tick is kept");
}
