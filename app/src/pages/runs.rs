//! `/runs`: every run in one line, newest first, with filters that live in the URL.
//!
//! The server renders it, from `server::runs_page`. The rule: the address alone says what is shown, so
//! that a link, a reload and a browser without JavaScript see the same list. Where there is
//! JavaScript, `browser::enhance` sends the filters as they change, asks before a run is deleted and
//! reads the list again while a run goes on.

mod filter;
mod filter_bar;
mod outcome;
mod table;
mod when;

use lanes_model::format;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::icons::Icon;
use crate::server::{RunsPageData, UiError, runs_page, set_status};
pub(in crate::pages) use when::started;

use filter::Filter;
use filter_bar::FilterBar;
use table::Listing;

/// The list of runs.
#[component]
pub fn RunsPage() -> impl IntoView {
    let filter = use_query_map().with_untracked(Filter::from_params);
    view! {
        <Title text="Runs"/>
        <main id="main" class="page">
            {Suspend::new(async move {
                let f = filter.clone();
                let page = runs_page(f.mode, f.status, f.search, f.cursor).await;
                if matches!(page, Err(UiError::Invalid(_))) {
                    set_status(400);
                }
                view! { <List page=page.map_err(|error| error.to_string()) filter/> }
            })}
        </main>
    }
}

/// The list, or why there is none.
#[component]
fn List(page: Result<RunsPageData, String>, filter: Filter) -> impl IntoView {
    let (data, failure) = match page {
        Ok(data) => (Some(data), None),
        Err(words) => (None, Some(words)),
    };
    let live = data.as_ref().is_some_and(|d| d.items.iter().any(|run| run.status.is_live()));
    let total = data.as_ref().map(totals);
    let matching = data.as_ref().map(matching);
    view! {
        <div class="page-head">
            <div>
                <h1>"Runs"</h1>
                <p>{total}</p>
            </div>
            <a class="btn btn--primary" href="/">
                <Icon name="plus"/>
                "New run "
                <kbd>"N"</kbd>
            </a>
        </div>
        {failure.map(|words| view! { <Failure words/> })}
        <section class="card" aria-label="Runs">
            <FilterBar filter=filter.clone() matching/>
            <div id="runs-list" data-fresh=live.then_some("2000")>
                {data.map(|data| view! { <Listing data filter/> })}
            </div>
        </section>
        <form class="row" method="post" action="/cache/purge">
            <span class="hint">"Runs may use answers of earlier runs, when they are told to."</span>
            <button class="btn btn--small btn--quiet" type="submit">"Purge cached answers"</button>
        </form>
    }
}

/// Something that did not work, in words.
#[component]
fn Failure(words: String) -> impl IntoView {
    view! {
        <div class="note note--bad" role="alert">
            <Icon name="warn"/>
            <div>
                <p>{words}</p>
            </div>
        </div>
    }
}

/// "148 runs, $46.20 in total": what was paid and what was only modelled are never added up.
fn totals(data: &RunsPageData) -> String {
    let mut words = format::plural(data.total, "run");
    let cost = |micros| format::cost(lanes_model::UsdMicros(micros));
    if data.cost_usd_micros > 0 {
        words.push_str(&format!(", {} in total", cost(data.cost_usd_micros)));
    }
    if data.simulated_cost_usd_micros > 0 {
        words.push_str(&format!(", {} modelled", cost(data.simulated_cost_usd_micros)));
    }
    words
}

/// How many runs the filters leave.
fn matching(data: &RunsPageData) -> String {
    if data.matching == data.total {
        format::plural(data.total, "run")
    } else {
        format!("{} of {}", format::count(data.matching), format::plural(data.total, "run"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(total: u64, matching: u64, cost: u64, simulated: u64) -> RunsPageData {
        RunsPageData {
            items: Vec::new(),
            next_cursor: None,
            matching,
            total,
            cost_usd_micros: cost,
            simulated_cost_usd_micros: simulated,
            now: String::new(),
        }
    }

    #[test]
    fn what_was_paid_and_what_was_modelled_stand_apart() {
        assert_eq!(totals(&data(148, 148, 46_200_000, 0)), "148 runs, $46.20 in total");
        assert_eq!(totals(&data(1, 1, 0, 2_400)), "1 run, $0.0024 modelled");
        assert_eq!(totals(&data(2, 2, 10_000, 2_400)), "2 runs, $0.01 in total, $0.0024 modelled");
        assert_eq!(totals(&data(0, 0, 0, 0)), "0 runs");
    }

    #[test]
    fn filters_say_how_many_they_leave() {
        assert_eq!(matching(&data(148, 148, 0, 0)), "148 runs");
        assert_eq!(matching(&data(148, 3, 0, 0)), "3 of 148 runs");
    }
}
