//! The table of runs with its pager, or the reason why there is nothing in it.

use lanes_model::{Micros, RunSummary, format};
use leptos::prelude::*;

use super::filter::Filter;
use super::outcome::outcome;
use super::when::started;
use crate::components::badge::Badge;
use crate::components::definition::Definition;
use crate::components::icons::{Icon, mode_icon};
use crate::server::RunsPageData;

/// A page of the list.
#[component]
pub fn Listing(data: RunsPageData, filter: Filter) -> impl IntoView {
    if data.total == 0 {
        return view! { <NoRuns/> }.into_any();
    }
    if data.items.is_empty() {
        return view! { <NoMatch filter/> }.into_any();
    }
    let shown = format!(
        "{} of {}",
        format::count(data.items.len() as u64),
        format::plural(data.matching, "run")
    );
    let now = data.now;
    let newer = filter.newer().map(|f| f.url());
    let older = data.next_cursor.map(|cursor| filter.older(&cursor).url());
    view! {
        <div class="scroll" style="border-top:1px solid var(--line)">
            <table data-testid="runs">
                <thead>
                    <tr>
                        <th aria-sort="descending" scope="col">
                            "Started ↓"
                        </th>
                        <th scope="col">"Run"</th>
                        <th scope="col">"Mode"</th>
                        <th class="num" scope="col">
                            "Documents"
                        </th>
                        <th class="num" scope="col">
                            <Definition
                                id="tip-wall"
                                word="Wall time"
                                meaning="Time from the first call being admitted to the last result, \
                                         measured on one clock. Of a comparison, the parallel pass."
                            />
                        </th>
                        <th class="num" scope="col">
                            "Speedup"
                        </th>
                        <th class="num" scope="col">
                            "Cost"
                        </th>
                        <th scope="col">"Outcome"</th>
                        <th scope="col">
                            <span class="sr">"Delete"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    {data
                        .items
                        .into_iter()
                        .map(|run| view! { <Row run now=now.clone()/> })
                        .collect_view()}
                </tbody>
            </table>
        </div>
        <nav class="card-foot row row--apart" aria-label="Pages">
            <span>{shown}</span>
            <span class="row">
                <PageLink to=newer label="Newer" rel="prev"/>
                <PageLink to=older label="Older" rel="next"/>
            </span>
        </nav>
    }
    .into_any()
}

/// One run.
#[component]
fn Row(run: RunSummary, now: String) -> impl IntoView {
    let when = started(&run.created_at, &now);
    let (name, what) = match run.title.rsplit_once(", ") {
        Some((name, what)) => (name.to_owned(), what.to_owned()),
        None => (run.title.clone(), String::new()),
    };
    let badge = outcome(&run);
    let href = format!("/runs/{}", run.id);
    let wall = format::or_missing(run.wall_us, |us| format::seconds_table(Micros(us)));
    let speedup = match run.speedup {
        Some(factor) => view! { <b>{format::speedup(factor)}</b> }.into_any(),
        None => view! { <span class="dim">{format::MISSING}</span> }.into_any(),
    };
    let cost = format::or_missing(run.cost_usd_micros, format::cost);
    let modelled = (run.simulated && run.cost_usd_micros.is_some()).then(|| {
        view! {
            <div class="dim" style="font-size:var(--t-xs)">
                "modelled"
            </div>
        }
    });
    let id = run.id.0.clone();
    let title = name.clone();
    // A run that is going on is cancelled first, on its own page.
    let remove = (!run.status.is_live()).then(|| {
        let action = format!("/runs/{id}/delete");
        let label = format!("Delete {title}, {when}");
        view! {
            <form
                method="post"
                action=action
                data-confirm=format!("Delete {title}, {when}? This cannot be undone.")
            >
                <button
                    class="btn btn--quiet btn--small btn--icon"
                    type="submit"
                    aria-label=label
                    title="Delete"
                >
                    <Icon name="x"/>
                </button>
            </form>
        }
    });
    view! {
        <tr>
            <td class="sub">
                <time datetime=run.created_at>{when.clone()}</time>
            </td>
            <th scope="row">
                <a href=href>{name}</a>
                <div class="dim" style="font-weight:400;font-size:var(--t-xs)">
                    {what}
                </div>
            </th>
            <td>
                <span class="row" style="flex-wrap:nowrap;gap:.375rem">
                    <Icon name=mode_icon(run.mode.id())/>
                    {run.mode.label()}
                </span>
            </td>
            <td class="num">{format::count(run.documents.into())}</td>
            <td class="num">{wall}</td>
            <td class="num">{speedup}</td>
            <td class="num">{cost} {modelled}</td>
            <td>
                <Badge text=badge/>
            </td>
            <td>{remove}</td>
        </tr>
    }
}

/// A step in the list, or a button that says there is none.
#[component]
fn PageLink(to: Option<String>, label: &'static str, rel: &'static str) -> impl IntoView {
    match to {
        Some(href) => view! {
            <a class="btn btn--small" href=href rel=rel>
                {label}
            </a>
        }
        .into_any(),
        None => view! {
            <button class="btn btn--small" type="button" disabled>
                {label}
            </button>
        }
        .into_any(),
    }
}

/// Three lanes with nothing in them.
#[component]
fn EmptyLanes() -> impl IntoView {
    view! {
        <svg
            width="72"
            height="40"
            viewBox="0 0 72 40"
            fill="none"
            stroke="currentColor"
            stroke-width="1.5"
            aria-hidden="true"
        >
            <rect x="1" y="2" width="70" height="8" rx="2" stroke-dasharray="3 3"></rect>
            <rect x="1" y="16" width="34" height="8" rx="2" stroke-dasharray="3 3"></rect>
            <rect x="1" y="30" width="22" height="8" rx="2" stroke-dasharray="3 3"></rect>
        </svg>
    }
}

/// There has been no run yet.
#[component]
fn NoRuns() -> impl IntoView {
    view! {
        <div class="empty" style="border-top:1px solid var(--line)">
            <EmptyLanes/>
            <h2>"No runs yet"</h2>
            <p>
                "Run a sample in Compare mode to see what running calls in parallel saves. It takes about 12 seconds."
            </p>
            <a class="btn btn--primary" href="/">
                <Icon name="play" class="icon--fill"/>
                "Run a sample"
            </a>
        </div>
    }
}

/// The filters, or the place in the list, leave nothing.
#[component]
fn NoMatch(filter: Filter) -> impl IntoView {
    let (title, what, action, to) = if filter.is_narrowed() {
        let what = "No run matches the search and filters.";
        ("No runs match", what, "Show all runs", "/runs".to_owned())
    } else {
        let what = "The list ends before this page.";
        ("No older runs", what, "Show the newest", filter.newest().url())
    };
    view! {
        <div class="empty" style="border-top:1px solid var(--line)">
            <EmptyLanes/>
            <h2>{title}</h2>
            <p>{what}</p>
            <a class="btn" href=to>
                {action}
            </a>
        </div>
    }
}
