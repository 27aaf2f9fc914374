//! `make bench`: what the built program does, as one table, printed and written to
//! `docs/benchmarks.md`. Speed is never asserted: the table says what was asked for beside what was
//! measured. Ratios are of times of one run; the rest depends on the machine.

mod browser;
mod pace;
mod page;
mod table;

#[path = "../../tests/program/support.rs"]
mod support;

use std::path::Path;

use table::{Row, write};

fn main() {
    // cargo passes its own flags (`--bench`); there are none of ours.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let rows: Vec<Row> = runtime.block_on(async {
        let mut rows = page::start().await;
        rows.extend(page::render().await);
        rows.extend(pace::engine().await);
        rows.extend(browser::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("target")));
        rows
    });
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    write(&rows, &file).expect("the table is written");
}
