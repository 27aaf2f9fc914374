//! Tasks over REST: made, used, tried, written to a file and read from it.

use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn task() -> Value {
    body!({
        "id": "route",
        "name": "Route",
        "system_message": "You route messages.",
        "prompt": "{{text}}\nWhich department?",
        "max_tokens": 20,
        "temperature": 0.7,
        "output": { "labels": ["Positive", "Negative"] },
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut task = task();
    task[field] = value;
    task
}

async fn places(response: Response) -> Vec<String> {
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let problem = json(response).await;
    let errors = problem["errors"].as_array().expect("errors").iter();
    errors.map(|e| e["pointer"].as_str().expect("a pointer").to_owned()).collect()
}

#[tokio::test]
async fn a_task_is_made_changed_used_and_deleted() {
    let program = Program::start("none");
    let made = program.post("/api/tasks", &task()).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()[header::LOCATION], "/api/tasks/route");
    let made = json(made).await;
    assert_eq!((&made["temperature"], &made["built_in"]), (&body!(0.7), &body!(false)));
    assert_eq!(made["output"], task()["output"]);
    assert_eq!(program.post("/api/tasks", &task()).await.status(), StatusCode::CONFLICT);
    let all = json(program.get("/api/tasks").await).await;
    assert_eq!(all.as_array().expect("a list").len(), 7);
    assert_eq!((&all[0]["id"], &all[6]), (&body!("summary"), &made));

    let run = body!({ "input": { "text": "A good day." }, "tasks": ["route"], "mode": "parallel" });
    let id = program.run(&run).await;
    program.events(&id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    let call = &run["passes"][0]["calls"][0];
    assert_eq!((&call["task"], &call["output"]), (&body!("route"), &body!("Positive")));

    let url = format!("{}/api/tasks/route", program.url);
    // As it was shown.
    let mut changed = made.clone();
    changed["name"] = body!("Routing");
    let put = program.client.put(&url).json(&changed).send().await.expect("an answer");
    assert_eq!(json(put).await["name"], "Routing");
    assert_eq!(json(program.get("/api/tasks/route").await).await["name"], "Routing");
    let gone = program.client.delete(&url).send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(program.get("/api/tasks/route").await.status(), StatusCode::NOT_FOUND);
    let again = program.client.delete(&url).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_wrong_with_a_task_is_said_with_its_place() {
    let program = Program::start("none");
    for (wrong, place) in [
        (with("id", body!("Not One")), "/id"),
        (with("id", body!("try")), "/id"),
        (with("name", body!(" ")), "/name"),
        (with("prompt", body!("Nothing.")), "/prompt"),
        (with("prompt", body!("{{text}} {{what}}")), "/prompt"),
        (with("max_tokens", body!(0)), "/max_tokens"),
        (with("max_tokens", body!(-1)), "/max_tokens"),
        (with("max_tokens", body!("many")), "/max_tokens"),
        (with("temperature", body!(2.5)), "/temperature"),
        (with("temperature", body!(0.123)), "/temperature"),
        (with("output", body!({ "labels": ["one"] })), "/output/labels"),
        (with("output", body!({ "labels": ["a", "A."] })), "/output/labels/1"),
        (with("output", body!({ "schema": { "type": "what" } })), "/output/schema"),
        (with("colour", body!("red")), "/colour"),
    ] {
        assert_eq!(places(program.post("/api/tasks", &wrong).await).await, [place], "{wrong}");
    }
    let url = format!("{}/api/tasks/summary", program.url);
    let put = program.client.put(&url).json(&with("id", body!("summary"))).send().await;
    assert_eq!(put.expect("an answer").status(), StatusCode::CONFLICT);
    let delete = program.client.delete(&url).send().await;
    assert_eq!(delete.expect("an answer").status(), StatusCode::CONFLICT);
    let copy = program.post("/api/tasks/summary/copy", &body!({})).await;
    assert_eq!(json(copy).await["id"], "summary-copy");
}

#[tokio::test]
async fn a_trial_shows_the_prompt_and_the_answer() {
    let program = Program::start("none");
    let asked = body!({ "task": task(), "text": "A bad day." });
    let trial = json(program.post("/api/tasks/try", &asked).await).await;
    assert_eq!((&trial["answer"], &trial["fits"]), (&body!("Negative"), &body!(true)));
    assert_eq!(trial["prompt"], "A bad day.\nWhich department?");
    assert!(trial["duration_us"].as_u64() >= trial["ttft_us"].as_u64());
    assert!(trial["cost_usd_micros"].is_u64() && trial["tokens"]["input"].is_u64(), "{trial}");
    let wrong = body!({ "task": with("prompt", body!("x")), "sample": "nope" });
    let wrong = places(program.post("/api/tasks/try", &wrong).await).await;
    assert_eq!(wrong, ["/task/prompt", "/sample"]);
    let runs = json(program.get("/api/runs").await).await;
    assert_eq!(runs["total"], 0);
}

#[tokio::test]
async fn files_are_written_and_read_in_both_forms() {
    let program = Program::start("none");
    program.post("/api/tasks", &task()).await;
    let import = async |media_type: &str, query: &str, text: &str| {
        let request = program.client.post(format!("{}/api/tasks/import{query}", program.url));
        let request = request.header(header::CONTENT_TYPE, media_type).body(text.to_owned());
        request.send().await.expect("an answer")
    };
    for (format, media_type) in [("toml", "application/toml"), ("json", "application/json")] {
        let file = program.get(&format!("/api/tasks/export?format={format}")).await;
        assert_eq!(file.headers()[header::CONTENT_TYPE], media_type);
        let name = format!("attachment; filename=\"lanes-tasks.{format}\"");
        assert_eq!(file.headers()[header::CONTENT_DISPOSITION], name);
        let text = file.text().await.expect("text");
        let one = program.get(&format!("/api/tasks/route?format={format}")).await;
        assert_eq!(one.text().await.expect("text"), text);
        assert_eq!(places(import(media_type, "", &text).await).await, ["/tasks/0/id"]);
        let read = import(media_type, "?replace=true", &text).await;
        assert_eq!(read.status(), StatusCode::CREATED);
        assert_eq!(json(read).await, body!({ "imported": ["route"] }));
    }
    let two = "[[tasks]]\nid = \"fine\"\nname = \"Fine\"\nprompt = \"{{text}}\"\nmax_tokens = 5\n\
               [[tasks]]\nid = \"not fine\"\nname = \"\"\nprompt = \"{{text}}\"\nmax_tokens = 5\n";
    let wrong = places(import("application/toml", "", two).await).await;
    assert_eq!(wrong, ["/tasks/1/id", "/tasks/1/name"]);
    assert_eq!(program.get("/api/tasks/fine").await.status(), StatusCode::NOT_FOUND);
    let unknown = import("text/plain", "", two).await;
    assert_eq!(unknown.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(places(program.get("/api/tasks/export?format=xml").await).await, ["/format"]);
}
