//! The page in place of a thing that is not there.

use leptos::prelude::*;
use leptos_meta::Title;

/// Says that there is no such thing, in `words`, and leads to all there are.
#[component]
pub fn Missing(
    /// What is missing, such as "task".
    what: &'static str,
    /// Why, in a sentence.
    words: String,
    /// Where all of them are.
    all: &'static str,
) -> impl IntoView {
    view! {
        <Title text=format!("No such {what}")/>
        <main id="main" class="page">
            <div class="card">
                <div class="empty">
                    <h1>{format!("There is no such {what}")}</h1>
                    <p>{words}</p>
                    <a class="btn btn--primary" href=all>
                        {format!("See all {what}s")}
                    </a>
                </div>
            </div>
        </main>
    }
}
