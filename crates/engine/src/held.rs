//! What holds back the calls of one tier: since when, until when and by what.

use lanes_model::{HoldReason, Micros};

/// A refusal of at least this long is written to the log when it begins.
const WORTH_ANNOUNCING: Micros = Micros::from_millis(500);

/// One tier's hold, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The limiter permits nothing before this time.
    until: Option<Micros>,
    /// Since when it has refused.
    since: Option<Micros>,
    why: HoldReason,
    /// Until when the log knows it to refuse.
    announced: Micros,
}

impl Held {
    /// Whether it goes on.
    pub(crate) fn lasts(&self, now: Micros) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// Until when, as far as is known.
    pub(crate) fn until(&self) -> Option<Micros> {
        self.until
    }

    /// Whether it waits for something other than time.
    pub(crate) fn may_end_sooner(&self) -> bool {
        self.until.is_some() && self.why != HoldReason::RateLimit
    }

    /// Nothing is permitted before a time. Says whether that is long enough, and news enough, for the
    /// log to know before the wait is over.
    pub(crate) fn hold(&mut self, now: Micros, until: Micros, why: HoldReason) -> bool {
        let other = self.since.is_some() && self.why != why;
        if other || self.since.is_none() {
            self.since = Some(now);
        }
        self.why = why;
        self.until = Some(until);
        // What it was held by before is told of only now.
        let worth = other || until.since(now.max(self.announced)) >= WORTH_ANNOUNCING;
        if worth {
            self.announced = until;
        }
        worth
    }

    /// The limiter is to be asked anew.
    pub(crate) fn ask_again(&mut self) {
        self.until = None;
    }

    /// It is over: since when it was, and by what.
    pub(crate) fn end(&mut self) -> Option<(Micros, HoldReason)> {
        self.until = None;
        self.announced = Micros::ZERO;
        self.since.take().map(|since| (since, self.why))
    }
}
