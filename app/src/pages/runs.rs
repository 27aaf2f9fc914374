//! RunsPage.

use leptos::prelude::*;

/// RunsPage.
#[component]
pub fn RunsPage() -> impl IntoView {
    view! { <main id="main" class="page"><h1>"RunsPage"</h1></main> }
}
