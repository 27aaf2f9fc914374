//! How a run came out, in the words of a list.

use lanes_model::{FailureKind, RunStatus, RunSummary, format};

use crate::components::badge::BadgeText;

/// The outcomes that can be asked for, as the list names them.
pub const CHOICES: [(RunStatus, &str); 7] = [
    (RunStatus::Running, "Running"),
    (RunStatus::Succeeded, "Done"),
    (RunStatus::Partial, "Some failed"),
    (RunStatus::Failed, "Failed"),
    (RunStatus::Cancelled, "Cancelled"),
    (RunStatus::Interrupted, "Interrupted"),
    (RunStatus::Queued, "Queued"),
];

/// The badge of a run: the most useful word there is about it.
pub fn outcome(run: &RunSummary) -> BadgeText {
    let badge = |kind, icon, word: String| BadgeText { kind, icon: Some(icon), word };
    match run.status {
        RunStatus::Succeeded if run.retried > 0 => {
            badge("warn", "retry", format!("{} retried", format::count(run.retried.into())))
        }
        RunStatus::Succeeded => badge("ok", "check", "Done".to_owned()),
        RunStatus::Partial => {
            badge("bad", "x", format!("{} failed", format::count(run.failed.into())))
        }
        RunStatus::Failed => {
            let word = run.failure.clone().unwrap_or_else(|| "Failed".to_owned());
            badge("bad", failure_icon(&word), word)
        }
        other => BadgeText::run(other, run.paused),
    }
}

fn failure_icon(label: &str) -> &'static str {
    if label == FailureKind::InvalidKey.label() {
        "key"
    } else if label == FailureKind::Unreachable.label() {
        "plug"
    } else {
        "x"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanes_model::Mode;

    fn run(status: RunStatus, failed: u32, retried: u32, failure: Option<&str>) -> BadgeText {
        outcome(&summary(status, failed, retried, failure))
    }

    fn summary(status: RunStatus, failed: u32, retried: u32, failure: Option<&str>) -> RunSummary {
        RunSummary {
            id: "r".into(),
            title: String::new(),
            created_at: String::new(),
            status,
            paused: false,
            mode: Mode::Compare,
            tasks: Vec::new(),
            documents: 1,
            concurrency: 6,
            provider: String::new(),
            provider_name: String::new(),
            model: String::new(),
            simulated: true,
            wall_us: None,
            speedup: None,
            calls: 12,
            failed,
            retried,
            failure: failure.map(str::to_owned),
            cost_usd_micros: None,
        }
    }

    #[test]
    fn every_outcome_has_a_word_and_its_colour() {
        for (badge, kind, word) in [
            (run(RunStatus::Succeeded, 0, 0, None), "ok", "Done"),
            (run(RunStatus::Succeeded, 0, 31, None), "warn", "31 retried"),
            (run(RunStatus::Partial, 1, 2, Some("Server error")), "bad", "1 failed"),
            (run(RunStatus::Failed, 12, 0, Some("Invalid key")), "bad", "Invalid key"),
            (run(RunStatus::Failed, 12, 0, None), "bad", "Failed"),
            (run(RunStatus::Cancelled, 0, 0, None), "", "Cancelled"),
            (run(RunStatus::Running, 0, 0, None), "live", "Running"),
        ] {
            assert_eq!((badge.kind, badge.word.as_str()), (kind, word));
        }
    }

    #[test]
    fn a_run_that_goes_on_can_be_paused_and_one_that_does_not_is_what_it_is() {
        let paused = |status| outcome(&RunSummary { paused: true, ..summary(status, 0, 0, None) });
        assert_eq!(paused(RunStatus::Running).word, "Paused");
        assert_eq!(paused(RunStatus::Interrupted).word, "Interrupted");
    }

    #[test]
    fn every_status_can_be_asked_for() {
        assert!(RunStatus::ALL.iter().all(|s| CHOICES.iter().any(|(c, _)| c == s)));
    }
}
