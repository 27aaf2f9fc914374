//! A run that is over, on stdout: its answers, then where its time went in one table.

use std::fmt::Write;

use lanes_model::view::{CallView, PassView};
use lanes_model::{CallStatus, Mode, PassMode, RunStatus, RunView, format};

use super::terminal::{Table, bold, tame};

/// The answers by task: those of the first pass that has any.
#[must_use]
pub fn answers(run: &RunView) -> String {
    let mut text = String::new();
    let answered = |pass: &&PassView| pass.calls.iter().any(|c| c.status == CallStatus::Succeeded);
    let Some(pass) = run.passes.iter().find(answered).or(run.passes.first()) else {
        return text;
    };
    for task in &run.tasks {
        let calls: Vec<_> = pass.calls.iter().filter(|call| call.task == task.id).collect();
        if calls.is_empty() {
            continue;
        }
        let _ = writeln!(text, "{}", bold(&format!("# {}", tame(&task.name))));
        for call in &calls {
            if calls.len() > 1 {
                let document = run.documents.iter().find(|d| d.id == call.document);
                let name = document.map_or(call.document.0.as_str(), |d| d.name.as_str());
                let part = call.part.map(|part| format!(" ({part})")).unwrap_or_default();
                let _ = writeln!(text, "\n## {}{part}", tame(name));
            }
            let _ = writeln!(text, "{}\n", answer(call));
        }
    }
    text
}

fn answer(call: &CallView) -> String {
    match (&call.error, call.status) {
        (_, CallStatus::Succeeded) => {
            tame(call.output.as_deref().unwrap_or_default()).trim().to_owned()
        }
        (Some(error), _) => format!("✗ {} {}", tame(&error.message), error.advice),
        (None, CallStatus::Cancelled) => "✗ cancelled".to_owned(),
        (None, status) => format!("✗ {status:?}").to_lowercase(),
    }
}

/// The table of passes: time, speedup, efficiency and what bounds them.
#[must_use]
pub fn figures(run: &RunView) -> String {
    let headings = ["", "calls", "time", "speedup", "efficiency", "bound attained", "bound set by"];
    let mut table = Table::new(&headings, 1..6);
    for pass in &run.passes {
        let (speedup, efficiency) = gain(run, pass);
        let wall = pass.wall_us;
        let bound = pass.lower_bound.filter(|_| pass.bound_attained.is_some());
        table.row(vec![
            pass.mode.label().to_owned(),
            match pass.calls.len() {
                0 => format::MISSING.to_owned(),
                calls => format::count(calls as u64),
            },
            format::or_missing(wall, format::seconds_table),
            speedup,
            efficiency,
            format::or_missing(pass.bound_attained, format::percent),
            bound.map_or_else(|| format::MISSING.to_owned(), |b| b.binding.label().to_owned()),
        ]);
    }
    let mut text = table.text();
    if run.comparison.is_none() && run.mode != Mode::Sequential {
        text.push_str(
            "≈: the work of the calls ÷ the time, not measured; --mode compare measures it\n",
        );
    }
    text
}

/// Speedup and efficiency of a pass: measured where both were run, otherwise estimated by the work.
fn gain(run: &RunView, pass: &PassView) -> (String, String) {
    match (&run.comparison, pass.mode) {
        (Some(_), PassMode::Sequential) | (None, PassMode::Sequential) => {
            (format::speedup(1.0), format::MISSING.to_owned())
        }
        (Some(c), PassMode::Parallel) => {
            (format::speedup(c.speedup), format::percent(c.parallel_efficiency))
        }
        (None, PassMode::Parallel) => {
            let times = pass.work_us.zip(pass.wall_us).filter(|(_, wall)| !wall.is_zero());
            let speedup = times.map(|(work, wall)| work.as_secs_f64() / wall.as_secs_f64());
            let lanes = f64::from(pass.concurrency.max(1));
            (
                format::or_missing(speedup, |s| format::approx(&format::speedup(s))),
                format::or_missing(speedup, |s| format::approx(&format::percent(s / lanes))),
            )
        }
    }
}

/// Who answered, and how the run ended, in one line.
#[must_use]
pub fn summary(run: &RunView) -> String {
    let mut words = Vec::new();
    if run.provider.simulated {
        words.push("Simulated".to_owned());
    } else {
        words.push(tame(&run.provider.name));
    }
    words.push(tame(&run.provider.model));
    let counts = run.counts;
    let failed = u64::from(counts.failed + counts.invalid);
    words.push(match run.status {
        RunStatus::Succeeded => "all calls succeeded".to_owned(),
        RunStatus::Cancelled => format!("cancelled after {} answers", counts.succeeded),
        RunStatus::Interrupted => "interrupted: resume it on its server".to_owned(),
        _ => format!("{} failed", format::plural(failed, "call")),
    });
    words.push(format!("run {}", run.id));
    words.join(" · ")
}
