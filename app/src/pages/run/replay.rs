//! Replays a finished run: both passes race from zero on one clock. Rule: it only moves the moment
//! that is shown; every figure still comes from the state.

use lanes_model::{Micros, format};
use leptos::prelude::*;

use super::Run;
use crate::browser::frames::{every_frame, now_ms};
use crate::components::icons::Icon;

/// How far the scrubber moves at the least, µs.
const GRAIN: u64 = 10_000;

/// The length of the replay: the longest pass.
fn length(run: Run) -> Micros {
    run.state.with(|s| s.passes.iter().map(|p| p.wall(s.latest)).max().unwrap_or_default())
}

/// Shows the run at that moment; at its end, whole.
fn show(run: Run, at: Micros) {
    let end = untrack(|| length(run));
    run.at.set((at < end).then_some(at));
    if at >= end {
        run.playing.set(false);
    }
}

/// Plays from where it stands, or from the beginning when it stands at the end; or pauses.
pub(super) fn toggle(run: Run) {
    if run.playing.get_untracked() {
        run.playing.set(false);
    } else {
        if run.at.get_untracked().is_none() {
            run.at.set(Some(Micros::ZERO));
        }
        run.playing.set(true);
    }
}

/// Pauses and moves a step.
pub(super) fn step(run: Run, by: Micros, forward: bool) {
    run.playing.set(false);
    let at = run.at.get_untracked().unwrap_or_else(|| untrack(|| length(run)));
    show(run, if forward { at + by } else { at.since(by) });
}

/// The controls under the timeline.
#[component]
pub(super) fn Replay(run: Run) -> impl IntoView {
    let speed = RwSignal::new(1u8);
    Effect::new(move |_| {
        if !run.playing.get() {
            return;
        }
        let mut last = now_ms();
        every_frame(move || {
            let now = now_ms();
            let passed = (now - last) * 1_000.0 * f64::from(speed.get_untracked());
            last = now;
            let at = run.at.get_untracked().unwrap_or_default();
            show(run, at + Micros(passed as u64));
        });
    });
    // A run that is taken up again is shown as it is.
    on_cleanup(move || {
        run.playing.try_set(false);
        run.at.try_set(None);
    });
    let at = move || run.at.get().unwrap_or_else(|| length(run));
    let grains = move |t: Micros| t.0.div_ceil(GRAIN).to_string();
    let choice = move |factor: u8| {
        view! {
            <label>
                <input
                    class="choice"
                    type="radio"
                    name="replay-speed"
                    value=factor.to_string()
                    checked=factor == 1
                    on:change=move |_| speed.set(factor)
                />
                {format!("{factor}×")}
            </label>
        }
    };
    view! {
        <div class="card-foot replay">
            <button class="btn" type="button" on:click=move |_| toggle(run)>
                <Icon
                    name="play"
                    class="icon--fill"
                />
                {move || if run.playing.get() { "Pause " } else { "Replay " }}
                <kbd>"Space"</kbd>
            </button>
            <span class="num">
                {move || {
                    format!("{} / {}", format::seconds_table(at()), format::seconds_table(length(run)))
                }}
            </span>
            <input
                class="range"
                type="range"
                min="0"
                max=move || grains(length(run))
                step="1"
                value=move || grains(at())
                prop:value=move || grains(at())
                aria-label="Replay position"
                aria-valuetext=move || format::seconds_table(at())
                on:input=move |event| {
                    run.playing.set(false);
                    if let Ok(value) = event_target_value(&event).parse::<u64>() {
                        show(run, Micros(value.saturating_mul(GRAIN)));
                    }
                }
            />
            <div class="seg hide-s" role="group" aria-label="Replay speed">
                {[1, 2, 5].map(choice).collect_view()}
            </div>
            <span class="hint hide-s">"← → step"</span>
        </div>
    }
}
