//! Large runs over REST: sums instead of calls, pages of calls, frames, windows, exports of any size,
//! and another try for what failed.

use reqwest::multipart::{Form, Part};
use reqwest::{StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

/// Uploads a table of so many records and gives their ids.
async fn records(program: &Program, count: usize) -> Vec<Value> {
    let rows = (0..count).map(|i| {
        format!("Ticket {i},\"The harbour was quiet on day {i}, and ticket {i} came late.\"\n")
    });
    let table = format!("name,text\n{}", rows.collect::<String>());
    let part = Part::bytes(table.into_bytes()).file_name("tickets.csv");
    let address = format!("{}/api/documents", program.url);
    let request = program.client.post(address).multipart(Form::new().part("file", part));
    let added = json(request.send().await.expect("an answer")).await;
    let documents = added["documents"].as_array().expect("documents");
    assert_eq!(documents[0]["records"], count, "{}", added["rejected"]);
    documents.iter().map(|d| d["id"].clone()).collect()
}

async fn start(program: &Program, more: Value) -> String {
    let ids = records(program, 300).await;
    let mut request = body!({
        "input": { "document_ids": ids },
        "tasks": ["summary", "sentiment"],
        "mode": "parallel",
        "concurrency": 32,
    });
    let more = more.as_object().expect("an object").clone();
    request.as_object_mut().expect("an object").extend(more);
    program.run(&request).await
}

async fn show(program: &Program, id: &str) -> Value {
    json(program.get(&format!("/api/runs/{id}")).await).await
}

async fn text(program: &Program, path: &str) -> String {
    let response = program.get(path).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.text().await.expect("text")
}

#[tokio::test]
async fn a_large_run_is_read_part_by_part() {
    let program = Program::start("fixed:2ms");
    let id = start(&program, body!({})).await;
    let frames = text(&program, &format!("/api/runs/{id}/frames")).await;
    let told: Vec<Value> = frames
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .filter(|frame: &Value| frame["counts"].is_object())
        .collect();
    assert!(frames.contains("event: end") && !told.is_empty(), "{frames}");
    let last = told.last().expect("a frame");
    assert_eq!((&last["calls"], &last["documents_done"]), (&body!(600), &body!(300)));
    assert_eq!((&last["status"], &last["in_flight"]), (&body!("succeeded"), &body!(0)));
    let history = told.iter().rev().find_map(|f| f["history"]["points"].as_array());
    assert!(history.is_some_and(|points| (1..=240).contains(&points.len())));

    let run = show(&program, &id).await;
    assert_eq!(
        (&run["counts"]["succeeded"], &run["passes"][0]["calls"]),
        (&body!(600), &Value::Null)
    );
    assert!(run["passes"][0]["ledger"].is_object());

    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let page = text(&program, &format!("/api/runs/{id}/calls?limit=250&cursor={cursor}")).await;
        let page: Value = serde_json::from_str(&page).expect("JSON");
        seen += page["items"].as_array().expect("items").len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 600);
    let one = text(&program, &format!("/api/runs/{id}/calls?q=%23217&task=sentiment")).await;
    let one: Value = serde_json::from_str(&one).expect("JSON");
    assert!(!one["items"].as_array().expect("items").is_empty());
    assert_eq!(one["items"][0]["stage"], "tasks");
    let wrong = program.get(&format!("/api/runs/{id}/calls?status=lost&sort=up&limit=0")).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json(wrong).await["errors"].as_array().map(Vec::len), Some(3));

    let window = text(&program, &format!("/api/runs/{id}/timeline?lanes=64&width=100")).await;
    let window: Value = serde_json::from_str(&window).expect("JSON");
    assert_eq!(window["bars"].as_array().map(Vec::len), Some(600));
    let strip = text(&program, &format!("/api/runs/{id}/timeline?lanes=4&width=100")).await;
    let strip: Value = serde_json::from_str(&strip).expect("JSON");
    assert_eq!((&strip["rows"], strip["cells"][0].as_str().map(str::len)), (&body!(4), Some(100)));

    let nobody = program.get("/api/runs/nobody/frames").await;
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn exports_have_a_row_for_each_call_also_while_the_run_goes_on() {
    let program = Program::start("fixed:40ms");
    let id = start(&program, body!({})).await;
    let export = |format: &str| format!("/api/runs/{id}/export?format={format}");
    let lines = text(&program, &export("jsonl")).await;
    assert_eq!(lines.lines().count(), 600);
    let first: Value = serde_json::from_str(lines.lines().next().expect("a line")).expect("JSON");
    assert_eq!((&first["task"], &first["pass"]), (&body!("summary"), &body!("parallel")));
    program.events(&id, 0).await;
    let csv = text(&program, &export("csv")).await;
    let mut lines = csv.lines();
    assert!(lines.next().is_some_and(|head| head.ends_with(",stage")));
    assert!(csv.matches(",succeeded,").count() == 600, "every call has a row");
    let response = program.get(&export("parquet")).await;
    let name = response.headers()[header::CONTENT_DISPOSITION].to_str().expect("text").to_owned();
    assert!(name.ends_with(".parquet\""), "{name}");
    let bytes = response.bytes().await.expect("the file");
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    let request = program.client.get(format!("{}{}", program.url, export("md")));
    let packed = request.header("accept-encoding", "br").send().await.expect("an answer");
    assert_eq!(packed.headers()[header::CONTENT_ENCODING], "br");
    assert!(packed.bytes().await.is_ok(), "it comes whole");
    let report = text(&program, &export("md")).await;
    assert!(report.contains("600 of 600 answered") && report.contains("**Simulated.**"));
}

#[tokio::test]
async fn the_json_export_of_a_large_run_is_what_a_small_one_says_with_every_call() {
    let program = Program::start("none");
    let id = start(&program, body!({ "faults": { "error_rate": 0.2 } })).await;
    let path = format!("/api/runs/{id}/export?format=json");
    let early: Value = serde_json::from_str(&text(&program, &path).await).expect("JSON");
    assert_eq!(early["passes"][0]["calls"].as_array().map(Vec::len), Some(600));
    program.events(&id, 0).await;
    let response = program.get(&path).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    assert!(response.headers().get(header::CONTENT_LENGTH).is_none(), "it comes in parts");
    let whole = response.text().await.expect("text");
    assert!(whole.starts_with("{\n  \"id\": ") && whole.ends_with("}\n"), "{whole}");
    let mut whole: Value = serde_json::from_str(&whole).expect("JSON");
    let calls = whole["passes"][0].as_object_mut().and_then(|pass| pass.remove("calls"));
    // The rest is what the run's own address says.
    assert_eq!(whole, show(&program, &id).await);
    let calls = calls.expect("calls");
    let lines = text(&program, &format!("/api/runs/{id}/export?format=jsonl")).await;
    let listed: Vec<Value> = lines
        .lines()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).expect("JSON");
            let row = row.as_object_mut().expect("an object");
            for own in ["call", "pass", "stage", "document_name"] {
                row.remove(own);
            }
            Value::Object(row.clone())
        })
        .collect();
    assert_eq!(calls, Value::Array(listed));
}

#[tokio::test]
async fn failed_calls_are_tried_again_and_answered_ones_are_not() {
    let program = Program::start("none");
    let id = start(&program, body!({ "faults": { "error_rate": 0.3 } })).await;
    let retry = |request: Value| {
        let path = format!("/api/runs/{id}/retry-failed");
        let program = &program;
        async move { program.post(&path, &request).await }
    };
    assert_eq!(retry(body!({})).await.status(), StatusCode::CONFLICT, "it goes on");
    program.events(&id, 0).await;
    let before = show(&program, &id).await;
    let failed = before["counts"]["failed"].as_u64().expect("a number");
    assert!(failed > 0 && before["status"] == "partial", "{}", before["counts"]);
    let wrong = retry(body!({ "stage": "moon" })).await;
    assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);

    let answer = retry(body!({})).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(json(answer).await["calls"], failed);
    let log = program.events(&id, 0).await;
    assert_eq!(log.matches("\"type\":\"calls_reopened\"").count(), 1);
    let after = show(&program, &id).await;
    assert!(after["counts"]["failed"].as_u64().expect("a number") < failed);
    // Of each call that had an answer there is one that says so.
    let answered = log.matches("\"type\":\"call_ended\"").count() as u64;
    assert_eq!(answered, 600 + failed);
}
