//! The page of a large run: sums and charts instead of its calls one by one. The server draws it as
//! HTML, and sends the same parts again as they change (`http::frames`); `public/batch.js` puts them in
//! place and draws the timeline. Rule: it says everything without a script too.

mod bound;
mod charts;
mod figures;
mod grid;
mod head;
mod stages;

use lanes_model::batch::Frame;
use lanes_model::{RunId, RunState};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use crate::server::{UiError, service};

/// Stands beside whatever is made by a simulator.
const SIMULATED: &str = r#" <span class="badge badge--sim">Simulated</span>"#;

/// The parts of the page that change while the run goes on, by the id of their place. Empty: the frame
/// says nothing of it.
#[must_use]
pub fn parts(state: &RunState, frame: &Frame) -> Vec<(&'static str, String)> {
    vec![
        ("b-title", head::title(state, frame)),
        ("b-actions", head::actions(state, frame)),
        ("b-trouble", head::trouble(frame)),
        ("b-hero", figures::hero(state, frame)),
        ("b-stages", stages::html(frame)),
        ("b-charts", frame.history.as_ref().map(|h| charts::html(frame, h)).unwrap_or_default()),
        ("b-failures", figures::failures(state, frame)),
        ("b-said", figures::said(frame)),
    ]
}

/// The page of a run, when it is a large one; none when it is small.
///
/// # Errors
/// When there is no such run, or it cannot be read.
pub async fn large(id: &str) -> Result<Option<String>, UiError> {
    let reader = service()?.reader(&RunId(id.to_owned())).await?;
    Ok(reader.read(|state, _, _| state.is_large().then(|| state.header.title.clone())))
}

/// The page of a large run.
#[component]
pub fn BatchPage(
    /// The run.
    id: String,
    /// Its heading.
    title: String,
) -> impl IntoView {
    let query = use_query_map().get_untracked();
    Suspend::new(async move {
        let html = html(&id, &query).await.unwrap_or_else(|error| {
            let words = crate::components::markup::escape(&error.to_string());
            format!(r#"<div class="note note--bad"><div><b>{words}</b></div></div>"#)
        });
        view! {
            <Title text=title/>
            <main id="main" class="page" data-run=id inner_html=html></main>
            <script type="module" src="/batch.js"></script>
        }
    })
}

async fn html(id: &str, query: &ParamsMap) -> Result<String, UiError> {
    let reader = service()?.reader(&RunId(id.to_owned())).await?;
    let wanted = grid::query(query);
    let trouble = service()?.trouble();
    let (parts, grid, bound, live) = reader.read(|state, batch, now| {
        let frame = batch.frame(state, now, true).troubled(trouble);
        (parts(state, &frame), wanted.grid(state), bound::card(state), frame.status.is_live())
    });
    let part =
        |name: &str| parts.iter().find(|(id, _)| *id == name).map_or("", |(_, html)| html.as_str());
    let mut page = String::new();
    if live {
        // Without a script the page reads itself again.
        page.push_str(r#"<noscript><meta http-equiv="refresh" content="5"></noscript>"#);
    }
    let live = if live { " data-live" } else { "" };
    page.push_str(&format!(r#"<div class="page-head" id="b-head"{live}><div id="b-title">{}</div><div class="row" id="b-actions">{}</div></div>"#, part("b-title"), part("b-actions")));
    page.push_str(r#"<div class="note note--warn" id="b-lost" role="status" hidden><div><b>Connection lost, trying again.</b><p>The figures are those of the last moment heard of. Whatever had been answered is kept; once the program is back, the page goes on by itself.</p></div></div>"#);
    page.push_str(&format!(r#"<div id="b-trouble" role="alert">{}</div>"#, part("b-trouble")));
    page.push_str(&format!(
        r#"<dl class="card metrics metrics--hero" style="--hero:2rem" id="b-hero">{}</dl>"#,
        part("b-hero")
    ));
    page.push_str(&format!(
        r#"<section class="card" id="b-stages">{}</section>"#,
        part("b-stages")
    ));
    page.push_str(&bound);
    page.push_str(&charts::card(part("b-charts")));
    page.push_str(&format!(
        r#"<section class="card" id="b-failures">{}</section>"#,
        part("b-failures")
    ));
    page.push_str(&grid::html(id, &wanted, &grid));
    page.push_str(&format!(
        r#"<p class="sr" aria-live="polite" id="b-said">{}</p>"#,
        part("b-said")
    ));
    Ok(page)
}
