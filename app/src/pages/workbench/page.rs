//! The page at `/` as the server renders it: the form filled in, or why it cannot be.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::Editor;
use crate::components::icons::Icon;
use crate::server::{Packed, workbench_data};

/// The Workbench; `?from=` names a run whose choices are filled in.
#[component]
pub fn Workbench() -> impl IntoView {
    let from = use_query_map().with_untracked(|q| q.get("from"));
    view! {
        <Title text="Workbench"/>
        <main id="main" class="page page--fit">
            {Suspend::new(async move {
                match workbench_data(from).await {
                    Ok(data) => view! { <Editor data=Packed(data)/> }.into_any(),
                    Err(error) => view! { <Unavailable reason=error.to_string()/> }.into_any(),
                }
            })}
        </main>
    }
}

/// What shows when the run to repeat is not there, or the server cannot say what there is.
#[component]
fn Unavailable(reason: String) -> impl IntoView {
    view! {
        <div class="page-head">
            <div>
                <h1>"Workbench"</h1>
            </div>
        </div>
        <div class="card">
            <div class="empty" role="alert">
                <Icon name="warn"/>
                <h2>"The form could not be filled in"</h2>
                <p>{reason}</p>
                <a class="btn btn--primary" href="/">"Open an empty workbench"</a>
            </div>
        </div>
    }
}
