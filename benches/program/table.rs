//! The table of results.

use std::fmt::Write as _;
use std::path::Path;

/// One measured thing.
pub struct Row {
    /// What.
    pub what: &'static str,
    /// How it was measured.
    pub how: String,
    /// The figure with its unit.
    pub measured: String,
    /// What is asked for.
    pub goal: &'static str,
}

/// The rows as Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut table = String::from("| What | Measured | Goal | How |\n|---|---|---|---|\n");
    for Row { what, how, measured, goal } in rows {
        let _ = writeln!(table, "| {what} | {measured} | {goal} | {how} |");
    }
    table
}

/// Prints the table and writes it to `file`.
pub fn write(rows: &[Row], file: &Path) -> std::io::Result<()> {
    let table = table(rows);
    println!("{table}");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let page = format!(
        "# Benchmarks\n\nWritten by `make bench` on a machine with {cores} cores. Ratios are of times \
         measured in one run; the other figures depend on the machine. Nothing here is a test.\n\n\
         {table}"
    );
    std::fs::write(file, page)
}
