//! How a run went over time, in a bounded number of points: when there are too many, two become one.

use serde::Serialize;

use crate::Micros;

/// The most points.
const MOST: u64 = 240;
/// How long a point is at first.
const SHORTEST: u64 = 100_000;

/// One span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Point {
    /// Calls answered.
    pub done: u32,
    /// Calls that ended without an answer of use.
    pub failed: u32,
    /// Attempts refused for now (429).
    pub refused: u32,
    /// The time that attempts were under way, summed over lanes, µs.
    pub busy_us: u64,
}

/// Points of one length, from the zero of the run's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    width: u64,
    points: Vec<Point>,
}

impl Default for History {
    fn default() -> Self {
        Self { width: SHORTEST, points: Vec::new() }
    }
}

impl History {
    /// How long each point is.
    #[must_use]
    pub fn width(&self) -> Micros {
        Micros(self.width)
    }

    /// The points in order; those after the last one hold nothing.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The point that holds a moment.
    pub(super) fn point(&mut self, at: Micros) -> &mut Point {
        while at.0 / self.width >= MOST {
            self.halve();
        }
        let place = (at.0 / self.width) as usize;
        if self.points.len() <= place {
            self.points.resize(place + 1, Point::default());
        }
        &mut self.points[place]
    }

    /// An attempt was under way in that time.
    pub(super) fn busy(&mut self, start: Micros, end: Micros) {
        self.point(end);
        let mut from = start.0;
        while from < end.0 {
            let to = ((from / self.width + 1) * self.width).min(end.0);
            self.point(Micros(from)).busy_us += to - from;
            from = to;
        }
    }

    fn halve(&mut self) {
        self.width *= 2;
        let join = |pair: &[Point]| {
            pair.iter().fold(Point::default(), |a, b| Point {
                done: a.done + b.done,
                failed: a.failed + b.failed,
                refused: a.refused + b.refused,
                busy_us: a.busy_us + b.busy_us,
            })
        };
        self.points = self.points.chunks(2).map(join).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_points_than_can_be_drawn_and_nothing_is_lost() {
        let mut history = History::default();
        for second in 0..4_000 {
            history.point(Micros::from_secs(second)).done += 1;
            history.busy(Micros::from_secs(second), Micros::from_secs(second + 3));
        }
        assert!(history.points().len() <= 240);
        assert_eq!(history.points().iter().map(|p| p.done).sum::<u32>(), 4_000);
        let busy: u64 = history.points().iter().map(|p| p.busy_us).sum();
        assert_eq!(busy, 12_000 * 1_000_000);
    }

    #[test]
    fn an_attempt_is_spread_over_the_points_it_touches() {
        let mut history = History::default();
        history.busy(Micros(50_000), Micros(230_000));
        let busy: Vec<_> = history.points().iter().map(|p| p.busy_us).collect();
        assert_eq!(busy, [50_000, 100_000, 30_000]);
    }
}
