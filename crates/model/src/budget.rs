//! What a run may cost and how long it may start calls.

use serde::{Deserialize, Serialize};

use crate::{FieldError, Micros, UsdMicros};

/// The limits of a run's spending and time. Once one is reached no new attempt starts: requests in
/// flight come to their end, what exists is kept, and the calls that are left fail with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The most that answers may cost together, micro-dollars. What is in flight when it is reached
    /// comes on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost_usd_micros: Option<u64>,
    /// For how long after its start the run may start attempts, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
}

impl Budget {
    /// The longest deadline: a year.
    const LONGEST_MS: u64 = 365 * 86_400_000;

    /// Whether it limits nothing.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.max_cost_usd_micros.is_none() && self.deadline_ms.is_none()
    }

    /// The spending limit.
    #[must_use]
    pub fn cost(&self) -> Option<UsdMicros> {
        self.max_cost_usd_micros.map(UsdMicros)
    }

    /// The time on the run's clock from which no attempt starts.
    #[must_use]
    pub fn deadline(&self) -> Option<Micros> {
        self.deadline_ms.map(Micros::from_millis)
    }

    /// What is wrong with it, with pointers into a run's request.
    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        if self.max_cost_usd_micros == Some(0) {
            errors.push(FieldError::new(
                "/budget/max_cost_usd_micros",
                "A spending limit must be above 0 micro-dollars; leave it out for none.",
            ));
        }
        if self.deadline_ms.is_some_and(|ms| ms == 0 || ms > Self::LONGEST_MS) {
            errors.push(FieldError::new(
                "/budget/deadline_ms",
                "A deadline must be from 1 ms to a year after the start; leave it out for none.",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_not_a_limit_and_neither_is_zero() {
        let wrong = |budget: Budget| {
            let mut errors = Vec::new();
            budget.check(&mut errors);
            errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
        };
        assert!(Budget::default().is_none() && wrong(Budget::default()).is_empty());
        let zero = Budget { max_cost_usd_micros: Some(0), deadline_ms: Some(0) };
        assert_eq!(wrong(zero), ["/budget/max_cost_usd_micros", "/budget/deadline_ms"]);
        let good = Budget { max_cost_usd_micros: Some(5), deadline_ms: Some(1_500) };
        assert!(wrong(good).is_empty() && !good.is_none());
        assert_eq!((good.cost(), good.deadline()), (Some(UsdMicros(5)), Some(Micros(1_500_000))));
    }
}
