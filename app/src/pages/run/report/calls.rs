//! The calls of a run that is over as a table: what each took, used and cost, pass beside pass.

use lanes_model::{CallId, CallState, Micros, PassState, RunState, attempt_lines, format};
use leptos::prelude::*;

use super::super::facts::{call_name, cost, cost_word, duration, first_token, main_pass};
use crate::charts::timeline::order;
use crate::components::icons::{Icon, task_icon};

fn time(t: Option<Micros>) -> String {
    format::or_missing(t, format::seconds_table)
}

/// How many attempts a call took; an answer from the response cache says so instead.
fn attempts(call: &CallState) -> String {
    match (call.cached, call.attempts.len()) {
        (None, n) => format::count(n as u64),
        (Some(_), 0) => "from cache".to_owned(),
        (Some(_), n) => format!("{}, from cache", format::count(n as u64)),
    }
}

struct Row {
    icon: &'static str,
    name: String,
    cells: Vec<String>,
    trouble: bool,
    /// What became of each attempt, where they are to be told apart.
    told: Vec<String>,
}

fn row(state: &RunState, passes: &[&PassState], id: CallId) -> Option<Row> {
    let calls: Vec<_> = passes.iter().filter_map(|p| p.calls.get(id.index())).collect();
    let main = main_pass(state)?.calls.get(id.index())?;
    let usage = main.usage();
    let mut cells: Vec<_> = calls.iter().map(|c| time(duration(c, state.latest))).collect();
    cells.extend(calls.iter().map(|c| time(first_token(c))));
    cells.push(format::or_missing(usage.map(|u| u.input), format::count));
    cells.push(format::or_missing(usage.map(|u| u.output), format::count));
    cells.push(format::or_missing(cost(main), format::cost_table));
    let attempts: Vec<_> = calls.iter().map(|c| attempts(c)).collect();
    let same = attempts.windows(2).all(|w| w[0] == w[1]);
    cells.push(if same {
        attempts.first().cloned().unwrap_or_default()
    } else {
        attempts.join(" / ")
    });
    let trouble = calls.iter().any(|c| c.attempts.len() > 1 || c.status().is_failure());
    let mut told: Vec<_> = calls
        .iter()
        .map(|c| attempt_lines(&state.header, c).join("; "))
        .filter(|lines| !lines.is_empty())
        .collect();
    told.dedup();
    let icon = state.header.task_of(id).map_or("custom", |t| task_icon(t.id.as_str()));
    Some(Row { icon, name: call_name(state, id), cells, trouble, told })
}

fn totals(state: &RunState, passes: &[&PassState]) -> Vec<String> {
    let mut cells: Vec<_> =
        passes.iter().map(|p| format::seconds_table(p.wall(state.latest))).collect();
    cells.extend(passes.iter().map(|_| String::new()));
    let main = || main_pass(state).into_iter().flat_map(|p| &p.calls);
    let sum = |of: fn(lanes_model::Usage) -> u64| {
        main().filter_map(CallState::usage).map(of).sum::<u64>()
    };
    cells.push(format::count(sum(|u| u.input)));
    cells.push(format::count(sum(|u| u.output)));
    let priced = state.header.provider.price;
    let total = priced.map(|_| main().filter_map(cost).sum());
    cells.push(format::or_missing(total, format::cost_table));
    let attempts = |p: &PassState| p.calls.iter().map(|c| c.attempts.len() as u64).sum::<u64>();
    let attempts: Vec<_> = passes.iter().map(|p| format::count(attempts(p))).collect();
    let same = attempts.windows(2).all(|w| w[0] == w[1]);
    cells.push(if same {
        attempts.first().cloned().unwrap_or_default()
    } else {
        attempts.join(" / ")
    });
    cells
}

fn heads(state: &RunState, passes: &[&PassState]) -> Vec<String> {
    let (mut heads, side) = match passes.len() {
        0 | 1 => (vec!["Time".to_owned(), "TTFT".to_owned()], ""),
        _ => {
            let names = passes.iter().map(|p| p.mode.label().to_owned());
            let short = passes.iter().map(|p| match p.mode {
                lanes_model::PassMode::Sequential => "TTFT seq.".to_owned(),
                lanes_model::PassMode::Parallel => "TTFT par.".to_owned(),
            });
            (names.chain(short).collect(), " per pass")
        }
    };
    heads.extend(["Tokens in".to_owned(), "Tokens out".to_owned()]);
    heads
        .push(format!("Cost{side}{}", if cost_word(state).is_empty() { "" } else { ", modelled" }));
    heads.push(format!("Attempts{side}"));
    heads
}

/// "3 answers from cache".
fn from_cache(state: &RunState) -> Option<String> {
    let calls = state.passes.iter().flat_map(|p| &p.calls);
    let n = calls.filter(|c| c.cached.is_some()).count() as u64;
    (n > 0).then(|| format!(", {} from cache", format::plural(n, "answer")))
}

/// "1 failed attempt, 1 call failed".
fn trouble(state: &RunState) -> String {
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let attempts = calls().flat_map(|c| &c.attempts).filter(|a| a.failure.is_some()).count() as u64;
    let failed = calls().filter(|c| c.status().is_failure()).count() as u64;
    match (attempts, failed) {
        (0, 0) => "No errors".to_owned(),
        (n, 0) => format!("{}, recovered by retry", format::plural(n, "error")),
        (n, f) => format!("{}, {} failed", format::plural(n, "error"), format::plural(f, "call")),
    }
}

/// The card.
pub(super) fn card(state: &RunState) -> impl IntoView + use<> {
    let passes: Vec<_> = order(state).into_iter().filter_map(|i| state.passes.get(i)).collect();
    let heads = heads(state, &passes);
    let ids = (0..).map(CallId).take(state.header.plan.calls.len());
    let rows: Vec<_> = ids.filter_map(|id| row(state, &passes, id)).collect();
    let totals = totals(state, &passes);
    let several = state.header.documents.len() > 1;
    view! {
        <section class="card" aria-labelledby="h-c">
            <div class="card-head">
                <h2 id="h-c">{if several { "Calls" } else { "Calls by task" }}</h2>
                <span class="hint">{trouble(state)}{from_cache(state)}</span>
            </div>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-c">
                <table>
                    <thead>
                        <tr>
                            <th scope="col">"Task"</th>
                            {heads
                                .into_iter()
                                .map(|h| view! { <th scope="col" class="num">{h}</th> })
                                .collect_view()}
                        </tr>
                    </thead>
                    <tbody>{rows.into_iter().map(draw).collect_view()}</tbody>
                    <tfoot>
                        <tr>
                            <th scope="row">"Wall time and totals"</th>
                            {totals
                                .into_iter()
                                .map(|t| view! { <td class="num">{t}</td> })
                                .collect_view()}
                        </tr>
                    </tfoot>
                </table>
            </div>
        </section>
    }
}

fn draw(row: Row) -> impl IntoView {
    let last = row.cells.len().saturating_sub(1);
    let cells = row.cells.into_iter().enumerate().map(|(i, text)| {
        let marked = row.trouble && i == last;
        view! {
            <td class="num">
                {if marked {
                    view! {
                        <span class="badge badge--warn">
                            <Icon name="retry"/>
                            {text}
                        </span>
                    }
                        .into_any()
                } else {
                    text.into_any()
                }}
            </td>
        }
    });
    let told = row.told.into_iter().map(|line| view! { <p class="told">{line}</p> });
    view! {
        <tr>
            <th scope="row">
                <span class="row" style="flex-wrap:nowrap">
                    <Icon name=row.icon/>
                    {row.name}
                </span>
                {told.collect_view()}
            </th>
            {cells.collect_view()}
        </tr>
    }
}
