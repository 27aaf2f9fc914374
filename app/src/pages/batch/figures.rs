//! The large figures of a large run, its failures, and what is said aloud.

use lanes_model::batch::{FailureGroup, Frame};
use lanes_model::{LimitReason, RunState, format};

use crate::components::markup::{escape, icon};

fn metric(word: &str, value: &str, unit: &str, basis: &str) -> String {
    format!(
        r#"<div class="metric"><dt>{word}</dt><dd>{value} <small>{unit}</small></dd><dd class="basis">{basis}</dd></div>"#
    )
}

pub(super) fn hero(state: &RunState, frame: &Frame) -> String {
    let count = |n: u32| format::count(u64::from(n));
    let rate = |x: f64| format::fixed(x, 1);
    let done = frame.counts.succeeded + frame.counts.failed + frame.counts.invalid;
    let mut html = metric(
        "Documents done",
        &count(frame.documents_done),
        "",
        &format!("of {}", count(frame.documents)),
    );
    html.push_str(&metric(
        "Calls done",
        &count(done),
        "",
        &format!(
            "of {}, {} failed",
            count(frame.calls),
            count(frame.counts.failed + frame.counts.invalid)
        ),
    ));
    let left = frame.eta.map(|eta| {
        let figure = format::estimate_figure(eta.left_us);
        let basis = format!("90 % interval {} to {}", rough(eta.low_us), rough(eta.high_us));
        metric("Time left", &format!("≈ {}", figure.value), figure.unit, &basis)
    });
    html.push_str(&left.unwrap_or_else(|| match frame.status.is_live() {
        true => {
            let why = match (&frame.trouble, frame.paused) {
                (Some(_), _) => "it stands still",
                (None, true) => "paused",
                (None, false) => "too early to say",
            };
            metric("Time left", "–", "", why)
        }
        false => {
            let time = format::seconds_figure(frame.elapsed_us);
            metric("Took", &time.value, time.unit, "first call to last result")
        }
    }));
    let mean = format!("mean so far {}", rate(frame.mean_throughput));
    html.push_str(&match frame.status.is_live() {
        true => metric("Throughput", &rate(frame.throughput), "calls/s", &mean),
        false => metric("Throughput", &rate(frame.mean_throughput), "calls/s", "mean"),
    });
    let basis = match frame.limit_why {
        Some(LimitReason::User) => "limit set by hand",
        Some(LimitReason::RateLimited) => "limit set by 429 feedback",
        Some(_) => "limit adapts",
        None => "limit as asked for",
    };
    let of = format!("of {}", count(frame.limit));
    html.push_str(&metric("In flight", &count(frame.in_flight), &of, basis));
    let simulated = state.header.provider.simulated;
    let basis = match (frame.expected_cost_usd_micros, simulated) {
        (Some(all), _) => format!(
            "{}≈ {} at the end",
            if simulated { "modelled · " } else { "" },
            format::cost(all)
        ),
        (None, true) => "modelled".to_owned(),
        (None, false) => "so far".to_owned(),
    };
    html.push_str(&metric(
        "Cost",
        &format::or_missing(frame.cost_usd_micros, format::cost),
        "",
        &basis,
    ));
    html
}

/// Two digits, without the sign that the estimate itself has.
fn rough(t: lanes_model::Micros) -> String {
    format::seconds_estimate(t).trim_start_matches("≈ ").to_owned()
}

pub(super) fn failures(state: &RunState, frame: &Frame) -> String {
    let failed = frame.counts.failed + frame.counts.invalid;
    let ended = frame.counts.succeeded + failed;
    // Only a run that is over and not a comparison can be taken up again.
    let can_retry = !frame.status.is_live() && state.passes.len() == 1 && !state.cancel_requested;
    let helps: u32 = frame.failures.iter().filter(|g| g.retry_helps).map(|g| g.calls).sum();
    let id = escape(state.header.id.as_str());
    let retry = |fields: &str, words: String| {
        format!(
            r#"<form method="post" action="/runs/{id}/retry-failed">{fields}<button class="btn btn--small" type="submit">{}{words}</button></form>"#,
            icon("retry")
        )
    };
    let all = (can_retry && failed > 0)
        .then(|| retry("", format!("Retry failed ({})", format::count(u64::from(failed)))));
    let mut html = format!(
        r#"<div class="card-head"><h2>Failures</h2><span class="hint">{} of {} finished calls{}</span>{}</div>"#,
        format::count(u64::from(failed)),
        format::count(u64::from(ended)),
        if helps > 0 {
            format!(", a retry can help {}", format::count(u64::from(helps)))
        } else {
            String::new()
        },
        all.unwrap_or_default()
    );
    if frame.failures.is_empty() {
        html.push_str(r#"<p class="card-foot">No call has failed.</p>"#);
        return html;
    }
    html.push_str(r#"<div class="scroll" tabindex="0" role="region" aria-label="Failures by stage and reason"><table><thead><tr><th scope="col">Stage</th><th scope="col">Error</th><th scope="col" class="num">Calls</th><th scope="col" class="num">Attempts</th><th scope="col">Retry</th></tr></thead><tbody>"#);
    for group in &frame.failures {
        let action = match group.retry_helps {
            true if can_retry => {
                let fields = hidden("stage", &group.stage) + &hidden("kind", &kind_id(group));
                retry(&fields, format!("Retry {}", format::count(u64::from(group.calls))))
            }
            true => "once the run is over".to_owned(),
            false => "no help by itself".to_owned(),
        };
        html.push_str(&format!(
            r#"<tr><th scope="row">{}</th><td class="told">{}<br>{}</td><td class="num">{}</td><td class="num">{}</td><td>{action}</td></tr>"#,
            escape(&group.name),
            escape(&group.message),
            escape(group.advice),
            format::count(u64::from(group.calls)),
            format::count(group.attempts),
        ));
    }
    html.push_str("</tbody></table></div>");
    let foot = match frame.status.is_live() {
        true => {
            "Failed documents stop at the failed stage. The rest goes on; what failed can be retried once the run is over."
        }
        false => "Failed documents stop at the failed stage.",
    };
    html.push_str(&format!(r#"<div class="card-foot">{foot}</div>"#));
    html
}

fn hidden(name: &str, value: &str) -> String {
    format!(r#"<input type="hidden" name="{name}" value="{}">"#, escape(value))
}

/// The name of a kind in requests.
fn kind_id(group: &FailureGroup) -> String {
    let json = serde_json::to_value(group.kind).ok();
    json.and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Said aloud, seldom: it changes with each tenth of the calls and with the run's status.
pub(super) fn said(frame: &Frame) -> String {
    let ended = frame.calls - frame.counts.queued - frame.counts.running;
    let tenths = u64::from(ended) * 10 / u64::from(frame.calls.max(1)) * 10;
    match frame.status.is_live() {
        true if frame.paused => "Paused.".to_owned(),
        true => format!("{tenths} % of {} done.", format::plural(u64::from(frame.calls), "call")),
        false => format!("The run is over: {}.", frame.status.id()),
    }
}
