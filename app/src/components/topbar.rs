//! The bar at the top of every page: where to go, which provider, how it is shown.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icons::Icon;
use crate::browser::display;

/// The top bar.
#[component]
pub fn TopBar() -> impl IntoView {
    let path = use_location().pathname;
    let current = move |page: &'static str| {
        let path = path.get();
        let here = if page == "/" { path == "/" } else { path.starts_with(page) };
        here.then_some("page")
    };
    let provider = Resource::new_blocking(|| (), |()| crate::server::default_provider());
    view! {
        <header class="topbar">
            <a class="brand" href="/">
                <svg viewBox="0 0 22 22" aria-hidden="true">
                    <rect x="1" y="3" width="20" height="4" rx="1.5" fill="var(--seq)"></rect>
                    <rect x="1" y="9" width="11" height="4" rx="1.5" fill="var(--par)"></rect>
                    <rect x="1" y="15" width="7" height="4" rx="1.5" fill="var(--par)"></rect>
                </svg>
                "Lanes"
            </a>
            <nav class="nav" aria-label="Main">
                <a href="/" aria-current=move || current("/")>"Workbench"</a>
                <a href="/runs" aria-current=move || current("/runs")>"Runs"</a>
            </nav>
            <div class="tools">
                <Suspense>
                    {move || Suspend::new(async move {
                        provider.await.ok().map(|badge| {
                            let class = if badge.simulated { "badge badge--sim hide-s" } else { "badge hide-s" };
                            view! { <span class=class>{badge.name}</span> }
                        })
                    })}
                </Suspense>
                <button
                    class="btn btn--quiet btn--icon hide-s"
                    type="button"
                    aria-label="Presentation size"
                    title="Presentation size (P)"
                    on:click=move |_| display::toggle_present()
                >
                    <Icon name="present"/>
                </button>
                <button
                    class="btn btn--quiet btn--icon"
                    type="button"
                    aria-label="Switch theme"
                    title="Switch theme (T)"
                    on:click=move |_| display::toggle_theme()
                >
                    <Icon name="sun"/>
                </button>
            </div>
        </header>
    }
}
