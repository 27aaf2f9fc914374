//! What an unknown address shows.

use leptos::prelude::*;
use leptos_meta::Title;

/// Nothing is at this address.
#[component]
pub fn NotFound() -> impl IntoView {
    crate::server::set_status(404);
    view! {
        <Title text="Not found"/>
        <main id="main" class="page">
            <div class="card">
                <div class="empty">
                    <h1>"There is no page at this address"</h1>
                    <p>"The link may be old, or the run may have been deleted."</p>
                    <a class="btn btn--primary" href="/">"Open the workbench"</a>
                </div>
            </div>
        </main>
    }
}
