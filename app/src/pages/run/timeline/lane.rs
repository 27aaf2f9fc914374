//! One lane of the timeline: its calls, the time between them, and what is still to come.

use lanes_model::{CallId, LedgerState, Micros, PassState, attempt_lines, format};
use leptos::prelude::*;

use super::super::facts::call_name;
use super::Run;
use crate::charts::axis::{Axis, shares};
use crate::charts::timeline::{Frame, Item, Key, order};
use crate::components::markup::{bars, escape, percent, place, swatch};

/// A track is taken to be that wide where a least width in pixels has to become a share.
const NOMINAL_PX: f64 = 1_000.0;
/// Idle time between two calls is drawn from that share of the axis on, %: 4 px.
const IDLE_MIN: f64 = 0.4;

/// A lane.
#[component]
pub(super) fn LaneRow(
    run: Run,
    frame: Memo<Frame>,
    axis: Memo<Axis>,
    panel: usize,
    lane: usize,
    /// Whether the time saved is written on this lane.
    bracket: bool,
) -> impl IntoView {
    let keys = Memo::new(move |_| {
        axis.with(|a| {
            frame.with(|f| {
                let items = f.panels.get(panel).and_then(|p| p.lanes.get(lane));
                items.map(|l| l.iter().filter(|i| worth(i, a)).map(|i| i.key).collect::<Vec<_>>())
            })
        })
        .unwrap_or_default()
    });
    let saved = move || bracket.then(|| frame.with(|f| f.saved)).flatten();
    view! {
        <div class="lane">
            <span class="lane-label">{format!("Lane {}", lane + 1)}</span>
            <div class="track">
                <For each=move || keys.get() key=|key| *key let:key>
                    <Bar run=run frame=frame axis=axis panel=panel lane=lane key=key/>
                </For>
                {move || {
                    saved()
                        .map(|(from, to, estimated)| {
                            let (x, end) = axis.with(|a| (a.percent(from), a.percent(to)));
                            let time = to.since(from);
                            let text = if estimated {
                                format::seconds_estimate(time)
                            } else {
                                format::seconds_headline(time)
                            };
                            let style = place(x, end - x);
                            let text = (end - x > 12.0).then(|| view! { <span>{text}" sooner"</span> });
                            view! { <div class="saved" aria-hidden="true" style=style>{text}</div> }
                        })
                }}
            </div>
        </div>
    }
}

fn worth(item: &Item, axis: &Axis) -> bool {
    match item.key {
        Key::Gap(LedgerState::Idle, _) => axis.percent(item.duration()) >= IDLE_MIN,
        _ => true,
    }
}

#[component]
fn Bar(
    run: Run,
    frame: Memo<Frame>,
    axis: Memo<Axis>,
    panel: usize,
    lane: usize,
    key: Key,
) -> impl IntoView {
    let item = Memo::new(move |_| frame.with(|f| f.find(panel, lane, key).cloned()));
    let style =
        move || item.with(|i| i.as_ref().map(|i| place_of(i, &axis.get()))).unwrap_or_default();
    match key {
        Key::Gap(state, _) => {
            let class = format!("bar bar--{}", state.class());
            view! { <span class=class style=style></span> }.into_any()
        }
        Key::Closed(_) => view! { <span class="closed" style=style></span> }.into_any(),
        Key::Ghost(call) => {
            let name = run.state.with_untracked(|s| call_name(s, call));
            view! {
                <div class="call is-ghost" aria-hidden="true" style=style>
                    <span class="call-name">{name}</span>
                </div>
            }
            .into_any()
        }
        Key::Call(call, _) => {
            view! { <CallBar run=run item=item style=Signal::derive(style) call=call panel=panel/> }
                .into_any()
        }
    }
}

fn place_of(item: &Item, axis: &Axis) -> String {
    // Time in which a lane is closed may have no end.
    let start = axis.percent(item.start);
    place(start, axis.percent(item.end).min(100.0).max(start) - start)
}

/// The parts of a call with where each begins and how wide it is, in percent of the call.
fn parts(item: &Item) -> Vec<(LedgerState, f64, f64)> {
    let times: Vec<u64> = item.parts.iter().map(|p| p.1.0).collect();
    let mut x = 0.0;
    let widths = shares(&times, NOMINAL_PX / 4.0, 2.0);
    let place = |(&(state, _), w): (&(LedgerState, Micros), f64)| {
        let at = x;
        x += w;
        (state, at, w)
    };
    item.parts.iter().zip(widths).map(place).collect()
}

/// "Summary, 2.36 s: time to first token 0.42 s, generating 1.94 s".
fn describe(name: &str, item: &Item) -> String {
    let parts: Vec<_> = item
        .parts
        .iter()
        .map(|(state, time)| {
            format!("{} {}", state.label().to_lowercase(), format::seconds_table(*time))
        })
        .collect();
    format!("{name}, {}: {}", format::seconds_table(item.duration()), parts.join(", "))
}

#[component]
fn CallBar(
    run: Run,
    item: Memo<Option<Item>>,
    style: Signal<String>,
    call: CallId,
    panel: usize,
) -> impl IntoView {
    let name = StoredValue::new(run.state.with_untracked(|s| call_name(s, call)));
    let of =
        move |f: &dyn Fn(&Item) -> String| item.with(|i| i.as_ref().map(f)).unwrap_or_default();
    let label = move || name.with_value(|n| of(&|i| describe(n, i)));
    let class = move || match item.with(|i| i.as_ref().is_some_and(|i| i.critical)) {
        true => "call is-critical",
        false => "call",
    };
    let inner = move || bars(item.with(|i| i.as_ref().map(parts)).unwrap_or_default());
    // The name stands in the generating part, or not at all.
    let generating = move || {
        let parts = item.with(|i| i.as_ref().map(parts)).unwrap_or_default();
        parts.into_iter().rfind(|p| p.0 == LedgerState::Generating).map(|p| p.1)
    };
    let name_style = move || {
        generating()
            .map(|x| format!("--at:calc({} + .375rem);--on:var(--on-gen)", percent(x)))
            .unwrap_or_default()
    };
    let shown = Memo::new(move |_| generating().is_some());
    let span = move || {
        of(&|i| format!("{} – {}", format::seconds_table(i.start), format::seconds_table(i.end)))
    };
    let told = Memo::new(move |_| {
        run.state.with(|s| {
            let stands =
                |p: &PassState| p.calls.get(call.index()).map(|c| attempt_lines(&s.header, c));
            let pass = order(s).get(panel).and_then(|&i| s.passes.get(i));
            pass.and_then(stands)
                .unwrap_or_default()
                .into_iter()
                .fold(String::new(), |html, line| html + "<br>" + &escape(&line))
        })
    });
    let rows = move || {
        let row = |&(state, time): &(LedgerState, Micros)| {
            let text = format!(" {} {}", state.label(), format::seconds_table(time));
            format!("<br>{}", swatch("span", state, &text))
        };
        of(&|i| i.parts.iter().map(row).collect()) + &told.get()
    };
    view! {
        <button
            class=class
            type="button"
            style=style
            aria-label=label
            data-goto=format!("result-{}", call.0)
        >
            <span class="whole" inner_html=inner></span>
            <span class="call-name" style=name_style>
                {move || if shown.get() { name.get_value() } else { String::new() }}
            </span>
            <span class="tip" aria-hidden="true">
                <b>{name.get_value()}</b>
                " "
                {span}
                <span inner_html=rows></span>
            </span>
        </button>
    }
}
