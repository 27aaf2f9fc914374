//! The floor: as many tasks as there are lanes take calls from one counter, send each with one
//! client, read the answer to its end, and do nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use lanes_simulator::MODEL;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, StatusCode};
use serde_json::json;

use super::figures::{Pass, Span, cpu, resident_kb};
use super::{Load, ours};

/// A client that goes straight to this machine.
pub fn client() -> Client {
    // reqwest asks for a TLS back end even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().expect("a client")
}

/// Sends one request and reads its answer to the end. Says whether it was let in: a rate limit may
/// refuse it.
pub async fn call(client: &Client, url: &str, body: String) -> bool {
    let request = client.post(url).header(CONTENT_TYPE, "application/json").body(body);
    let response = request.send().await.expect("an answer");
    if response.status() == StatusCode::TOO_MANY_REQUESTS {
        return false;
    }
    let mut response = response.error_for_status().expect("a good one");
    while response.chunk().await.expect("a whole answer").is_some() {}
    true
}

/// One pass.
pub async fn pass(load: &Load, url: &str) -> Pass {
    let client = client();
    let url: Arc<str> = format!("{url}/chat/completions").into();
    let bodies: Arc<[String]> = (0..load.calls).map(|call| body(load, call)).collect();
    let next = Arc::new(AtomicUsize::new(0));
    let (cpu_before, began) = (cpu(), Instant::now());
    let tasks: Vec<_> = (0..load.lanes)
        .map(|lane| {
            let (client, url, bodies, next) =
                (client.clone(), Arc::clone(&url), Arc::clone(&bodies), Arc::clone(&next));
            let wait = load.apart * lane;
            tokio::spawn(async move {
                tokio::time::sleep(wait).await;
                let (mut spans, mut refused) = (Vec::new(), 0);
                while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = began.elapsed();
                    if call(&client, &url, body.clone()).await {
                        spans.push(Span { start, end: began.elapsed() });
                    } else {
                        refused += 1;
                    }
                }
                (spans, refused)
            })
        })
        .collect();
    let (mut calls, mut refused) = (Vec::new(), 0);
    for task in tasks {
        let (spans, more) = task.await.expect("no panic");
        calls.extend(spans);
        refused += more;
    }
    Pass {
        wall: began.elapsed(),
        cpu: cpu() - cpu_before,
        resident_kb: resident_kb(),
        calls,
        refused,
        refills: Vec::new(),
    }
}

/// The body that the engine's provider sends for the same call.
fn body(load: &Load, call: u32) -> String {
    json!({
        "model": MODEL,
        "messages": [
            { "role": "system", "content": ours::INSTRUCTION },
            { "role": "user", "content": ours::message(call) },
        ],
        "max_tokens": load.tokens,
        "stream": true,
        "stream_options": { "include_usage": true },
    })
    .to_string()
}
