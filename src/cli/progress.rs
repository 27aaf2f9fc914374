//! How a run goes on, on stderr: bars where it is a terminal, plain lines where it is not.

use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use lanes_model::{Micros, format};

use super::terminal;

/// Between two plain lines that say the same but for figures.
const LINES: Duration = Duration::from_secs(5);

/// One bar: a pass, or a whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What.
    pub name: String,
    /// Calls in all.
    pub calls: u64,
    /// Ended, failed ones included.
    pub done: u64,
    /// Under way.
    pub running: u64,
    /// Ended without an answer.
    pub failed: u64,
    /// The time so far, once it has begun.
    pub elapsed: Option<Micros>,
}

impl Part {
    fn figures(&self, left: Option<Micros>) -> String {
        let mut words = vec![format!("{}/{} done", self.done, self.calls)];
        if self.running > 0 {
            words.push(format!("{} running", self.running));
        }
        if self.failed > 0 {
            words.push(format!("{} failed", self.failed));
        }
        words.extend(self.elapsed.map(format::seconds_headline));
        if self.done < self.calls {
            words.extend(left.map(|left| format!("{} left", format::seconds_estimate(left))));
        }
        words.join(" · ")
    }
}

/// What is shown.
pub struct Progress {
    bars: Option<(MultiProgress, Vec<ProgressBar>)>,
    said: Option<(Instant, Vec<(u64, u64)>)>,
    quiet: bool,
}

impl Progress {
    /// Shows as much as stderr can.
    #[must_use]
    pub fn new() -> Self {
        let bars = terminal::draws()
            .then(|| (MultiProgress::with_draw_target(ProgressDrawTarget::stderr()), Vec::new()));
        Self { bars, said: None, quiet: false }
    }

    /// Shows nothing.
    #[must_use]
    pub fn silent() -> Self {
        Self { bars: None, said: None, quiet: true }
    }

    /// A remark above the bars.
    pub fn say(&self, text: &str) {
        match &self.bars {
            Some((all, _)) if all.println(text).is_ok() => {}
            _ => eprintln!("{text}"),
        }
    }

    /// How it stands now; `left` is how much longer all of it takes.
    pub fn show(&mut self, parts: &[Part], left: Option<Micros>) {
        if self.quiet {
            return;
        }
        match &mut self.bars {
            Some((all, bars)) => {
                while bars.len() < parts.len() {
                    bars.push(all.add(ProgressBar::new(1).with_style(style())));
                }
                for (bar, part) in bars.iter().zip(parts) {
                    bar.set_length(part.calls);
                    bar.set_prefix(part.name.clone());
                    bar.set_position(part.done);
                    bar.set_message(part.figures(left));
                    bar.tick();
                }
            }
            None => self.line(parts, left),
        }
    }

    /// A plain line when a tenth more is done, a part has ended or some time has passed.
    fn line(&mut self, parts: &[Part], left: Option<Micros>) {
        let steps: Vec<(u64, u64)> =
            parts.iter().map(|p| (p.done * 10 / p.calls.max(1), p.failed)).collect();
        let due = match &self.said {
            None => true,
            Some((at, before)) => *before != steps || at.elapsed() >= LINES,
        };
        if !due {
            return;
        }
        // What has not begun or was over before says nothing new.
        let before = self.said.take().map(|(_, steps)| steps).unwrap_or_default();
        for (place, part) in parts.iter().enumerate() {
            let news = before.get(place) != steps.get(place);
            if part.elapsed.is_some() && (news || part.done < part.calls) {
                eprintln!("{}: {}", part.name, part.figures(left));
            }
        }
        self.said = Some((Instant::now(), steps));
    }

    /// Leaves the last figures where they are.
    pub fn finish(self) {
        for bar in self.bars.iter().flat_map(|(_, bars)| bars) {
            bar.abandon();
        }
    }
}

fn style() -> ProgressStyle {
    let bar = if terminal::no_color() { "{bar:24}" } else { "{bar:24.cyan/dim}" };
    let template = format!("{{prefix:10}} {bar} {{wide_msg}}");
    ProgressStyle::with_template(&template)
        .map_or_else(|_| ProgressStyle::default_bar(), |style| style.progress_chars("━╸─"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_say_what_there_is_to_say() {
        let mut part = Part {
            name: "Parallel".to_owned(),
            calls: 6,
            done: 2,
            running: 3,
            failed: 1,
            elapsed: Some(Micros(2_100_000)),
        };
        let said = part.figures(Some(Micros(3_000_000)));
        assert_eq!(said, "2/6 done · 3 running · 1 failed · 2.1 s · ≈ 3.0 s left");
        (part.done, part.running, part.failed) = (6, 0, 0);
        assert_eq!(part.figures(Some(Micros(0))), "6/6 done · 2.1 s");
    }
}
