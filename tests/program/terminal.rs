//! The commands in a terminal, against the real program: what goes to stdout, what to stderr, and the
//! exit codes that scripts rely on.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json as body};
use tempfile::TempDir;

use crate::support::{Program, json};

/// A place of its own with these lines of `lanes.toml`.
fn place(file: &str) -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    std::fs::write(place.path().join("lanes.toml"), file).expect("a file");
    place
}

/// The program in a place, with the data there and a simulator that answers at once.
fn command(place: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lanes"));
    command
        .args(arguments)
        .current_dir(place)
        .env("LANES_DATA_DIR", place.join("data"))
        .env("LANES_SIM_LATENCY", "none")
        .stdin(Stdio::null());
    for name in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "LANES_SERVER", "LANES_TOKEN", "LANES_ADDR"] {
        command.env_remove(name);
    }
    command
}

fn lanes(place: &Path, arguments: &[&str]) -> Output {
    command(place, arguments).output().expect("the program starts")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn ends_with(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}\n{}", out(output), err(output));
}

fn said(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("JSON alone on stdout")
}

/// `lanes simulate` with these options.
struct Simulator(Child, String);

impl Simulator {
    fn start(options: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(["simulate", "--addr", "127.0.0.1:0", "--latency", "none"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").expect("its address").to_owned();
        Self(child, url)
    }

    /// Lines of `lanes.toml` for it.
    fn provider(&self) -> String {
        format!("[[provider]]\nname = \"local\"\nbase_urls = [\"{}/v1\"]\n", self.1)
            + "models = [\"lanes-simulator\"]\n"
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_run_prints_its_answers_and_where_the_time_went() {
    let place = place("");
    let run = lanes(place.path(), &["run", "--tasks", "summary,keywords"]);
    ends_with(&run, 0);
    let text = out(&run);
    for part in ["# Summary", "# Keywords", "Parallel", "Sequential", "bound set by", "Simulated"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where it is no terminal");
    assert!(err(&run).contains("Parallel: 2/2 done"), "{}", err(&run));
}

#[test]
fn json_is_the_state_and_nothing_else() {
    let place = place("");
    std::fs::write(place.path().join("a.txt"), "Lanes runs tasks side by side.").expect("a file");
    let run = lanes(
        place.path(),
        &["run", "--text", "a.txt", "--tasks", "category", "--mode", "sequential", "--json"],
    );
    ends_with(&run, 0);
    let state = said(&run);
    assert_eq!((&state["status"], &state["mode"]), (&body!("succeeded"), &body!("sequential")));
    assert_eq!(state["passes"][0]["calls"][0]["task"], "category");
    // It is kept, and found again.
    let id = state["id"].as_str().expect("an id");
    let list = lanes(place.path(), &["list"]);
    assert!(out(&list).contains(id), "{}", out(&list));
    let export = lanes(place.path(), &["export", id, "--format", "csv"]);
    ends_with(&export, 0);
    assert!(out(&export).contains("category"), "{}", out(&export));
    let watched = lanes(place.path(), &["watch", id, "--json"]);
    ends_with(&watched, 0);
    assert_eq!(said(&watched)["id"], id);
}

#[test]
fn a_text_can_be_piped_in() {
    let place = place("");
    let file = std::fs::File::open(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/notes.md"));
    let run = command(place.path(), &["run", "--text", "-", "--tasks", "category"])
        .stdin(file.expect("a file"))
        .output()
        .expect("it starts");
    ends_with(&run, 0);
}

#[test]
fn what_is_wrong_on_the_command_line_ends_with_2_and_is_told_in_words() {
    let place = place("");
    let unknown = lanes(place.path(), &["run", "--tasks", "nonsense", "--concurrency", "2"]);
    ends_with(&unknown, 2);
    let told = err(&unknown);
    assert!(told.contains("nonsense") && told.contains("/tasks/0"), "{told}");
    assert!(out(&unknown).is_empty());
    let wrong: [&[&str]; 5] = [
        &["run", "--mode", "sideways"],
        &["run", "--text", "missing.txt"],
        &["batch"],
        &["watch", "../x"],
        &["run", "--server", "nonsense"],
    ];
    for arguments in wrong {
        ends_with(&lanes(place.path(), arguments), 2);
    }
    let nobody = lanes(place.path(), &["list", "--server", "http://127.0.0.1:9"]);
    ends_with(&nobody, 2);
    assert!(err(&nobody).contains("does not answer"), "{}", err(&nobody));
}

#[test]
fn failed_calls_end_a_run_with_1_and_say_why() {
    let simulator = Simulator::start(&["--error-rate", "1"]);
    let place = place(&simulator.provider());
    let run = lanes(place.path(), &["run", "--tasks", "category", "--mode", "parallel"]);
    ends_with(&run, 1);
    assert!(out(&run).contains("✗") && out(&run).contains("1 call failed"), "{}", out(&run));
    assert!(err(&run).contains("1 failed"), "{}", err(&run));
}

#[test]
fn files_are_run_and_the_results_written() {
    let place = place("");
    let files = place.path().join("in");
    std::fs::create_dir(&files).expect("a directory");
    for (name, text) in [("a.txt", "First."), ("b.txt", "Second.")] {
        std::fs::write(files.join(name), text).expect("a file");
    }
    let good = lanes(place.path(), &["batch", "in", "--tasks", "category", "--out", "out.csv"]);
    ends_with(&good, 0);
    let rows = std::fs::read_to_string(place.path().join("out.csv")).expect("the export");
    assert_eq!(rows.lines().count(), 3, "{rows}");
    assert!(out(&good).contains("Parallel"), "{}", out(&good));
    // One that cannot be read does not stop the others.
    std::fs::write(files.join("c.bin"), [0_u8, 159, 146, 150].repeat(50)).expect("a file");
    let some = lanes(place.path(), &["batch", "in", "--tasks", "category", "--format", "jsonl"]);
    ends_with(&some, 1);
    assert!(err(&some).contains("not taken: c.bin"), "{}", err(&some));
    assert_eq!(out(&some).lines().count(), 2, "results alone on stdout: {}", out(&some));
    let workflow = ["batch", "in/a.txt", "--workflow", "six-tasks", "--json", "--out", "outs/"];
    let workflow = lanes(place.path(), &workflow);
    ends_with(&workflow, 0);
    assert_eq!(said(&workflow)["status"], "succeeded");
    let written = std::fs::read_dir(place.path().join("outs")).expect("a directory").count();
    assert_eq!(written, 1);
}

#[test]
fn the_ways_of_doing_a_batch_are_compared() {
    let place = place("");
    let table = lanes(place.path(), &["bench", "-n", "2", "--tasks", "category"]);
    ends_with(&table, 0);
    let text = out(&table);
    for way in ["/api/process-batch ", "-stream", "-fast", "mode compare, parallel", "efficiency"] {
        assert!(text.contains(way), "{way} is missing in\n{text}");
    }
    let figures =
        said(&lanes(place.path(), &["bench", "-n", "2", "--tasks", "category", "--json"]));
    let ways = figures["ways"].as_array().expect("ways");
    assert_eq!(ways.len(), 7);
    assert!(ways.iter().all(|way| way["calls"] == 2 && way["speedup"].is_number()), "{figures}");
}

#[tokio::test]
async fn a_server_is_watched_listed_and_asked_to_cancel() {
    let program = Program::start("fixed:20s");
    let here = place("");
    let request = body!({
        "input": { "sample": "ai-technology" }, "tasks": ["category"], "mode": "parallel"
    });
    let id = program.run(&request).await;
    let mut watch = command(here.path(), &["watch", &id, "--server", &program.url]);
    let watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let cancel = lanes(here.path(), &["cancel", &id, "--server", &program.url]);
    ends_with(&cancel, 0);
    let watched = watch.wait_with_output().expect("it ends");
    ends_with(&watched, 1);
    assert!(out(&watched).contains("cancelled"), "{}", out(&watched));
    let list = command(here.path(), &["list", "--json"])
        .env("LANES_SERVER", &program.url)
        .output()
        .expect("it starts");
    assert_eq!(said(&list)["items"][0]["id"], id.as_str());
    let missing = lanes(here.path(), &["watch", "nothing", "--server", &program.url]);
    ends_with(&missing, 2);
    let doctor = lanes(here.path(), &["doctor", "--server", &program.url]);
    ends_with(&doctor, 0);
    assert!(out(&doctor).contains("✓ ready"), "{}", out(&doctor));
}

#[tokio::test]
async fn where_a_server_has_the_data_a_run_stays_apart_and_a_list_asks_the_server() {
    let program = Program::start("none");
    let request = body!({
        "input": { "sample": "ai-technology" }, "tasks": ["category"], "mode": "parallel"
    });
    let id = program.run(&request).await;
    program.events(&id, 0).await;
    let here = place("");
    let with = |arguments: &[&str]| {
        let mut command = command(here.path(), arguments);
        command.env("LANES_DATA_DIR", program.data()).output().expect("it starts")
    };
    let run = with(&["run", "--tasks", "category"]);
    ends_with(&run, 0);
    assert!(err(&run).contains("temporary directory"), "{}", err(&run));
    let there = json(program.get("/api/runs").await).await;
    assert_eq!(there["total"], 1, "the server knows nothing of it");
    let list = with(&["list"]);
    assert!(out(&list).contains(&id) && err(&list).contains(&program.url), "{}", err(&list));
    let data = program.data().to_str().expect("text");
    let named = lanes(here.path(), &["run", "--tasks", "category", "--data-dir", data]);
    ends_with(&named, 2);
    assert!(err(&named).contains("another Lanes"), "{}", err(&named));
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_the_run_and_waits_for_its_end() {
    let place = place("");
    let mut run = command(place.path(), &["run", "--tasks", "category", "--json"]);
    run.env("LANES_SIM_LATENCY", "fixed:60s").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut run = run.spawn().expect("it starts");
    // The first line on stderr says that the run goes on.
    let mut lines = BufReader::new(run.stderr.take().expect("its stderr"));
    let mut line = String::new();
    lines.read_line(&mut line).expect("a line");
    assert!(line.contains("0/1 done"), "{line}");
    let id = run.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
    let output = run.wait_with_output().expect("it ends");
    ends_with(&output, 1);
    assert_eq!(said(&output)["status"], "cancelled");
}

#[test]
fn the_doctor_says_what_to_do_and_never_a_key() {
    let well = Simulator::start(&["--rpm", "600"]);
    let dead = "[[provider]]\nname = \"dead\"\nbase_urls = [\"http://127.0.0.1:9/v1\"]\n\
                api_key_env = \"DEAD_KEY\"\nmodels = [\"mock\"]\n";
    let place = place(&(well.provider() + dead));
    let check = |arguments: &[&str]| {
        let mut command = command(place.path(), arguments);
        command.env("DEAD_KEY", "sk-planted-0123456789").output().expect("it starts")
    };
    let told = check(&["doctor"]);
    ends_with(&told, 1);
    let text = out(&told);
    for part in ["✓ configuration", "✓ provider local", "✗ provider dead at 127.0.0.1:9", "→ start"]
    {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    assert!(!text.contains("planted") && !err(&told).contains("planted"));
    let found = said(&check(&["doctor", "--json"]));
    assert_eq!(found["ok"], false);
    assert!(!place.path().join("data").exists(), "a check makes nothing");
    std::fs::write(place.path().join("lanes.toml"), "max_concurrency = \"many\"").expect("a file");
    let broken = check(&["doctor"]);
    ends_with(&broken, 1);
    assert!(out(&broken).contains("✗ configuration"), "{}", out(&broken));
    std::fs::write(place.path().join("lanes.toml"), "").expect("a file");
    ends_with(&check(&["doctor"]), 0);
}

#[test]
fn shells_and_manuals_learn_the_commands() {
    let place = place("");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = lanes(place.path(), &["completions", shell]);
        ends_with(&text, 0);
        assert!(out(&text).contains("doctor"), "{shell}");
    }
    let page = lanes(place.path(), &["man"]);
    assert!(out(&page).contains(".TH lanes"), "{}", out(&page));
    ends_with(&lanes(place.path(), &["man", "pages"]), 0);
    assert!(place.path().join("pages/lanes-run.1").exists());
}
