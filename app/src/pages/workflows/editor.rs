//! `/workflows/new` and `/workflows/{id}`: the stages as a graph, the definition as a text that the
//! server checks while it is typed, and the form to run it.

use lanes_service::PlacedError;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::run::RunForm;
use crate::charts::stages;
use crate::components::icons::Icon;
use crate::components::missing::Missing;
use crate::pages::tasks::fields::escaped;
use crate::server::{UiError, WorkflowPageData, workflow_page};

const HELP: &str = "<p>A <code>[[stage]]</code> has an <code>id</code> and <code>tasks</code>: built-in ones, your own, or those of a <code>[[task]]</code> below. It <code>needs</code> the stages that must have answered before. It may have a <code>name</code>, a <code>concurrency</code>, a <code>provider</code> and a <code>model</code> of its own.</p><p><code>scope = \"all\"</code> makes it one call over all records.</p><p>In prompts <code>{{text}}</code> is the record’s text, <code>{{stage.output}}</code> what a needed stage answered, <code>{{stage.task.output}}</code> what one of its tasks did.</p>";

/// The editor of a new workflow; `?from=` names one that it begins as a copy of.
#[component]
pub fn NewWorkflowPage() -> impl IntoView {
    let from = use_query_map().with_untracked(|q| q.get("from"));
    Suspend::new(async move { shown(workflow_page(None, from, None).await, false) })
}

/// The page of a workflow; `?run=` names a run of it whose choices are filled in.
#[component]
pub fn WorkflowPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    let saved = use_query_map().with_untracked(|q| q.get("saved")).is_some();
    let run = use_query_map().with_untracked(|q| q.get("run"));
    Suspend::new(async move { shown(workflow_page(Some(id), None, run).await, saved) })
}

fn shown(data: Result<WorkflowPageData, UiError>, saved: bool) -> AnyView {
    match data {
        Ok(data) => view! { <Whole data saved/> }.into_any(),
        Err(error) => {
            if matches!(error, UiError::NotFound(_)) {
                crate::server::set_status(404);
            }
            view! { <Missing what="workflow" words=error.to_string() all="/workflows"/> }.into_any()
        }
    }
}

#[component]
fn Whole(data: WorkflowPageData, saved: bool) -> impl IntoView {
    let id = data.kept.as_ref().map(|w| w.id.to_string());
    let built_in = data.kept.as_ref().is_some_and(|w| w.built_in);
    let title = data.kept.as_ref().map_or_else(|| "New workflow".to_owned(), |w| w.name.clone());
    let about = match &data.kept {
        None => "Kept once it is saved.".to_owned(),
        Some(workflow) => workflow.about.clone(),
    };
    let saved = (saved && !data.changed).then(|| {
        view! {
            <span class="badge badge--ok" role="status">
                <Icon name="check"/>
                "Saved"
            </span>
        }
    });
    let graph = stages::html(&data.stages);
    let run_form = data.kept.clone().map(|kept| view! { <RunForm kept data=data.clone()/> });
    view! {
        <Title text=title.clone()/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>{title}</h1>
                    <p>{about}</p>
                </div>
                {saved}
                <HeadLinks id=id.clone() built_in/>
            </div>
            <section class="card" aria-labelledby="h-stages">
                <div class="card-head">
                    <h2 id="h-stages">"Stages"</h2>
                    <span class="hint">
                        "Each record goes from left to right; none waits for the others"
                    </span>
                </div>
                <div
                    class="card-body scroll"
                    id="graph"
                    tabindex="0"
                    role="group"
                    aria-label="Graph of stages"
                    inner_html=graph
                ></div>
            </section>
            <div class="cols fill">
                <Definition id=id.clone() built_in data=data.clone()/>
                <div class="c5 stack">{run_form} {(!built_in).then(|| view! { <Help/> })}</div>
            </div>
        </main>
    }
}

/// How a definition is written.
#[component]
fn Help() -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="h-help">
            <div class="card-head">
                <h2 id="h-help">"How it is written"</h2>
            </div>
            <div class="card-body stack help" inner_html=HELP></div>
        </section>
    }
}

/// What can be done with a workflow that is kept.
#[component]
fn HeadLinks(id: Option<String>, built_in: bool) -> impl IntoView {
    id.map(|id| {
        let question = "Delete this workflow? Runs of it keep what they need.";
        view! {
            <a class="btn" href=format!("/api/workflows/{id}?format=toml") download="">
                "Export"
            </a>
            <a class="btn" href=format!("/workflows/new?from={id}")>
                "Duplicate"
            </a>
            {(!built_in)
                .then(|| view! {
                    <form
                        method="post"
                        action=format!("/workflows/{id}/delete")
                        data-confirm=question
                    >
                        <button class="btn btn--danger" type="submit">
                            "Delete"
                        </button>
                    </form>
                })}
        }
    })
}

/// The definition's text with what is wrong in it.
#[component]
fn Definition(id: Option<String>, built_in: bool, data: WorkflowPageData) -> impl IntoView {
    let action =
        id.as_ref().map_or_else(|| "/workflows/new".to_owned(), |id| format!("/workflows/{id}"));
    let back = id.as_ref().map_or_else(|| "/workflows".to_owned(), |_| action.clone());
    let lines = data.definition.lines().count().clamp(16, 40);
    let wrong = !data.errors.is_empty();
    let hint =
        if built_in { "Comes with Lanes: duplicate it to change it" } else { "TOML or JSON" };
    view! {
        <section class="card c7" aria-labelledby="h-definition">
            <form
                method="post"
                action=action
                data-live="graph problems"
                data-unsaved=data.changed.then_some("")
            >
                <div class="card-head">
                    <h2 id="h-definition">"Definition"</h2>
                    <span class="hint">{hint}</span>
                    <span class="badge unsaved">"Unsaved changes"</span>
                </div>
                <div class="card-body stack">
                    <div id="problems" role="status">
                        <Problems errors=data.errors stages=data.stages.len()/>
                    </div>
                    <textarea
                        id="definition"
                        name="definition"
                        class="textarea mono definition"
                        rows=lines.to_string()
                        spellcheck="false"
                        autocomplete="off"
                        autocapitalize="off"
                        wrap="off"
                        readonly=built_in
                        aria-labelledby="h-definition"
                        aria-describedby="problems"
                        aria-invalid=wrong.then_some("true")
                        inner_html=escaped(&data.definition)
                    ></textarea>
                </div>
                {(!built_in)
                    .then(|| view! {
                        <div class="card-foot row" style="justify-content:flex-end">
                            <a class="btn btn--quiet" href=back>
                                "Discard"
                            </a>
                            <button class="btn no-js" type="submit" name="do" value="preview">
                                "Check"
                            </button>
                            <button class="btn btn--primary" type="submit" name="do" value="save">
                                "Save "
                                <kbd>"Ctrl"</kbd>
                                <kbd>"S"</kbd>
                            </button>
                        </div>
                    })}
            </form>
        </section>
    }
}

/// What is wrong, each with its line; or that nothing is.
#[component]
fn Problems(errors: Vec<PlacedError>, stages: usize) -> impl IntoView {
    if errors.is_empty() {
        let words =
            format!("No problems: {}.", lanes_model::format::plural(stages as u64, "stage"));
        return view! {
            <p class="hint row">
                <Icon name="check"/>
                {words}
            </p>
        }
        .into_any();
    }
    let number = errors.len() as u64;
    let heading = match number {
        1 => "One thing needs a change before it can be saved".to_owned(),
        n => format!("{n} things need a change before it can be saved"),
    };
    let items = errors.into_iter().map(|PlacedError { error, line }| {
        let place = match (line, error.pointer.as_str()) {
            (Some(line), "") => format!("Line {line}: "),
            (Some(line), pointer) => format!("Line {line}, {pointer}: "),
            (None, "") => String::new(),
            (None, pointer) => format!("{pointer}: "),
        };
        view! {
            <li>
                <b>{place}</b>
                {error.detail}
            </li>
        }
    });
    view! {
        <div class="note note--bad">
            <Icon name="warn"/>
            <div>
                <b>{heading}</b>
                <ul>{items.collect_view()}</ul>
            </div>
        </div>
    }
    .into_any()
}
