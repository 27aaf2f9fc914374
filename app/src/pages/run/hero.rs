//! The large figures while a run goes on.

use lanes_model::{
    CallStatus, Figure, PassMode, PassState, PassStatus, RunState, format, speedup_so_far,
};
use leptos::prelude::*;

use super::Run;
use crate::components::definition::Definition;

const SO_FAR: &str = "Time Sequential needs for the calls Parallel has finished ÷ time Parallel took \
    to finish them. Marked ≈ while it relies on calls Sequential has not finished.";

/// A figure with its unit smaller.
pub(super) fn figure(f: &Figure) -> String {
    match f.unit {
        "" => f.value.clone(),
        unit => format!("{} <small>{unit}</small>", f.value),
    }
}

/// The pass whose time is shown as elapsed: the one that runs, else the last one that began.
fn current(state: &RunState) -> Option<&PassState> {
    let running = state.passes.iter().rfind(|p| p.status == PassStatus::Running);
    running.or(state.passes.iter().rfind(|p| p.start.is_some()))
}

fn count(pass: &PassState, status: CallStatus) -> u64 {
    pass.calls.iter().filter(|c| c.status() == status).count() as u64
}

fn elapsed_basis(state: &RunState) -> String {
    match current(state) {
        None => "waiting to begin".to_owned(),
        Some(_) if state.header.plan.race => "both passes started together".to_owned(),
        Some(pass) if state.passes.len() > 1 => {
            format!("{} pass", pass.mode.label().to_lowercase())
        }
        Some(pass) => format::plural(u64::from(pass.lanes), "lane"),
    }
}

/// What the calls of a pass are doing: "2 streaming, 1 failed".
fn doing(pass: &PassState) -> String {
    let under_way = || pass.calls.iter().filter(|c| c.status() == CallStatus::Running);
    let has_text =
        |c: &&lanes_model::CallState| c.attempts.last().is_some_and(|a| a.first_token.is_some());
    let streaming = under_way().filter(has_text).count() as u64;
    let sent = under_way().count() as u64 - streaming;
    let retrying =
        pass.calls.iter().filter(|c| c.status() == CallStatus::Queued && !c.attempts.is_empty());
    let parts = [
        (streaming, "streaming"),
        (sent, "waiting for first token"),
        (retrying.count() as u64, "waiting to retry"),
        (count(pass, CallStatus::Failed), "failed"),
        (count(pass, CallStatus::Invalid), "invalid"),
        (count(pass, CallStatus::Cancelled), "cancelled"),
    ];
    let parts: Vec<_> = parts
        .into_iter()
        .filter(|&(n, _)| n > 0)
        .map(|(n, word)| format!("{} {word}", format::count(n)))
        .collect();
    match (parts.is_empty(), pass.status) {
        (false, _) => parts.join(", "),
        (true, PassStatus::Waiting) => "not begun".to_owned(),
        (true, PassStatus::Completed) => {
            format!(
                "finished in {}",
                format::seconds_table(pass.wall(pass.end.unwrap_or_default()))
            )
        }
        (true, _) => "under way".to_owned(),
    }
}

/// Elapsed time, progress of each pass, and the speedup so far of a compare run.
#[component]
pub(super) fn Hero(run: Run) -> impl IntoView {
    let compare = run.state.with_untracked(|s| s.passes.len() > 1);
    let elapsed = move || {
        let now = run.clock();
        run.state.with(|s| {
            current(s).map_or_else(Figure::missing, |p| format::seconds_figure(p.wall(now)))
        })
    };
    let modes = run.state.with_untracked(|s| {
        let has = |mode: &PassMode| s.pass(*mode).is_some();
        [PassMode::Parallel, PassMode::Sequential].into_iter().filter(has).collect::<Vec<_>>()
    });
    view! {
        <dl class="card metrics metrics--hero">
            <div class="metric">
                <dt>"Elapsed"</dt>
                <dd inner_html=move || figure(&elapsed())></dd>
                <dd class="basis">{move || run.state.with(elapsed_basis)}</dd>
            </div>
            {modes.into_iter().map(|mode| view! { <PassMetric run=run mode=mode/> }).collect_view()}
            {compare.then(|| view! { <SoFarMetric run=run/> })}
            {(!compare).then(|| view! { <ToGo run=run/> })}
        </dl>
    }
}

#[component]
fn PassMetric(run: Run, mode: PassMode) -> impl IntoView {
    let of = move || {
        run.state.with(|s| {
            let pass = s.pass(mode);
            let done = pass.map_or(0, |p| count(p, CallStatus::Succeeded));
            (format::count(done), format::count(pass.map_or(0, |p| p.calls.len() as u64)))
        })
    };
    let of = Memo::new(move |_| of());
    let basis = Memo::new(move |_| run.state.with(|s| s.pass(mode).map(doing)));
    view! {
        <div class="metric">
            <dt>{mode.label()}</dt>
            <dd>
                {move || of.get().0} " " <small>{move || format!("of {}", of.get().1)}</small>
            </dd>
            <dd class="basis">{move || basis.get()}</dd>
        </div>
    }
}

#[component]
fn SoFarMetric(run: Run) -> impl IntoView {
    // Tenths: the figure changes seldom enough to be read.
    let shown = Memo::new(move |_| {
        let now = run.clock();
        run.state.with(|s| speedup_so_far(s, now)).map(|so_far| {
            let text = format::speedup(so_far.value);
            if so_far.estimated { format::approx(&text) } else { text }
        })
    });
    let heading = Memo::new(move |_| super::timeline::heading(run));
    view! {
        <div class="metric">
            <dt>
                <Definition id="d-so-far" word="Speedup so far" meaning=SO_FAR/>
            </dt>
            <dd>{move || format::or_missing(shown.get(), |s| s)}</dd>
            <dd class="basis">
                {move || match (shown.get(), heading.get()) {
                    (_, Some(heading)) => format!("heading for {heading} at finish"),
                    (None, None) => "once a call is done".to_owned(),
                    (Some(_), None) => "so far".to_owned(),
                }}
            </dd>
        </div>
    }
}

#[component]
fn ToGo(run: Run) -> impl IntoView {
    let left = Memo::new(move |_| super::timeline::time_left(run).map(format::seconds_estimate));
    view! {
        <div class="metric">
            <dt>"To go"</dt>
            <dd>{move || format::or_missing(left.get(), |s| s)}</dd>
            <dd class="basis">"expected from earlier calls"</dd>
        </div>
    }
}
