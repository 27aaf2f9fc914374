//! What goes wrong over loopback: faults by header, limits, keys, models and malformed requests.

#![allow(clippy::unwrap_used)] // helpers of a test fail by panicking

mod common;

use std::sync::atomic::Ordering::Relaxed;

use common::{TEXT, TestServer, ask, ask_with, events, json, quick};
use lanes_simulator::{MODEL, SimulatorConfig};
use reqwest::Method;
use serde_json::{Value, json};

/// Checks the status and the form of an error, and gives its body.
async fn error(response: reqwest::Response, status: u16) -> Value {
    assert_eq!(response.status(), status);
    let body = json(response).await;
    for field in ["message", "type"] {
        assert!(body["error"][field].is_string(), "{body}");
    }
    for field in ["param", "code"] {
        assert!(body["error"].as_object().unwrap().contains_key(field), "{body}");
    }
    body["error"].clone()
}

#[tokio::test]
async fn an_error_rate_of_one_fails_every_request_in_openais_form() {
    let server = TestServer::start(quick()).await;
    let response =
        server.chat(&ask(TEXT)).header("x-simulate-error-rate", "1").send().await.unwrap();
    let status = response.status().as_u16();
    assert!([500, 503].contains(&status));
    assert_eq!(error(response, status).await["type"], "server_error");
    assert_eq!(server.stats.errors.load(Relaxed), 1);
}

#[tokio::test]
async fn the_same_request_sent_again_has_a_new_chance() {
    let server = TestServer::start(quick()).await;
    let mut answered = 0;
    for _ in 0..40 {
        let request = server.chat(&ask(TEXT)).header("x-simulate-error-rate", "0.5");
        answered += u32::from(request.send().await.unwrap().status().is_success());
    }
    assert!((10..=30).contains(&answered), "{answered} of 40");
}

#[tokio::test]
async fn a_run_with_a_limit_of_its_own_is_refused_above_it_and_others_are_not() {
    let server = TestServer::start(quick()).await;
    let ask_as = async |run: &str| {
        let request = server.chat(&ask(TEXT)).header("x-simulate-rpm", "6");
        request.header("x-simulate-run", run).send().await.unwrap()
    };
    let first = ask_as("one").await;
    assert_eq!(first.headers()["x-ratelimit-limit-requests"], "6");
    assert_eq!(first.status(), 200);
    let second = ask_as("one").await;
    // One every ten seconds, however slow the machine is meanwhile.
    let wait: u32 = second.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    assert_eq!(error(second, 429).await["code"], "rate_limit_exceeded");
    assert_eq!(ask_as("two").await.status(), 200);
    let plain = server.chat(&ask(TEXT)).send().await.unwrap();
    assert!(plain.status().is_success() && !plain.headers().contains_key("retry-after"));
    let wrong = server.chat(&ask(TEXT)).header("x-simulate-rpm", "0").send().await.unwrap();
    assert_eq!(error(wrong, 400).await["param"], "x-simulate-rpm");
}

#[tokio::test]
async fn a_truncated_stream_ends_without_reason_or_done() {
    let server = TestServer::start(quick()).await;
    let request = server.chat(&ask_with(TEXT, json!({"stream": true})));
    let response = request.header("x-simulate-truncate-rate", "1").send().await.unwrap();
    let text = response.text().await.unwrap();
    let events = events(&text);
    assert!(events.len() > 3, "{text}");
    assert!(!text.contains("[DONE]"));
    for event in events {
        let chunk: Value = serde_json::from_str(&event).unwrap();
        assert!(chunk["choices"][0]["finish_reason"].is_null());
    }
    assert_eq!(server.stats.answered.load(Relaxed), 0);
}

#[tokio::test]
async fn a_truncated_plain_answer_breaks_off() {
    let server = TestServer::start(quick()).await;
    let response =
        server.chat(&ask(TEXT)).header("x-simulate-truncate-rate", "1").send().await.unwrap();
    assert!(response.text().await.is_err());
}

#[tokio::test]
async fn a_hanging_request_ends_when_its_client_leaves() {
    let server = TestServer::start(quick()).await;
    let request = server.chat(&ask(TEXT)).header("x-simulate-hang-rate", "1");
    let client = tokio::spawn(request.send());
    while server.stats.in_flight.load(Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    client.abort();
    while server.stats.in_flight.load(Relaxed) > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.stats.answered.load(Relaxed), 0);
}

#[tokio::test]
async fn a_header_that_cannot_be_used_is_a_400_that_names_it() {
    let server = TestServer::start(quick()).await;
    for header in ["x-simulate-error-rate", "x-simulate-latency", "x-simulate-seed"] {
        let response = server.chat(&ask(TEXT)).header(header, "often").send().await.unwrap();
        assert!(error(response, 400).await["message"].as_str().unwrap().contains(header));
    }
}

#[tokio::test]
async fn requests_above_the_limit_get_429_with_headers() {
    let server =
        TestServer::start(SimulatorConfig { rpm: Some(2), tpm: Some(100_000), ..quick() }).await;
    let first = server.chat(&ask(TEXT)).send().await.unwrap();
    assert_eq!(first.status(), 200);
    assert_eq!(first.headers()["x-ratelimit-limit-requests"], "2");
    assert_eq!(first.headers()["x-ratelimit-remaining-requests"], "1");
    assert_eq!(first.headers()["x-ratelimit-limit-tokens"], "100000");
    assert!(first.headers().contains_key("x-ratelimit-reset-requests"));
    assert!(first.headers().contains_key("x-ratelimit-remaining-tokens"));
    assert!(first.headers().contains_key("x-ratelimit-reset-tokens"));
    server.chat(&ask(TEXT)).send().await.unwrap();
    let refused = server.chat(&ask(TEXT)).send().await.unwrap();
    let headers = refused.headers().clone();
    let body = error(refused, 429).await;
    assert_eq!(body["code"], "rate_limit_exceeded");
    assert_eq!(body["type"], "requests");
    let wait: u64 = headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    assert_eq!(headers["x-ratelimit-remaining-requests"], "0");
}

#[tokio::test]
async fn tokens_above_the_limit_get_429_too() {
    let server = TestServer::start(SimulatorConfig { tpm: Some(900), ..quick() }).await;
    let body = ask_with(TEXT, json!({"max_tokens": 200}));
    assert_eq!(server.chat(&body).send().await.unwrap().status(), 200);
    let refused = server.chat(&body).send().await.unwrap();
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(error(refused, 429).await["type"], "tokens");
}

#[tokio::test]
async fn a_key_that_stands_for_an_invalid_one_is_refused() {
    let server = TestServer::start(quick()).await;
    let request = server.request(Method::POST, "/v1/chat/completions").json(&ask(TEXT));
    let response = request.bearer_auth("sk-invalid-123").send().await.unwrap();
    assert_eq!(error(response, 401).await["code"], "invalid_api_key");
}

#[tokio::test]
async fn only_the_listed_model_exists() {
    let server = TestServer::start(quick()).await;
    let response = server.chat(&ask_with(TEXT, json!({"model": "gpt-x"}))).send().await.unwrap();
    let body = error(response, 404).await;
    assert_eq!(body["code"], "model_not_found");
    let list = json(server.request(Method::GET, "/v1/models").send().await.unwrap()).await;
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["id"], MODEL);
    let one = server.request(Method::GET, "/v1/models/simulated-mini").send().await.unwrap();
    assert_eq!(json(one).await["object"], "model");
    error(server.request(Method::GET, "/v1/models/x").send().await.unwrap(), 404).await;
}

#[tokio::test]
async fn malformed_requests_are_400_in_openais_form() {
    let server = TestServer::start(quick()).await;
    for body in [
        "",
        "{",
        "nonsense",
        "[]",
        "{\"model\": 3}",
        "{\"model\": \"simulated-mini\"}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}",
        "{\"model\": \"simulated-mini\", \"messages\": []}",
        "{\"model\": \"simulated-mini\", \"messages\": [{\"role\": \"king\", \"content\": \"x\"}]}",
        "{\"model\": \"simulated-mini\", \"messages\": [{\"role\": \"user\", \"content\": 5}]}",
        "{\"model\": \"simulated-mini\", \"messages\": [{\"role\": \"user\", \"content\": \"x\"}], \"n\": 2}",
    ] {
        let request = server.request(Method::POST, "/v1/chat/completions").body(body);
        let error = error(request.send().await.unwrap(), 400).await;
        assert_eq!(error["type"], "invalid_request_error", "{body}");
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_errors_in_openais_form() {
    let server = TestServer::start(quick()).await;
    let unknown = server.request(Method::GET, "/v1/unknown").send().await.unwrap();
    assert_eq!(error(unknown, 404).await["code"], "unknown_url");
    let method = server.request(Method::GET, "/v1/chat/completions").send().await.unwrap();
    error(method, 405).await;
}

#[tokio::test]
async fn a_body_above_the_limit_is_413() {
    let server = TestServer::start(quick()).await;
    let body = ask(&"x".repeat(40_000_001));
    // The server may answer and close before the body is sent, which a client may see as either.
    match server.chat(&body).send().await {
        Ok(response) => drop(error(response, 413).await),
        Err(broken) => assert!(!broken.is_timeout(), "{broken}"),
    }
}

#[tokio::test]
async fn odd_texts_are_answered() {
    let server = TestServer::start(quick()).await;
    for text in [String::new(), "\0".repeat(50), "中文。".repeat(500), "x".repeat(200_000)] {
        let response = server.chat(&ask(&text)).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }
}
