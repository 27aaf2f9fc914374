//! The time axis that both panels of a timeline share: where it ends, its ticks, and shares of it.
//! Linear, from zero.

use lanes_model::{Micros, format};

/// A linear axis from zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    /// Where it ends, µs; never zero.
    pub end: Micros,
    /// The distance of its ticks, µs.
    pub step: Micros,
}

impl Axis {
    /// The axis that ends there. Its ticks are the closest that are at most ten, at 1, 2 or 5 × 10ⁿ.
    #[must_use]
    pub fn new(end: Micros) -> Self {
        let end = Micros(end.0.clamp(1, u64::MAX / 1_000));
        let mut decade = 1;
        let step = loop {
            if let Some(step) = [1, 2, 5].map(|f| f * decade).into_iter().find(|s| end.0 / s < 10) {
                break step;
            }
            decade *= 10;
        };
        Self { end, step: Micros(step) }
    }

    /// The ticks, from zero.
    pub fn ticks(&self) -> impl Iterator<Item = Micros> + use<> {
        let step = self.step.0;
        (0..=self.end.0 / step).map(move |i| Micros(i * step))
    }

    /// Where a time stands, in percent of the axis.
    #[must_use]
    pub fn percent(&self, at: Micros) -> f64 {
        at.0 as f64 / self.end.0 as f64 * 100.0
    }

    /// What a tick says: as few decimals as the step needs below a minute, then two units.
    #[must_use]
    pub fn label(&self, at: Micros) -> String {
        if at.0 >= 60_000_000 {
            return format::seconds(at);
        }
        let decimals = match self.step.0 {
            1_000_000.. => 0,
            100_000.. => 1,
            10_000.. => 2,
            _ => 3,
        };
        format::fixed(at.as_secs_f64(), decimals) + " s"
    }
}

/// The end of an axis for a time that is to fit: 5 % later.
#[must_use]
pub fn room(needed: Micros) -> Micros {
    Micros(needed.0.saturating_add(needed.0 / 20).max(1_000))
}

/// The end of an axis while its run goes on: as it was while what is needed fits, else grown in steps
/// of 25 %, so that it does not creep with each frame.
#[must_use]
pub fn live_end(before: Option<Micros>, needed: Micros) -> Micros {
    let Some(mut end) = before.filter(|b| b.0 > 0) else { return room(needed) };
    while end < needed {
        end = Micros(end.0.saturating_add((end.0 / 4).max(1)));
    }
    end
}

/// Shares in percent for parts that stand side by side in a space of `px` pixels: in proportion, but
/// none narrower than `min` pixels; what that takes comes from the longest.
#[must_use]
pub fn shares(parts: &[u64], px: f64, min: f64) -> Vec<f64> {
    let total = parts.iter().sum::<u64>() as f64;
    if total <= 0.0 {
        return vec![0.0; parts.len()];
    }
    let floor = (min / px.max(1.0) * 100.0).min(100.0 / parts.len() as f64);
    let mut out: Vec<f64> = parts.iter().map(|&p| (p as f64 / total * 100.0).max(floor)).collect();
    let excess = out.iter().sum::<f64>() - 100.0;
    if let Some(longest) = out.iter_mut().max_by(|a, b| a.total_cmp(b)) {
        *longest = (*longest - excess).max(floor);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_at_round_times() {
        let axis = Axis::new(Micros(12_600_000));
        let labels: Vec<_> = axis.ticks().map(|t| axis.label(t)).collect();
        assert_eq!(labels, ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s"]);
        assert_eq!(Axis::new(Micros(700_000)).label(Micros(500_000)), "0.5 s");
    }

    #[test]
    fn a_live_axis_grows_in_steps() {
        let first = live_end(None, Micros(1_000_000));
        assert_eq!(first, Micros(1_050_000));
        assert_eq!(live_end(Some(first), Micros(1_040_000)), first);
        assert_eq!(live_end(Some(first), Micros(1_060_000)), Micros(1_312_500));
    }

    #[test]
    fn a_part_too_narrow_to_see_takes_from_the_longest() {
        assert_eq!(shares(&[1, 999], 100.0, 2.0), [2.0, 98.0]);
        assert_eq!(shares(&[], 100.0, 2.0), Vec::<f64>::new());
    }

    #[test]
    fn an_axis_has_five_to_ten_ticks_within_it() {
        for end in (1..60).map(|i| Micros(1_000 * 13u64.pow(i % 7) / 10 * u64::from(i))) {
            let axis = Axis::new(end);
            let ticks: Vec<_> = axis.ticks().collect();
            assert!((5..=10).contains(&ticks.len()), "{end:?}: {}", ticks.len());
            assert!(ticks.iter().all(|&t| t <= axis.end));
        }
    }

    #[test]
    fn shares_fill_the_space() {
        for parts in [vec![1, 1], vec![1, 1, 1_000_000], vec![7; 12], vec![5, 1, 900, 2]] {
            let sum: f64 = shares(&parts, 1_000.0, 2.0).iter().sum();
            assert!((sum - 100.0).abs() < 1e-6, "{parts:?}: {sum}");
        }
    }
}
