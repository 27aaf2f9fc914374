//! The timeline card: draws what `charts::timeline` computes, as bars placed by custom properties.
//! Rule: a bar keeps its element from frame to frame, so that focus and tooltips stay.

use lanes_model::{Micros, PassId, PassMode, RunState, ScheduledCall, format, remaining};
use leptos::prelude::*;

use super::{Run, replay};
use crate::charts::axis::{Axis, live_end, room};
use crate::charts::limit::{Step, path, span};
use crate::charts::timeline::{Frame, Panel, frame, order};
use crate::components::markup::{definition, percent, swatch};

mod lane;

/// The calls to come, while the run goes on.
fn ghosts(run: Run) -> Vec<(PassId, ScheduledCall)> {
    let now = run.clock();
    run.estimate.with_value(|e| run.state.with(|s| remaining(s, e, now)))
}

/// When each pass ends, from its own start: for real or as expected.
fn ends(run: Run) -> Option<(Micros, Micros)> {
    let ghosts = ghosts(run);
    let end = |state: &RunState, mode| {
        let i = state.passes.iter().position(|p| p.mode == mode)?;
        let pass = state.passes.get(i)?;
        let expected = ghosts.iter().filter(|(p, _)| usize::from(p.0) == i).map(|(_, c)| c.end);
        pass.end.map(|end| pass.wall(end)).or(expected.max())
    };
    run.state.with(|s| Some((end(s, PassMode::Parallel)?, end(s, PassMode::Sequential)?)))
}

/// The speedup that a compare run is heading for, as text.
pub(super) fn heading(run: Run) -> Option<String> {
    let (parallel, sequential) = ends(run)?;
    let factor = sequential.as_secs_f64() / parallel.as_secs_f64();
    factor.is_finite().then(|| format::approx(&format::speedup(factor)))
}

/// How long the pass that goes on is expected to take still.
pub(super) fn time_left(run: Run) -> Option<Micros> {
    let now = run.clock();
    let end = ghosts(run).into_iter().map(|(_, c)| c.end).max()?;
    run.state.with(|s| s.passes.first().map(|p| end.since(p.wall(now))))
}

/// Moves the focus between the calls of the timeline: left and right on a lane, up and down to the
/// first call of the lane above or below.
pub(super) fn move_focus(key: &str) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let Some(document) = web_sys::window().and_then(|w| w.document()) else { return };
        let Some(here) = document.active_element() else { return };
        let calls = document.get_elements_by_class_name("call");
        let all: Vec<_> = (0..calls.length())
            .filter_map(|i| calls.item(i))
            .filter(|e| e.tag_name() == "BUTTON")
            .collect();
        let Some(at) = all.iter().position(|e| *e == here) else { return };
        let lane = |e: &web_sys::Element| e.parent_element();
        let other_lane = |e: &&web_sys::Element| lane(e) != lane(&here);
        let next = match key {
            "ArrowLeft" => at.checked_sub(1).and_then(|i| all.get(i)),
            "ArrowRight" => all.get(at + 1),
            "ArrowUp" => all.iter().take(at).rfind(|e| other_lane(e)),
            _ => all.iter().skip(at).find(other_lane),
        };
        if let Some(next) = next.and_then(|e| e.dyn_ref::<web_sys::HtmlElement>()) {
            let _ = next.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = key;
}

/// The card.
#[component]
pub(super) fn Timeline(run: Run) -> impl IntoView {
    let frame = Memo::new(move |_| {
        let ghosts = ghosts(run);
        let (now, at) = (run.clock(), run.at.get());
        run.state.with(|s| frame(s, now, at, &ghosts))
    });
    let axis = Memo::new(move |before: Option<&Axis>| {
        let needed = frame.with(|f| f.needed);
        Axis::new(if run.live.get() {
            live_end(before.map(|b| b.end), needed)
        } else {
            room(needed)
        })
    });
    let lanes = run.state.with_untracked(|s| s.passes.iter().map(|p| p.lanes).max().unwrap_or(1));
    let height = match lanes {
        0..=4 => "--h:2rem",
        5..=24 => "--h:1.375rem",
        _ => "--h:.375rem",
    };
    let passes = run.state.with_untracked(|s| order(s).len());
    view! {
        <section class="card" aria-labelledby="h-tl">
            <div class="card-head">
                <h2 id="h-tl">"Timeline"</h2>
                <Legend frame=frame/>
            </div>
            <div class="timeline" role="group" aria-label="Lanes timeline" style=height>
                <Grid frame=frame axis=axis/>
                {(0..passes)
                    .map(|panel| view! { <PanelView run=run frame=frame axis=axis panel=panel/> })
                    .collect_view()}
            </div>
            <Show when=move || !run.live.get()>
                <replay::Replay run=run/>
            </Show>
            <Show when=move || !run.live.get()>{super::drawn(run, |r| &r.table)}</Show>
        </section>
    }
}

#[component]
fn Legend(frame: Memo<Frame>) -> impl IntoView {
    // Drawn anew only when it changes, so that a definition in it keeps the focus.
    let html = Memo::new(move |_| frame.with(legend));
    view! { <ul class="legend" aria-label="Legend" inner_html=move || html.get()></ul> }
}

/// The legend's items.
fn legend(frame: &Frame) -> String {
    let mut html: String = frame.legend.iter().map(|&s| swatch("li", s, s.label())).collect();
    if frame.panels.iter().flat_map(|p| p.lanes.iter().flatten()).any(|i| i.critical) {
        html.push_str(r#"<li><span class="swatch swatch--crit"></span>Critical path</li>"#);
    }
    if frame.panels.iter().any(|p| !p.limits.is_empty()) {
        html.push_str(r#"<li><span class="swatch swatch--limit"></span>Concurrency limit</li>"#);
    }
    if let Some((b, estimated)) = frame.panels.iter().find_map(|p| p.bound) {
        let time = if estimated { format::seconds_estimate } else { format::seconds };
        let word = format!("Lower bound {}", time(b.us));
        let meaning = format!(
            "The shortest possible wall time: the largest of critical path, total work ÷ concurrency, \
             requests ÷ RPM limit and tokens ÷ TPM limit. Here: {}.",
            b.binding.label(),
        );
        let word = definition("d-bound-line", &word, &meaning);
        html.push_str(&format!(r#"<li><span class="swatch swatch--bound"></span>{word}</li>"#));
    }
    html
}

/// Ticks and the line of the present, behind and across the lanes.
#[component]
fn Grid(frame: Memo<Frame>, axis: Memo<Axis>) -> impl IntoView {
    let ticks = move || {
        axis.with(|a| {
            let tick = |at| {
                let x = a.percent(at);
                // A word at the very end would stick out of the card.
                let label = if x < 94.0 { a.label(at) } else { String::new() };
                let x = percent(x);
                format!(r#"<span class="tick" style="--x:{x}"><span>{label}</span></span>"#)
            };
            a.ticks().map(tick).collect::<String>()
        })
    };
    let now = move || {
        let now = frame.with(|f| f.now);
        now.map_or_else(String::new, |now| {
            let x = percent(axis.with(|a| a.percent(now)));
            let time = format::seconds_table(now);
            format!(r#"<div class="now" style="--x:{x}"><span>{time}</span></div>"#)
        })
    };
    view! {
        <div class="grid" aria-hidden="true">
            <span class="whole" inner_html=ticks></span>
            <span class="whole" inner_html=now></span>
        </div>
    }
}

/// What stands beside the name of a pass: lanes, and its time or how far it is.
fn panel_facts(panel: &Panel, at: Option<Micros>) -> (String, String) {
    let replayed = at.is_some();
    let mut text = format::plural(panel.lanes.len() as u64, "lane");
    let (mut done, mut ends) = (String::new(), String::new());
    if let Some(step) = panel.limits.last().filter(|_| panel.wall.is_none() || replayed) {
        text.push_str(&format!(", limit {}", step.limit));
    }
    if panel.wall.is_none() || replayed {
        done = format!(" · {} of {} done", format::count(panel.done), format::count(panel.total));
    }
    if panel.failed > 0 {
        let join = if done.is_empty() { " · " } else { ", " };
        done.push_str(&format!("{join}{} failed", format::count(panel.failed)));
    }
    text.push_str(&done);
    match (panel.wall, panel.expected) {
        (Some(wall), _) if at.is_some_and(|at| at < wall) => {}
        (Some(wall), _) => text.push_str(&format!(" · {}", format::seconds_table(wall))),
        (None, Some(at)) => ends = format!(" · ends {}", format::seconds_estimate(at)),
        (None, None) if !panel.begun => text.push_str(" · not begun"),
        (None, None) => {}
    }
    (text, ends)
}

/// The step line of the limit over so many lanes, each step with its reason.
fn limit_line(steps: &[Step], lanes: usize, axis: &Axis) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let line = path(steps, axis, |x| x, f64::from);
    let mut html = format!(
        r#"<svg class="limit" style="--n:{lanes}" viewBox="0 0 100 {lanes}" preserveAspectRatio="none" aria-hidden="true"><path d="{line}"></path>"#
    );
    for step in steps {
        let (from, to) = span(step, axis);
        let (from, to) = (format::fixed(from, 2), format::fixed(to, 2));
        let (y, label) = (step.limit, step.label());
        html.push_str(&format!(
            r#"<path class="hit" d="M{from} {y}H{to}"><title>{label}</title></path>"#
        ));
    }
    html + "</svg>"
}

#[component]
fn PanelView(run: Run, frame: Memo<Frame>, axis: Memo<Axis>, panel: usize) -> impl IntoView {
    let mode = frame.with_untracked(|f| f.panels.get(panel).map_or(PassMode::Parallel, |p| p.mode));
    // The user can add lanes while the pass goes on.
    let lanes =
        Memo::new(move |_| frame.with(|f| f.panels.get(panel).map_or(0, |p| p.lanes.len())));
    let colour = match mode {
        PassMode::Sequential => "--c:var(--seq)",
        PassMode::Parallel => "--c:var(--par)",
    };
    let facts = Memo::new(move |_| {
        let at = run.at.get();
        frame.with(|f| f.panels.get(panel).map(|p| panel_facts(p, at)).unwrap_or_default())
    });
    let bound = move || {
        let bound = frame.with(|f| f.panels.get(panel).and_then(|p| p.bound));
        bound.map_or_else(String::new, |(b, _)| {
            let x = percent(axis.with(|a| a.percent(b.us)));
            format!(
                r#"<div class="grid" style="inset:3.3rem 0 0 var(--label-w)" aria-hidden="true"><span class="bound" style="--x:{x}"><span class="hide-s">Lower bound</span></span></div>"#
            )
        })
    };
    let limits = move || {
        frame.with(|f| {
            let panel = f.panels.get(panel);
            panel
                .map(|p| axis.with(|a| limit_line(&p.limits, p.lanes.len(), a)))
                .unwrap_or_default()
        })
    };
    view! {
        <section class="panel" style=colour>
            <div class="panel-head">
                <span class="key"></span>
                <h3>{mode.label()}</h3>
                <span>
                    {move || facts.get().0} <span class="hide-s">{move || facts.get().1}</span>
                </span>
            </div>
            {move || {
                let lanes = lanes.get();
                (0..lanes).map(|lane| {
                    let bracket = mode == PassMode::Parallel && lane == lanes / 2;
                    view! {
                        <lane::LaneRow
                            run=run
                            frame=frame
                            axis=axis
                            panel=panel
                            lane=lane
                            bracket=bracket
                        />
                    }
                })
                .collect_view()}}
            <div class="whole" inner_html=bound></div>
            <div class="whole" inner_html=limits></div>
        </section>
    }
}
