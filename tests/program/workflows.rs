//! Workflows over REST: every shipped one run on its sample records, one made, changed, refused,
//! copied, written to a file and read from it.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

const SHIPPED: [&str; 8] = [
    "six-tasks",
    "summarise-files",
    "idea-report",
    "call-centre",
    "claims-file",
    "support-tickets",
    "content-check",
    "market-digest",
];

async fn send(program: &Program, path: &str, toml: &str) -> Response {
    let request = program.client.post(format!("{}{path}", program.url));
    let request = request.header("content-type", "application/toml").body(toml.to_owned());
    request.send().await.expect("an answer")
}

/// The run of a workflow on its samples, once it has ended.
async fn run(program: &Program, id: &str, mode: &str) -> Value {
    let added = program.post(&format!("/api/workflows/{id}/samples"), &body!({})).await;
    assert_eq!(added.status(), StatusCode::CREATED);
    let ids = json(added).await["document_ids"].clone();
    let asked = body!({
        "input": { "document_ids": ids }, "workflow": id, "mode": mode, "concurrency": 64,
    });
    let run = program.run(&asked).await;
    program.events(&run, 0).await;
    json(program.get(&format!("/api/runs/{run}")).await).await
}

#[tokio::test]
async fn every_shipped_workflow_runs_on_its_sample_records() {
    let program = Program::start("none");
    let list = json(program.get("/api/workflows").await).await;
    let ids: Vec<_> = list.as_array().expect("a list").iter().map(|w| &w["id"]).collect();
    assert_eq!(ids, SHIPPED);
    for (id, workflow) in SHIPPED.into_iter().zip(list.as_array().expect("a list")) {
        assert_eq!(workflow["built_in"], true);
        let samples = json(program.get(&format!("/api/workflows/{id}/samples")).await).await;
        let records = samples["records"].as_array().expect("records").len();
        let calls = workflow["stages"].as_array().expect("stages").iter().map(|stage| {
            let tasks = stage["tasks"].as_array().expect("tasks").len();
            if stage["scope"] == "all" { tasks } else { tasks * records }
        });
        let calls: usize = calls.sum();
        let state = run(&program, id, "parallel").await;
        assert_eq!(state["status"], "succeeded", "{id}: {state}");
        let done = state["passes"][0]["calls"].as_array().expect("calls");
        assert_eq!(done.len(), calls, "{id}");
        for call in done {
            assert_eq!(call["status"], "succeeded", "{id}: {call}");
            assert_ne!(call["output"], "", "{id}: {call}");
        }
    }
}

#[tokio::test]
async fn a_recording_goes_through_its_seven_stages_in_order() {
    let program = Program::start("fixed:30ms");
    let state = run(&program, "call-centre", "compare").await;
    assert_eq!(state["status"], "succeeded", "{state}");
    let calls = state["passes"][0]["calls"].as_array().expect("calls");
    let of = |task: &str| {
        let of = |c: &&Value| c["task"] == task && c["document"] == calls[0]["document"];
        calls.iter().find(of).expect("a call")
    };
    assert!(of("denoise")["start_us"].as_u64() >= of("distribute")["end_us"].as_u64());
    assert!(of("transcript")["start_us"].as_u64() >= of("language")["end_us"].as_u64());
    assert!(of("next-step")["start_us"].as_u64() >= of("call-summary")["end_us"].as_u64());
    assert_eq!(of("language")["output"], "English");
    let said = of("transcript")["output"].as_str().expect("a text");
    assert!(said.contains("I am looking at my bill") && !said.contains("[ring]"), "{said}");
    // No barrier between stages: one recording is ahead of another.
    let first = |task: &str| {
        let of = calls.iter().filter(|c| c["task"] == task);
        let times: Vec<_> = of.map(|c| c["start_us"].as_u64().expect("a time")).collect();
        (*times.iter().min().expect("one"), *times.iter().max().expect("one"))
    };
    assert!(first("denoise").1 < first("next-step").1);
    // What the steps are is said wherever providers are listed.
    let providers = json(program.get("/api/providers").await).await;
    let steps = providers.as_array().expect("a list").iter();
    let steps: Vec<_> =
        steps.filter(|p| p["id"].as_str().is_some_and(|id| id.starts_with("audio-"))).collect();
    assert_eq!(steps.len(), 5);
    assert!(steps.iter().all(|p| p["simulated"] == true && p["max_concurrency"].is_u64()));
}

#[tokio::test]
async fn a_run_cannot_go_to_a_step_of_recordings_alone() {
    let program = Program::start("none");
    let asked = body!({
        "input": { "sample": "ai-technology" }, "tasks": ["summary"], "provider": "audio-denoise",
    });
    let refused = program.post("/api/runs", &asked).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(json(refused).await["errors"][0]["pointer"], "/provider");
}

#[tokio::test]
async fn a_workflow_is_made_changed_run_and_deleted() {
    let program = Program::start("none");
    let stage = |id: &str, needs: Value| body!({ "id": id, "tasks": ["summary"], "needs": needs });
    let first = body!({
        "id": "mine", "name": "Mine", "stages": [stage("a", body!([])), stage("b", body!(["a"]))],
    });
    let made = program.post("/api/workflows", &first).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(made.headers()["location"], "/api/workflows/mine");
    let again = program.post("/api/workflows", &first).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);

    let put = async |id: &str, definition: &Value| {
        let request = program.client.put(format!("{}/api/workflows/{id}", program.url));
        request.json(definition).send().await.expect("an answer")
    };
    let cycle = body!({
        "name": "Mine",
        "stages": [stage("a", body!(["b"])), stage("b", body!(["a", "c"]))],
    });
    let refused = put("mine", &cycle).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let errors = json(refused).await["errors"].clone();
    assert_eq!(errors[0]["pointer"], "/stages/1/needs/1");
    assert!(errors[0]["detail"].as_str().expect("words").contains("“c”"), "{errors}");
    let circle = errors[1]["detail"].as_str().expect("words");
    assert!(circle.contains("“a” → “b” → “a”") || circle.contains("“b” → “a” → “b”"), "{circle}");

    let changed = body!({
        "name": "Mine, changed",
        "tasks": [{
            "id": "yes-or-no", "name": "Yes or no", "prompt": "{{b.output}} {{text}}",
            "max_tokens": 10, "output": { "labels": ["Yes", "No"] },
        }],
        "stages": [
            stage("a", body!([])),
            stage("b", body!(["a"])),
            { "id": "c", "tasks": ["yes-or-no"], "needs": ["b"], "concurrency": 100 },
        ],
    });
    assert_eq!(put("mine", &changed).await.status(), StatusCode::OK);
    assert_eq!(put("six-tasks", &changed).await.status(), StatusCode::CONFLICT);
    let shown = json(program.get("/api/workflows/mine").await).await;
    assert_eq!((&shown["name"], &shown["built_in"]), (&body!("Mine, changed"), &Value::Null));

    let asked =
        body!({ "input": { "sample": "ai-technology" }, "workflow": "mine", "mode": "parallel" });
    let run = program.run(&asked).await;
    program.events(&run, 0).await;
    let state = json(program.get(&format!("/api/runs/{run}")).await).await;
    assert_eq!(state["status"], "succeeded");
    let output = &state["passes"][0]["calls"][2]["output"];
    assert!(output == "Yes" || output == "No", "{output}");

    let gone = program.client.delete(format!("{}/api/workflows/mine", program.url)).send().await;
    assert_eq!(gone.expect("an answer").status(), StatusCode::NO_CONTENT);
    assert_eq!(program.get("/api/workflows/mine").await.status(), StatusCode::NOT_FOUND);
    let unknown = program.post("/api/runs", &asked).await;
    assert_eq!(unknown.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_workflow_is_written_to_a_file_and_read_from_it() {
    let program = Program::start("none");
    for id in SHIPPED {
        let copy = program.post(&format!("/api/workflows/{id}/copy"), &body!({})).await;
        assert_eq!(copy.status(), StatusCode::CREATED, "{id}");
        let copy = json(copy).await;
        let address = format!("/api/workflows/{id}-copy");
        let file = program.get(&format!("{address}?format=toml")).await;
        let name = file.headers()["content-disposition"].to_str().expect("text").to_owned();
        assert!(name.contains(&format!("lanes-workflow-{id}-copy.toml")), "{name}");
        let toml = file.text().await.expect("a text");
        assert!(toml.contains("[[stage]]"), "{toml}");
        // It is read as what it was written of.
        let again = send(&program, "/api/workflows/import?replace=true", &toml).await;
        assert_eq!(
            again.status(),
            StatusCode::CREATED,
            "{id}: {}",
            again.text().await.expect("a text")
        );
        assert_eq!(json(program.get(&address).await).await, copy);
        let twice = send(&program, "/api/workflows/import", &toml).await;
        assert_eq!(twice.status(), StatusCode::CONFLICT);
    }
    let wrong =
        "id = \"w\"\nname = \"W\"\n[[stage]]\nid = \"a\"\ntasks = [\"summary\"]\nneeds = [\"b\"]\n";
    let refused = send(&program, "/api/workflows/import", wrong).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let detail = json(refused).await["errors"][0]["detail"].clone();
    assert_eq!(detail, "Line 6: There is no stage “b” to need.");
    let checked = json(send(&program, "/api/workflows/check", wrong).await).await;
    assert_eq!((&checked["valid"], &checked["errors"][0]["line"]), (&body!(false), &body!(6)));
    let checked = send(&program, "/api/workflows/check", "id = \"w\"\nname = ").await;
    assert_eq!(json(checked).await["errors"][0]["line"], 2);
}
