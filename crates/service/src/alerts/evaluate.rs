//! How an alert moves on: a pure function of how it stood, what is measured and the time.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AlertRule;

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertStatus {
    /// All is well, and was as far as is known.
    #[default]
    Quiet,
    /// The threshold is reached, and not for long enough yet.
    Pending,
    /// It is reached for long enough.
    Firing,
    /// It fired, and is below the threshold again.
    Resolved,
}

impl AlertStatus {
    /// The name people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Quiet => "Quiet",
            Self::Pending => "Pending",
            Self::Firing => "Firing",
            Self::Resolved => "Resolved",
        }
    }
}

/// How an alert stands, and since when.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) status: AlertStatus,
    pub(crate) since: Timestamp,
    /// What was measured last; none when there was nothing to measure.
    #[serde(default)]
    pub(crate) value: Option<f64>,
}

/// How it stands now. One that is switched off is never reached.
pub(crate) fn step(
    before: &Standing,
    rule: &AlertRule,
    value: Option<f64>,
    now: Timestamp,
) -> Standing {
    let threshold = rule.definition.threshold;
    let reached = rule.definition.enabled && value.is_some_and(|value| value >= threshold);
    let waited = now.duration_since(before.since).as_secs() >= i64::from(rule.definition.for_s);
    let status = match (before.status, reached) {
        (AlertStatus::Firing, true) => AlertStatus::Firing,
        (AlertStatus::Pending, true) if waited => AlertStatus::Firing,
        (_, true) if rule.definition.for_s == 0 => AlertStatus::Firing,
        (_, true) => AlertStatus::Pending,
        (AlertStatus::Firing | AlertStatus::Resolved, false) => AlertStatus::Resolved,
        (AlertStatus::Quiet | AlertStatus::Pending, false) => AlertStatus::Quiet,
    };
    let since = if status == before.status { before.since } else { now };
    Standing { status, since, value }
}

#[cfg(test)]
mod tests {
    use super::super::{AlertRuleDefinition, Severity};
    use super::*;

    fn rule(for_s: u32) -> AlertRule {
        let definition = AlertRuleDefinition {
            name: "Errors".to_owned(),
            kind: "error_rate".to_owned(),
            threshold: 20.0,
            window_s: 300,
            for_s,
            min_calls: 1,
            severity: Severity::Warning,
            simulated: false,
            enabled: true,
        };
        AlertRule { id: "e".to_owned(), definition }
    }

    /// The states that these measurements, one every 10 s, lead through.
    fn walk(rule: &AlertRule, values: &[Option<f64>]) -> Vec<(AlertStatus, i64)> {
        let mut standing = Standing::default();
        let times = (0..).step_by(10).map(|s| Timestamp::from_second(1_000 + s).unwrap());
        let steps = values.iter().zip(times).map(|(value, now)| {
            standing = step(&standing, rule, *value, now);
            (standing.status, standing.since.as_second() - 1_000)
        });
        steps.collect()
    }

    use AlertStatus::{Firing, Pending, Quiet, Resolved};

    #[test]
    fn it_fires_once_the_threshold_was_reached_for_long_enough() {
        let (low, high) = (Some(19.9), Some(20.0));
        let found = walk(&rule(20), &[low, high, high, high, high, low, low, high]);
        let expected = [
            (Quiet, -1_000),
            (Pending, 10),
            (Pending, 10),
            (Firing, 30),
            (Firing, 30),
            (Resolved, 50),
            (Resolved, 50),
            (Pending, 70),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_moment_below_the_threshold_begins_the_wait_again() {
        let (low, high) = (Some(0.0), Some(50.0));
        let found = walk(&rule(20), &[high, high, low, high, high, high]);
        let statuses: Vec<_> = found.into_iter().map(|(status, _)| status).collect();
        assert_eq!(statuses, [Pending, Pending, Quiet, Pending, Pending, Firing]);
    }

    #[test]
    fn without_a_wait_it_fires_at_once_and_without_data_it_does_not() {
        let found = walk(&rule(0), &[None, Some(99.0), None, None]);
        assert_eq!(found, [(Quiet, -1_000), (Firing, 10), (Resolved, 20), (Resolved, 20)]);
    }

    #[test]
    fn one_that_is_switched_off_while_it_fires_is_resolved() {
        let mut off = rule(0);
        off.definition.enabled = false;
        let firing = Standing { status: Firing, ..Standing::default() };
        let now = Timestamp::from_second(5).unwrap();
        assert_eq!(step(&firing, &off, Some(99.0), now).status, Resolved);
    }
}
