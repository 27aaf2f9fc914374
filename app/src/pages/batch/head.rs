//! What a large run is, how it stands and what can be done with it. Every control is a plain form.

use lanes_model::batch::Frame;
use lanes_model::{LimitReason, PassMode, PassState, PassStatus, RunState, RunStatus, format};

use crate::components::badge::BadgeText;
use crate::components::markup::{escape, icon, note};
use crate::components::standstill;

/// The formats of an export, with the words for them.
const EXPORTS: [(&str, &str); 4] =
    [("jsonl", "JSONL"), ("csv", "CSV"), ("parquet", "Parquet"), ("md", "Markdown")];

/// Title, badge and facts.
pub(super) fn title(state: &RunState, frame: &Frame) -> String {
    let badge = BadgeText::run(frame.status, frame.paused).whole();
    format!(
        r#"<h1>{} <span style="vertical-align:.2em">{badge}</span></h1><p>{}</p>"#,
        escape(&state.header.title),
        escape(&facts(state, frame)),
    )
}

/// What can be done. It changes only with how the run stands: a button that somebody is about to press
/// must stay where it is.
pub(super) fn actions(state: &RunState, frame: &Frame) -> String {
    controls(state, frame) + &exports(state.header.id.as_str())
}

/// Why the run stands still, where nobody asked for that. A part that says nothing is not sent: hence
/// the comment.
pub(super) fn trouble(frame: &Frame) -> String {
    match &frame.trouble {
        None => "<!---->".to_owned(),
        Some(why) => note(true, standstill::HEADING, &standstill::text(why)),
    }
}

fn facts(state: &RunState, frame: &Frame) -> String {
    let spec = &state.header.spec;
    let provider = &state.header.provider;
    let mut facts = vec![spec.mode.label().to_owned()];
    if state.pass(PassMode::Parallel).is_some() {
        facts.push(match spec.adaptive {
            true => format!("adaptive concurrency, up to {}", spec.concurrency),
            false => format!("concurrency {}", spec.concurrency),
        });
    }
    facts.push(match provider.simulated {
        true => "Simulated".to_owned(),
        false => format!("{}, {}", provider.name, spec.model),
    });
    if let Some(faults) = &spec.faults {
        facts.push(format!("faults on: {}", faults.summary()));
    }
    if frame.status == RunStatus::Interrupted {
        facts.push("interrupted: what has ended is kept, Resume goes on with the rest".to_owned());
    }
    facts.push(format!("{} elapsed", format::seconds(frame.elapsed_us)));
    facts.join(" · ")
}

fn controls(state: &RunState, frame: &Frame) -> String {
    let id = escape(state.header.id.as_str());
    let form = |action: &str, class: &str, word: &str| {
        format!(
            r#"<form method="post" action="/runs/{id}/{action}"><button class="btn{class}" type="submit">{word}</button></form>"#
        )
    };
    match frame.status {
        RunStatus::Interrupted => form("resume", " btn--primary", "Resume"),
        status if status.is_live() => {
            let lanes = state.pass(PassMode::Parallel).filter(|p| p.status == PassStatus::Running);
            let lanes = lanes.map(|pass| {
                format!(
                    r#"<form class="row lanes-set" method="post" action="/runs/{id}/change"><label for="lanes-now">Lanes</label><input class="input" id="lanes-now" type="number" name="concurrency" min="1" required value="{}"><button class="btn" type="submit" aria-label="Set lanes">Set</button></form>"#,
                    wished(state, pass)
                )
            });
            let pause = match frame.paused {
                true => form("resume", "", "Resume"),
                false => form("pause", "", "Pause"),
            };
            let word = if frame.stopping { "Stopping" } else { "Cancel" };
            let stop = form("cancel", " btn--danger", &format!("{}{word}", icon("stop")));
            format!("{}{pause}{stop}", lanes.unwrap_or_default())
        }
        _ => String::new(),
    }
}

/// The lanes that were asked for last: a limit that adapts goes its own way below that.
fn wished(state: &RunState, pass: &PassState) -> u32 {
    let by_hand = pass.limits.iter().rfind(|l| l.why == LimitReason::User);
    by_hand.map_or(state.header.spec.concurrency, |l| l.limit)
}

fn exports(id: &str) -> String {
    let links = EXPORTS.map(|(format, word)| {
        format!(
            r#"<a class="btn btn--quiet" href="/api/runs/{}/export?format={format}" download>{word}</a>"#,
            escape(id)
        )
    });
    format!(
        r#"<div class="row" style="gap:0" role="group" aria-label="Export">{}</div>"#,
        links.concat()
    )
}
