//! Too much of everything, and too slowly.

use std::io::Write;
use std::time::{Duration, Instant};

use reqwest::{StatusCode, header};
use serde_json::json as body;

use super::raw::{connect, raw, until_closed};
use crate::support::{Program, json};

#[tokio::test]
async fn what_is_oversized_is_refused_and_the_program_goes_on() {
    let program = Program::start("none");
    let get = |path: &str, more: &str| {
        let line =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{more}connection: close\r\n\r\n");
        raw(&program, &line).split(' ').nth(1).map(str::to_owned).unwrap_or_default()
    };
    let long = "x".repeat(200_000);
    assert_eq!(get("/api/runs", &format!("x-long: {long}\r\n")), "431");
    let many: String = (0..200).map(|i| format!("x-{i}: y\r\n")).collect();
    assert_eq!(get("/api/runs", &many), "431");
    assert!(["414", "431"].contains(&&*get(&format!("/api/runs?q={long}"), "")));
    // Within the head's limit, a query is taken for what it is.
    let search = "x".repeat(20_000);
    assert_eq!(get(&format!("/api/runs?q={search}"), ""), "200");
    let send = async |text: String| {
        let post = program.client.post(format!("{}/api/runs", program.url)).body(text);
        let post = post.header(header::CONTENT_TYPE, "application/json");
        post.send().await.expect("an answer").status()
    };
    assert_eq!(send(" ".repeat(3_000_000)).await, StatusCode::PAYLOAD_TOO_LARGE);
    for deep in ["[".repeat(500_000), format!("{{\"input\":{}", "{\"a\":".repeat(200_000))] {
        assert!(send(deep).await.is_client_error());
    }
    let name = format!("{}.txt", "é".repeat(50_000));
    let part = reqwest::multipart::Part::bytes(b"A text.".to_vec()).file_name(name);
    let form = reqwest::multipart::Form::new().part("file", part);
    let sent = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    let added = sent.send().await.expect("an answer");
    if added.status() == StatusCode::CREATED {
        let added = json(added).await;
        let kept = added["documents"][0]["name"].as_str().map_or(0, |name| name.chars().count());
        assert!(kept <= 300, "{kept}");
    } else {
        assert!(added.status().is_client_error());
    }
    let key = program.post("/api/keys", &body!({ "name": long, "scope": "read" })).await;
    assert_eq!(key.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let ids: Vec<_> = (0..10_000).map(|i| i.to_string()).collect();
    let run = body!({ "input": { "document_ids": ids }, "tasks": ["summary"] });
    assert!(program.post("/api/runs", &run).await.status().is_client_error());
    assert_eq!(program.get("/readyz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn slow_heads_and_slow_bodies_are_given_up_while_others_are_answered() {
    let program = Program::start_with("none", "", &[("LANES_CLIENT_TIMEOUT", "1")]);
    let begun = Instant::now();
    let mut head = connect(&program);
    head.write_all(b"GET / HTTP/1.1\r\nhost: localh").expect("sent");
    let mut body = connect(&program);
    let start = "POST /api/runs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
                 content-length: 1000\r\n\r\n{\"input\":";
    body.write_all(start.as_bytes()).expect("sent");
    let mut idle = connect(&program);
    let mut form = connect(&program);
    let start = "POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-type: \
                 application/x-www-form-urlencoded\r\ntransfer-encoding: chunked\r\n\r\n5\r\ntoken\r\n";
    form.write_all(start.as_bytes()).expect("sent");
    assert_eq!(program.get("/healthz").await.status(), StatusCode::OK);
    let answers = tokio::task::spawn_blocking(move || {
        [&mut head, &mut body, &mut idle, &mut form].map(until_closed)
    });
    let [head, body, idle, form] = answers.await.expect("answers");
    assert!(head.is_empty() || head.starts_with("HTTP/1.1 408"), "{head}");
    assert!(idle.is_empty() || idle.starts_with("HTTP/1.1 408"), "{idle}");
    for answer in [body, form] {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
    }
    // Each was waited for, and none for ever.
    assert!(begun.elapsed() >= Duration::from_millis(900));
    assert_eq!(program.get("/readyz").await.status(), StatusCode::OK);
}
