//! What was measured in a browser (`end2end/bench`), when it was: it leaves its figures in a file.

use std::path::Path;

use serde::Deserialize;

use crate::table::Row;

#[derive(Deserialize)]
struct Figures {
    first_control_ms: f64,
    first_event_ms: f64,
    visits: usize,
}

/// The rows; none when the browser was not measured.
pub fn read(target: &Path) -> Vec<Row> {
    let file = target.join("bench-browser.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("{} is not there: the browser was not measured", file.display());
        return Vec::new();
    };
    let figures: Figures = serde_json::from_str(&text).expect("figures as the browser left them");
    let how = format!("Chromium over loopback, empty cache, median of {} visits", figures.visits);
    vec![
        Row {
            what: "First control usable in the browser",
            how: how.clone(),
            measured: format!("{:.0} ms", figures.first_control_ms),
            goal: "≤ 500 ms",
        },
        Row {
            what: "From pressing Run to the first event on the page",
            how,
            measured: format!("{:.0} ms", figures.first_event_ms),
            goal: "≤ 100 ms",
        },
    ]
}
