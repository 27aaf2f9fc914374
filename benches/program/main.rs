//! `make bench`: what the built program does, as one table, printed and written to
//! `docs/benchmarks.md`. Speed is never asserted: the table says what was asked for beside what was
//! measured. Ratios are of times of one run; the rest depends on the machine. `LANES_BENCH_ONLY=load` prints
//! the figures of `load` alone.

#![allow(clippy::expect_used, reason = "a measurement that cannot go on says so")]

mod browser;
mod load;
mod pace;
mod page;
mod table;

#[path = "../../tests/program/support.rs"]
mod support;

// The service's own parts, which are private to it: `load` measures the engine with them.
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/adapter.rs"]
mod adapter;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/hub.rs"]
mod hub;

use std::path::Path;

use table::{Row, table, write};

fn main() {
    // cargo passes its own flags (`--bench`); there are none of ours.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if std::env::var("LANES_BENCH_ONLY").is_ok_and(|only| only == "load") {
        print!("{}", table(&runtime.block_on(load::rows())));
        return;
    }
    let rows: Vec<Row> = runtime.block_on(async {
        let mut rows = page::start().await;
        rows.extend(page::render().await);
        rows.extend(pace::engine().await);
        rows.extend(load::rows().await);
        rows.extend(browser::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target")));
        rows
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    write(&rows, &file).expect("the table is written");
}
