//! `/runs`: every run in one line, newest first, with filters that live in the URL.
//!
//! Talks to the server functions `runs_page` and `delete_run`. The rule: the address alone says
//! what is shown, so that a link, a reload and a browser without JavaScript see the same list.

mod filter;
mod filter_bar;
mod outcome;
mod table;
mod when;

use lanes_model::format;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_query_map};

use crate::browser::{display, keys::on_key};
use crate::components::icons::Icon;
use crate::server::{RunsPageData, UiError, delete_run, runs_page};
use filter::Filter;
use filter_bar::FilterBar;
use table::{DeleteRun, Listing};

type Page = Resource<Result<RunsPageData, UiError>>;

/// The list of runs.
#[component]
pub fn RunsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(Filter::from_params));
    let page: Page = Resource::new_blocking(
        move || filter.get(),
        |f| runs_page(f.mode, f.status, f.search, f.cursor),
    );
    // Shown on when the server cannot be reached: a list that is a little old beats none.
    let last = StoredValue::new(None::<RunsPageData>);
    let said = RwSignal::new(String::new());
    let failure = RwSignal::new(None::<String>);
    let delete = DeleteRun::new(move |(id, title): (String, String)| {
        leptos::task::spawn_local(async move {
            match delete_run(id).await {
                Ok(()) => {
                    failure.set(None);
                    said.set(format!("Deleted {title}."));
                }
                Err(error) => failure.set(Some(format!("{title} was not deleted. {error}"))),
            }
            page.refetch();
        });
    });
    shortcuts();
    keep_fresh(page);

    view! {
        <Title text="Runs"/>
        <main id="main" class="page">
            <div class="page-head">
                <div>
                    <h1>"Runs"</h1>
                    <Transition>
                        {move || Suspend::new(async move {
                            page.await.ok().map(|data| view! { <p>{totals(&data)}</p> })
                        })}
                    </Transition>
                </div>
                <a class="btn btn--primary" href="/">
                    <Icon name="plus"/>
                    "New run "
                    <kbd>"N"</kbd>
                </a>
            </div>
            <span class="sr" role="status">{move || said.get()}</span>
            {move || failure.get().map(|words| view! { <Failure words/> })}
            <section class="card" aria-label="Runs">
                <FilterBar filter>
                    <Transition>
                        {move || Suspend::new(async move {
                            page.await.ok().map(|data| matching(&data))
                        })}
                    </Transition>
                </FilterBar>
                <Transition>
                    {move || {
                        let filter = filter.get();
                        Suspend::new(async move {
                            let (data, words) = match page.await {
                                Ok(data) => {
                                    last.set_value(Some(data.clone()));
                                    (Some(data), None)
                                }
                                Err(error) => (last.get_value(), Some(error.to_string())),
                            };
                            view! {
                                {words.map(|words| view! { <Failure words/> })}
                                {data.map(|data| view! { <Listing data filter delete/> })}
                            }
                        })
                    }}
                </Transition>
            </section>
        </main>
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

/// N: a new run. P and T: how the page is shown.
fn shortcuts() {
    let navigate = use_navigate();
    on_key(move |key| {
        if key.in_field || key.command {
            return false;
        }
        match key.name.as_str() {
            "n" | "N" => navigate("/", leptos_router::NavigateOptions::default()),
            "p" | "P" => display::toggle_present(),
            "t" | "T" => display::toggle_theme(),
            _ => return false,
        }
        true
    });
}

/// Reads the list again every 2 s while a run in it is going on.
fn keep_fresh(page: Page) {
    #[cfg(feature = "hydrate")]
    Effect::new(move |was_live: Option<bool>| {
        let live = match page.get() {
            Some(Ok(data)) => data.items.iter().any(|run| run.status.is_live()),
            // Loading, or the server is away: go on as before.
            _ => was_live.unwrap_or(false),
        };
        if live {
            let timer = gloo_timers::callback::Timeout::new(2_000, move || page.refetch());
            let timer = send_wrapper::SendWrapper::new(timer);
            on_cleanup(move || drop(timer));
        }
        live
    });
    #[cfg(not(feature = "hydrate"))]
    let _ = page;
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
