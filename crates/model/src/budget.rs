//! What a run may cost and how long it may start calls.

use serde::{Deserialize, Serialize};

use crate::{FieldError, Micros, UsdMicros};

/// The limits of a run's spending and time. Once one is reached no new attempt starts: requests in
/// flight come to their end, what exists is kept, and the calls that are left fail with the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// The highest spending limit: a million dollars. Far higher ones no JSON number holds exactly.
    const MOST_USD_MICROS: u64 = 1_000_000_000_000;

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
        if self.max_cost_usd_micros.is_some_and(|most| most == 0 || most > Self::MOST_USD_MICROS) {
            errors.push(FieldError::new(
                "/budget/max_cost_usd_micros",
                "A spending limit must be above 0 and at most 1000000000000 micro-dollars, a \
                 million dollars; leave it out for none.",
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
    fn nothing_is_not_a_limit_and_neither_is_zero_nor_an_absurd_amount() {
        let wrong = |budget: Budget| {
            let mut errors = Vec::new();
            budget.check(&mut errors);
            errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>()
        };
        assert!(Budget::default().is_none() && wrong(Budget::default()).is_empty());
        for absurd in [0, 1_000_000_000_001, u64::MAX] {
            let absurd = Budget { max_cost_usd_micros: Some(absurd), deadline_ms: Some(absurd) };
            assert_eq!(wrong(absurd), ["/budget/max_cost_usd_micros", "/budget/deadline_ms"]);
        }
        let most = Budget {
            max_cost_usd_micros: Some(Budget::MOST_USD_MICROS),
            deadline_ms: Some(Budget::LONGEST_MS),
        };
        assert!(wrong(most).is_empty());
        let good = Budget { max_cost_usd_micros: Some(5), deadline_ms: Some(1_500) };
        assert!(wrong(good).is_empty() && !good.is_none());
        assert_eq!((good.cost(), good.deadline()), (Some(UsdMicros(5)), Some(Micros(1_500_000))));
    }
}
