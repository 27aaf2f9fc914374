//! The stages of a large run as a graph: a column for each depth of need, and how far each stage is.

use lanes_model::batch::{Frame, StageFrame};
use lanes_model::format;

use super::SIMULATED;
use crate::charts::stages::{columns, drawn_edges};
use crate::components::markup::{escape, percent};

pub(super) fn html(frame: &Frame) -> String {
    let done = frame.calls - frame.counts.queued - frame.counts.running;
    let several = frame.stages.len() > 1;
    let hint =
        if several { " · a stage starts a document as soon as its inputs are ready" } else { "" };
    let needs = |stage: &StageFrame| stage.needs.iter().map(|n| usize::from(*n)).collect();
    let needs: Vec<Vec<usize>> = frame.stages.iter().map(needs).collect();
    let needs: Vec<&[usize]> = needs.iter().map(Vec::as_slice).collect();
    let columns = columns(&needs);
    let mut drawn = String::new();
    drawn_edges(&needs, &columns, &mut drawn);
    let mut html = format!(
        r#"<div class="card-head"><h2>Stages</h2><span class="hint">{} of {}{hint}</span></div><div class="card-body scroll" tabindex="0" role="region" aria-label="Stages"><div class="dag" style="--columns:{}">{}"#,
        format::count(u64::from(done)),
        format::plural(u64::from(frame.calls), "call"),
        columns.len(),
        drawn,
    );
    for column in &columns {
        html.push_str("<ol>");
        for stage in column.iter().filter_map(|place| frame.stages.get(*place)) {
            html.push_str(&node(stage));
        }
        html.push_str("</ol>");
    }
    html.push_str("</div></div>");
    html
}

fn node(stage: &StageFrame) -> String {
    let ended = stage.done + stage.failed + stage.cancelled;
    let share = f64::from(ended) / f64::from(stage.calls.max(1)) * 100.0;
    let name = escape(&stage.name);
    let simulated = if stage.simulated { SIMULATED } else { "" };
    let failed = match stage.failed {
        0 => String::new(),
        n => format!(r#" · <span class="bad">{} failed</span>"#, format::count(u64::from(n))),
    };
    format!(
        r#"<li><div class="node"><span class="row row--apart"><b>{name}{simulated}</b><span>{} in flight</span></span><span class="meter" role="progressbar" aria-valuenow="{share:.0}" aria-valuemin="0" aria-valuemax="100" aria-label="{name}"><i style="--w:{}"></i></span><span class="row row--apart"><span>{} of {}{failed}</span><span>{}</span></span></div></li>"#,
        stage.running,
        percent(share),
        format::count(u64::from(ended)),
        format::count(u64::from(stage.calls)),
        format::or_missing(stage.mean_us, format::seconds),
    )
}
