//! A batch that is killed again and again and comes to the same end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use futures::StreamExt;
use lanes_simulator::{Simulator, SimulatorConfig, Stats};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

const RECORDS: usize = 2_000;
const LANES: usize = 50;
const KILLS: usize = 10;

/// A simulator in this process, which outlives the program, and the lines that make it the provider.
pub async fn simulator() -> (Arc<Stats>, String) {
    let latency = "lognormal:mean=60ms,cv=0.6".parse().expect("a latency");
    let config = SimulatorConfig { latency, ..SimulatorConfig::default() };
    let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), config).await.expect("an address");
    let url = format!("http://{}/v1", simulator.addr());
    let stats = simulator.stats();
    tokio::spawn(simulator.serve(std::future::pending()));
    let provider = format!(
        "[[provider]]\nname = \"elsewhere\"\nbase_urls = [\"{url}\"]\nmodels = [\"simulated-mini\"]\n"
    );
    (stats, provider)
}

/// Starts the program on it, and a run over so many records; gives the run's id.
async fn started(provider: &str) -> (Program, String) {
    let program = Program::start_with("none", provider, &[("LANES_RESUME", "auto")]);
    let rows = (0..RECORDS).map(|i| {
        body!({ "text": format!("Order {i} came late. The customer of order {i} asks for a refund.") })
            .to_string()
    });
    let rows = rows.collect::<Vec<_>>().join("\n");
    let part = Part::bytes(rows.into_bytes()).file_name("orders.jsonl");
    let request = program.client.post(format!("{}/api/documents", program.url));
    let added = request.multipart(Form::new().part("file", part)).send().await.expect("an answer");
    let added = json(added).await;
    let id = program
        .run(&body!({
            "input": { "document_ids": [added["documents"][0]["id"]] },
            "tasks": ["summary"],
            "mode": "parallel",
            "concurrency": LANES,
            "provider": "elsewhere",
            "adaptive": false,
        }))
        .await;
    (program, id)
}

/// Follows the log from an event on until so many more calls have ended. Gives the last event seen.
async fn follow(program: &Program, id: &str, after: u64, calls: usize) -> u64 {
    let stream = program.get(&format!("/api/runs/{id}/events?after={after}")).await;
    let mut stream = stream.bytes_stream();
    let (mut text, mut seen) = (String::new(), 0);
    let mut last = after;
    while let Some(piece) = stream.next().await {
        text.push_str(&String::from_utf8_lossy(&piece.expect("the stream goes on")));
        while let Some((line, rest)) = text.split_once('\n') {
            last = line.strip_prefix("id:").and_then(|id| id.trim().parse().ok()).unwrap_or(last);
            seen += usize::from(line.contains("\"type\":\"call_ended\""));
            text = rest.to_owned();
        }
        if seen >= calls {
            break;
        }
    }
    last
}

/// The answer on each record.
async fn answers(program: &Program, id: &str) -> BTreeMap<String, String> {
    let export = program.get(&format!("/api/runs/{id}/export?format=csv")).await;
    let export = export.bytes().await.expect("the export");
    let mut reader = csv::Reader::from_reader(export.as_ref());
    let headers = reader.headers().expect("a header").clone();
    let place = |name: &str| headers.iter().position(|h| h == name).expect("the column");
    let (document, status, output) = (place("document"), place("status"), place("output"));
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        assert_eq!(&row[status], "succeeded");
        (row[document].to_owned(), row[output].to_owned())
    });
    rows.collect()
}

async fn finished(program: &Program, id: &str) -> Value {
    assert!(program.events(id, 0).await.contains("event: end"));
    json(program.get(&format!("/api/runs/{id}")).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_killed_at_ten_moments_repeats_only_what_was_in_flight() {
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let (stats, provider) = simulator().await;
    let (mut program, id) = started(&provider).await;
    let mut seen = 0;
    for _ in 0..KILLS {
        let more = rng.usize(0..RECORDS / (KILLS + 2));
        seen = follow(&program, &id, seen, more).await;
        program.kill_and_start_again();
    }
    let run = finished(&program, &id).await;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["counts"]["succeeded"], RECORDS);
    let killed = answers(&program, &id).await;
    assert_eq!(killed.len(), RECORDS);

    let (answered, prompts) = (stats.answered.load(Relaxed), stats.answered_prompts.load(Relaxed));
    assert_eq!(prompts as usize, RECORDS, "every record was answered");
    let twice = answered as usize - RECORDS;
    // What had been answered and not yet been written down when the program was killed: on each lane
    // the answer before, at most, and the one that was then under way.
    assert!(twice <= KILLS * LANES * 2, "{twice} answers were asked for again");
    println!("{twice} of {answered} answers were asked for again in {KILLS} kills");

    let (_, provider) = simulator().await;
    let (undisturbed, id) = started(&provider).await;
    finished(&undisturbed, &id).await;
    assert_eq!(killed, answers(&undisturbed, &id).await, "the results are those of a calm run");
}
