//! Many requests for runs in a short time: each that is accepted comes to its end, none is lost and none
//! is made twice. A request that is refused for now (429, 503) is sent again, as a client does.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json as body};

use super::figures::{ms, open_files, percentile};
use crate::support::{Program, json};
use crate::table::Row;

const SUBMISSIONS: usize = 2_000;
const CONNECTIONS: usize = 50;
/// Each so manieth request is made twice, as by a client that heard no answer.
const REPEATED: usize = 10;
/// Between two tries when the answer does not say, and between two looks at what goes on.
const AGAIN: Duration = Duration::from_millis(100);
/// What goes on for longer is lost.
const LONGEST: Duration = Duration::from_secs(300);

/// What one connection did.
#[derive(Default)]
struct Sent {
    runs: Vec<String>,
    repeated: usize,
    refused: usize,
    times: Vec<Duration>,
}

/// The row; none where so many sockets are not to be had.
pub async fn rows() -> Vec<Row> {
    if open_files() < 1_024 {
        println!("{SUBMISSIONS} submissions need 1024 open files (`ulimit -n`): not measured");
        return Vec::new();
    }
    let program = Arc::new(Program::start("none"));
    // The first run waits for the tokenizer's tables.
    program.events(&program.run(&request(SUBMISSIONS)).await, 0).await;
    let (next, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let connections =
        (0..CONNECTIONS).map(|_| tokio::spawn(connection(Arc::clone(&program), Arc::clone(&next))));
    let mut all = Sent::default();
    for sent in join_all(connections).await {
        let sent = sent.expect("a connection");
        all.runs.extend(sent.runs);
        all.times.extend(sent.times);
        all.repeated += sent.repeated;
        all.refused += sent.refused;
    }
    let submitted = began.elapsed();
    let accepted: HashSet<String> = all.runs.into_iter().collect();
    assert_eq!(accepted.len(), SUBMISSIONS, "each submission is a run of its own");
    while live(&program).await > 0 {
        assert!(began.elapsed() < LONGEST, "{} runs do not end", live(&program).await);
        tokio::time::sleep(AGAIN).await;
    }
    let wall = began.elapsed();
    let listed = listed(&program).await;
    assert_eq!(listed.len(), SUBMISSIONS + 1, "as many are listed as were accepted, and the first");
    let completed = listed.iter().filter(|(id, succeeded)| *succeeded && accepted.contains(id));
    let ratio = completed.count() as f64 / accepted.len() as f64;
    vec![Row {
        what: "2,000 submissions: runs completed ÷ accepted",
        how: format!(
            "`POST /api/runs` from {CONNECTIONS} connections, one task each, `none`; {} repeated with \
             their Idempotency-Key gave the same run, {} refused for now and sent again; all accepted \
             after {:.1} s, all completed after {:.1} s; an answer took {} (median), {} (p99); memory \
             {:.0} MB at the end",
            all.repeated,
            all.refused,
            submitted.as_secs_f64(),
            wall.as_secs_f64(),
            ms(percentile(all.times.clone(), 0.5)),
            ms(percentile(all.times, 0.99)),
            program.resident_kb() as f64 / 1e3,
        ),
        measured: format!("{ratio}"),
        goal: "1",
    }]
}

fn request(number: usize) -> Value {
    body!({
        "input": { "text": format!("Boat {number} left late for the sea.") },
        "tasks": ["sentiment"], "mode": "parallel", "concurrency": 1, "cache": false,
    })
}

/// Makes the submissions that no other connection has made yet, one after the other.
async fn connection(program: Arc<Program>, next: Arc<AtomicUsize>) -> Sent {
    let mut sent = Sent::default();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= SUBMISSIONS {
            return sent;
        }
        let run = submit(&program, number, &mut sent).await;
        if number.is_multiple_of(REPEATED) {
            let again = submit(&program, number, &mut sent).await;
            assert_eq!(again, run, "the same request with the same key is the same run");
            sent.repeated += 1;
        }
        sent.runs.push(run);
    }
}

/// The run's id, once it is accepted.
async fn submit(program: &Program, number: usize, sent: &mut Sent) -> String {
    loop {
        let asked = Instant::now();
        let request = program
            .client
            .post(format!("{}/api/runs", program.url))
            .header("idempotency-key", format!("submission-{number}"))
            .json(&request(number));
        let answer = request.send().await.expect("an answer");
        match answer.status() {
            StatusCode::CREATED => {
                sent.times.push(asked.elapsed());
                return json(answer).await["id"].as_str().expect("an id").to_owned();
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                sent.refused += 1;
                tokio::time::sleep(wait(&answer)).await;
            }
            other => panic!("{other}: {}", answer.text().await.unwrap_or_default()),
        }
    }
}

fn wait(answer: &Response) -> Duration {
    let after = answer.headers().get("retry-after").and_then(|v| v.to_str().ok());
    after.and_then(|seconds| seconds.parse().ok()).map_or(AGAIN, Duration::from_secs)
}

/// How many runs have not ended.
async fn live(program: &Program) -> u64 {
    let mut live = 0;
    for status in ["queued", "running"] {
        let page = program.get(&format!("/api/runs?limit=1&status={status}")).await;
        live += json(page).await["total"].as_u64().expect("a number");
    }
    live
}

/// Every run in the list, and whether it succeeded.
async fn listed(program: &Program) -> Vec<(String, bool)> {
    let mut runs = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = json(program.get(&format!("/api/runs?limit=200{cursor}")).await).await;
        for run in page["items"].as_array().expect("runs") {
            let id = run["id"].as_str().expect("an id").to_owned();
            runs.push((id, run["status"] == "succeeded"));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return runs,
        }
    }
}
