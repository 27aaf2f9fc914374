//! The run's own limits of money and time.
//!
//! Part of the dispatcher. Once one is reached it is like a failure that every other call would meet:
//! what is on a lane comes to its end, nothing else starts.

use lanes_model::{Failure, FailureKind, Micros, format};

use super::Dispatcher;

impl Dispatcher {
    /// When the deadline has to be looked at, while it matters.
    pub(super) fn deadline(&self) -> Option<Micros> {
        self.budget.deadline().filter(|_| self.fatal.is_none()).map(|time| self.began + time)
    }

    /// Gives up what is left when the money or the time is used up.
    pub(super) fn keep_budget(&mut self) {
        if self.fatal.is_some() {
            return;
        }
        if let Some(failure) = self.used_up() {
            self.give_up(failure);
        }
    }

    fn used_up(&self) -> Option<Failure> {
        let reached = |what| Failure::new(FailureKind::BudgetReached, what);
        if let Some(most) = self.budget.cost().filter(|most| self.spent >= *most) {
            let most = format::cost(most);
            return Some(reached(format!("The run's spending limit of {most} is reached.")));
        }
        let time = self.budget.deadline().filter(|time| self.now() >= self.began + *time)?;
        let time = format::seconds(time);
        Some(reached(format!("The run's deadline, {time} after its start, is reached.")))
    }
}
