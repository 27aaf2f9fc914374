//! A program that keeps figures only: texts and answers are there while a run goes on and a while after,
//! and in no file at any time.

use reqwest::StatusCode;
use serde_json::{Value, json as body};

use crate::support::{Program, json};

const MARK: &str = "zanzibarite";

fn run() -> Value {
    let text =
        format!("The {MARK} is a mineral. Nobody has seen the {MARK}. It is said to be green.");
    body!({ "input": { "text": text }, "tasks": ["summary", "keywords"], "mode": "parallel" })
}

/// Looks into every file of the data directory, the log among them.
fn found_in_files(program: &Program) -> Option<String> {
    for entry in std::fs::read_dir(program.folder()).expect("a folder") {
        let path = entry.expect("a file").path();
        let bytes = std::fs::read(&path).expect("a file");
        if String::from_utf8_lossy(&bytes).to_lowercase().contains(MARK) {
            return Some(path.display().to_string());
        }
    }
    None
}

#[tokio::test]
async fn texts_and_answers_are_in_memory_for_a_while_and_in_no_file() {
    let variables = [("LANES_STORE_TEXT", "false"), ("RUST_LOG", "debug")];
    let mut program = Program::start_with("none", "", &variables);
    let id = program.run(&run()).await;
    let events = program.events(&id, 0).await;
    assert!(events.contains("event: end"), "{events}");
    let path = format!("/api/runs/{id}");
    let after = json(program.get(&path).await).await;
    assert_eq!(after["figures_only"], true);
    assert_eq!(after["title"], "Pasted text, 2 tasks");
    let calls = after["passes"][0]["calls"].as_array().expect("calls").clone();
    let output = calls[0]["output"].as_str().expect("text");
    assert!(output.to_lowercase().contains(MARK), "{output}");
    let page = program.get(&format!("/runs/{id}")).await.text().await.expect("text");
    assert!(page.contains("Texts and answers are not kept here"), "the page says so");
    assert_eq!(found_in_files(&program), None);
    program.kill_and_start_again();
    let figures = json(program.get(&path).await).await;
    let kept = figures["passes"][0]["calls"].as_array().expect("calls");
    for (was, is) in calls.iter().zip(kept) {
        assert_eq!(is["output"].as_str().unwrap_or_default(), "");
        for figure in ["status", "start_us", "end_us", "tokens", "cost_usd_micros", "attempts"] {
            assert_eq!(was[figure], is[figure], "{figure}");
        }
    }
    assert_eq!(found_in_files(&program), None);
}

#[tokio::test]
async fn a_run_whose_text_is_gone_says_that_it_cannot_go_on() {
    let mut program = Program::start_with("fixed:60s", "", &[("LANES_STORE_TEXT", "false")]);
    let id = program.run(&run()).await;
    program.kill_and_start_again();
    let refused = program.post(&format!("/api/runs/{id}/resume"), &body!({})).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let detail = json(refused).await["detail"].as_str().expect("words").to_owned();
    assert!(detail.contains("was not kept"), "{detail}");
}

#[tokio::test]
async fn what_would_have_to_be_kept_is_refused() {
    let program = Program::start_with("none", "", &[("LANES_STORE_TEXT", "false")]);
    let mut cached = run();
    cached["cache"] = body!(true);
    let refused = program.post("/api/runs", &cached).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json(refused).await["errors"][0]["pointer"], "/cache");
    let part = reqwest::multipart::Part::bytes(MARK.as_bytes().to_vec()).file_name("a.txt");
    let form = reqwest::multipart::Form::new().part("file", part);
    let sent = program.client.post(format!("{}/api/documents", program.url)).multipart(form);
    assert_eq!(sent.send().await.expect("an answer").status(), StatusCode::CONFLICT);
    // A sample is the program's own text, and its answers are not kept either.
    let sample =
        body!({ "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "compare" });
    let id = program.run(&sample).await;
    let _ = program.events(&id, 0).await;
    assert_eq!(json(program.get(&format!("/api/runs/{id}")).await).await["status"], "succeeded");
    assert_eq!(found_in_files(&program), None);
}
