//! What can be changed of a run that goes on: pause it, let it go on, change its lanes. Rule: each is a
//! plain form too, for browsers without JavaScript.

use lanes_model::{PassMode, PassStatus};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Run;
use crate::server::{change_run, pause_run, resume_run};

/// Pauses the run, or lets a paused one go on: the events that follow show it.
fn toggle(run: Run) {
    let paused = run.state.with_untracked(|s| s.paused);
    spawn_local(async move {
        let (answer, what) = if paused {
            (resume_run(run.id()).await, "resumed")
        } else {
            (pause_run(run.id()).await, "paused")
        };
        tell(run, answer.err().map(|error| format!("The run could not be {what}. {error}")));
    });
}

fn use_lanes(run: Run, lanes: u32) {
    spawn_local(async move {
        let answer = change_run(run.id(), lanes).await;
        tell(run, answer.err().map(|error| format!("The lanes could not be changed. {error}")));
    });
}

fn tell(run: Run, problem: Option<String>) {
    run.problem.set(problem);
}

/// Pause or Resume, and the number of lanes while a parallel pass goes on.
#[component]
pub(super) fn Controls(run: Run) -> impl IntoView {
    let paused = Memo::new(move |_| run.state.with(|s| s.paused));
    let lanes = Memo::new(move |_| {
        run.state.with(|s| {
            let pass = s.pass(PassMode::Parallel)?;
            (pass.status == PassStatus::Running).then(|| pass.limit())
        })
    });
    let changing = Memo::new(move |_| lanes.get().is_some());
    let typed = RwSignal::new(String::new());
    let send = move || {
        if let Ok(n) = typed.get_untracked().parse() {
            use_lanes(run, n);
        }
    };
    let id = run.id();
    let change = format!("/runs/{id}/change");
    view! {
        <Show when=move || changing.get()>
            <form
                class="row lanes-set"
                method="post"
                action=change.clone()
                on:submit=move |event| {
                    event.prevent_default();
                    send();
                }
            >
                <label for="lanes-now">"Lanes"</label>
                <input
                    class="input"
                    id="lanes-now"
                    type="number"
                    name="concurrency"
                    min="1"
                    required=true
                    value=move || lanes.get().unwrap_or_default().to_string()
                    on:input=move |event| typed.set(event_target_value(&event))
                />
                <button class="btn" type="submit" aria-label="Set lanes">
                    "Set"
                </button>
            </form>
        </Show>
        <form
            method="post"
            action=move || format!("/runs/{id}/{}", if paused.get() { "resume" } else { "pause" })
            on:submit=move |event| {
                event.prevent_default();
                toggle(run);
            }
        >
            <button class="btn" type="submit">
                {move || if paused.get() { "Resume" } else { "Pause" }}
            </button>
        </form>
    }
}
