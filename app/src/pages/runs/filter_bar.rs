//! The filters: a plain GET form, which sends itself as it changes where there is JavaScript.

use lanes_model::Mode;
use leptos::prelude::*;

use super::filter::Filter;
use super::outcome;

/// The filter bar, with how many runs it leaves.
#[component]
pub fn FilterBar(filter: Filter, matching: Option<String>) -> impl IntoView {
    let mode_choice = |id: &'static str, label: &'static str| {
        view! {
            <label>
                <input type="radio" name="mode" value=id checked=filter.mode == id/>
                {label}
            </label>
        }
    };
    let outcome_choice = |id: &'static str, label: &'static str| {
        view! { <option value=id selected=filter.status == id>{label}</option> }
    };
    view! {
        <form
            class="card-head"
            role="search"
            method="get"
            action="/runs"
            data-auto=""
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
                value=filter.search.clone()
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
            >
                {outcome_choice("", "Any outcome")}
                {outcome::CHOICES
                    .map(|(status, label)| outcome_choice(status.id(), label))
                    .collect_view()}
            </select>
            <button class="btn btn--small" type="submit">
                "Search"
            </button>
            <span class="hint" style="margin-left:auto" role="status">
                {matching}
            </span>
        </form>
    }
}
