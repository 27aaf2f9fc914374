//! The charts, each with its numbers in a table.

use lanes_model::{Micros, UsdMicros, format};
use lanes_service::{Dashboard, SlotFigures};
use leptos::prelude::*;

use super::about;
use crate::charts::slots::{Series, column_chart, line_chart};

/// What a table says of a step.
type Cells = Vec<String>;

/// The four charts.
#[component]
pub fn Charts(data: Dashboard) -> impl IntoView {
    let times: Vec<String> =
        data.slots.iter().map(|slot| label(&slot.start, data.step_s)).collect();
    let of = |value: &dyn Fn(&SlotFigures) -> Option<f64>| -> Vec<Option<f64>> {
        data.slots.iter().map(value).collect()
    };
    let count = |x: f64| format::count(x.round() as u64);
    let whole = |x: f64| if x < 1.0 && x > 0.0 { String::new() } else { count(x) };
    let seconds = |x: f64| format::seconds(Micros((x * 1e6) as u64));
    let money = |x: f64| format::cost(UsdMicros(x.round() as u64));
    let calls = [
        Series {
            name: "Answered",
            class: "par",
            values: of(&|s| Some((s.figures.calls - s.figures.failed) as f64)),
        },
        Series { name: "Failed", class: "fail", values: of(&|s| Some(s.figures.failed as f64)) },
    ];
    let durations = [
        Series {
            name: "p50",
            class: "ln",
            values: of(&|s| s.figures.p50_us.map(Micros::as_secs_f64)),
        },
        Series {
            name: "p95",
            class: "ln ln--2",
            values: of(&|s| s.figures.p95_us.map(Micros::as_secs_f64)),
        },
    ];
    let tokens = [
        Series {
            name: "Prompts",
            class: "seq",
            values: of(&|s| Some(s.figures.input_tokens as f64)),
        },
        Series {
            name: "Answers",
            class: "par",
            values: of(&|s| Some(s.figures.output_tokens as f64)),
        },
    ];
    let costs = [
        Series {
            name: "Paid",
            class: "par",
            values: of(&|s| Some(s.figures.cost_usd_micros as f64)),
        },
        Series {
            name: "Simulated",
            class: "seq",
            values: of(&|s| Some(s.figures.simulated_cost_usd_micros as f64)),
        },
    ];
    let rows = |cells: &dyn Fn(&SlotFigures) -> Cells| -> Vec<(String, Cells)> {
        let some = data.slots.iter().zip(&times).filter(|(s, _)| {
            s.figures.calls + s.figures.input_tokens + s.figures.output_tokens > 0
        });
        some.map(|(slot, time)| (time.clone(), cells(slot))).collect()
    };
    view! {
        <div class="cols">
            <Chart
                id="calls"
                title="Calls"
                legend=names(&calls)
                svg=column_chart("Calls by time, failed ones on top", &calls, &times, &whole)
                rows=rows(&|s| vec![
                    count((s.figures.calls - s.figures.failed) as f64),
                    count(s.figures.failed as f64),
                ])
            />
            <Chart
                id="durations"
                title="Call time"
                legend=names(&durations)
                svg=line_chart("Time of calls: p50 and p95", &durations, &times, &seconds)
                rows=rows(&|s| vec![about(s.figures.p50_us), about(s.figures.p95_us)])
            />
            <Chart
                id="tokens"
                title="Tokens"
                legend=names(&tokens)
                svg=column_chart("Tokens by time", &tokens, &times, &whole)
                rows=rows(&|s| vec![
                    count(s.figures.input_tokens as f64),
                    count(s.figures.output_tokens as f64),
                ])
            />
            <Chart
                id="costs"
                title="Cost"
                legend=names(&costs)
                svg=column_chart("Cost by time", &costs, &times, &money)
                rows=rows(&|s| vec![
                    money(s.figures.cost_usd_micros as f64),
                    money(s.figures.simulated_cost_usd_micros as f64),
                ])
            />
        </div>
    }
}

fn names(series: &[Series]) -> Vec<(&'static str, &'static str)> {
    series.iter().map(|s| (s.name, s.class)).collect()
}

/// A step in words: its time, or its day and time in a week.
fn label(start: &str, step_s: i64) -> String {
    let time = start.get(11..16).unwrap_or_default();
    match step_s > 3_600 {
        true => format!("{} {time}", start.get(5..10).unwrap_or_default()),
        false => time.to_owned(),
    }
}

#[component]
fn Chart(
    id: &'static str,
    title: &'static str,
    /// What its marks are called, with their classes.
    legend: Vec<(&'static str, &'static str)>,
    svg: String,
    rows: Vec<(String, Cells)>,
) -> impl IntoView {
    let heads = legend.iter().map(|(name, _)| view! { <th scope="col" class="num">{*name}</th> });
    let heads = heads.collect_view();
    let marks = legend.iter().map(|(name, class)| {
        let mark = match class.starts_with("ln") {
            true => view! { <path class=*class d="M0 5H10"></path> }.into_any(),
            false => view! { <rect class=*class width="10" height="10"></rect> }.into_any(),
        };
        view! {
            <span class="row mark">
                <svg class="chart" viewBox="0 0 10 10" aria-hidden="true">
                    {mark}
                </svg>
                {*name}
            </span>
        }
    });
    let marks = marks.collect_view();
    let body = rows.into_iter().map(|(time, cells)| {
        let cells = cells.into_iter().map(|cell| view! { <td class="num">{cell}</td> });
        view! {
            <tr>
                <th scope="row">{time}</th>
                {cells.collect_view()}
            </tr>
        }
    });
    let body = body.collect_view();
    let is_empty = body.is_empty();
    view! {
        <section class="card c6" aria-labelledby=format!("h-{id}")>
            <div class="card-head">
                <h2 id=format!("h-{id}")>{title}</h2>
                {marks}
            </div>
            <div class="card-body stack">
                <div inner_html=svg></div>
                <details class="fold">
                    <summary>"As a table"</summary>
                    {if is_empty {
                        view! { <p class="hint">"No calls in this time."</p> }.into_any()
                    } else {
                        view! {
                            <table class="tight">
                                <thead>
                                    <tr>
                                        <th scope="col">"From (UTC)"</th>
                                        {heads}
                                    </tr>
                                </thead>
                                <tbody>{body}</tbody>
                            </table>
                        }
                        .into_any()
                    }}
                </details>
            </div>
        </section>
    }
}
