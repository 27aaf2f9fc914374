//! A document: what it is and the beginning of what it says. Rendered once; nothing in it moves.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use crate::components::icons::Icon;
use crate::server::{document_page, set_status};

/// The page at `/documents/{id}`.
#[component]
pub fn DocumentPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    view! {
        <Title text="Document"/>
        <main id="main" class="page">
            {Suspend::new(async move {
                match document_page(&id).await {
                    Ok((preview, about)) => view! { <Shown preview about/> }.into_any(),
                    Err(error) => {
                        set_status(404);
                        view! { <Missing reason=error.to_string()/> }.into_any()
                    }
                }
            })}
        </main>
    }
}

#[component]
fn Shown(preview: lanes_service::DocumentPreview, about: String) -> impl IntoView {
    let lanes_service::DocumentPreview { document, preview, rows } = preview;
    let is_image = document.media_type.starts_with("image/");
    let image = format!("/api/documents/{}/content", document.id);
    let delete = format!("/documents/{}/delete", document.id);
    let columns = document.columns.clone();
    let alt = format!("The image {}", document.name);
    let more = preview.chars().count() >= 2_000;
    let cell = |row: &serde_json::Value, column: &str| {
        row.get(column).and_then(|v| v.as_str()).unwrap_or_default().to_owned()
    };
    view! {
        <div class="page-head">
            <div>
                <h1>{document.name.clone()}</h1>
                <p class="hint">{about}</p>
            </div>
            <form method="post" action=delete data-confirm="Delete this document? Runs keep what they read.">
                <button class="btn btn--small" type="submit">
                    "Delete"
                </button>
            </form>
        </div>
        <section class="card" aria-labelledby="h-preview">
            <div class="card-head">
                <h2 id="h-preview">
                    {if is_image { "Image" } else if rows.is_empty() { "Text" } else { "First rows" }}
                </h2>
            </div>
            <div class="card-body">
                {if is_image {
                    view! { <img class="doc-image" src=image alt=alt/> }.into_any()
                } else if rows.is_empty() {
                    view! {
                        <pre class="doc-text" dir="auto" tabindex="0">
                            {preview}
                        </pre>
                        {more.then(|| view! { <p class="hint">"The first 2,000 characters."</p> })}
                    }
                        .into_any()
                } else {
                    view! {
                        <div class="scroll" tabindex="0" role="region" aria-label="Rows, to be scrolled">
                            <table class="table">
                                <thead>
                                    <tr>
                                        {columns
                                            .iter()
                                            .map(|c| view! { <th scope="col">{c.clone()}</th> })
                                            .collect_view()}
                                    </tr>
                                </thead>
                                <tbody>
                                    {rows
                                        .iter()
                                        .map(|row| {
                                            let cells = columns
                                                .iter()
                                                .map(|c| view! { <td dir="auto">{cell(row, c)}</td> })
                                                .collect_view();
                                            view! { <tr>{cells}</tr> }
                                        })
                                        .collect_view()}
                                </tbody>
                            </table>
                        </div>
                    }
                        .into_any()
                }}
            </div>
        </section>
    }
}

#[component]
fn Missing(reason: String) -> impl IntoView {
    view! {
        <div class="card">
            <div class="empty" role="alert">
                <Icon name="warn"/>
                <h1>"The document is not here"</h1>
                <p>{reason}</p>
                <a class="btn btn--primary" href="/">"Open the workbench"</a>
            </div>
        </div>
    }
}
