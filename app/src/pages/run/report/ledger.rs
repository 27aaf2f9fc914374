//! The time ledger: where every lane-second went. The bars share one scale; the figures add up.

use lanes_model::{
    Ledger, LedgerState, Micros, PassState, RunState, explain_ledger, format, segments,
};
use leptos::prelude::*;

use crate::charts::timeline::order;
use crate::components::definition::Definition;

const MEANING: &str = "Every lane-second goes to exactly one state. The bars share one scale and add \
    up to concurrency × wall time.";

/// A pass's ledger as it is shown.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    name: &'static str,
    ledger: Ledger,
    hint: String,
}

fn columns(state: &RunState) -> Vec<Column> {
    let pass = |i: usize| {
        let pass = state.passes.get(i).filter(|p| p.start.is_some())?;
        let wall = format::seconds_table(pass.wall(state.latest));
        Some(Column {
            name: pass.mode.label(),
            ledger: Ledger::of(&segments(&state.header.plan, pass, state.latest)),
            hint: format!(
                "{} {}{} × {wall}",
                pass.mode.label(),
                if closes(pass) { "up to " } else { "" },
                pass.lanes
            ),
        })
    };
    order(state).into_iter().filter_map(pass).collect()
}

/// Whether fewer lanes were in use at some time: closed lanes have no time.
fn closes(pass: &PassState) -> bool {
    pass.limits.iter().any(|l| l.limit < pass.lanes)
}

fn bar(column: &Column, longest: Micros) -> impl IntoView + use<> {
    let mut x = 0.0;
    let bars = LedgerState::ALL
        .into_iter()
        .filter_map(|state| {
            let time = column.ledger.get(state);
            let width = time.0 as f64 / longest.0.max(1) as f64 * 100.0;
            let style = format!("--x:{x:.2}%;--w:{width:.2}%");
            x += width;
            let class = format!("bar bar--{}", state.class());
            (time.0 > 0).then(|| view! { <span class=class style=style></span> })
        })
        .collect_view();
    let total = lane_seconds(&column.ledger);
    view! {
        <div class="ledger-row">
            <b>{column.name}</b>
            <div class="ledger-bar" role="img" aria-label=format!("{} ledger, {total}", column.name)>
                {bars}
            </div>
            <span class="num">{total.clone()}</span>
        </div>
    }
}

/// "12.00 lane-s".
fn lane_seconds(ledger: &Ledger) -> String {
    let total = format::ledger_total(ledger);
    match total.strip_suffix(" s").filter(|t| !t.contains(' ')) {
        Some(seconds) => format!("{seconds} lane-s"),
        None => total,
    }
}

fn table(columns: &[Column], total: &'static str) -> impl IntoView + use<> {
    let shown: Vec<_> = columns.iter().map(|c| format::ledger_display(&c.ledger)).collect();
    let heads = columns
        .iter()
        .map(|c| view! { <th scope="col" class="num" colspan="2">{c.name}</th> })
        .collect_view();
    let rows = LedgerState::ALL
        .into_iter()
        .enumerate()
        .filter(|(_, state)| columns.iter().any(|c| c.ledger.get(*state).0 > 0))
        .map(|(i, state)| {
            let cells = shown
                .iter()
                .filter_map(|column| column.get(i).cloned())
                .map(|(_, time, share)| {
                    view! {
                        <td class="num">{time}</td>
                        <td class="num dim">{share}</td>
                    }
                })
                .collect_view();
            view! {
                <tr>
                    <th scope="row">
                        <span class=format!("swatch bar--{}", state.class())></span>
                        {state.label()}
                    </th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    let totals = columns
        .iter()
        .map(|c| {
            view! {
                <td class="num">{format::ledger_total(&c.ledger)}</td>
                <td class="num">{format::percent(1.0)}</td>
            }
        })
        .collect_view();
    view! {
        <table class="ledger-table">
            <thead>
                <tr>
                    <th scope="col">"State"</th>
                    {heads}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
            <tfoot>
                <tr>
                    <th scope="row">{total}</th>
                    {totals}
                </tr>
            </tfoot>
        </table>
    }
}

/// The card; nothing when no pass has begun.
pub(super) fn card(state: &RunState) -> impl IntoView + use<> {
    let columns = columns(state);
    if columns.is_empty() {
        return None;
    }
    let words = explain_ledger(state).join(" ");
    let hints = columns.iter().map(|c| c.hint.as_str()).collect::<Vec<_>>().join(", ");
    let longest = columns.iter().map(|c| c.ledger.total()).max().unwrap_or_default();
    let total = match state.passes.iter().any(closes) {
        true => "Lanes in use × time",
        false => "Concurrency × wall time",
    };
    let bars = columns.iter().map(|c| bar(c, longest)).collect_view();
    Some(view! {
        <section class="card" aria-labelledby="h-l">
            <div class="card-head">
                <h2 id="h-l">
                    <Definition id="d-ledger" word="Time ledger" meaning=MEANING/>
                </h2>
                <span class="hint">{hints}</span>
            </div>
            <div class="cols" style="gap:0">
                <div class="c6 card-body ledger" style="padding-top:var(--2)">
                    {bars} <p class="sub" style="font-size:var(--t-sm)">{words}</p>
                </div>
                <div class="c6 scroll">{table(&columns, total)}</div>
            </div>
        </section>
    })
}
