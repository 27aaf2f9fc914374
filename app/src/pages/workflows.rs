//! `/workflows`: the workflows there are, each with what it is for and a way to run it at once. The page
//! of one is in `editor`, the form to run it in `run`.
//!
//! The server renders both; forms are plain posts (`src/http/workflow_forms.rs`), which
//! `browser::live_form` makes livelier.

mod editor;
mod run;

use lanes_model::{Workflow, format};
use leptos::prelude::*;
use leptos_meta::Title;

use crate::components::icons::Icon;
use crate::server::{service, wanted};

pub use editor::{NewWorkflowPage, WorkflowPage};

/// The list of workflows.
#[component]
pub fn WorkflowsPage() -> impl IntoView {
    let service = service().ok();
    let workflows = service.as_ref().map(|s| s.workflows()).unwrap_or_default();
    let own = workflows.iter().filter(|w| !w.built_in).count();
    let counts = format!("{} shipped, {own} of your own", workflows.len() - own);
    let samples = |w: &Workflow| {
        let records = service.as_ref().and_then(|s| s.workflow_samples(&w.id).ok());
        records.map_or(0, <[_]>::len)
    };
    // What is tried costs nothing, where that can be.
    let providers = service.as_ref().map(|s| s.providers().to_vec()).unwrap_or_default();
    let simulator = providers.iter().find(|p| p.simulated).map(|p| p.id.clone());
    let real = providers.first().is_some_and(|p| !p.simulated) && simulator.is_some();
    let most = service.as_ref().map_or(1, |s| s.limits().max_concurrency);
    let cards = workflows.iter().map(|w| {
        let records = samples(w);
        let lanes = wanted(w, records).clamp(1, most.min(32));
        let simulator = simulator.clone().unwrap_or_default();
        view! { <Card workflow=w.clone() records lanes simulator/> }
    });
    view! {
        <Title text="Workflows"/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Workflows"</h1>
                    <p>{counts} {real.then_some(". Sample records are run on the simulator.")}</p>
                </div>
                <a class="btn btn--primary" href="/workflows/new">
                    <Icon name="plus"/>
                    "New workflow"
                </a>
            </div>
            <div class="results">{cards.collect_view()}</div>
        </main>
    }
}

/// "7 stages, 7 tasks".
fn size(workflow: &Workflow) -> String {
    let tasks: usize = workflow.stages.iter().map(|s| s.tasks.len()).sum();
    format!(
        "{}, {} a record",
        format::plural(workflow.stages.len() as u64, "stage"),
        format::plural(tasks as u64, "task")
    )
}

#[component]
fn Card(workflow: Workflow, records: usize, lanes: u32, simulator: String) -> impl IntoView {
    let page = format!("/workflows/{}", workflow.id);
    let label = format!("Run {} on its samples", workflow.name);
    let size = size(&workflow);
    let offer = format!("Run on {}", format::plural(records as u64, "sample record"));
    view! {
        <article class="card flow">
            <div class="card-head">
                <h2>
                    <a href=page.clone()>{workflow.name.clone()}</a>
                </h2>
                {(!workflow.built_in).then(|| view! { <span class="badge">"Your own"</span> })}
            </div>
            <div class="card-body stack">
                <p>{workflow.about.clone()}</p>
                <p class="hint">{size}</p>
            </div>
            <div class="card-foot row row--apart">
                <a class="btn btn--quiet btn--small" href=page.clone()>
                    "Open"
                </a>
                <form method="post" action=format!("{page}/run")>
                    <input type="hidden" name="input" value="samples"/>
                    <input type="hidden" name="provider" value=simulator/>
                    <input type="hidden" name="concurrency" value=lanes.to_string()/>
                    <button class="btn btn--small" type="submit" aria-label=label>
                        <Icon name="play" class="icon--fill"/>
                        {offer}
                    </button>
                </form>
            </div>
        </article>
    }
}
