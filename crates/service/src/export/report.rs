//! The Markdown report: the headline, the figures, the ledgers, the calls, the answers.
//!
//! Figures come from the model and are written by its formats. Names and messages are escaped;
//! answers stand in fenced blocks that no run of backticks inside them can close.

use std::fmt::Write as _;

use lanes_model::view::{CallView, PassView};
use lanes_model::{
    CallStatus, PassMode, RunState, RunView, UsdMicros, explain_ledger, format, headline, traffic,
};

pub(super) fn markdown(state: &RunState, view: &RunView) -> String {
    let mut out = String::new();
    head(&mut out, state, view);
    figures(&mut out, view);
    ledgers(&mut out, state, view);
    routes(&mut out, state);
    limits(&mut out, view);
    calls(&mut out, view);
    answers(&mut out, view);
    out
}

// Writing to a `String` cannot fail.
macro_rules! line {
    ($out:expr) => {{
        let _ = writeln!($out);
    }};
    ($out:expr, $($arg:tt)*) => {{
        let _ = writeln!($out, $($arg)*);
    }};
}

fn head(out: &mut String, state: &RunState, view: &RunView) {
    line!(out, "# {}\n", inline(&view.title));
    match headline(state) {
        Some(sentence) => line!(out, "**{}**\n", inline(&sentence)),
        None => line!(out, "**The run is not over: these are the figures so far.**\n"),
    }
    if view.provider.simulated {
        line!(
            out,
            "> **Simulated.** The answers and times come from the simulator, not from a model; \
             costs are modelled and nobody paid them.\n"
        );
    }
    line!(out, "- Run: `{}`", view.id);
    line!(out, "- Asked for: {}", inline(&view.created_at));
    line!(out, "- Status: {}", view.status.id());
    let race = if view.race { ", both passes at once" } else { "" };
    line!(out, "- Mode: {}{race}", view.mode.label());
    line!(
        out,
        "- Provider: {}, model {}",
        inline(&view.provider.name),
        inline(&view.provider.model)
    );
    if let Some(faults) = &view.faults {
        line!(out, "- Faults injected: {}", inline(&faults.summary()));
    }
    if view.cache {
        line!(out, "- Cached answers: allowed");
    }
    for document in &view.documents {
        line!(
            out,
            "- Document: {}, {}, {}",
            inline(&document.name),
            format::plural(document.tokens, "token"),
            format::bytes(document.bytes)
        );
    }
    if view.resumed > 0 {
        line!(
            out,
            "- Interrupted and taken up again {}; the time between does not count",
            format::plural(u64::from(view.resumed), "time")
        );
    }
    line!(out);
}

fn figures(out: &mut String, view: &RunView) {
    line!(out, "## Figures\n\n| Figure | Value |\n|---|---:|");
    for pass in &view.passes {
        let wall = format::or_missing(pass.wall_us, format::seconds_table);
        line!(out, "| {} wall time | {wall} |", pass.mode.label());
    }
    if let Some(c) = &view.comparison {
        line!(out, "| Speedup | {} |", format::speedup(c.speedup));
        line!(out, "| Time saved | {} |", format::percent(c.time_saved));
        line!(out, "| Parallel efficiency | {} |", format::percent(c.parallel_efficiency));
    }
    let main = view.passes.iter().find(|p| p.mode == PassMode::Parallel).or(view.passes.first());
    if let Some(bound) = main.and_then(|p| p.lower_bound) {
        let attained = main.and_then(|p| p.bound_attained);
        line!(
            out,
            "| Lower bound ({}) | {} |",
            bound.binding.label(),
            format::seconds_table(bound.us)
        );
        line!(out, "| Bound attained | {} |", format::or_missing(attained, format::percent));
    }
    let mut costs = view.passes.iter().flat_map(|p| &p.calls).filter_map(|c| c.cost_usd_micros);
    let total = costs.next().map(|first| std::iter::once(first).chain(costs).sum::<UsdMicros>());
    let modelled = if view.provider.simulated { " (modelled)" } else { "" };
    line!(out, "| Cost{modelled} | {} |\n", format::or_missing(total, format::cost));
}

fn ledgers(out: &mut String, state: &RunState, view: &RunView) {
    line!(out, "## Where the lane time went\n");
    for sentence in explain_ledger(state) {
        line!(out, "{}\n", inline(&sentence));
    }
    for pass in &view.passes {
        let Some(ledger) = &pass.ledger else { continue };
        let lanes = format::plural(u64::from(pass.concurrency), "lane");
        line!(out, "### {}, {lanes}\n", pass.mode.label());
        line!(out, "| State | Lane time | Share |\n|---|---:|---:|");
        let shown = format::ledger_display(ledger);
        for (state, time, share) in &shown {
            line!(out, "| {} | {time} | {share} |", state.label());
        }
        line!(out, "| **Total** | **{}** | |\n", format::ledger_total(ledger));
    }
}

/// Which route did what, when there was more than one.
fn routes(out: &mut String, state: &RunState) {
    let traffic = traffic(state);
    if traffic.is_empty() {
        return;
    }
    line!(out, "## Where calls went\n");
    line!(out, "| Route | Model | Calls answered | Failed attempts | Breaker openings |");
    line!(out, "|---|---|---:|---:|---:|");
    for t in traffic {
        line!(
            out,
            "| {} | {} | {} | {} | {} |",
            inline(&t.name),
            inline(&t.model),
            format::count(t.answered),
            format::count(t.failed),
            t.opened
        );
    }
    line!(out);
}

/// How the number of lanes in use changed, where it did.
fn limits(out: &mut String, view: &RunView) {
    for pass in view.passes.iter().filter(|p| !p.limits.is_empty()) {
        line!(out, "## Concurrency limit, {}\n", pass.mode.label());
        line!(out, "| From | Lanes | Why |\n|---:|---:|---|");
        for l in &pass.limits {
            line!(out, "| {} | {} | {} |", format::seconds_table(l.at_us), l.limit, l.why.label());
        }
        line!(out);
    }
}

fn calls(out: &mut String, view: &RunView) {
    line!(out, "## Calls\n");
    line!(
        out,
        "| Pass | Task | Document | Status | Start | Time | First token | Attempts | Input | \
         Output | Cost |"
    );
    line!(out, "|---|---|---|---|---:|---:|---:|---:|---:|---:|---:|");
    for (pass, call) in every_call(view) {
        let took = call.start_us.zip(call.end_us).map(|(start, end)| end.since(start));
        let time = |t| format::or_missing(t, format::seconds_table);
        let tokens = |n: Option<u64>| format::or_missing(n, format::count);
        line!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
            pass.mode.label(),
            inline(&task_name(view, call)),
            inline(&document_name(view, call)),
            inline(&outcome(call)),
            time(call.start_us),
            time(took),
            time(call.ttft_us),
            attempts(call),
            tokens(call.tokens.map(|t| t.input)),
            tokens(call.tokens.map(|t| t.output)),
            format::or_missing(call.cost_usd_micros, format::cost_table),
        );
    }
    line!(out);
}

fn answers(out: &mut String, view: &RunView) {
    line!(out, "## Answers\n");
    let texts: Vec<_> = every_call(view)
        .filter_map(|(pass, call)| Some((pass, call, call.output.as_deref()?)))
        .collect();
    for (i, (_, call, text)) in texts.iter().enumerate() {
        let same = |(_, other, t): &(&PassView, &CallView, &str)| {
            other.task == call.task && other.document == call.document && t == text
        };
        // Passes that gave the same text show it once.
        if texts[..i].iter().any(same) {
            continue;
        }
        let passes: Vec<_> =
            texts[i..].iter().filter(|t| same(t)).map(|(p, _, _)| p.mode.label()).collect();
        let mut title = inline(&task_name(view, call));
        if view.documents.len() > 1 {
            title = format!("{title}, {}", inline(&document_name(view, call)));
        }
        line!(out, "### {title} ({})\n", passes.join(" and "));
        let fence = fence(text);
        line!(out, "{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'));
    }
}

fn every_call(view: &RunView) -> impl Iterator<Item = (&PassView, &CallView)> {
    view.passes.iter().flat_map(|p| p.calls.iter().map(move |c| (p, c)))
}

fn task_name(view: &RunView, call: &CallView) -> String {
    let task = view.tasks.iter().find(|t| t.id == call.task);
    task.map_or_else(|| call.task.to_string(), |t| t.name.clone())
}

fn document_name(view: &RunView, call: &CallView) -> String {
    let document = view.documents.iter().find(|d| d.id == call.document);
    document.map_or_else(|| call.document.to_string(), |d| d.name.clone())
}

fn outcome(call: &CallView) -> String {
    let word = match call.status {
        CallStatus::Queued => "Queued",
        CallStatus::Running => "Running",
        CallStatus::Succeeded => "Done",
        CallStatus::Failed => "Failed",
        CallStatus::Invalid => "Invalid",
        CallStatus::Cancelled => "Cancelled",
    };
    match &call.error {
        Some(error) => format!("{word}: {}", error.message),
        None => word.to_owned(),
    }
}

/// "2"; an answer from the response cache took no attempt.
fn attempts(call: &CallView) -> String {
    let from_cache = if call.cached { ", from cache" } else { "" };
    format!("{}{from_cache}", call.attempts)
}

/// A fence longer than every run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// A text from outside as a block that nothing inside it closes.
pub(super) fn fenced(text: &str) -> String {
    let fence = fence(text);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// Text from outside on one line of Markdown, in a table too: no markup, no HTML, no break.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '#' | '~' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_every_run_of_backticks_inside() {
        assert_eq!(fence("plain"), "```");
        assert_eq!(fence("a ``` b"), "````");
        assert_eq!(fence("`````"), "``````");
    }

    #[test]
    fn a_name_cannot_break_the_line_the_table_or_the_page() {
        assert_eq!(inline("a|b\n<i>*x*"), "a\\|b &lt;i>\\*x\\*");
    }
}
