//! The results: one card a call, with its text as it arrives. Rule: what a model wrote is only ever a
//! text node.

use lanes_model::{
    CallId, CallState, CallStatus, LedgerState, Micros, PassMode, RunState, call_segments, format,
};
use leptos::prelude::*;

use super::Run;
use super::facts::{call_name, cost, cost_word, duration, first_token, main_pass};
use crate::components::badge::{Badge, BadgeText};
use crate::components::icons::{Icon, task_icon};
use crate::components::markup::{bars, escape};

mod text;

use text::{Body, BodyView, copy};

/// How a call's text is read aloud: translations are Spanish.
fn language(task: &str) -> Option<&'static str> {
    (task == "translation").then_some("es")
}

fn call_of(state: &RunState, id: CallId) -> Option<&CallState> {
    main_pass(state)?.calls.get(id.index())
}

/// The sequential call, when the card is about the parallel one.
fn other(state: &RunState, id: CallId) -> Option<&CallState> {
    state.pass(PassMode::Parallel)?;
    state.pass(PassMode::Sequential)?.calls.get(id.index())
}

/// Whether both passes answered a call with different texts.
fn differs(state: &RunState, id: CallId) -> bool {
    let good = |c: &&CallState| c.status() == CallStatus::Succeeded;
    match (call_of(state, id).filter(good), other(state, id).filter(good)) {
        (Some(a), Some(b)) => a.output != b.output,
        _ => false,
    }
}

fn hint(state: &RunState) -> Option<String> {
    if state.passes.len() < 2 || state.status.is_live() {
        return None;
    }
    let ids = || (0..).map(CallId).take(state.header.plan.calls.len());
    let both =
        ids().any(|id| other(state, id).is_some_and(|c| c.status() == CallStatus::Succeeded));
    let unlike = ids().filter(|&id| differs(state, id)).count() as u64;
    Some(match (both, unlike) {
        (false, _) => "Text from the parallel pass.".to_owned(),
        (true, 0) => "Text from the parallel pass. Sequential gave the same text.".to_owned(),
        (true, n) => format!(
            "Text from the parallel pass. Sequential gave another text for {}, shown below it.",
            format::plural(n, "call")
        ),
    })
}

/// All cards.
#[component]
pub(super) fn Results(run: Run) -> impl IntoView {
    let count = run.state.with_untracked(|s| s.header.plan.calls.len());
    let simulated = run.state.with_untracked(|s| s.header.provider.simulated);
    let hint = Memo::new(move |_| run.state.with(hint));
    view! {
        <div class="row row--apart">
            <h2>
                "Results "
                {simulated.then(|| view! { <span class="badge badge--sim">"Simulated"</span> })}
            </h2>
            <span class="hint">{move || hint.get()}</span>
        </div>
        <div class="results">
            {(0..)
                .map(CallId)
                .take(count)
                .map(|id| view! { <Card run=run id=id/> })
                .collect_view()}
        </div>
    }
}

#[component]
fn Card(run: Run, id: CallId) -> impl IntoView {
    let (name, task) = run.state.with_untracked(|s| {
        let task = s.header.task_of(id).map(|t| t.id.as_str().to_owned()).unwrap_or_default();
        (call_name(s, id), task)
    });
    let icon = task_icon(&task);
    let lang = language(&task);
    let badge = Signal::derive(move || {
        run.state.with(|s| call_of(s, id).map(BadgeText::call)).unwrap_or_else(|| BadgeText {
            kind: "",
            icon: None,
            word: String::new(),
        })
    });
    let status = move || run.state.with(|s| call_of(s, id).map(CallState::status));
    let class = move || match status() {
        Some(CallStatus::Failed | CallStatus::Invalid) => "card result result--bad",
        _ => "card result",
    };
    let time = move || {
        let now = run.clock();
        let t = run.state.with(|s| call_of(s, id).and_then(|c| duration(c, now)));
        format::or_missing(t, format::seconds_table)
    };
    let strip = move || {
        let now = run.clock();
        run.state.with(|s| strip(s, id, now))
    };
    let body = Memo::new(move |_| run.state.with(|s| call_of(s, id).map(|c| Body::of(c, &task))));
    let second = Memo::new(move |_| {
        run.state.with(|s| differs(s, id).then(|| other(s, id).map(|c| c.output.clone())).flatten())
    });
    let notes = move || {
        let span = |n: String| format!("<span>{}</span>", escape(&n));
        run.state.with(|s| notes(s, id)).into_iter().map(span).collect::<String>()
    };
    let text = move || run.state.with_untracked(|s| call_of(s, id).map(|c| c.output.clone()));
    let copied = RwSignal::new(false);
    view! {
        <article class=class id=format!("result-{}", id.0) tabindex="-1">
            <header>
                <Icon name=icon/>
                <h3>{name.clone()}</h3>
                <Show when=move || status() == Some(CallStatus::Succeeded)>
                    <button
                        class="btn btn--small btn--quiet"
                        type="button"
                        on:click=move |_| {
                            if let Some(text) = text() {
                                copy(text, copied);
                            }
                        }
                    >
                        {move || if copied.get() { "Copied" } else { "Copy" }}
                    </button>
                </Show>
                <Badge text=badge/>
                <time>{time}</time>
            </header>
            <div class="strip" aria-hidden="true" inner_html=move || bars(strip())></div>
            {move || body.get().map(|body| view! { <BodyView body=body lang=lang/> })}
            {move || {
                second
                    .get()
                    .map(|text| {
                        view! {
                            <div class="text" style="border-top:1px solid var(--line);padding-top:.5rem">
                                <b>"Sequential"</b>
                                <div lang=lang style="white-space:pre-line">{text}</div>
                            </div>
                        }
                    })
            }}
            <footer inner_html=notes></footer>
        </article>
    }
}

/// The call's own ledger along its time, in percent.
fn strip(state: &RunState, id: CallId, now: Micros) -> Vec<(LedgerState, f64, f64)> {
    let Some(pass) = main_pass(state) else { return Vec::new() };
    let found = call_segments(pass, id, now);
    let end = found.last().map_or(1, |s| s.end.0).max(1) as f64;
    let share = |t: Micros| t.0 as f64 / end * 100.0;
    found.iter().map(|s| (s.state, share(s.start), share(s.duration()))).collect()
}

/// The line below a result: attempts that failed, first token, tokens, cost, the other pass.
fn notes(state: &RunState, id: CallId) -> Vec<String> {
    let Some(call) = call_of(state, id) else { return Vec::new() };
    let mut notes = Vec::new();
    let attempts = call.attempts.len();
    for (i, a) in call.attempts.iter().enumerate() {
        let Some(failure) = &a.failure else { continue };
        let what = match failure.http_status {
            Some(status) => format!("HTTP {status}"),
            None => failure.kind.label().to_lowercase(),
        };
        let took = format::seconds_table(a.duration(state.latest));
        if i + 1 < attempts || call.ended.is_none() {
            notes.push(format!("Attempt {}: {what} after {took}", a.attempt.number));
        }
        if let Some(next) = call.attempts.get(i + 1) {
            let waited = next.start.since(a.end.unwrap_or(next.start));
            notes.push(format!("waited {}", format::seconds_table(waited)));
        }
    }
    if let Some(ttft) = first_token(call) {
        notes.push(format!("First token {}", format::seconds_table(ttft)));
    }
    if let Some(usage) = call.usage() {
        let sign = if usage.estimated { "≈ " } else { "" };
        notes.push(format!("{sign}{}", format::plural(usage.output, "token")));
    }
    if let Some(cost) = cost(call) {
        notes.push(format!("{}{}", format::cost(cost), cost_word(state)));
    }
    if call.cached.is_some() {
        notes.push("from cache".to_owned());
    }
    if attempts > 0 {
        notes.push(format::plural(attempts as u64, "attempt"));
    }
    if let Some(time) = other(state, id).and_then(|c| Some(c.end?.since(c.start()?))) {
        notes.push(format!("Sequential {}", format::seconds_table(time)));
    }
    notes
}
