//! The engine: how close the passes of a run come to the calls they consist of.

use std::time::{Duration, Instant};

use futures::StreamExt;
use serde_json::{Value, json as body};

use crate::support::{Program, json};
use crate::table::Row;

const TASKS: [&str; 6] =
    ["summary", "sentiment", "keywords", "questions", "translation", "category"];

/// All tasks on the first sample, compared.
pub fn compare(lanes: u32) -> Value {
    body!({
        "input": { "sample": "ai-technology" }, "tasks": TASKS, "mode": "compare", "concurrency": lanes,
    })
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

/// Six calls of 2 s, in parallel and one after the other, and the first event of a run.
pub async fn engine() -> Vec<Row> {
    let program = Program::start("fixed:2s");
    let pressed = Instant::now();
    let run = program.run(&compare(6)).await;
    let first = first_event(&program, &run, pressed).await;
    program.events(&run, 0).await;
    let view = json(program.get(&format!("/api/runs/{run}")).await).await;
    let mut rows = Vec::new();
    for pass in view["passes"].as_array().expect("passes") {
        let wall = number(&pass["wall_us"]) as f64;
        let calls = pass["calls"].as_array().expect("calls").iter();
        let times: Vec<_> = calls.map(|c| number(&c["end_us"]) - number(&c["start_us"])).collect();
        let (what, goal, least) = if pass["mode"] == "parallel" {
            let longest = times.iter().copied().max().unwrap_or(1);
            ("Parallel wall time ÷ longest call", "≤ 1.02", longest)
        } else {
            ("Sequential wall time ÷ sum of the calls", "≤ 1.01", times.iter().sum())
        };
        rows.push(Row {
            what,
            how: format!("six calls of 2 s, {} lanes", pass["concurrency"]),
            measured: format!("{:.4}", wall / least as f64),
            goal,
        });
    }
    rows.push(Row {
        what: "From the request for a run to its first event",
        how: "the first run after the start, `POST /api/runs`, then the event stream".to_owned(),
        measured: format!("{:.1} ms", first.as_secs_f64() * 1e3),
        goal: "≤ 100 ms",
    });
    rows
}

async fn first_event(program: &Program, run: &str, pressed: Instant) -> Duration {
    let response = program.get(&format!("/api/runs/{run}/events")).await;
    let mut stream = response.bytes_stream();
    let mut text = String::new();
    while let Some(piece) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&piece.expect("a piece of the stream")));
        if text.contains("event: event") {
            break;
        }
    }
    pressed.elapsed()
}
