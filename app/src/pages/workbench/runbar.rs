//! The run bar, always in sight: what the run is expected to take, to scale, how many calls it makes
//! and what they cost, and the button that starts it, or the reason why it cannot.

use lanes_model::{Estimate, Mode, PassMode, format};
use leptos::prelude::*;

use super::FORM_ID;
use super::form::Form;
use super::schedule::{axis, in_order};
use crate::components::definition::Definition;
use crate::components::icons::Icon;
use crate::components::markup::percent;

/// The bar.
#[component]
pub fn RunBar(form: Form) -> impl IntoView {
    let obstacle = Memo::new(move |_| form.obstacle());
    // Disabled as a property only: the page that is sent can be used without JavaScript.
    let disabled = move || form.pending.get() || obstacle.read().is_some();
    let described = move || obstacle.read().is_some().then_some("run-reason");
    let label = move || {
        if form.pending.get() {
            return "Starting…";
        }
        match form.mode.get() {
            Mode::Sequential => "Run sequential",
            Mode::Parallel => "Run parallel",
            Mode::Compare => "Run compare",
        }
    };
    view! {
        <div class="runbar" role="region" aria-label="Run">
            {move || match (obstacle.get(), form.estimate.get()) {
                (Some(reason), _) => {
                    view! {
                        <p class="run-reason" id="run-reason" role="status">
                            {reason}
                        </p>
                    }
                        .into_any()
                }
                (None, Some(estimate)) => view! { <Pace estimate/> }.into_any(),
                (None, None) => ().into_any(),
            }}
            <Figures form/>
            <button
                class="btn btn--primary btn--big"
                type="submit"
                form=FORM_ID
                aria-describedby=described
                aria-keyshortcuts="Control+Enter"
                prop:disabled=disabled
            >
                <Icon name="play" class="icon--fill"/>
                <span>{label}</span>
                <kbd>"Ctrl"</kbd>
                <kbd>"Enter"</kbd>
            </button>
        </div>
    }
    .into_any()
}

/// The passes to scale.
#[component]
fn Pace(estimate: Estimate) -> impl IntoView {
    let spoken = spoken(&estimate);
    let longest = axis(&estimate).as_secs_f64().max(1e-6);
    let bars = in_order(&estimate)
        .map(|pass| {
            let width = format!("--w:{}", percent(pass.wall.as_secs_f64() / longest * 100.0));
            let class = if pass.mode == PassMode::Parallel { "par" } else { "" };
            view! {
                <span class="sub">{pass.mode.label()}</span>
                <i class=class style=width></i>
                <b>{format::seconds_estimate(pass.wall)}</b>
            }
        })
        .collect_view();
    view! {
        <div class="pace" aria-hidden="true">
            {bars}
        </div>
        <p class="sr">{spoken}</p>
    }
    .into_any()
}

/// The number of calls and the cost.
#[component]
fn Figures(form: Form) -> impl IntoView {
    let passes = move || if form.mode.get() == Mode::Compare { 2 } else { 1 };
    // The tasks of all records.
    let tasks = move || {
        let records = form.documents.read().iter().map(|d| d.records).sum::<u64>().max(1);
        form.tasks.read().len() as u64 * records
    };
    let product = move || {
        (passes() == 2).then(|| view! { <span class="dim">{format!("{} × 2", tasks())}</span> })
    };
    let basis = Memo::new(move |_| basis(form));
    let cost = move || {
        let cost = form.estimate.read().as_ref().and_then(|e| e.cost_per_pass);
        format::or_missing(cost, |c| format::approx(&format::cost(c)))
    };
    let per_pass = move || {
        let known = form.estimate.read().as_ref().is_some_and(|e| e.cost_per_pass.is_some());
        (known && passes() == 2).then(|| view! { <span class="dim">"per pass"</span> })
    };
    view! {
        <dl class="row hide-s figures">
            <div>
                <dt class="dim">"Calls"</dt>
                <dd>
                    <b>{move || format::count(tasks() * passes())}</b>
                    " "
                    {product}
                </dd>
            </div>
            <div>
                <dt class="dim">
                    {move || {
                        view! { <Definition id="tip-estimate" word="Estimate" meaning=basis.get()/> }
                    }}
                </dt>
                <dd>
                    <b>{cost}</b>
                    " "
                    {per_pass}
                </dd>
            </div>
        </dl>
    }
    .into_any()
}

/// What the estimate rests on.
fn basis(form: Form) -> String {
    let rests = match form.estimate.read().as_ref().map_or(0, |e| e.samples) {
        0 => "Based on the provider's expected pace: not every task has past calls on this model."
            .to_owned(),
        1 => "Based on past calls on this model, at least one of each task.".to_owned(),
        n => format!("Based on past calls on this model, at least {n} of each task."),
    };
    let bill = if form.simulated() { " Simulated: nothing is charged." } else { "" };
    format!("{rests} It counts as real only once the run has finished.{bill}")
}

/// The estimate in words.
fn spoken(estimate: &Estimate) -> String {
    let times: Vec<_> = in_order(estimate)
        .map(|p| format!("{} {}", p.mode.label(), format::seconds_estimate(p.wall)))
        .collect();
    let cost = estimate.cost_per_pass.map_or_else(
        || "cost unknown".to_owned(),
        |c| format!("{} per pass", format::approx(&format::cost(c))),
    );
    format!("Estimate: {}, {cost}.", times.join(", "))
}
