//! The expected schedule: a ghost of the timeline to come, where the window is tall enough. Both
//! passes share one axis; the schedule is the estimate's own, nothing is reckoned here but places.

use lanes_model::{Estimate, Micros, PassEstimate, PassMode, format};
use leptos::prelude::*;

use super::form::Form;
use crate::components::markup::{escape, place};

/// A lane with its bars: the left edge and the width of each, percent of the axis.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: String,
    bars: Vec<(f64, f64)>,
}

/// The schedule.
#[component]
pub fn Schedule(form: Form) -> impl IntoView {
    let names = move || {
        let chosen = form.tasks.get();
        form.data.with_value(|d| {
            let tasks = d.tasks.iter().filter(|t| chosen.iter().any(|c| c == t.id.as_str()));
            // Without what stands in brackets, for which there is no room.
            tasks
                .map(|t| t.name.split(" (").next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        })
    };
    let html = move || {
        let estimate = form.estimate.get();
        estimate.map_or_else(String::new, |estimate| draw(&estimate, &names()))
    };
    view! { <div class="whole" inner_html=html></div> }
}

/// The schedule as HTML: it changes as a whole, and of what is in it only names come from outside.
fn draw(estimate: &Estimate, names: &[String]) -> String {
    let spoken = spoken(estimate);
    let mut html = format!(
        r#"<div class="timeline plan" style="--h:1rem;padding:0"><h3 class="sub plan-head">Expected schedule</h3><div role="img" aria-label="{spoken}">"#
    );
    for pass in in_order(estimate) {
        html.push_str(r#"<div class="plan-pass">"#);
        for row in rows(pass, axis(estimate), names) {
            let label = escape(&row.label);
            html.push_str(&format!(
                r#"<div class="lane"><span class="lane-label">{label}</span><div class="track">"#
            ));
            for (x, w) in row.bars {
                html.push_str(&format!(
                    r#"<div class="call is-ghost" style="{}"></div>"#,
                    place(x, w)
                ));
            }
            html.push_str("</div></div>");
        }
        html.push_str("</div>");
    }
    html.push_str("</div></div>");
    html
}

/// The passes as they are drawn: sequential above parallel.
pub fn in_order(estimate: &Estimate) -> impl Iterator<Item = &PassEstimate> {
    let of = |mode| estimate.passes.iter().filter(move |p| p.mode == mode);
    of(PassMode::Sequential).chain(of(PassMode::Parallel))
}

/// The length of the axis: the longest pass.
pub fn axis(estimate: &Estimate) -> Micros {
    estimate.passes.iter().map(|p| p.wall).max().unwrap_or_default()
}

/// The schedule in words.
fn spoken(estimate: &Estimate) -> String {
    let passes = in_order(estimate).map(|p| {
        let lanes = p.calls.iter().map(|c| u64::from(c.lane.0) + 1).max().unwrap_or(1);
        let (mode, time) = (p.mode.label(), format::seconds_estimate(p.wall));
        format!("{mode} {time} on {}", format::plural(lanes, "lane"))
    });
    format!("Expected schedule: {}.", passes.collect::<Vec<_>>().join(", "))
}

/// The lanes of a pass. A lane with a single call is named after its task.
fn rows(pass: &PassEstimate, axis: Micros, tasks: &[String]) -> Vec<Row> {
    let percent = |t: Micros| t.as_secs_f64() / axis.as_secs_f64().max(1e-6) * 100.0;
    let lanes = pass.calls.iter().map(|c| c.lane.0 + 1).max().unwrap_or(0);
    (0..lanes)
        .map(|lane| {
            let calls: Vec<_> = pass.calls.iter().filter(|c| c.lane.0 == lane).collect();
            let label = match (pass.mode, calls.as_slice()) {
                (PassMode::Sequential, _) => pass.mode.label().to_owned(),
                (_, [one]) => tasks.get(one.call.index()).cloned().unwrap_or_default(),
                _ => format!("Lane {}", lane + 1),
            };
            // A hair's breadth keeps calls that touch apart.
            let bar =
                |start, end: Micros| (percent(start), (percent(end.since(start)) - 0.1).max(0.1));
            Row { label, bars: calls.iter().map(|c| bar(c.start, c.end)).collect() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use lanes_model::{CallId, LaneId, ScheduledCall};

    use super::*;

    fn call(call: u32, lane: u16, start: u64, end: u64) -> ScheduledCall {
        let (call, lane) = (CallId(call), LaneId(lane));
        ScheduledCall { call, lane, start: Micros::from_secs(start), end: Micros::from_secs(end) }
    }

    #[test]
    fn lanes_are_named_after_their_only_task_and_drawn_to_scale() {
        let calls = vec![call(0, 0, 0, 2), call(1, 1, 0, 1), call(2, 1, 1, 2)];
        let pass = PassEstimate { mode: PassMode::Parallel, wall: Micros::from_secs(2), calls };
        let names = ["Summary".to_owned(), "Keywords".to_owned(), "Category".to_owned()];
        let rows = rows(&pass, Micros::from_secs(4), &names);
        let labels: Vec<_> = rows.iter().map(|r| r.label.as_str()).collect();
        assert_eq!(labels, ["Summary", "Lane 2"]);
        assert_eq!(rows[0].bars[0].0, 0.0);
        assert!((rows[0].bars[0].1 - 49.9).abs() < 1e-9);
        assert!((rows[1].bars[1].0 - 25.0).abs() < 1e-9);
    }
}
