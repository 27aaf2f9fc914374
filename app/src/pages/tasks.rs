//! `/tasks`: the tasks there are, and a way to bring others in. The editor is in `editor`.
//!
//! The server renders both; forms are plain posts (`src/http/task_forms.rs`), which
//! `browser::live_form` makes livelier.

mod editor;
pub(in crate::pages) mod fields;
mod form;
mod preview;

use lanes_model::{Output, Task, format};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::icons::{Icon, task_icon};
use crate::server::{ImportSent, service};

pub use editor::{EditTaskPage, NewTaskPage};

/// The list of tasks.
#[component]
pub fn TasksPage() -> impl IntoView {
    let tasks = service().map(|service| service.tasks()).unwrap_or_default();
    let own = tasks.iter().filter(|task| !task.built_in).count();
    let counts = format!("{} built in, {own} of your own", tasks.len() - own);
    let imported = use_query_map().with_untracked(|q| q.get("imported"));
    let imported = imported.and_then(|n| n.parse::<u64>().ok());
    view! {
        <Title text="Tasks"/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Tasks"</h1>
                    <p>{counts}</p>
                </div>
                {(own > 0)
                    .then(|| view! {
                        <a class="btn" href="/api/tasks/export?format=toml" download="">
                            <Icon name="down"/>
                            "Export your own"
                        </a>
                    })}
                <a class="btn btn--primary" href="/tasks/new">
                    <Icon name="plus"/>
                    "New task"
                </a>
            </div>
            {imported
                .map(|n| {
                    let words = format!("{} imported.", format::plural(n, "task"));
                    view! {
                        <div class="note" role="status">
                            <Icon name="check"/>
                            <div>
                                <p>{words}</p>
                            </div>
                        </div>
                    }
                })}
            <section class="card" aria-label="Tasks">
                <div class="scroll" tabindex="0" role="region" aria-label="Table of tasks">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">"Task"</th>
                                <th scope="col">"Id"</th>
                                <th scope="col">"Answer"</th>
                                <th scope="col" class="num">
                                    "Max tokens"
                                </th>
                                <th scope="col" class="num">
                                    "Temperature"
                                </th>
                                <th scope="col">
                                    <span class="sr">"Actions"</span>
                                </th>
                            </tr>
                        </thead>
                        <tbody>
                            {tasks.into_iter().map(|task| view! { <Row task/> }).collect_view()}
                        </tbody>
                    </table>
                </div>
            </section>
            <Import/>
        </main>
    }
}

/// What an answer must look like, in words.
fn answer_kind(output: &Output) -> String {
    match output {
        Output::Text => "Text".to_owned(),
        Output::Labels(labels) => format!("One of {} labels", labels.len()),
        Output::Schema(_) => "JSON".to_owned(),
    }
}

#[component]
fn Row(task: Task) -> impl IntoView {
    let id = task.id.to_string();
    let page = format!("/tasks/{id}");
    let temperature = task.temperature.map_or_else(|| "–".to_owned(), |t| t.to_string());
    let label = |verb: &str| format!("{verb} {}", task.name);
    let own = !task.built_in;
    let question = format!("Delete the task “{}”? Runs that used it keep it.", task.name);
    view! {
        <tr>
            <th scope="row">
                <span class="row" style="flex-wrap:nowrap">
                    <Icon name=task_icon(&id)/>
                    <a href=page.clone() style="text-decoration:underline">
                        {task.name.clone()}
                    </a>
                    {task.built_in.then(|| view! { <span class="badge">"Built in"</span> })}
                </span>
            </th>
            <td class="mono">{id.clone()}</td>
            <td>{answer_kind(&task.output)}</td>
            <td class="num">{format::count(task.max_tokens.into())}</td>
            <td class="num">{temperature}</td>
            <td>
                <div class="row" style="justify-content:flex-end;flex-wrap:nowrap">
                    <a
                        class="btn btn--small btn--quiet"
                        href=format!("/tasks/new?from={id}")
                        aria-label=label("Copy")
                    >
                        "Copy"
                    </a>
                    <a
                        class="btn btn--small btn--quiet"
                        href=format!("/api/tasks/{id}?format=toml")
                        download=""
                        aria-label=label("Export")
                    >
                        "Export"
                    </a>
                    {own
                        .then(|| view! {
                            <form
                                method="post"
                                action=format!("{page}/delete")
                                data-confirm=question
                            >
                                <button
                                    class="btn btn--small btn--quiet"
                                    type="submit"
                                    aria-label=label("Delete")
                                >
                                    "Delete"
                                </button>
                            </form>
                        })}
                </div>
            </td>
        </tr>
    }
}

/// Tasks from a file or from a text, all or none.
#[component]
fn Import() -> impl IntoView {
    let sent = use_context::<ImportSent>();
    let failed = sent.is_some();
    let ImportSent { text, errors } = sent.unwrap_or_default();
    let invalid = failed.then_some("true");
    let problems = failed.then(|| {
        let lines = errors.into_iter().map(|error| {
            let place =
                (!error.pointer.is_empty()).then(|| view! { <code>{error.pointer}</code> " " });
            view! { <li>{place} {error.detail}</li> }
        });
        view! {
            <div class="note note--bad" role="alert" id="import-error">
                <Icon name="warn"/>
                <div>
                    <b>"Nothing was imported"</b>
                    <ul>{lines.collect_view()}</ul>
                </div>
            </div>
        }
    });
    view! {
        <section class="card" aria-labelledby="h-import" id="import">
            <div class="card-head">
                <h2 id="h-import">"Import"</h2>
                <span class="hint">"TOML or JSON, as exported; all tasks of it or none"</span>
            </div>
            <form
                class="card-body stack"
                method="post"
                action="/tasks/import"
                enctype="multipart/form-data"
            >
                {problems}
                <div class="picks">
                    <div class="field">
                        <label for="import-file">"File"</label>
                        <input
                            id="import-file"
                            type="file"
                            name="file"
                            accept=".toml,.json,application/toml,application/json"
                            aria-describedby=failed.then_some("import-error")
                        />
                    </div>
                    <div class="field">
                        <label for="import-text">"Or its text"</label>
                        <textarea
                            id="import-text"
                            name="text"
                            class="textarea mono"
                            rows="3"
                            aria-invalid=invalid
                            aria-describedby=failed.then_some("import-error")
                            inner_html=fields::escaped(&text)
                        ></textarea>
                    </div>
                </div>
                <div class="row row--apart">
                    <label class="row cached">
                        <input type="checkbox" name="replace" value="on"/>
                        "Replace tasks of the same id"
                    </label>
                    <button class="btn" type="submit">
                        <Icon name="upload"/>
                        "Import"
                    </button>
                </div>
            </form>
        </section>
    }
}
