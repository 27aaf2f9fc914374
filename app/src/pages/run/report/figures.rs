//! The head of the report: the sentence, the two bars, and the figures behind them.

use lanes_model::{
    Comparison, Figure, LowerBound, Micros, PassState, RunState, bound_attained, explain_ledger,
    format, headline, work,
};
use leptos::prelude::*;

use super::super::facts::{main_pass, total_cost};
use super::super::hero::figure;
use crate::charts::compare::{Bars, bound};
use crate::components::definition::Definition;

const SPEEDUP: &str = "Sequential wall time ÷ parallel wall time.";
const SAVED: &str = "1 − parallel wall time ÷ sequential wall time.";
const EFFICIENCY: &str = "Speedup ÷ concurrency used.";
const ATTAINED: &str = "Lower bound ÷ wall time. 100 % means no schedule could be faster under these \
    limits.";
const WALL: &str = "First call admitted to last result.";
const WORK: &str = "The time of all answers, one after the other.";

/// A figure with its definition and its basis.
struct Entry {
    id: &'static str,
    word: &'static str,
    meaning: &'static str,
    value: Figure,
    basis: String,
}

fn attained(bound: Option<LowerBound>, wall: Micros) -> Entry {
    let share = bound.and_then(|b| bound_attained(b, wall));
    Entry {
        id: "d-attained",
        word: "Bound attained",
        meaning: ATTAINED,
        value: share.map_or_else(Figure::missing, format::percent_figure),
        basis: bound.map_or_else(
            || "no attempt gave an answer".to_owned(),
            |b| format!("bound: {}, {}", b.binding.label(), format::seconds(b.us)),
        ),
    }
}

fn compared(comparison: &Comparison, bars: &Bars) -> Vec<Entry> {
    let (s, p) = (format::seconds_table(bars.sequential), format::seconds_table(bars.parallel));
    let speedup = format::speedup(comparison.speedup);
    let saved = match bars.saved() {
        Some(saved) => format!("{} of {s}", format::seconds_table(saved)),
        None => format!("{p} instead of {s}"),
    };
    let plain = |value: String| Figure { value, unit: "" };
    vec![
        Entry {
            id: "d-speedup",
            word: "Speedup",
            meaning: SPEEDUP,
            value: plain(speedup.clone()),
            basis: format!("{s} ÷ {p}"),
        },
        Entry {
            id: "d-saved",
            word: "Time saved",
            meaning: SAVED,
            value: format::percent_figure(comparison.time_saved),
            basis: saved,
        },
        Entry {
            id: "d-efficiency",
            word: "Parallel efficiency",
            meaning: EFFICIENCY,
            value: format::percent_figure(comparison.parallel_efficiency),
            basis: format!("{speedup} on {}", format::plural(u64::from(bars.lanes), "lane")),
        },
        attained(bars.bound, bars.parallel),
    ]
}

fn single(state: &RunState, pass: &PassState) -> Vec<Entry> {
    let wall = pass.wall(state.latest);
    let cost = total_cost(state);
    vec![
        Entry {
            id: "d-wall",
            word: "Wall time",
            meaning: WALL,
            value: format::seconds_figure(wall),
            basis: format!(
                "{} on {}",
                format::plural(pass.calls.len() as u64, "call"),
                format::plural(u64::from(pass.lanes), "lane")
            ),
        },
        Entry {
            id: "d-work",
            word: "Work",
            meaning: WORK,
            value: format::seconds_figure(work(pass)),
            basis: format!("{} pass", pass.mode.label().to_lowercase()),
        },
        attained(bound(state, pass), wall),
        Entry {
            id: "d-cost",
            word: "Cost",
            meaning: "Tokens × the price of the model, over all answers.",
            value: Figure { value: format::or_missing(cost, format::cost), unit: "" },
            basis: match (cost, state.header.provider.simulated) {
                (None, _) => "the price is not known".to_owned(),
                (_, true) => "modelled, nothing was charged".to_owned(),
                (_, false) => "all passes".to_owned(),
            },
        },
    ]
}

fn entries(state: &RunState) -> Vec<Entry> {
    match (Comparison::of(state), Bars::of(state), main_pass(state)) {
        (Some(comparison), Some(bars), _) => compared(&comparison, &bars),
        (_, _, Some(pass)) => single(state, pass),
        _ => Vec::new(),
    }
}

/// The card.
pub(super) fn card(state: &RunState) -> impl IntoView + use<> {
    let headline = headline(state);
    let entries = entries(state);
    let bars = Comparison::of(state).and_then(|_| Bars::of(state));
    // Where there is nothing to compare, where the time went is what there is to say first.
    let words = bars.is_none().then(|| explain_ledger(state).join(" "));
    let simulated = state.header.provider.simulated;
    view! {
        <section class="card" aria-labelledby="hl">
            <div class="cols fill" style="gap:0">
                <div class="c7" style="padding:var(--5) var(--5) var(--4)">
                    <h2
                        id="hl"
                        style="font-size:var(--t-2xl);letter-spacing:-.025em;line-height:1.2;margin-bottom:var(--4)"
                    >
                        {headline}
                    </h2>
                    {bars
                        .map(|bars| {
                            view! {
                                {chart(&bars, false)}
                                {chart(&bars, true)}
                            }
                        })}
                    {words.map(|words| view! { <p class="sub">{words}</p> })}
                    {simulated
                        .then(|| {
                            view! {
                                <p style="margin-top:var(--3)">
                                    <span class="badge badge--sim">"Simulated"</span>
                                </p>
                            }
                        })}
                </div>
                <dl class="metrics metrics--quad c5">
                    {entries.into_iter().map(metric).collect_view()}
                </dl>
            </div>
        </section>
    }
}

fn metric(entry: Entry) -> impl IntoView {
    view! {
        <div class="metric">
            <dt>
                <Definition id=entry.id word=entry.word meaning=entry.meaning/>
            </dt>
            <dd inner_html=figure(&entry.value)></dd>
            <dd class="basis">{entry.basis}</dd>
        </div>
    }
}

/// Both bars on one scale with the lower bound and what is saved; `narrow` for small screens.
fn chart(bars: &Bars, narrow: bool) -> impl IntoView + use<> {
    let (width, longest) = if narrow { (340, 250.0) } else { (760, 620.0) };
    let class = if narrow { "chart only-s" } else { "chart hide-s" };
    let (title, desc) = if narrow { ("c2t", "c2d") } else { ("c1t", "c1d") };
    let seq = bars.length(bars.sequential, longest);
    let par = bars.length(bars.parallel, longest);
    let mark = bars.bound.map(|b| {
        let x = bars.length(b.us, longest).min(longest);
        // Words near an edge stay within it.
        let text = x.clamp(62.0, f64::from(width) - 62.0);
        view! {
            <path d=format!("M{x:.1} 92V146") class="mark"></path>
            <text x=format!("{text:.1}") y="160" text-anchor="middle">
                {format!("lower bound {}", format::seconds(b.us))}
            </text>
        }
    });
    let from = par + 86.0;
    let saved = bars.saved().filter(|_| seq - from > 40.0).map(|time| {
        let words = (seq - from > 90.0).then(|| {
            view! {
                <text
                    x=format!("{:.1}", (from + seq) / 2.0)
                    y="110"
                    text-anchor="middle"
                    class="t2"
                    font-size="13"
                >
                    {format!("{} saved", format::seconds_headline(time))}
                </text>
            }
        });
        view! {
            <path d=format!("M{from:.1} 118H{seq:.1}M{seq:.1} 111v14") class="ax" fill="none"></path>
            {words}
        }
    });
    let lanes = format::plural(u64::from(bars.lanes), "lane");
    let about = if bars.estimated { "≈ " } else { "" };
    view! {
        <svg
            class=class
            viewBox=format!("0 0 {width} 168")
            role="img"
            aria-labelledby=format!("{title} {desc}")
        >
            <title id=title>"Wall time, sequential and parallel"</title>
            <desc id=desc>{bars.describe()}</desc>
            <text x="0" y="14" class="t2" font-size="13">"Sequential"</text>
            <rect x="0" y="22" width=format!("{seq:.1}") height="40" rx="4" class="seq"></rect>
            <text x=format!("{:.1}", seq + 12.0) y="50" class="t1" font-size="22">
                {format!("{about}{}", format::seconds_headline(bars.sequential))}
            </text>
            <text x="0" y="90" class="t2" font-size="13">{format!("Parallel, {lanes}")}</text>
            <rect x="0" y="98" width=format!("{par:.1}") height="40" rx="4" class="par"></rect>
            <text x=format!("{:.1}", par + 12.0) y="126" class="t1" font-size="22">
                {format::seconds_headline(bars.parallel)}
            </text>
            {mark}
            {saved}
        </svg>
    }
}
