//! A word with its definition: a button whose tooltip shows on hover and focus, and which Escape
//! closes by taking the focus away.

use leptos::prelude::*;

/// A defined word.
#[component]
pub fn Definition(
    /// The tooltip's id, unique in the page.
    id: &'static str,
    /// The word.
    #[prop(into)]
    word: String,
    /// What it means.
    #[prop(into)]
    meaning: String,
) -> impl IntoView {
    view! {
        <button class="def" type="button" aria-describedby=id>
            {word}
            <span class="tip" role="tooltip" id=id>
                {meaning}
            </span>
        </button>
    }
}
