//! The stages of a large run as a graph: a column for each depth of need, and how far each stage is.

use lanes_model::batch::{Frame, StageFrame};
use lanes_model::format;

use crate::components::markup::{escape, percent};

pub(super) fn html(frame: &Frame) -> String {
    let done = frame.calls - frame.counts.queued - frame.counts.running;
    let several = frame.stages.len() > 1;
    let hint =
        if several { " · a stage starts a document as soon as its inputs are ready" } else { "" };
    let columns = columns(&frame.stages);
    let mut html = format!(
        r#"<div class="card-head"><h2>Stages</h2><span class="hint">{} of {}{hint}</span></div><div class="card-body scroll" tabindex="0" role="region" aria-label="Stages"><div style="min-width:{}rem"><div class="dag">{}"#,
        format::count(u64::from(done)),
        format::plural(u64::from(frame.calls), "call"),
        13 * columns.len().min(6),
        edges(&frame.stages, &columns),
    );
    for column in &columns {
        html.push_str("<ol>");
        for stage in column.iter().filter_map(|place| frame.stages.get(*place)) {
            html.push_str(&node(stage));
        }
        html.push_str("</ol>");
    }
    html.push_str("</div></div></div>");
    html
}

/// Places of stages, by how many stand before them in a row.
fn columns(stages: &[StageFrame]) -> Vec<Vec<usize>> {
    let mut depths: Vec<usize> = Vec::with_capacity(stages.len());
    for stage in stages {
        let before = stage.needs.iter().filter_map(|need| depths.get(usize::from(*need)));
        depths.push(before.max().map_or(0, |depth| depth + 1));
    }
    let mut columns = vec![Vec::new(); depths.iter().max().map_or(0, |most| most + 1)];
    for (place, depth) in depths.into_iter().enumerate() {
        columns[depth].push(place);
    }
    columns
}

/// The needs as curves behind the nodes, in percent of the graph.
fn edges(stages: &[StageFrame], columns: &[Vec<usize>]) -> String {
    const GAP: f64 = 4.6;
    let n = columns.len() as f64;
    let width = (100.0 - GAP * (n - 1.0)) / n;
    let most = columns.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let place = |stage: usize| {
        let (x, y, rows) = columns.iter().enumerate().find_map(|(x, column)| {
            Some((x, column.iter().position(|s| *s == stage)?, column.len()))
        })?;
        // Columns stand in the middle; all rows are of one height.
        let y = 50.0 + (y as f64 + 0.5 - rows as f64 / 2.0) * 100.0 / most;
        Some((x as f64 * (width + GAP), y))
    };
    let mut paths = String::new();
    for (to, stage) in stages.iter().enumerate() {
        for from in &stage.needs {
            if let (Some((x, y)), Some((end, bottom))) = (place(usize::from(*from)), place(to)) {
                let x = x + width;
                let mid = (x + end) / 2.0;
                paths.push_str(&format!(
                    r#"<path vector-effect="non-scaling-stroke" d="M{x:.2} {y:.2}C{mid:.2} {y:.2} {mid:.2} {bottom:.2} {end:.2} {bottom:.2}"></path>"#
                ));
            }
        }
    }
    format!(
        r#"<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{paths}</svg>"#
    )
}

fn node(stage: &StageFrame) -> String {
    let ended = stage.done + stage.failed + stage.cancelled;
    let share = f64::from(ended) / f64::from(stage.calls.max(1)) * 100.0;
    let name = escape(&stage.name);
    let failed = match stage.failed {
        0 => String::new(),
        n => format!(r#" · <span class="bad">{} failed</span>"#, format::count(u64::from(n))),
    };
    format!(
        r#"<li><div class="node"><span class="row row--apart"><b>{name}</b><span>{} in flight</span></span><span class="meter" role="progressbar" aria-valuenow="{share:.0}" aria-valuemin="0" aria-valuemax="100" aria-label="{name}"><i style="--w:{}"></i></span><span class="row row--apart"><span>{} of {}{failed}</span><span>{}</span></span></div></li>"#,
        stage.running,
        percent(share),
        format::count(u64::from(ended)),
        format::count(u64::from(stage.calls)),
        format::or_missing(stage.mean_us, format::seconds),
    )
}
