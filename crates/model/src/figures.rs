//! Events without anything that people or models wrote: what stays of a run where texts are not kept.

use crate::event::{AttemptEnd, CallEnd, EventKind};
use crate::{Failure, FailureKind};

/// What stands in the place of words that are not kept.
pub const NOT_KEPT: &str = "Not kept.";

impl EventKind {
    /// The event with its figures alone.
    #[must_use]
    pub fn figures(mut self) -> Self {
        match &mut self {
            Self::AttemptEnded { end: AttemptEnd::Failed { failure, .. }, .. } => forget(failure),
            Self::CallEnded { end, .. } => match end {
                CallEnd::Succeeded { output, .. } => output.clear(),
                CallEnd::Failed { failure, partial } => {
                    forget(failure);
                    partial.clear();
                }
                CallEnd::Cancelled { partial } => partial.clear(),
            },
            Self::PassHeld { message, .. } | Self::RouteChanged { message, .. } => message.clear(),
            _ => {}
        }
        self
    }
}

/// A provider's words may quote what they are about; those of the program itself do not.
fn forget(failure: &mut Failure) {
    let own = matches!(failure.kind, FailureKind::BudgetReached | FailureKind::Skipped);
    if !own {
        NOT_KEPT.clone_into(&mut failure.message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn nothing_that_was_written_stays_and_every_figure_does() {
        let log =
            testing::simulate(&testing::Script::plain(crate::Mode::Parallel, 2, &[100, 200, 300]));
        let state = |events: &[crate::RunEvent]| {
            let mut state = crate::RunState::begin(&events[0]).unwrap();
            for event in &events[1..] {
                let _ = state.apply(event);
            }
            state
        };
        let stripped: Vec<_> = log
            .iter()
            .map(|e| crate::RunEvent { kind: e.kind.clone().figures(), ..e.clone() })
            .collect();
        let (whole, figures) = (state(&log), state(&stripped));
        assert!(whole.passes[0].calls.iter().any(|c| !c.output.is_empty()));
        for (a, b) in whole.passes[0].calls.iter().zip(&figures.passes[0].calls) {
            assert_eq!(b.output, "");
            assert_eq!((a.start(), a.end, a.usage()), (b.start(), b.end, b.usage()));
        }
        let failure = Failure::new(FailureKind::InvalidOutput, "“secret” is no label");
        let end = CallEnd::Failed { failure, partial: "secret".to_owned() };
        let (pass, call) = (crate::PassId(0), crate::CallId(0));
        let event = EventKind::CallEnded { pass, call, end }.figures();
        assert!(!format!("{event:?}").contains("secret"), "{event:?}");
    }
}
