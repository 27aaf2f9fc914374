//! The program by itself: how soon it listens, what it holds in memory, how fast it renders.

use std::time::{Duration, Instant};

use crate::support::Program;
use crate::table::Row;

/// Starts of the program to measure.
const STARTS: usize = 7;
/// Renderings of each page to measure.
const RENDERS: usize = 200;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Until it listens, and what it holds then.
pub async fn start() -> Vec<Row> {
    let mut times = Vec::new();
    let mut memory = 0;
    for _ in 0..STARTS {
        let before = Instant::now();
        let program = Program::start("demo");
        program.get("/healthz").await.error_for_status().expect("it is well");
        times.push(before.elapsed());
        program.get("/").await.error_for_status().expect("the first page");
        memory = memory.max(program.resident_kb());
    }
    vec![
        Row {
            what: "From start to the first answer",
            how: format!("`GET /healthz` on a new data directory, median of {STARTS}"),
            measured: ms(median(times)),
            goal: "≤ 300 ms",
        },
        Row {
            what: "Resident memory, idle",
            how: "after the first page, before the first run; the most of all starts".to_owned(),
            measured: format!("{:.1} MB", memory as f64 / 1e3),
            goal: "≤ 60 MB",
        },
    ]
}

/// Rendering a page on the server, seen through one connection on loopback.
pub async fn render() -> Vec<Row> {
    let program = Program::start("fixed:20ms");
    let run = program.run(&crate::pace::compare(6)).await;
    program.events(&run, 0).await;
    let mut rows = Vec::new();
    let pages = [
        ("The Workbench, rendered", "/".to_owned()),
        ("A finished run, rendered", format!("/runs/{run}")),
        ("The list of runs, rendered", "/runs".to_owned()),
    ];
    for (what, path) in pages {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..RENDERS {
            let before = Instant::now();
            bytes = program.get(&path).await.bytes().await.expect("the page").len();
            times.push(before.elapsed());
        }
        rows.push(Row {
            what,
            how: format!(
                "one connection, {:.0} kB of HTML, median of {RENDERS}",
                bytes as f64 / 1e3
            ),
            measured: ms(median(times)),
            goal: "≤ 20 ms",
        });
    }
    rows
}
