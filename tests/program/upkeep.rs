//! Old runs deleted and the database copied from the terminal, while the server goes on.

use std::process::{Command, Output};

use reqwest::StatusCode;
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn lanes(program: &Program, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    command.args(arguments).env_remove("OPENAI_API_KEY").env("LANES_DATA_DIR", program.data());
    command.current_dir(program.data()).output().expect("the program starts")
}

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn request() -> Value {
    body!({ "input": { "sample": "ai-technology" }, "tasks": ["category"], "mode": "parallel" })
}

async fn ended(program: &Program) -> String {
    let id = program.run(&request()).await;
    program.events(&id, 0).await;
    id
}

#[tokio::test]
async fn old_runs_go_and_those_that_go_on_stay() {
    let program = Program::start("fixed:20s");
    let live = program.run(&request()).await;
    let cancelled = program.run(&request()).await;
    program.post(&format!("/api/runs/{cancelled}/cancel"), &body!({})).await;
    program.events(&cancelled, 0).await;
    // What is kept of a run comes a moment after its last event.
    while json(program.get("/api/runs?status=cancelled").await).await["total"] != 1 {}
    let rehearsed = said(&lanes(&program, &["prune", "--older-than", "0", "--dry-run", "--json"]));
    assert_eq!((&rehearsed["runs"], &rehearsed["dry_run"]), (&body!(1), &body!(true)));
    assert_eq!(program.get(&format!("/api/runs/{cancelled}")).await.status(), StatusCode::OK);
    let pruned = said(&lanes(&program, &["prune", "--older-than", "0", "--shrink", "--json"]));
    assert_eq!(pruned["runs"], 1);
    let gone = program.get(&format!("/api/runs/{cancelled}")).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(json(program.get(&format!("/api/runs/{live}")).await).await["status"], "running");
    let nothing = lanes(&program, &["prune"]);
    assert_eq!(nothing.status.code(), Some(2), "it needs to be told what to delete");
}

#[tokio::test]
async fn the_oldest_runs_go_until_there_is_room() {
    let program = Program::start("none");
    let first = ended(&program).await;
    let last = ended(&program).await;
    let kept = said(&lanes(&program, &["prune", "--max-gb", "1", "--json"]));
    assert_eq!(kept["runs"], 0);
    let pruned = said(&lanes(&program, &["prune", "--max-gb", "0", "--json"]));
    assert_eq!(pruned["runs"], 2);
    for id in [first, last] {
        let gone = program.get(&format!("/api/runs/{id}")).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_copy_of_the_database_is_a_data_directory_of_its_own() {
    let program = Program::start("none");
    let id = ended(&program).await;
    let copy = tempfile::tempdir().expect("a folder");
    let file = copy.path().join("lanes.db");
    let name = file.to_str().expect("text");
    assert!(lanes(&program, &["backup", name]).status.success());
    let again = lanes(&program, &["backup", name]);
    assert_eq!(again.status.code(), Some(2), "a copy is never written over");
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists"));
    let other = Program::start_on(copy, &[]);
    let run = json(other.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!(run["status"], "succeeded");
    let empty = tempfile::tempdir().expect("a folder");
    let place = empty.path().to_str().expect("text");
    let missing = lanes(&program, &["prune", "--older-than", "1", "--data-dir", place]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("there is no database"));
}
