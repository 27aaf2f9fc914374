//! The pages of the settings, to go from one to the other.

use leptos::prelude::*;

/// The links; `here` is the address of the page that shows them.
#[component]
pub fn SettingsNav(here: &'static str) -> impl IntoView {
    let link = |to: &'static str, name: &'static str| {
        view! { <a href=to aria-current=(to == here).then_some("page")>{name}</a> }
    };
    view! {
        <nav class="subnav" aria-label="Settings">
            {link("/settings/keys", "API keys")}
            {link("/settings/webhooks", "Webhooks")}
        </nav>
    }
}
