//! A disk that takes nothing, is full or is held by another program, and a log that was cut short: the
//! program says what is wrong, starts nothing meanwhile, loses nothing, and goes on by itself.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::StreamExt;
use lanes_simulator::Stats;
use reqwest::StatusCode;
use reqwest::multipart::{Form, Part};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json as body};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use crate::support::{Program, json};
use crate::survival::simulator;

const RECORDS: usize = 600;
const LANES: usize = 8;

/// Adds records and starts a run over them; gives its id.
async fn started(program: &Program) -> String {
    let rows = (0..RECORDS).map(|i| body!({ "text": format!("Order {i} came late.") }).to_string());
    let rows = rows.collect::<Vec<_>>().join("\n");
    let part = Part::bytes(rows.into_bytes()).file_name("orders.jsonl");
    let request = program.client.post(format!("{}/api/documents", program.url));
    let added = request.multipart(Form::new().part("file", part)).send().await.expect("an answer");
    let added = json(added).await;
    program
        .run(&body!({
            "input": { "document_ids": [added["documents"][0]["id"]] },
            "tasks": ["summary"],
            "mode": "parallel",
            "concurrency": LANES,
            "provider": "elsewhere",
            "adaptive": false,
        }))
        .await
}

async fn view(program: &Program, id: &str) -> Value {
    json(program.get(&format!("/api/runs/{id}")).await).await
}

/// Asks again and again until the answer is as wanted.
async fn until<T, F: Future<Output = T>>(ask: impl Fn() -> F, wanted: impl Fn(&T) -> bool) -> T {
    let asking = async {
        loop {
            let answer = ask().await;
            if wanted(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(40), asking).await.expect("in time")
}

async fn some_answered(stats: &Stats, more: u64) {
    let before = stats.answered.load(Relaxed);
    until(|| async { stats.answered.load(Relaxed) }, |n| *n >= before + more).await;
}

/// The words with which the program says that it is not ready.
async fn not_ready(program: &Program) -> String {
    let ask = || async { program.get("/readyz").await };
    let answer = until(ask, |answer| answer.status() != StatusCode::OK).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    json(answer).await["detail"].as_str().expect("words").to_owned()
}

async fn ready(program: &Program) {
    until(|| async { program.get("/readyz").await.status() }, |s| *s == StatusCode::OK).await;
}

/// Reads a stream up to where it says what is wanted.
async fn read_until(program: &Program, path: &str, wanted: impl Fn(&str) -> bool) -> String {
    let mut pieces = program.get(path).await.bytes_stream();
    let mut seen = String::new();
    while !wanted(&seen) {
        let piece = tokio::time::timeout(Duration::from_secs(40), pieces.next()).await;
        let piece = piece.expect("in time").expect("it goes on").expect("it goes on");
        seen.push_str(&String::from_utf8_lossy(&piece));
    }
    seen
}

/// Looks at a run that stands still because its log is not written: it says so everywhere, and no
/// request is sent any more.
async fn stands_still(program: &Program, id: &str, stats: &Arc<Stats>, words: &str) {
    let shown = until(|| view(program, id), |run| run["trouble"].is_string()).await;
    assert_eq!(shown["status"], "running");
    let told = shown["trouble"].as_str().expect("words");
    assert!(told.starts_with("The log cannot be written: ") && told.contains(words), "{told}");
    until(|| async { stats.in_flight.load(Relaxed) }, |n| *n == 0).await;
    let sent = stats.requests.load(Relaxed);
    let page = program.get(&format!("/runs/{id}")).await.text().await.expect("the page");
    assert!(page.contains("Nothing new is started.") && page.contains(words), "{page}");
    // A frame a second comes though nothing changes.
    let frames = format!("/api/runs/{id}/frames");
    let seen = read_until(program, &frames, |seen| seen.matches("event: frame").count() == 2).await;
    assert!(seen.contains("\"trouble\":\"The log cannot be written"), "{seen}");
    let told = "event: trouble\ndata: \"The log cannot be written";
    read_until(program, &format!("/api/runs/{id}/events"), |seen| seen.contains(told)).await;
    assert_eq!(stats.requests.load(Relaxed), sent, "nothing new is sent");
}

/// Looks at a run that has come to its end: every record answered, none of them twice.
async fn whole(program: &Program, id: &str, stats: &Stats) -> Value {
    let run = until(|| view(program, id), |run| run["status"] != "running").await;
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!(run["counts"]["succeeded"], RECORDS);
    assert_eq!(run["trouble"], Value::Null);
    assert_eq!(stats.answered.load(Relaxed) as usize, RECORDS, "nothing was asked twice");
    let listed = json(program.get("/api/runs").await).await;
    assert_eq!(listed["items"][0]["status"], "succeeded", "the list says so, too");
    run
}

/// Whether the program may write files, by the limit that the system keeps for it.
fn may_write(program: &Program, may: bool) {
    let pid = Pid::from_raw(i32::try_from(program.id()).expect("an id")).expect("an id");
    let limit = Rlimit { current: (!may).then_some(0), maximum: None };
    prlimit(Some(pid), Resource::Fsize, limit).expect("its limits are ours to set");
}

fn held_by_storage(run: &Value) -> bool {
    let holds = run["passes"][0]["holds"].as_array();
    holds.is_some_and(|holds| holds.iter().any(|hold| hold["why"] == "storage"))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_can_be_written_nothing_is_started_and_then_the_run_goes_on() {
    let (stats, provider) = simulator().await;
    let mut program = Program::start_with("none", &provider, &[]);
    let id = started(&program).await;
    some_answered(&stats, 50).await;
    may_write(&program, false);
    let words = not_ready(&program).await;
    assert!(words.contains("he database cannot be used: "), "{words}");
    stands_still(&program, &id, &stats, "the database cannot be used").await;
    let one_more =
        body!({ "input": { "sample": "ai-technology" }, "tasks": ["summary"], "mode": "parallel" });
    let refused = program.post("/api/runs", &one_more).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);

    may_write(&program, true);
    ready(&program).await;
    let run = whole(&program, &id, &stats).await;
    assert!(
        held_by_storage(&run),
        "the log says what it waited for: {}",
        run["passes"][0]["holds"]
    );
    program.kill_and_start_again();
    whole(&program, &id, &stats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_a_run_is_written_when_there_is_room_again() {
    let (stats, provider) = simulator().await;
    let mut program = Program::start_with("none", &provider, &[]);
    let id = started(&program).await;
    some_answered(&stats, 20).await;
    may_write(&program, false);
    not_ready(&program).await;
    // It is to end while nothing can be written.
    let cancelled = program.post(&format!("/api/runs/{id}/cancel"), &body!({})).await;
    assert_eq!(cancelled.status(), StatusCode::ACCEPTED);
    until(|| async { stats.in_flight.load(Relaxed) }, |n| *n == 0).await;
    assert_eq!(view(&program, &id).await["status"], "running", "its end is not in the log");
    may_write(&program, true);
    let run = until(|| view(&program, &id), |run| run["status"] != "running").await;
    assert_eq!(run["status"], "cancelled");
    let list = || async { json(program.get("/api/runs").await).await };
    until(list, |list| list["items"][0]["status"] == "cancelled").await;
    program.kill_and_start_again();
    assert_eq!(view(&program, &id).await["status"], "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_nothing_can_be_written_it_repeats_only_what_is_not_in_the_log() {
    let (stats, provider) = simulator().await;
    let mut program = Program::start_with("none", &provider, &[("LANES_RESUME", "auto")]);
    let id = started(&program).await;
    some_answered(&stats, 50).await;
    may_write(&program, false);
    not_ready(&program).await;
    until(|| async { stats.in_flight.load(Relaxed) }, |n| *n == 0).await;
    program.kill_and_start_again();
    let run = until(|| view(&program, &id), |run| run["status"] != "running").await;
    assert_eq!(
        (&run["status"], &run["counts"]["succeeded"]),
        (&body!("succeeded"), &body!(RECORDS))
    );
    let twice = stats.answered.load(Relaxed) as usize - RECORDS;
    println!("{twice} answers were asked for again");
    assert!(twice <= 4 * LANES, "{twice}: what was under way, and little more");
}

/// Starts the program with its data on a disk of 12 MB of its own; none where the system does not let
/// us have one.
fn on_a_small_disk(provider: &str) -> Option<(Program, PathBuf)> {
    let unshare = ["unshare", "--user", "--map-root-user", "--mount"];
    let mut may = Command::new(unshare[0]);
    may.args(&unshare[1..]).args(["mount", "-t", "tmpfs", "none", "/mnt"]);
    if !may.output().is_ok_and(|done| done.status.success()) {
        return None;
    }
    let script = "for last; do :; done; mount -t tmpfs -o size=12m none \"$last\" && exec \"$@\"";
    let prefix = [&unshare[..], &["sh", "-c", script, "sh"]].concat();
    let program = Program::start_by(&prefix, "none", provider, &[]);
    let inside = PathBuf::from(format!("/proc/{}/root", program.id()));
    let place = inside.join(program.data().strip_prefix("/").expect("an absolute path"));
    Some((program, place))
}

/// Fills a disk up to its last byte.
fn fill(place: &Path) -> PathBuf {
    let ballast = place.join("ballast");
    let mut file = OpenOptions::new().create(true).append(true).open(&ballast).expect("a file");
    for size in [1 << 16, 1 << 12, 1] {
        while file.write(&vec![0; size]).is_ok_and(|n| n > 0) {}
    }
    ballast
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_run_waits_until_there_is_room() {
    let (stats, provider) = simulator().await;
    let Some((program, place)) = on_a_small_disk(&provider) else {
        println!("left out: no disk of its own may be mounted here");
        return;
    };
    let id = started(&program).await;
    some_answered(&stats, 50).await;
    let ballast = fill(&place);
    let words = not_ready(&program).await;
    assert!(words.contains("disk") && words.contains("Free some space"), "{words}");
    stands_still(&program, &id, &stats, "Free some space on the disk").await;
    fs::remove_file(ballast).expect("there is room again");
    ready(&program).await;
    whole(&program, &id, &stats).await;
}

/// Another program's connection to the database.
async fn other_program(program: &Program) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(program.data().join("lanes.db"));
    options.connect().await.expect("the database")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_another_program_holds_the_database_the_run_waits() {
    let (stats, provider) = simulator().await;
    let program = Program::start_with("none", &provider, &[]);
    let id = started(&program).await;
    some_answered(&stats, 50).await;
    let mut other = other_program(&program).await;
    let held = other.begin_with("BEGIN IMMEDIATE").await.expect("the lock");
    let words = not_ready(&program).await;
    assert!(words.contains("locked by another program"), "{words}");
    stands_still(&program, &id, &stats, "locked by another program").await;
    held.rollback().await.expect("the lock is free");
    ready(&program).await;
    whole(&program, &id, &stats).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_ahead_log_that_was_cut_short_costs_its_end_and_nothing_else() {
    for share in [1.0, 0.66, 0.33] {
        let (stats, provider) = simulator().await;
        let mut program = Program::start_with("none", &provider, &[("LANES_RESUME", "auto")]);
        let id = started(&program).await;
        some_answered(&stats, 200).await;
        program.kill();
        let log = program.data().join("lanes.db-wal");
        let length = fs::metadata(&log).expect("the log").len();
        // Into the middle of a frame, as when a disk was lost.
        let kept = (length as f64 * share) as u64 - 1_000;
        let file = OpenOptions::new().write(true).open(&log).expect("the log");
        file.set_len(kept).expect("it is cut");
        program.start_again();
        ready(&program).await;
        let run = until(|| view(&program, &id), |run| run["status"] != "running").await;
        if share > 0.9 {
            assert_eq!(run["counts"]["succeeded"], RECORDS, "{share}: {run}");
        }
        // What was cut may be asked again; the run, where its beginning is left, comes to its end.
        if run["id"].is_string() {
            assert_eq!((&run["status"], &run["resumed"]), (&body!("succeeded"), &body!(1)));
        }
        let sound: String = sqlx::query_scalar("PRAGMA integrity_check")
            .fetch_one(&mut other_program(&program).await)
            .await
            .expect("a verdict");
        assert_eq!(sound, "ok", "{share}");
    }
}

#[test]
fn a_database_that_was_cut_short_is_refused_with_what_to_do() {
    let place = tempfile::tempdir().expect("a folder");
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
            .arg(place.path())
            .current_dir(place.path())
            .env("LANES_SIM_LATENCY", "none")
            .output()
            .expect("it ends")
    };
    let file = place.path().join("lanes.db");
    let cut = b"SQLite format 3\0and no more";
    fs::write(&file, cut).expect("a file");
    let refused = start();
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("lanes.db") && said.contains("Restore a backup"), "{said}");
    assert_eq!(fs::read(&file).expect("the file"), cut, "it is left as it is");
}
