//! The form to run a workflow with: sample records or documents, how, and with how many lanes.

use lanes_model::{Mode, Workflow, format};
use lanes_service::DocumentView;
use leptos::prelude::*;

use crate::components::icons::Icon;
use crate::server::WorkflowPageData;

/// The form. What runs is what is saved.
#[component]
pub fn RunForm(kept: Workflow, data: WorkflowPageData) -> impl IntoView {
    let WorkflowPageData { samples, documents, providers, most, run, run_errors, .. } = data;
    let by_documents = run.input == "documents";
    let refused = (!run_errors.is_empty()).then(|| {
        let items = run_errors.into_iter().map(|e| view! { <li>{e.detail}</li> });
        view! {
            <div class="note note--bad" role="alert">
                <Icon name="warn"/>
                <div>
                    <b>"The run was not started"</b>
                    <ul>{items.collect_view()}</ul>
                </div>
            </div>
        }
    });
    let records = samples.iter().map(|record| {
        view! {
            <details>
                <summary>{record.name}</summary>
                <p class="record">{record.text}</p>
            </details>
        }
    });
    let offered = documents.into_iter().map(|document| {
        let chosen = run.documents.contains(&document.id);
        view! { <Choice document chosen/> }
    });
    let offered = offered.collect::<Vec<_>>();
    let none = offered.is_empty().then(|| {
        view! { <p class="hint">"There are none yet: upload some in the Workbench."</p> }
    });
    let modes = [Mode::Parallel, Mode::Sequential, Mode::Compare].map(|mode| {
        view! {
            <label>
                <input
                    type="radio"
                    name="mode"
                    value=mode.id()
                    checked=run.mode == mode.id()
                />
                {mode.label()}
            </label>
        }
    });
    let simulated = crate::server::default_provider().is_some_and(|p| p.simulated);
    let to = (!providers.is_empty()).then(|| {
        let options = providers.into_iter().map(|(id, name)| {
            let chosen = run.provider == id;
            view! { <option value=id selected=chosen>{name}</option> }
        });
        view! {
            <div class="field">
                <label for="provider">"Provider"</label>
                <select id="provider" name="provider" class="select">
                    {options.collect_view()}
                </select>
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="h-run">
            <div class="card-head">
                <h2 id="h-run">"Run"</h2>
                {simulated.then(|| view! { <span class="badge badge--sim">"Simulated"</span> })}
            </div>
            <form method="post" action=format!("/workflows/{}/run", kept.id)>
                <div class="card-body stack">
                    {refused}
                    <fieldset class="field">
                        <legend>"Records"</legend>
                        <div class="seg">
                            <label>
                                <input
                                    type="radio"
                                    name="input"
                                    value="samples"
                                    checked=!by_documents
                                />
                                {format::plural(samples.len() as u64, "sample record")}
                            </label>
                            <label>
                                <input
                                    type="radio"
                                    name="input"
                                    value="documents"
                                    checked=by_documents
                                />
                                "Documents"
                            </label>
                        </div>
                    </fieldset>
                    <div class="for-samples">{records.collect_view()}</div>
                    <div class="for-documents stack">{none} {offered}</div>
                    <fieldset class="field">
                        <legend>"Mode"</legend>
                        <div class="seg">{modes}</div>
                    </fieldset>
                    <div class="row" style="gap:var(--4);align-items:end">
                        <div class="field">
                            <label for="concurrency">"Concurrency"</label>
                            <input
                                id="concurrency"
                                name="concurrency"
                                class="input"
                                style="width:6rem"
                                inputmode="numeric"
                                value=run.concurrency
                                aria-describedby="most"
                            />
                        </div>
                        {to}
                        <div class="field for-documents">
                            <label for="piece_tokens">"Cut long documents, tokens a piece"</label>
                            <input
                                id="piece_tokens"
                                name="piece_tokens"
                                class="input"
                                style="width:8rem"
                                inputmode="numeric"
                                placeholder="refuse"
                                value=run.piece_tokens
                            />
                        </div>
                    </div>
                    <p class="hint" id="most">
                        {format!("At most {most} calls at once; a stage may have a lower limit of its own.")}
                    </p>
                </div>
                <div class="card-foot row row--apart">
                    <span class="hint">"What runs is what is saved."</span>
                    <button class="btn btn--primary" type="submit">
                        <Icon name="play" class="icon--fill"/>
                        "Run workflow"
                    </button>
                </div>
            </form>
        </section>
    }
}

#[component]
fn Choice(document: DocumentView, chosen: bool) -> impl IntoView {
    let size = match document.records {
        Some(records) => format::plural(records, "record"),
        None => format::plural(document.tokens, "token"),
    };
    view! {
        <label class="row">
            <input type="checkbox" name="document" value=document.id checked=chosen/>
            <span>{document.name}</span>
            <span class="hint">{size}</span>
        </label>
    }
}
