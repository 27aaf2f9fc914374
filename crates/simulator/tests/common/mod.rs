//! A simulator on a free port, and a client for it.
//!
//! Shared by the tests over loopback. The rule: no latency unless a test asks for some.

#![allow(dead_code, clippy::unwrap_used)] // each test binary uses its part; helpers fail by panicking

use std::sync::Arc;

use lanes_simulator::{LatencyProfile, MODEL, Simulator, SimulatorConfig, Stats};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

pub const TEXT: &str = include_str!("../../../model/samples/technology-news.txt");

/// A server that stops when it is dropped or told to.
pub struct TestServer {
    pub base: String,
    pub stats: Arc<Stats>,
    client: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

pub fn quick() -> SimulatorConfig {
    SimulatorConfig { latency: LatencyProfile::None, ..SimulatorConfig::default() }
}

impl TestServer {
    pub async fn start(config: SimulatorConfig) -> Self {
        let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), config).await.unwrap();
        let base = format!("http://{}", simulator.addr());
        let stats = simulator.stats();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            simulator.serve(async { drop(stopped.await) }).await.unwrap();
        });
        // Beside crates that choose a TLS back end, reqwest asks for one even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, stats, client, stop: Some(stop), served }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub fn chat(&self, body: &Value) -> RequestBuilder {
        self.request(Method::POST, "/v1/chat/completions").bearer_auth("sk-test").json(body)
    }

    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.served.await.unwrap();
    }
}

/// A request for a summary of `text`.
pub fn ask(text: &str) -> Value {
    json!({
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "You write concise summaries."},
            {"role": "user", "content": format!("Summarise.\n<text>{text}</text>")},
        ],
    })
}

/// The same with more fields.
pub fn ask_with(text: &str, extra: Value) -> Value {
    let mut body = ask(text);
    body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    body
}

pub async fn json(response: Response) -> Value {
    response.json().await.unwrap()
}

pub fn content(completion: &Value) -> &str {
    completion["choices"][0]["message"]["content"].as_str().unwrap()
}

/// The data of each server-sent event.
pub fn events(body: &str) -> Vec<String> {
    body.split("\n\n")
        .filter(|event| !event.is_empty())
        .map(|event| event.strip_prefix("data: ").unwrap().to_owned())
        .collect()
}
