//! Who waits for a provider that several runs use, and who goes first.
//!
//! Interactive runs go before batch runs, and among their like whoever has waited longest; each grant
//! sends its run to the end. A batch run that has waited for [`AGING`] counts as interactive, so that
//! it never starves. Pure: time is handed in.

use lanes_model::{Micros, Priority};

/// After waiting so long a batch run goes before interactive ones that came later.
const AGING: Micros = Micros::from_secs(5);
/// Somebody who does not ask again so long after being told to has gone.
const PATIENCE: Micros = Micros::from_millis(250);

#[derive(Debug)]
struct Waiting {
    who: u64,
    priority: Priority,
    since: Micros,
    /// Gone unless heard of by then.
    gone_at: Micros,
}

impl Waiting {
    fn rank(&self, now: Micros) -> (Priority, Micros) {
        let aged = now.since(self.since) >= AGING;
        (if aged { Priority::Interactive } else { self.priority }, self.since)
    }
}

/// The runs that wait.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<Waiting>);

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether somebody else goes before this one.
    pub(super) fn is_after_another(&mut self, who: u64, priority: Priority, now: Micros) -> bool {
        self.0.retain(|w| w.who == who || now <= w.gone_at);
        let mine = self.0.iter().find(|w| w.who == who).map_or((priority, now), |w| w.rank(now));
        self.0.iter().any(|w| w.who != who && w.rank(now) < mine)
    }

    /// Notes that this one waits and will ask again at `again`, or when something changes.
    pub(super) fn wait(&mut self, who: u64, priority: Priority, now: Micros, again: Micros) {
        let gone_at = again + PATIENCE;
        match self.0.iter_mut().find(|w| w.who == who) {
            Some(w) => (w.priority, w.gone_at) = (priority, gone_at),
            None => self.0.push(Waiting { who, priority, since: now, gone_at }),
        }
    }

    /// This one waits no longer.
    pub(super) fn leave(&mut self, who: u64) {
        self.0.retain(|w| w.who != who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Priority::{Batch, Interactive};

    const fn ms(n: u64) -> Micros {
        Micros::from_millis(n)
    }

    #[test]
    fn interactive_goes_before_batch_and_the_longest_waiting_before_its_like() {
        let mut line = Line::default();
        line.wait(1, Batch, ms(0), ms(100));
        line.wait(2, Batch, ms(1), ms(100));
        line.wait(3, Interactive, ms(2), ms(100));
        assert!(!line.is_after_another(3, Interactive, ms(3)));
        assert!(line.is_after_another(1, Batch, ms(3)));
        line.leave(3);
        assert!(!line.is_after_another(1, Batch, ms(3)));
        assert!(line.is_after_another(2, Batch, ms(3)));
        assert!(line.is_after_another(4, Batch, ms(3)), "whoever has just come is last");
        assert!(!line.is_after_another(5, Interactive, ms(3)));
    }

    #[test]
    fn a_batch_run_that_has_waited_long_goes_before_those_that_came_later() {
        let mut line = Line::default();
        line.wait(1, Batch, ms(0), ms(9_000));
        line.wait(2, Interactive, ms(10), ms(9_000));
        assert!(line.is_after_another(1, Batch, ms(4_999)));
        assert!(!line.is_after_another(1, Batch, ms(5_000)));
        assert!(line.is_after_another(2, Interactive, ms(5_000)));
    }

    #[test]
    fn nobody_waits_for_one_that_has_gone() {
        let mut line = Line::default();
        line.wait(1, Interactive, ms(0), ms(100));
        assert!(line.is_after_another(2, Interactive, ms(350)));
        assert!(!line.is_after_another(2, Interactive, ms(351)));
    }
}
