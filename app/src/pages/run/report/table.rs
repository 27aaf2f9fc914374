//! The timeline as a table, for those who read it rather than see it.

use lanes_model::{CallId, Ledger, Micros, PassState, RunState, call_segments, format};
use leptos::prelude::*;

use super::super::facts::call_name;
use super::heads;
use crate::charts::limit::steps;
use crate::charts::timeline::order;

type Row = [String; 6];

fn rows(state: &RunState) -> Vec<Row> {
    order(state)
        .into_iter()
        .filter_map(|i| state.passes.get(i))
        .flat_map(|pass| {
            (0..).map(CallId).take(pass.calls.len()).filter_map(|call| row(state, pass, call))
        })
        .collect()
}

fn row(state: &RunState, pass: &PassState, id: CallId) -> Option<Row> {
    let call = pass.calls.get(id.index())?;
    let (start, zero) = (call.start()?, pass.start?);
    let mut lanes: Vec<_> = call.attempts.iter().map(|a| (a.lane.0 + 1).to_string()).collect();
    lanes.dedup();
    let end = call.end.unwrap_or(state.latest);
    let ledger = Ledger::of(&call_segments(pass, id, state.latest));
    let states: Vec<_> = format::ledger_display(&ledger)
        .into_iter()
        .filter(|(s, _, _)| ledger.get(*s).0 > 0)
        .map(|(s, time, _)| format!("{} {time}", s.label().to_lowercase()))
        .collect();
    Some([
        pass.mode.label().to_owned(),
        call_name(state, id),
        lanes.join(", "),
        format::seconds_table(start.since(zero)),
        format::seconds_table(end.since(start)),
        states.join(", "),
    ])
}

/// The changes of the concurrency limit, pass by pass: pass, time, lanes and why.
fn limits(state: &RunState) -> Vec<[String; 4]> {
    order(state)
        .into_iter()
        .filter_map(|i| state.passes.get(i))
        .flat_map(|pass| {
            steps(pass, Micros::MAX).into_iter().map(|s| {
                [
                    format::seconds_table(s.start),
                    pass.mode.label().to_owned(),
                    format::count(s.limit.into()),
                    s.why.label().to_owned(),
                ]
            })
        })
        .collect()
}

/// The limit's changes as a table; nothing when there were none.
fn limit_table(state: &RunState) -> impl IntoView + use<> {
    let rows = limits(state);
    (!rows.is_empty()).then(|| {
        let row = |[at, pass, lanes, why]: [String; 4]| {
            view! {
                <tr>
                    <th scope="row" class="num">
                        {at}
                    </th>
                    <td>{pass}</td>
                    <td class="num">{lanes}</td>
                    <td>{why}</td>
                </tr>
            }
        };
        view! {
            <div class="scroll" tabindex="0" role="group" aria-label="Concurrency limit">
                <table class="tight">
                    <caption class="sr">"Concurrency limit"</caption>
                    <thead>
                        <tr inner_html=heads(&["#Limit from", "Pass", "#Lanes", "Why"])></tr>
                    </thead>
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
        }
    })
}

/// The table, folded away.
pub(super) fn card(state: &RunState) -> impl IntoView + use<> {
    let (rows, limit_table) = (rows(state), limit_table(state));
    let row = |[pass, call, lane, start, duration, states]: Row| {
        view! {
            <tr>
                <th scope="row">{call}</th>
                <td>{pass}</td>
                <td class="num">{lane}</td>
                <td class="num">{start}</td>
                <td class="num">{duration}</td>
                <td>{states}</td>
            </tr>
        }
    };
    view! {
        <details class="card-foot">
            <summary>"Timeline as a table"</summary>
            <div class="scroll" tabindex="0" role="group" aria-label="Timeline as a table">
                <table class="tight">
                    <thead>
                        <tr inner_html=heads(&["Call", "Pass", "#Lane", "#Start", "#Duration", "States"])></tr>
                    </thead>
                    <tbody>{rows.into_iter().map(row).collect_view()}</tbody>
                </table>
            </div>
            {limit_table}
        </details>
    }
}
