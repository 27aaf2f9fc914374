//! Chat completions over loopback: shape, usage, determinism, time and stopping.

#![allow(clippy::unwrap_used)] // helpers of a test fail by panicking

mod common;

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use common::{TEXT, TestServer, ask, ask_with, content, events, json, quick};
use futures::future::join_all;
use lanes_simulator::{LatencyProfile, SimulatorConfig};
use serde_json::{Value, json};

#[tokio::test]
async fn a_plain_answer_has_openais_shape_and_honest_usage() {
    let server = TestServer::start(quick()).await;
    let response = server.chat(&ask(TEXT)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["x-simulated"], "true");
    let body = json(response).await;
    assert_eq!(body["object"], "chat.completion");
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!(body["choices"][0]["message"]["role"], "assistant");
    assert_eq!(body["choices"][0]["finish_reason"], "stop");
    assert!(content(&body).starts_with("A faulty software update"));
    let usage = &body["usage"];
    let [prompt, answer, total] = ["prompt_tokens", "completion_tokens", "total_tokens"]
        .map(|field| usage[field].as_u64().unwrap());
    assert!((300..500).contains(&prompt) && (20..200).contains(&answer), "{usage}");
    assert_eq!(prompt + answer, total);
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 0);
    assert_eq!(server.stats.answered.load(Relaxed), 1);
    assert_eq!(server.stats.in_flight.load(Relaxed), 0);
}

#[tokio::test]
async fn a_stream_gives_role_tokens_reason_usage_and_done() {
    let server = TestServer::start(quick()).await;
    let whole = json(server.chat(&ask(TEXT)).send().await.unwrap()).await;
    let extra = json!({"stream": true, "stream_options": {"include_usage": true}});
    let response = server.chat(&ask_with(TEXT, extra)).send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let mut events = events(&response.text().await.unwrap());
    assert_eq!(events.pop().unwrap(), "[DONE]");
    let chunks: Vec<Value> = events.iter().map(|e| serde_json::from_str(e).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["object"] == "chat.completion.chunk"));
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]));
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    let [.., last, usage] = chunks.as_slice() else { panic!("too few chunks") };
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"], whole["usage"]);
    assert!(last["usage"].is_null() && last.as_object().unwrap().contains_key("usage"));
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["choices"][0]["delta"], json!({}));
    let tokens = &chunks[1..chunks.len() - 2];
    assert_eq!(tokens.len() as u64, usage["usage"]["completion_tokens"].as_u64().unwrap());
    let text: String =
        tokens.iter().map(|c| c["choices"][0]["delta"]["content"].as_str().unwrap()).collect();
    assert_eq!(text, content(&whole));
}

#[tokio::test]
async fn without_the_option_no_chunk_mentions_usage() {
    let server = TestServer::start(quick()).await;
    let body = ask_with(TEXT, json!({"stream": true}));
    let text = server.chat(&body).send().await.unwrap().text().await.unwrap();
    assert!(!text.contains("\"usage\"") && text.ends_with("data: [DONE]\n\n"));
}

#[tokio::test]
async fn max_tokens_cut_the_answer_and_say_so() {
    let server = TestServer::start(quick()).await;
    for field in ["max_tokens", "max_completion_tokens"] {
        let body =
            json(server.chat(&ask_with(TEXT, json!({field: 5}))).send().await.unwrap()).await;
        assert_eq!(body["choices"][0]["finish_reason"], "length");
        assert_eq!(body["usage"]["completion_tokens"], 5);
    }
}

/// What each of some requests met: a status and, where there is one, the text.
async fn run(server: &TestServer, at_once: bool) -> Vec<(u16, String)> {
    let ask_one = |n: usize| async move {
        let request = server.chat(&ask(&format!("Text {n} is about rain. It rains a lot.")));
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        match response.text().await {
            Ok(text) if status == 200 => {
                (status, content(&serde_json::from_str(&text).unwrap()).to_owned())
            }
            Ok(_) => (status, String::new()),
            Err(_) => (status, "broken".to_owned()),
        }
    };
    if at_once {
        join_all((0..40).map(ask_one)).await
    } else {
        let mut list = Vec::new();
        for n in 0..40 {
            list.push(ask_one(n).await);
        }
        list
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_faults_and_text_in_any_order() {
    let config = SimulatorConfig { seed: 11, error_rate: 0.3, truncate_rate: 0.2, ..quick() };
    let in_turn = run(&TestServer::start(config.clone()).await, false).await;
    let at_once = run(&TestServer::start(config.clone()).await, true).await;
    assert_eq!(in_turn, at_once);
    for status in [200, 500, 503] {
        assert!(in_turn.iter().any(|(s, _)| *s == status), "no {status}");
    }
    assert!(in_turn.iter().any(|(_, text)| text == "broken"));
    let other = run(&TestServer::start(SimulatorConfig { seed: 12, ..config }).await, true).await;
    assert_ne!(in_turn, other);
}

#[tokio::test]
async fn a_repeated_prompt_is_a_new_draw_and_one_prompt_in_the_count() {
    let server = TestServer::start(quick()).await;
    let first = json(server.chat(&ask(TEXT)).send().await.unwrap()).await;
    let second = json(server.chat(&ask(TEXT)).send().await.unwrap()).await;
    assert_eq!(content(&first), content(&second));
    assert_ne!(first["id"], second["id"]);
    assert_eq!(server.stats.answered.load(Relaxed), 2);
    assert_eq!(server.stats.answered_prompts.load(Relaxed), 1);
}

#[tokio::test]
async fn an_answer_never_ends_before_its_time() {
    let server = TestServer::start(quick()).await;
    // The first answer loads the tokenizer.
    server.chat(&ask(TEXT)).send().await.unwrap();
    let fixed = Duration::from_millis(150);
    for stream in [false, true] {
        let began = std::time::Instant::now();
        let request = server.chat(&ask_with(TEXT, json!({"stream": stream})));
        let response = request.header("x-simulate-latency", "fixed:150ms").send().await.unwrap();
        response.bytes().await.unwrap();
        assert!(began.elapsed() >= fixed);
    }
}

#[tokio::test]
async fn stopping_ends_hanging_and_streaming_requests() {
    let server = TestServer::start(SimulatorConfig {
        latency: LatencyProfile::Fixed(Duration::from_secs(3_000)),
        ..SimulatorConfig::default()
    })
    .await;
    let stream = server.chat(&ask_with(TEXT, json!({"stream": true}))).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    let hang = server.chat(&ask(TEXT)).header("x-simulate-hang-rate", "1").send();
    let hang = tokio::spawn(hang);
    while server.stats.requests.load(Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    let stats = server.stats.clone();
    server.stop().await;
    assert_eq!(hang.await.unwrap().unwrap().status(), 503);
    assert!(!stream.text().await.unwrap().contains("[DONE]"));
    assert_eq!(stats.in_flight.load(Relaxed), 0);
    assert_eq!(stats.peak_in_flight.load(Relaxed), 2);
}
