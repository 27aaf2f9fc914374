//! `/tasks/new` and `/tasks/{id}`: a task's fields on the left, what becomes of them on the right. One
//! form, which saves, previews and tries by the button it is sent with.

use lanes_model::{FieldError, sample};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::form::Fields;
use super::preview::{PromptPreview, TrialResult};
use crate::components::icons::Icon;
use crate::components::missing::Missing;
use crate::server::{TaskForm, TaskPageData, UiError, task_page};

/// The editor of a new task; `?from=` names one that it begins as a copy of.
#[component]
pub fn NewTaskPage() -> impl IntoView {
    let from = use_query_map().with_untracked(|q| q.get("from"));
    Suspend::new(async move { shown(task_page(None, from).await, false) })
}

/// The editor of a task.
#[component]
pub fn EditTaskPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    let saved = use_query_map().with_untracked(|q| q.get("saved")).is_some();
    Suspend::new(async move { shown(task_page(Some(id), None).await, saved) })
}

fn shown(data: Result<TaskPageData, UiError>, saved: bool) -> AnyView {
    match data {
        Ok(data) => view! { <Editor data saved/> }.into_any(),
        Err(error) => {
            if matches!(error, UiError::NotFound(_)) {
                crate::server::set_status(404);
            }
            view! { <Missing what="task" words=error.to_string() all="/tasks"/> }.into_any()
        }
    }
}

#[component]
fn Editor(data: TaskPageData, saved: bool) -> impl IntoView {
    let TaskPageData { kept, form, changed, errors, preview, trial, targets, redacts } = data;
    let built_in = kept.as_ref().is_some_and(|task| task.built_in);
    let id = kept.as_ref().map(|task| task.id.to_string());
    let title = kept.map_or_else(|| "New task".to_owned(), |task| task.name);
    let (kind, heading) = match (&id, built_in) {
        (None, _) => ("Kept once it is saved", "Task"),
        (_, true) => ("Built in: copy it to change it", "Built-in task"),
        (_, false) => ("Custom task", "Custom task"),
    };
    let action = id.as_ref().map_or_else(|| "/tasks/new".to_owned(), |id| format!("/tasks/{id}"));
    let back = action.clone();
    let places = ["/text", "/sample", "/provider", "/model"];
    let (beside, in_form): (Vec<_>, Vec<_>) =
        errors.into_iter().partition(|e| places.iter().any(|p| e.pointer.starts_with(p)));
    let (prompt_errors, _): (Vec<_>, Vec<_>) =
        in_form.iter().cloned().partition(|e: &FieldError| e.pointer == "/prompt");
    let number = in_form.len();
    let refused = (number > 0).then(|| {
        let words = match number {
            1 => "The task was not saved or tried: one field needs a change.".to_owned(),
            n => format!("The task was not saved or tried: {n} things need a change."),
        };
        view! {
            <div class="note note--bad" role="alert">
                <Icon name="warn"/>
                <div>
                    <p>{words}</p>
                </div>
            </div>
        }
    });
    let saved = (saved && !changed).then(|| {
        view! {
            <span class="badge badge--ok" role="status">
                <Icon name="check"/>
                "Saved"
            </span>
        }
    });
    view! {
        <Title text=title.clone()/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>{title}</h1>
                    <p>{kind}</p>
                </div>
                {saved}
                <HeadLinks id=id.clone() built_in/>
            </div>
            {refused}
            <form
                class="cols fill"
                method="post"
                action=action.clone()
                data-live="prompt-preview"
                data-unsaved=changed.then_some("")
            >
                <section class="card c7" aria-labelledby="h-task">
                    <div class="card-head">
                        <h2 id="h-task">{heading}</h2>
                        <span class="badge unsaved">"Unsaved changes"</span>
                    </div>
                    <Fields form=form.clone() errors=in_form fixed_id=id.is_some() built_in/>
                    {(!built_in)
                        .then(|| view! {
                            <div class="card-foot row" style="justify-content:flex-end">
                                <a class="btn btn--quiet" href=back>
                                    "Discard"
                                </a>
                                <button class="btn btn--primary" type="submit" name="do" value="save">
                                    "Save task "
                                    <kbd>"Ctrl"</kbd>
                                    <kbd>"S"</kbd>
                                </button>
                            </div>
                        })}
                </section>
                <section class="card c5" aria-labelledby="h-preview">
                    <div class="card-head">
                        <h2 id="h-preview">"Preview"</h2>
                        <TryOn form=form.clone() targets/>
                        <button
                            class="btn btn--small no-js"
                            type="submit"
                            name="do"
                            value="preview"
                        >
                            "Show"
                        </button>
                        <button
                            class="btn btn--small"
                            type="submit"
                            name="do"
                            value="try"
                            data-swap="prompt-preview trial"
                        >
                            <Icon name="play" class="icon--fill"/>
                            "Try once"
                        </button>
                    </div>
                    <div class="card-body stack">
                        <div class="field own-text">
                            <label for="text">"Text to try it on"</label>
                            <textarea
                                id="text"
                                name="text"
                                class="textarea"
                                rows="4"
                                inner_html=super::fields::escaped(&form.text)
                            ></textarea>
                            <label class="row cached">
                                <input
                                    type="checkbox"
                                    name="redact"
                                    value="on"
                                    checked=form.redact || redacts
                                    disabled=redacts
                                />
                                <span>
                                    {if redacts {
                                        "Personal data is redacted before it leaves, always"
                                    } else {
                                        "Redact personal data before it leaves"
                                    }}
                                </span>
                            </label>
                        </div>
                        <div class="stack" id="prompt-preview">
                            <PromptPreview preview unknown=prompt_errors/>
                        </div>
                        <div class="stack" id="trial" role="status">
                            <TrialResult trial errors=beside/>
                        </div>
                    </div>
                    <div class="card-foot">
                        "Values marked in the prompt stand in the place of placeholders. A trial is not kept."
                    </div>
                </section>
            </form>
        </main>
    }
}

/// What can be done with a task that is kept.
#[component]
fn HeadLinks(id: Option<String>, built_in: bool) -> impl IntoView {
    id.map(|id| {
        let question = "Delete this task? Runs that used it keep it.";
        let copy = if built_in { "btn btn--primary" } else { "btn" };
        view! {
            <a class="btn" href=format!("/api/tasks/{id}?format=toml") download="">
                "Export"
            </a>
            <a class=copy href=format!("/tasks/new?from={id}")>
                "Copy"
            </a>
            {(!built_in)
                .then(|| view! {
                    <form
                        method="post"
                        action=format!("/tasks/{id}/delete")
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

/// The text to try it on, and whom.
#[component]
fn TryOn(form: TaskForm, targets: Vec<String>) -> impl IntoView {
    let samples = sample::SAMPLES.iter().map(|sample| {
        view! { <option value=sample.id selected=form.sample == sample.id>{sample.name}</option> }
    });
    let targets = (!targets.is_empty()).then(|| {
        let options = targets.into_iter().enumerate().map(|(n, name)| {
            let n = n.to_string();
            let chosen = n == form.target;
            view! { <option value=n selected=chosen>{name}</option> }
        });
        view! {
            <select class="select" style="width:11rem" name="target" aria-label="Provider and model">
                {options.collect_view()}
            </select>
        }
    });
    view! {
        <select class="select" style="width:12.5rem" name="sample" aria-label="Preview text">
            {samples.collect_view()}
            <option value="" selected=form.sample.is_empty()>
                "Your own text"
            </option>
        </select>
        {targets}
    }
}
