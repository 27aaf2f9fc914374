//! The stages of a workflow's run, each with how far it is.

use lanes_model::{CallStatus, RunState};
use leptos::prelude::*;

use super::Run;
use super::facts::main_pass;
use crate::charts::stages::{StageBox, StageCounts, html};

/// The graph, where there is more than one stage.
#[component]
pub(super) fn Stages(run: Run) -> impl IntoView {
    let several = run.state.with_untracked(|s| s.header.plan.stages.len() > 1);
    several.then(|| {
        let drawn = Memo::new(move |_| run.state.with(|s| html(&boxes(s))));
        view! {
            <section class="card" aria-labelledby="h-stages">
                <div class="card-head">
                    <h2 id="h-stages">"Stages"</h2>
                    <span class="hint">"A stage starts on a record as soon as what it needs is there"</span>
                </div>
                <div
                    class="card-body scroll"
                    tabindex="0"
                    role="group"
                    aria-label="Graph of stages"
                    inner_html=move || drawn.get()
                ></div>
            </section>
        }
    })
}

/// The stages with the counts of the pass that goes on, or of the one whose answers are shown.
fn boxes(state: &RunState) -> Vec<StageBox> {
    let plan = &state.header.plan;
    let live = state.passes.iter().rfind(|p| p.start.is_some() && state.status.is_live());
    let pass = live.or(main_pass(state));
    let mut counts = vec![StageCounts::default(); plan.stages.len()];
    let calls = pass.map(|p| p.calls.as_slice()).unwrap_or_default();
    for (call, planned) in calls.iter().zip(&plan.calls) {
        let Some(of) = counts.get_mut(usize::from(planned.stage)) else { continue };
        let status = call.status();
        of.calls += 1;
        of.running += u64::from(status == CallStatus::Running);
        of.failed += u64::from(status.is_failure());
        of.ended += u64::from(!matches!(status, CallStatus::Queued | CallStatus::Running));
    }
    let boxes = plan.stages.iter().zip(counts).map(|(stage, counts)| StageBox {
        name: stage.name.clone(),
        note: stage.providers.first().map(|p| name(state, &p.provider)).unwrap_or_default(),
        needs: stage.needs.iter().map(|n| usize::from(*n)).collect(),
        counts: Some(counts),
    });
    boxes.collect()
}

/// What a provider is called in this run.
fn name(state: &RunState, provider: &str) -> String {
    let route = state.header.routes.iter().find(|r| r.provider == provider);
    route.map_or(provider, |r| r.name.as_str()).to_owned()
}
