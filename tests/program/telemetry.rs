//! What operators see: figures for Prometheus, spans for OpenTelemetry. Neither has a text in it.

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use reqwest::header;
use serde_json::{Value, json as body};
use tokio::sync::mpsc;

use crate::support::Program;

fn request() -> Value {
    body!({
        "input": { "text": "The secret of the harbour is that gulls sleep. They wake at five." },
        "tasks": ["summary", "category"],
        "mode": "parallel",
    })
}

/// The samples of the text format, each with its labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.is_empty());
    lines
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name, value.parse().expect("a number"))
        })
        .collect()
}

#[tokio::test]
async fn prometheus_reads_what_runs_did_by_bounded_labels() {
    let program = Program::start("none");
    let id = program.run(&request()).await;
    program.events(&id, 0).await;
    program.get("/no/such/page/1").await;
    program.get("/api/runs/no-such-run").await;
    let response = program.get("/metrics").await;
    let kind = response.headers()[header::CONTENT_TYPE].to_str().expect("text").to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let text = response.text().await.expect("text");
    let samples = samples(&text);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("{name} in\n{text}"));
    assert_eq!(value(r#"lanes_runs_total{status="succeeded"}"#), 1.0);
    assert_eq!(value(r#"lanes_calls_total{outcome="succeeded",provider="simulator"}"#), 2.0);
    let attempts = r#"{model="simulated-mini",outcome="succeeded",provider="simulator"}"#;
    assert_eq!(value(&format!("lanes_attempts_total{attempts}")), 2.0);
    assert_eq!(value(r#"lanes_attempt_duration_seconds_count{provider="simulator"}"#), 2.0);
    assert_eq!(value(r#"lanes_time_to_first_token_seconds_count{provider="simulator"}"#), 2.0);
    let tokens = r#"{kind="input",model="simulated-mini",provider="simulator"}"#;
    assert!(value(&format!("lanes_tokens_total{tokens}")) > 20.0);
    assert_eq!(value(r#"lanes_live{what="runs"}"#), 0.0);
    assert_eq!(value("lanes_ready"), 1.0);
    assert!(value("lanes_event_log_lag_seconds_count") > 8.0);
    // Routes are labels and addresses are not.
    let http = r#"lanes_http_requests_total{method="GET",route="/api/runs/{id}",status="4xx"}"#;
    assert_eq!(value(http), 1.0);
    assert!(!text.contains(&id) && !text.contains("no-such-run") && !text.contains("/no/such"));
    // Every figure is explained, once.
    let named: Vec<_> = text.lines().filter_map(|l| l.strip_prefix("# TYPE ")).collect();
    let names: BTreeSet<_> = named.iter().map(|l| l.split(' ').next()).collect();
    assert_eq!(named.len(), names.len());
}

/// A receiver of traces: what it is sent.
async fn collector() -> (String, mpsc::UnboundedReceiver<Vec<u8>>) {
    let (sent, received) = mpsc::unbounded_channel();
    let take = move |bytes: Bytes| async move {
        let _ = sent.send(bytes.to_vec());
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().route("/v1/traces", post(take));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

/// How often one text stands in what was sent.
fn count(sent: &[u8], text: &str) -> usize {
    sent.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
}

#[tokio::test]
async fn a_run_is_a_trace_of_calls_and_attempts_without_their_texts() {
    let (url, mut received) = collector().await;
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let program = Program::start_with("none", "", &variables);
    let id = program.run(&request()).await;
    program.events(&id, 0).await;
    let mut sent = Vec::new();
    // The run's own span is the last.
    while count(&sent, "lanes.run") == 0 {
        sent.extend(received.recv().await.expect("the receiver is there"));
    }
    assert_eq!(count(&sent, "chat simulated-mini"), 2);
    assert_eq!((count(&sent, "call summary"), count(&sent, "call category")), (1, 1));
    assert_eq!(count(&sent, "gen_ai.usage.output_tokens"), 2);
    assert_eq!(count(&sent, "gen_ai.request.model"), 2);
    // All of them are in the run's trace.
    let plain: String = id.chars().filter(|c| *c != '-').collect();
    let trace: Vec<u8> = (0..16)
        .map(|n| u8::from_str_radix(&plain[2 * n..2 * n + 2], 16).expect("hexadecimal"))
        .collect();
    let of_trace = sent.windows(16).filter(|window| *window == trace).count();
    assert_eq!(of_trace, 5);
    assert_eq!(count(&sent, "harbour") + count(&sent, "gulls"), 0);
}

#[tokio::test]
async fn a_receiver_of_traces_that_is_away_harms_no_run() {
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_BSP_SCHEDULE_DELAY", "20")];
    let program = Program::start_with("none", "", &variables);
    for _ in 0..3 {
        let id = program.run(&request()).await;
        assert!(program.events(&id, 0).await.contains("\"succeeded\""));
    }
}
