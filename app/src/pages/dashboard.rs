//! `/dashboard`: the last hour, day or week in figures. Rendered by the server; nothing moves by itself:
//! the page says of when its figures are, and a link takes new ones.

mod charts;
mod tables;

use lanes_model::{Micros, UsdMicros, format};
use lanes_service::{Dashboard, DashboardRange, FigureView, RunCounts};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::icons::Icon;
use crate::server::{UiError, service};
use charts::Charts;
use tables::{Models, Tasks};

/// The dashboard.
#[component]
pub fn DashboardPage() -> impl IntoView {
    let asked = use_query_map().with_untracked(|q| q.get("range"));
    let range = asked.and_then(|id| DashboardRange::from_id(&id)).unwrap_or_default();
    Suspend::new(async move {
        let found = async {
            let service = service()?;
            let names = service.tasks().into_iter().map(|t| (t.id.to_string(), t.name)).collect();
            Ok::<_, UiError>((service.dashboard(range).await?, names))
        };
        let body = match found.await {
            Ok((data, names)) => view! { <Body data names/> }.into_any(),
            Err(error) => {
                crate::server::set_status(503);
                view! {
                    <div class="note note--bad" role="alert">
                        <Icon name="warn"/>
                        <div>
                            <p>{error.to_string()}</p>
                        </div>
                    </div>
                }
                .into_any()
            }
        };
        view! {
            <Title text="Dashboard"/>
            <main id="main" class="page">
                <Head range/>
                {body}
            </main>
        }
    })
}

/// What a range is called.
const fn name(range: DashboardRange) -> &'static str {
    match range {
        DashboardRange::Hour => "Last hour",
        DashboardRange::Day => "Last day",
        DashboardRange::Week => "Last week",
    }
}

#[component]
fn Head(range: DashboardRange) -> impl IntoView {
    let now = service().map(|s| s.wall_clock()).unwrap_or_default();
    let time = now.get(11..19).unwrap_or_default().to_owned();
    let links = DashboardRange::ALL.map(|other| {
        view! {
            <a
                class="btn"
                href=format!("/dashboard?range={}", other.id())
                aria-current=(other == range).then_some("true")
            >
                {name(other)}
            </a>
        }
    });
    view! {
        <div class="page-head">
            <div>
                <h1>"Dashboard"</h1>
                <p>{format!("{}, as of {time} UTC", name(range))}</p>
            </div>
            <nav class="row ranges" aria-label="Time">
                {links}
            </nav>
            <a class="btn" href=format!("/dashboard?range={}", range.id())>
                <Icon name="retry"/>
                "Refresh"
            </a>
        </div>
    }
}

#[component]
fn Body(data: Dashboard, names: Vec<(String, String)>) -> impl IntoView {
    let empty = data.total.calls == 0 && data.runs.started == 0;
    let hint = empty.then(|| {
        view! {
            <div class="note">
                <Icon name="clock"/>
                <div>
                    <b>"Nothing happened in this time"</b>
                    <p>
                        "Figures appear as soon as calls of a run end. " <a href="/">"Start a run"</a>
                        " or choose a longer time."
                    </p>
                </div>
            </div>
        }
    });
    let error = format::percent(data.quantile_error);
    view! {
        {hint}
        <Totals total=data.total runs=data.runs/>
        <Charts data=data.clone()/>
        <Models models=data.models/>
        <Tasks tasks=data.tasks names/>
        <p class="hint">
            {format!(
                "Times are of answered calls from their first attempt on, counted in buckets: p50 and \
                 p95 are within ± {error}. Costs are as far as prices are known; what the simulator \
                 would have cost stands apart.",
            )}
        </p>
    }
}

/// A time of a quantile; ≈ because it comes from a bucket.
fn about(time: Option<Micros>) -> String {
    time.map_or_else(|| "–".to_owned(), |t| format!("≈ {}", format::seconds(t)))
}

/// What was paid, and what was simulated when nothing was paid.
fn cost(figures: &FigureView) -> (String, String) {
    let money = |micros| format::cost(UsdMicros(micros));
    match (figures.cost_usd_micros, figures.simulated_cost_usd_micros) {
        (0, 0) => (money(0), "nothing paid".to_owned()),
        (paid, 0) => (money(paid), "paid".to_owned()),
        (paid, simulated) => (money(paid), format!("and {} simulated", money(simulated))),
    }
}

#[component]
fn Totals(total: FigureView, runs: RunCounts) -> impl IntoView {
    let share = total.error_rate.map_or_else(|| "–".to_owned(), format::percent);
    let (paid, simulated) = cost(&total);
    let ended = [
        (runs.live, "going on"),
        (runs.partial, "partly failed"),
        (runs.failed, "failed"),
        (runs.cancelled, "cancelled"),
        (runs.interrupted, "interrupted"),
    ];
    let ended = ended.into_iter().filter(|(n, _)| *n > 0);
    let ended: Vec<_> = ended.map(|(n, what)| format!("{} {what}", format::count(n))).collect();
    let ended = if ended.is_empty() { "all succeeded".to_owned() } else { ended.join(", ") };
    let ended = if runs.started == 0 { "begun in this time".to_owned() } else { ended };
    let money = |micros| format::cost(UsdMicros(micros));
    let saved = match total.saved_usd_micros + total.simulated_saved_usd_micros {
        0 => format!("{} from the cache", format::plural(total.cached, "answer")),
        _ if total.saved_usd_micros > 0 => {
            format!(
                "{} saved by {}",
                money(total.saved_usd_micros),
                format::plural(total.cached, "answer")
            )
        }
        simulated => format!(
            "{} simulated saved by {}",
            money(simulated),
            format::plural(total.cached, "answer")
        ),
    };
    let metrics = [
        ("Runs", format::count(runs.started), ended),
        ("Calls", format::count(total.calls), format!("{} retried", format::count(total.retried))),
        (
            "Failed calls",
            share,
            format!("{} of {}", format::count(total.failed), format::count(total.calls)),
        ),
        ("Call time, p50", about(total.p50_us), "half took no longer".to_owned()),
        ("Call time, p95", about(total.p95_us), "95 in 100 took no longer".to_owned()),
        (
            "Tokens",
            format::count(total.input_tokens + total.output_tokens),
            format!("{} of them answers", format::count(total.output_tokens)),
        ),
        ("Cost", paid, simulated),
        ("Cache", format::count(total.saved_tokens), format!("tokens spared; {saved}")),
    ];
    let metrics = metrics.map(|(label, value, basis)| {
        view! {
            <div class="metric">
                <dt>{label}</dt>
                <dd>{value}</dd>
                <dd class="basis">{basis}</dd>
            </div>
        }
    });
    view! {
        <section class="card" aria-label="Totals">
            <dl class="metrics totals">{metrics}</dl>
        </section>
    }
}
