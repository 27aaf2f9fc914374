//! The filters: a plain GET form, which sends itself through the router where there is JavaScript.

use lanes_model::Mode;
use leptos::prelude::*;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;

use super::filter::Filter;
use super::outcome;

/// The filter bar; its children stand at its end.
#[component]
pub fn FilterBar(filter: Memo<Filter>, children: Children) -> impl IntoView {
    let navigate = use_navigate();
    // Enter sends `change` and `submit`: the second must not lead to the same place again.
    let going_to = StoredValue::new(String::new());
    let go = move |change: &dyn Fn(&mut Filter)| {
        let mut next = filter.get_untracked().newest();
        change(&mut next);
        let url = next.url();
        if url != filter.get_untracked().url() && url != going_to.get_value() {
            going_to.set_value(url.clone());
            navigate(&url, NavigateOptions { scroll: false, ..NavigateOptions::default() });
        }
    };
    // What was gone to may be left again by the browser's own buttons.
    Effect::new(move |_| {
        filter.track();
        going_to.set_value(String::new());
    });
    let field = NodeRef::<leptos::html::Input>::new();
    let (search, submit, status) = (go.clone(), go.clone(), go.clone());
    let mode_choice = move |id: &'static str, label: &'static str| {
        let go = go.clone();
        let on = move || filter.with(|f| f.mode == id);
        view! {
            <label>
                <input
                    type="radio"
                    name="mode"
                    value=id
                    checked=on
                    prop:checked=on
                    on:change=move |_| go(&|f| f.mode = id.to_owned())
                />
                {label}
            </label>
        }
    };
    view! {
        <form
            class="card-head"
            role="search"
            method="get"
            action="/runs"
            on:submit=move |event| {
                event.prevent_default();
                if let Some(field) = field.get_untracked() {
                    submit(&|f| f.search = field.value());
                }
            }
        >
            <label class="sr" for="runs-search">
                "Search runs"
            </label>
            <input
                id="runs-search"
                class="input"
                style="width:16rem"
                type="search"
                name="q"
                placeholder="Search runs"
                autocomplete="off"
                maxlength="200"
                node_ref=field
                value=move || filter.with(|f| f.search.clone())
                prop:value=move || filter.with(|f| f.search.clone())
                on:change=move |event| {
                    let words = event_target_value(&event);
                    search(&|f| f.search = words.clone());
                }
            />
            <div class="seg" role="group" aria-label="Mode">
                {mode_choice("", "All")}
                {Mode::ALL.map(|mode| mode_choice(mode.id(), mode.label())).collect_view()}
            </div>
            <select
                class="select"
                style="width:9rem"
                name="status"
                aria-label="Outcome"
                on:change=move |event| {
                    let id = event_target_value(&event);
                    status(&|f| f.status = id.clone());
                }
            >
                <Outcome id="" label="Any outcome" filter/>
                {outcome::CHOICES
                    .map(|(status, label)| view! { <Outcome id=status.id() label filter/> })
                    .collect_view()}
            </select>
            <button class="btn btn--small" type="submit">
                "Search"
            </button>
            <span class="hint" style="margin-left:auto" role="status">
                {children()}
            </span>
        </form>
    }
}

/// One outcome to choose.
#[component]
fn Outcome(id: &'static str, label: &'static str, filter: Memo<Filter>) -> impl IntoView {
    let on = move || filter.with(|f| f.status == id);
    view! {
        <option value=id selected=on prop:selected=on>
            {label}
        </option>
    }
}
