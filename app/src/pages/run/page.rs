//! The page at `/runs/{id}` as the server renders it: the run, or why it cannot be shown.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;

use super::Shown;
use crate::pages::batch::{BatchPage, large};
use crate::server::{UiError, run_page};

/// The page of one run.
#[component]
pub fn RunPage() -> impl IntoView {
    let id = use_params_map().with_untracked(|p| p.get("id")).unwrap_or_default();
    Suspend::new(async move {
        if let Ok(Some(title)) = large(&id).await {
            return view! { <BatchPage id title/> }.into_any();
        }
        match run_page(id).await {
            Ok(data) => {
                let title = data.0.state.header.title.clone();
                view! {
                    <Title text=title/>
                    <Shown data/>
                }
                .into_any()
            }
            Err(error) => view! { <Missing error/> }.into_any(),
        }
    })
}

/// Instead of a run that cannot be shown.
#[component]
fn Missing(error: UiError) -> impl IntoView {
    let (heading, text) = match error {
        UiError::NotFound(_) => (
            "There is no such run",
            "It may have been deleted, or the link may be wrong.".to_owned(),
        ),
        other => ("This run cannot be shown", other.to_string()),
    };
    view! {
        <Title text=heading/>
        <main id="main" class="page">
            <div class="card">
                <div class="empty">
                    <h1>{heading}</h1>
                    <p>{text}</p>
                    <a class="btn btn--primary" href="/runs">"See all runs"</a>
                </div>
            </div>
        </main>
    }
}
