//! One run, from its first moment to its report. It talks to `server` for the run as it stands and to
//! the event stream for what follows. Rule: figures come from the state; the browser's
//! clock only moves the line of the present.

use lanes_model::{Estimate, Micros, RunState, TaskHistory, estimate};
use leptos::prelude::*;

use crate::server::{Packed, ReportHtml, RunPageData};

mod controls;
mod facts;
mod follow;
mod head;
mod hero;
mod keys;
mod notices;
#[cfg(feature = "ssr")]
mod page;
mod replay;
#[cfg(feature = "ssr")]
mod report;
mod results;
mod stages;
mod timeline;

#[cfg(feature = "ssr")]
pub use page::RunPage;
#[cfg(feature = "ssr")]
pub use report::html as report_html;

/// The run that the page shows. All parts read these signals; [`follow`] and the replay write them.
#[derive(Clone, Copy)]
struct Run {
    /// The run as far as the page knows it.
    state: RwSignal<RunState>,
    /// The run's clock.
    now: RwSignal<Micros>,
    /// What its calls were expected to take before it began.
    estimate: StoredValue<Estimate>,
    /// What the server has drawn of it, once it is over.
    report: RwSignal<Option<ReportHtml>>,
    /// Whether it goes on.
    live: Memo<bool>,
    /// Where a replay stands, from the start of each pass; none: everything is shown.
    at: RwSignal<Option<Micros>>,
    /// Whether the replay moves.
    playing: RwSignal<bool>,
    /// Seconds since the last word from the server, while the connection is lost.
    lost: RwSignal<Option<u64>>,
    /// Whether the server is being asked for the whole of it.
    fetching: StoredValue<bool>,
    /// The faults injected into it, in words.
    faults: RwSignal<Option<String>>,
    /// Why it stands still though nobody asked for that.
    trouble: RwSignal<Option<String>>,
    /// What went wrong with the last thing the user asked for.
    problem: RwSignal<Option<String>>,
}

impl Run {
    fn new(data: RunPageData) -> Self {
        let expected = expectation(&data.state, &data.history);
        let state = RwSignal::new(data.state);
        Self {
            state,
            now: RwSignal::new(data.now),
            estimate: StoredValue::new(expected),
            report: RwSignal::new(data.report),
            live: Memo::new(move |_| state.with(|s| s.status.is_live())),
            at: RwSignal::new(None),
            playing: RwSignal::new(false),
            lost: RwSignal::new(None),
            fetching: StoredValue::new(false),
            faults: RwSignal::new(data.faults),
            trouble: RwSignal::new(data.trouble),
            problem: RwSignal::new(None),
        }
    }

    /// The moment that is drawn, on the run's clock: it stands still when the run does.
    fn clock(self) -> Micros {
        let latest = self.state.with(|s| s.latest);
        if self.live.get() { self.now.get().max(latest) } else { latest }
    }

    fn id(self) -> String {
        self.state.with_untracked(|s| s.header.id.0.clone())
    }

    /// Takes a newer state, as after a gap or when a run was taken up again.
    fn take(self, data: RunPageData) {
        self.now.set(data.now);
        self.report.set(data.report);
        self.trouble.set(data.trouble);
        self.state.set(data.state);
    }
}

/// What the calls of a run are expected to take, from what such calls took lately.
fn expectation(state: &RunState, history: &[TaskHistory]) -> Estimate {
    let header = &state.header;
    let tasks: Vec<_> = header
        .tasks
        .iter()
        .map(|task| (task, history.iter().find(|h| h.task == task.id)))
        .collect();
    let documents: Vec<_> = header.documents.iter().map(|d| d.tokens).collect();
    estimate(&tasks, &documents, &header.plan, &header.provider)
}

/// A run, in the browser too.
#[island]
fn Shown(data: Packed<RunPageData>) -> impl IntoView {
    let run = Run::new(data.0);
    let said = follow::follow(run);
    keys::listen(run);
    // Each part is erased: the types of views nest, and compilers and programs grow with them.
    let going = move || view! { <hero::Hero run=run/> }.into_any();
    let over = move || drawn(run, |r| &r.figures).into_any();
    view! {
        <main id="main" class="page">
            {view! { <head::Head run=run/> }.into_any()}
            {view! { <head::Notes run=run/> }.into_any()}
            {move || if run.live.get() { going() } else { over() }}
            {view! { <stages::Stages run=run/> }.into_any()}
            {view! { <timeline::Timeline run=run/> }.into_any()}
            {move || (!run.live.get()).then(|| drawn(run, |r| &r.details))}
            {view! { <results::Results run=run/> }.into_any()}
            <p class="sr" aria-live="polite">{move || said.polite.get()}</p>
            <p class="sr" role="alert">{move || said.urgent.get()}</p>
        </main>
    }
}

/// What the server has drawn, or its place until it is there.
fn drawn(run: Run, part: fn(&ReportHtml) -> &String) -> impl IntoView {
    const COMING: &str = r#"<div class="card card-body stack" aria-busy="true"><div class="bone" style="width:60%"></div><div class="bone" style="width:80%"></div></div>"#;
    let html = move || {
        run.report.with(|r| r.as_ref().map_or_else(|| COMING.to_owned(), |r| part(r).clone()))
    };
    view! { <div class="whole" inner_html=html></div> }
}
