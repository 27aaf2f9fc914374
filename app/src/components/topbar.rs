//! The bar at the top of every page: where to go, which provider, how it is shown. Its buttons are
//! wired by `browser::enhance`.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::icons::Icon;

/// What is said on every page where texts are not kept.
const UNKEPT: &str = "Texts and answers are not kept here: they are gone ten minutes after a run has ended, or \
     when the program stops. Only figures stay.";

/// The top bar.
#[component]
pub fn TopBar() -> impl IntoView {
    let path = use_location().pathname.get_untracked();
    let current = |page: &str| {
        let here = if page == "/" { path == "/" } else { path.starts_with(page) };
        here.then_some("page")
    };
    let unkept = crate::server::service().is_ok_and(|service| !service.keeps_texts());
    let provider = crate::server::default_provider().map(|badge| {
        let class = if badge.simulated { "badge badge--sim hide-s" } else { "badge hide-s" };
        view! { <span class=class>{badge.name}</span> }
    });
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
                <a href="/" aria-current=current("/")>"Workbench"</a>
                <a href="/runs" aria-current=current("/runs")>"Runs"</a>
                <a href="/tasks" aria-current=current("/tasks")>"Tasks"</a>
                <a href="/workflows" aria-current=current("/workflows")>"Workflows"</a>
                <a href="/dashboard" aria-current=current("/dashboard")>"Dashboard"</a>
                <a href="/settings/keys" aria-current=current("/settings")>"Settings"</a>
            </nav>
            <div class="tools">
                {provider}
                <Bell here=current("/alerts")/>
                <button
                    class="btn btn--quiet btn--icon hide-s"
                    type="button"
                    aria-label="Presentation size"
                    title="Presentation size (P)"
                    data-do="present"
                >
                    <Icon name="present"/>
                </button>
                <button
                    class="btn btn--quiet btn--icon"
                    type="button"
                    aria-label="Switch theme"
                    title="Switch theme (T)"
                    data-do="theme"
                >
                    <Icon name="sun"/>
                </button>
            </div>
        </header>
        {unkept.then(|| view! { <p class="unkept">{UNKEPT}</p> })}
    }
}

/// The way to the alerts, with how many fire.
#[component]
fn Bell(here: Option<&'static str>) -> impl IntoView {
    let firing = crate::server::service().map(|s| s.firing_alerts()).unwrap_or_default();
    let (class, words) = match firing {
        0 => ("btn btn--quiet btn--icon bell", "Alerts".to_owned()),
        1 => ("btn btn--quiet btn--icon bell bell--on", "Alerts: 1 fires".to_owned()),
        n => ("btn btn--quiet btn--icon bell bell--on", format!("Alerts: {n} fire")),
    };
    view! {
        <a class=class href="/alerts" aria-label=words.clone() title=words aria-current=here>
            <Icon name="bell"/>
            {(firing > 0).then(|| view! { <b aria-hidden="true">{firing}</b> })}
        </a>
    }
}
