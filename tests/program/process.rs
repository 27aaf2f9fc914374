//! Batches in one request: three ways to get the same results.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode};
use serde_json::Value;

use crate::support::{Program, json};

const WAYS: [&str; 3] = ["process-batch", "process-batch-stream", "process-batch-fast"];

fn form() -> Form {
    let file = Part::bytes(b"Lanes are free. Lanes are wide.".as_slice()).file_name("lanes.txt");
    Form::new()
        .part("file", file)
        .text("text", "A second text. It is short.")
        .text("text", "A third text. It is shorter.")
        .text("tasks", "summary, keywords")
}

async fn send(program: &Program, way: &str, form: Form) -> Response {
    let address = format!("{}/api/{way}", program.url);
    program.client.post(address).multipart(form).send().await.expect("an answer")
}

/// The events of a stream: names and data.
fn events(stream: &str) -> Vec<(String, Value)> {
    let of = stream.split("\n\n").filter_map(|event| {
        let line = |name: &str| event.lines().find_map(|l| l.strip_prefix(name));
        let data = serde_json::from_str(line("data: ")?).expect("JSON");
        Some((line("event: ")?.to_owned(), data))
    });
    of.collect()
}

fn figures(summary: &Value, workers: u64) {
    let number = |field: &str| summary[field].as_f64().expect(field);
    assert_eq!(summary["workers"], workers);
    let speedup = number("work_us") / number("total_us");
    assert!((number("speedup") - speedup).abs() < 1e-9, "{summary}");
    assert!((number("efficiency") - speedup / workers as f64).abs() < 1e-9, "{summary}");
    assert_eq!(summary["speedup_estimated"], workers > 1);
    assert_eq!(
        (&summary["status"], &summary["counts"]["succeeded"]),
        (&"succeeded".into(), &6.into())
    );
}

#[tokio::test]
async fn one_answer_holds_every_result_and_the_run_is_like_any_other() {
    let program = Program::start("fixed:20ms");
    let answer = send(&program, WAYS[0], form()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = json(answer).await;
    assert_eq!(answer["documents"].as_array().map(Vec::len), Some(3));
    let names: Vec<_> =
        answer["documents"].as_array().expect("documents").iter().map(|d| &d["name"]).collect();
    assert_eq!(names, ["lanes.txt", "text-2.txt", "text-3.txt"]);
    let results = answer["results"].as_array().expect("results");
    let asked: Vec<_> = results
        .iter()
        .map(|r| {
            (r["document_name"].as_str().expect("a name"), r["task"].as_str().expect("a task"))
        })
        .collect();
    assert_eq!(asked[0], ("lanes.txt", "summary"));
    assert_eq!(asked.len(), 6);
    assert!(results.iter().all(|r| r["output"].as_str().is_some_and(|o| !o.is_empty())));
    figures(&answer["summary"], 1);
    let run =
        json(program.get(&format!("/api/runs/{}", answer["id"].as_str().expect("an id"))).await);
    let run = run.await;
    assert_eq!((&run["mode"], &run["status"]), (&"sequential".into(), &"succeeded".into()));
    assert_eq!(run["passes"][0]["wall_us"], answer["summary"]["total_us"]);
}

#[tokio::test]
async fn streams_tell_each_result_as_it_comes_and_the_figures_at_the_end() {
    let program = Program::start("fixed:100ms");
    for (way, mode, workers) in [(WAYS[1], "sequential", 1), (WAYS[2], "parallel", 6)] {
        let mut answer = send(&program, way, form()).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        let first = answer.chunk().await.expect("a piece").expect("a piece");
        let mut stream = String::from_utf8(first.to_vec()).expect("text");
        assert!(!stream.contains("event: complete"), "the beginning comes before the end");
        stream.push_str(&answer.text().await.expect("the rest"));
        let events = events(&stream);
        let names: Vec<_> = events.iter().map(|(name, _)| name.as_str()).collect();
        let expected = ["start"].into_iter().chain(["result"; 6]).chain(["complete"]);
        assert_eq!(names, expected.collect::<Vec<_>>());
        let (start, end) = (&events[0].1, &events[7].1);
        assert_eq!((&start["mode"], &start["calls"]), (&mode.into(), &6.into()));
        assert_eq!(start["id"], end["id"]);
        assert_eq!(start["documents"].as_array().map(Vec::len), Some(3));
        figures(end, workers);
    }
}

#[tokio::test]
async fn where_parallel_processing_is_switched_off_fast_is_refused_and_the_rest_works() {
    let program = Program::start_with("none", "", &[("LANES_ENABLE_PARALLEL", "false")]);
    let refused = send(&program, WAYS[2], form()).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let detail = json(refused).await["detail"].as_str().expect("words").to_owned();
    assert!(detail.contains("LANES_ENABLE_PARALLEL") && detail.contains("sequential"), "{detail}");
    for mode in ["parallel", "compare"] {
        let request = serde_json::json!({
            "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": mode,
        });
        assert_eq!(program.post("/api/runs", &request).await.status(), StatusCode::CONFLICT);
    }
    let page = program.get("/").await.text().await.expect("text");
    let choice = |mode: &str| {
        let value = format!("value=\"{mode}\"");
        let mut inputs = page.split("<input ").filter_map(|rest| rest.split('>').next());
        inputs.find(|input| input.contains(&value)).expect("the choice").to_owned()
    };
    assert!(choice("sequential").contains("checked") && !choice("sequential").contains("disabled"));
    for mode in ["parallel", "compare"] {
        assert!(choice(mode).contains("disabled") && !choice(mode).contains("checked"), "{mode}");
    }
    assert!(page.contains("LANES_ENABLE_PARALLEL=false"), "it says why");
    assert_eq!(send(&program, WAYS[0], form()).await.status(), StatusCode::OK);
    let stream = send(&program, WAYS[1], form()).await.text().await.expect("text");
    assert!(stream.contains("event: complete"), "{stream}");
}

#[tokio::test]
async fn workers_are_as_many_as_the_program_allows() {
    let program = Program::start_with("none", "", &[("LANES_MAX_CONCURRENCY", "2")]);
    let stream = send(&program, WAYS[2], form()).await.text().await.expect("text");
    assert_eq!(events(&stream)[0].1["workers"], 2);
}

#[tokio::test]
async fn what_is_wrong_with_a_batch_is_said_with_its_place() {
    let program = Program::start("none");
    let places = async |form: Form| {
        let answer = send(&program, WAYS[0], form).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let problem = json(answer).await;
        let errors = problem["errors"].as_array().expect("errors").iter();
        errors.map(|e| e["pointer"].as_str().expect("a place").to_owned()).collect::<Vec<_>>()
    };
    let text = || Form::new().text("text", "Some words.");
    assert_eq!(places(Form::new().text("task", "summary")).await, ["/file"]);
    assert_eq!(places(Form::new().text("text", " ").text("task", "summary")).await, ["/file"]);
    assert_eq!(places(text()).await, ["/tasks"]);
    assert_eq!(places(text().text("task", "nope")).await, ["/tasks/0"]);
    assert_eq!(places(text().text("workflow", "nope")).await, ["/workflow"]);
    assert_eq!(places(text().text("task", "summary").text("colour", "red")).await, ["/colour"]);
    let task = || text().text("task", "summary");
    let answer = send(&program, "process-batch?on_disconnect=maybe", task()).await;
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

/// How a run stands once it does not go on.
async fn settled(program: &Program, id: &str) -> String {
    program.events(id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    run["status"].as_str().expect("a status").to_owned()
}

#[tokio::test]
async fn when_the_client_goes_away_the_run_goes_on_unless_it_said_otherwise() {
    let program = Program::start("fixed:150ms");
    for (query, status) in [("", "succeeded"), ("?on_disconnect=cancel", "cancelled")] {
        let mut answer = send(&program, &format!("{}{query}", WAYS[1]), form()).await;
        let first = answer.chunk().await.expect("a piece").expect("a piece");
        let events = events(std::str::from_utf8(&first).expect("text"));
        drop(answer);
        let id = events[0].1["id"].as_str().expect("an id");
        let end = tokio::time::timeout(Duration::from_secs(20), settled(&program, id)).await;
        assert_eq!(end.expect("it settles"), status);
    }
}
