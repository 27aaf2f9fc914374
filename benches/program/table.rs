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

/// Where the soak's part of the file begins: `make bench` leaves it as it is, and `make soak` the
/// rest.
const SOAK: &str = "\n## The soak\n";

/// The file's two parts.
fn parts(file: &Path) -> std::io::Result<(String, String)> {
    let mut page = std::fs::read_to_string(file)?;
    let soak = page.split_off(page.find(SOAK).unwrap_or(page.len()));
    Ok((page, soak))
}

/// Prints the soak's table and writes it to its part of `file`.
pub fn write_soak(rows: &[Row], file: &Path) -> std::io::Result<()> {
    let table = table(rows);
    println!("{table}");
    let (page, _) = parts(file)?;
    std::fs::write(file, format!("{page}{SOAK}\nWritten by `make soak`.\n\n{table}"))
}

/// Prints the table and writes it to its part of `file`.
pub fn write(rows: &[Row], file: &Path) -> std::io::Result<()> {
    let table = table(rows);
    println!("{table}");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let page = format!(
        "# Benchmarks\n\nWritten by `make bench` on a machine with {cores} cores. Ratios are of times \
         measured in one run; the other figures depend on the machine, \
         which is shared and half as fast again on some days: what the bare loop took beside them says \
         how fast it was. Nothing here is a test.\n\n\
         {table}{}",
        parts(file)?.1
    );
    std::fs::write(file, page)
}
