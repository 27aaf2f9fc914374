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

#[derive(Deserialize)]
struct Attached {
    frame_p95_ms: f64,
    frame_p99_ms: f64,
    frames: usize,
    heap_mb: f64,
    renderer_mb: f64,
}

/// The rows of a page attached to a large run; none when it was not measured.
pub fn attached(target: &Path) -> Vec<Row> {
    let file = target.join("bench-batch.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("{} is not there: the page of a large run was not measured", file.display());
        return Vec::new();
    };
    let figures: Attached = serde_json::from_str(&text).expect("figures as the browser left them");
    vec![
        Row {
            what: "Page attached to 60,000 calls: memory",
            how: format!(
                "Chromium, 30 s of a live run with zooming: proportional memory of the page's \
                 process; JavaScript heap {:.1} MB",
                figures.heap_mb
            ),
            measured: format!("{:.0} MB", figures.renderer_mb),
            goal: "≤ 200 MB",
        },
        Row {
            what: "Page attached to 60,000 calls: a frame, p95",
            how: format!(
                "the same: from a frame's callbacks to the first task after it was drawn, {} frames; \
                 p99 {:.1} ms",
                figures.frames, figures.frame_p99_ms
            ),
            measured: format!("{:.1} ms", figures.frame_p95_ms),
            goal: "≤ 16 ms",
        },
    ]
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
