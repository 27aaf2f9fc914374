//! The head of the Run page: what the run is, how it stands, what can be done with it.

use lanes_model::{RunState, RunStatus, format};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::facts::{cost_word, total_cost};
use super::{Run, controls, notices};
use crate::components::badge::{Badge, BadgeText};
use crate::components::icons::Icon;
use crate::server::{cancel_run, resume_run, run_page};

/// Stops the run; what it has stays.
pub(super) fn cancel(run: Run) {
    spawn_local(async move {
        if let Err(error) = cancel_run(run.id()).await {
            run.problem.set(Some(format!("The run could not be stopped. {error}")));
        }
    });
}

/// Takes an interrupted run up again.
fn resume(run: Run) {
    spawn_local(async move {
        let answer = resume_run(run.id()).await;
        match (answer, run_page(run.id()).await) {
            (Ok(()), Ok(fresh)) => run.take(fresh.0),
            (Err(error), _) | (_, Err(error)) => {
                run.problem.set(Some(format!("The run could not be resumed. {error}")));
            }
        }
    });
}

fn subtitle(state: &RunState, faults: Option<&str>) -> String {
    let header = &state.header;
    let calls = || state.passes.iter().flat_map(|p| &p.calls);
    let attempts = calls().map(|c| c.attempts.len() as u64).sum();
    let failed = calls().filter(|c| c.status().is_failure()).count() as u64;
    let mut parts = vec![header.spec.mode.label().to_owned()];
    if state.passes.iter().any(|p| p.mode == lanes_model::PassMode::Parallel) {
        parts.push(format!("concurrency {}", header.spec.concurrency));
    }
    if header.plan.race {
        parts.push("race".to_owned());
    }
    let provider = &header.provider;
    parts.push(if provider.simulated {
        "Simulated".to_owned()
    } else {
        format!("{}, {}", provider.name, header.spec.model)
    });
    if let Some(faults) = faults {
        parts.push(format!("faults on: {faults}"));
    }
    parts.push(date(&header.created_at));
    parts.push(format!(
        "{}, {}, {} failed",
        format::plural(calls().count() as u64, "call"),
        format::plural(attempts, "attempt"),
        format::count(failed)
    ));
    if let Some(cost) = total_cost(state) {
        parts.push(format!("{}{}", format::cost(cost), cost_word(state)));
    }
    parts.join(" · ")
}

/// "21 Nov 2026, 10:42 UTC" from "2026-11-21T10:42:00Z"; what is written otherwise stays as it is.
fn date(instant: &str) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parsed = || {
        let year = instant.get(0..4)?;
        let month = MONTHS.get(instant.get(5..7)?.parse::<usize>().ok()?.checked_sub(1)?)?;
        let day: u8 = instant.get(8..10)?.parse().ok()?;
        Some(format!("{day} {month} {year}, {} UTC", instant.get(11..16)?))
    };
    parsed().unwrap_or_else(|| instant.to_owned())
}

/// Title, facts and actions.
#[component]
pub(super) fn Head(run: Run) -> impl IntoView {
    let title = run.state.with_untracked(|s| s.header.title.clone());
    let badge = Signal::derive(move || run.state.with(|s| BadgeText::run(s.status, s.paused)));
    let facts = Memo::new(move |_| run.state.with(|s| subtitle(s, run.faults.read().as_deref())));
    view! {
        <div class="page-head">
            <div>
                <h1>
                    {title} " "
                    <span style="vertical-align:.2em">
                        <Badge text=badge/>
                    </span>
                </h1>
                <p>{move || facts.get()}</p>
            </div>
            <Show when=move || run.live.get() fallback=move || view! { <Rest run=run/> }>
                <Going run=run/>
            </Show>
        </div>
    }
}

/// What can be done while the run goes on.
#[component]
fn Going(run: Run) -> impl IntoView {
    let stopping = move || run.state.with(|s| s.cancel_requested);
    view! {
        <div class="row">
            <button class="btn hide-s" type="button" data-do="present">
                <Icon name="present"/>
                "Present "
                <kbd>"P"</kbd>
            </button>
            <controls::Controls run=run/>
            <form
                method="post"
                action=format!("/runs/{}/cancel", run.id())
                on:submit=move |event| {
                    event.prevent_default();
                    cancel(run);
                }
            >
                <button class="btn btn--danger" type="submit" disabled=stopping>
                    <Icon name="stop"/>
                    {move || if stopping() { "Stopping " } else { "Cancel " }}
                    <kbd>"Esc"</kbd>
                    <kbd>"Esc"</kbd>
                </button>
            </form>
        </div>
    }
}

/// What can be done with a run that is over.
#[component]
fn Rest(run: Run) -> impl IntoView {
    let id = run.id();
    let export = [("json", "JSON"), ("csv", "CSV"), ("md", "Markdown"), ("svg", "SVG")].map(
        |(format, word)| {
            let href = format!("/api/runs/{id}/export?format={format}");
            view! { <a class="btn btn--quiet" href=href rel="external" download>{word}</a> }
        },
    );
    view! {
        <div class="row">
            <span class="sub" style="font-size:var(--t-sm);display:inline-flex;gap:.375rem;align-items:center">
                <Icon name="down"/>
                "Export"
            </span>
            <div class="row" style="gap:0" role="group" aria-label="Export">
                {export.collect_view()}
            </div>
            <a class="btn btn--primary" href=format!("/?from={id}")>
                <Icon name="retry"/>
                "Run again with… "
                <kbd>"R"</kbd>
            </a>
        </div>
    }
}

/// What the reader has to know before the figures: an interruption, a lost connection, a problem.
#[component]
pub(super) fn Notes(run: Run) -> impl IntoView {
    let interrupted = Memo::new(move |_| run.state.with(|s| s.status == RunStatus::Interrupted));
    let kept = move || {
        run.state.with(|s| {
            let calls = || s.passes.iter().flat_map(|p| &p.calls);
            let ended = calls().filter(|c| c.ended.is_some()).count() as u64;
            format!(
                "{} of {} are kept. Resume goes on with the rest.",
                format::count(ended),
                format::plural(calls().count() as u64, "call")
            )
        })
    };
    let held = Memo::new(move |_| {
        let now = run.clock();
        let trouble = run.trouble.get();
        run.state.with(|s| notices::html(s, trouble.as_deref(), now))
    });
    view! {
        <div class="whole" inner_html=move || held.get()></div>
        <Show when=move || interrupted.get()>
            <div class="note note--warn" role="status">
                <Icon name="warn"/>
                <div>
                    <b>"The server restarted during this run."</b>
                    <p>{kept}</p>
                </div>
                <form
                    class="row"
                    method="post"
                    action=format!("/runs/{}/resume", run.id())
                    on:submit=move |event| {
                        event.prevent_default();
                        resume(run);
                    }
                >
                    <button class="btn btn--small" type="submit">"Resume"</button>
                </form>
            </div>
        </Show>
        <Show when=move || run.lost.get().is_some()>
            <div class="note note--warn" role="status">
                <Icon name="warn"/>
                <div>
                    <b>"Live view paused, reconnecting."</b>
                    <p>
                        "The run goes on. Last update "
                        <span aria-hidden="true">
                            {move || run.lost.get().map(|s| format!("{s} s ago"))}
                        </span>
                        ". Missed updates are filled in when the connection is back."
                    </p>
                </div>
            </div>
        </Show>
        <Show when=move || run.problem.get().is_some()>
            <div class="note note--bad" role="alert">
                <Icon name="x"/>
                <div>
                    <b>{move || run.problem.get()}</b>
                </div>
            </div>
        </Show>
    }
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn an_instant_reads_as_a_date() {
        assert_eq!(date("2026-11-21T10:42:00Z"), "21 Nov 2026, 10:42 UTC");
        assert_eq!(date("yesterday"), "yesterday");
    }
}
