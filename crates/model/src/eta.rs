//! When a run that goes on will be over, from what its calls have taken so far: an estimate with the
//! interval in which the end lies in nine of ten cases.
//!
//! The work that is left, in lane-seconds, divided by the lanes that are really busy. Rule: what is not
//! known makes the interval wider, never the estimate surer.

use serde::Serialize;

use crate::Micros;

/// 90 % of a normal distribution lie within so many standard deviations.
const Z: f64 = 1.645;
/// Before so many attempts have ended there is nothing to go by.
const LEAST: u64 = 5;

/// What one stage has taken so far and has left.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StageWork {
    /// Calls that have not ended.
    pub left: u32,
    /// Calls that have.
    pub ended: u32,
    /// Attempts that have ended.
    pub attempts: u64,
    /// Their time, µs.
    pub busy: f64,
    /// The sum of the squares of their times.
    pub squares: f64,
}

/// How much longer it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Eta {
    /// The estimate.
    pub left_us: Micros,
    /// The near end of the 90 % interval.
    pub low_us: Micros,
    /// The far end.
    pub high_us: Micros,
}

/// How much longer a run takes whose stages stand so. `begun` is the time that attempts under way have
/// taken already, `busy` how many lanes were busy lately, in equal spans of length `span`. None while
/// there is too little to go by.
#[must_use]
pub fn eta(stages: &[StageWork], begun: Micros, busy: &[f64], span: Micros) -> Option<Eta> {
    let attempts: u64 = stages.iter().map(|s| s.attempts).sum();
    let ended: f64 = stages.iter().map(|s| f64::from(s.ended)).sum();
    let lanes = busy.iter().sum::<f64>() / busy.len().max(1) as f64;
    if attempts < LEAST || ended < 1.0 || lanes <= 0.0 || span.is_zero() {
        return None;
    }
    let mean_of_all = stages.iter().map(|s| s.busy).sum::<f64>() / ended;
    let (mut work, mut variance) = (0.0, 0.0);
    for stage in stages.iter().filter(|s| s.left > 0) {
        let (left, n) = (f64::from(stage.left), f64::from(stage.ended));
        let (mean, spread) = match stage.ended {
            // Nothing of it has ended: it may be like the others, or very different.
            0 => (mean_of_all, mean_of_all * mean_of_all),
            _ => {
                let mean = stage.busy / n;
                (mean, (stage.squares / n - mean * mean).max(0.0))
            }
        };
        work += left * mean;
        // Each call differs, and the mean itself is known only so well.
        variance += left * spread + left * left * spread / n.max(1.0);
    }
    let work = (work - begun.0 as f64).max(0.0);
    let left = work / lanes;
    let k = busy.len() as f64;
    let swing = busy.iter().map(|b| (b - lanes).powi(2)).sum::<f64>() / (k - 1.0).max(1.0);
    let coming = (left / span.0 as f64).max(1.0);
    let relative =
        variance / work.max(1.0).powi(2) + swing / lanes.powi(2) * (1.0 / k + 1.0 / coming);
    let half = Z * relative.sqrt() * left;
    let micros = |x: f64| Micros(x.max(0.0) as u64);
    Some(Eta { left_us: micros(left), low_us: micros(left - half), high_us: micros(left + half) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many ended and left, each of `mean` µs give or take `sd`.
    fn stage(ended: u32, left: u32, mean: f64, sd: f64) -> StageWork {
        let n = f64::from(ended);
        StageWork {
            left,
            ended,
            attempts: u64::from(ended),
            busy: n * mean,
            squares: n * (mean * mean + sd * sd),
        }
    }

    const SPAN: Micros = Micros::from_secs(1);

    #[test]
    fn the_work_that_is_left_is_shared_by_the_lanes_that_are_busy() {
        let eta = eta(&[stage(500, 1_000, 2e6, 0.0)], Micros::ZERO, &[10.0; 20], SPAN).unwrap();
        assert_eq!(eta.left_us, Micros::from_secs(200));
        assert_eq!((eta.low_us, eta.high_us), (eta.left_us, eta.left_us));
    }

    #[test]
    fn stages_count_with_their_own_times() {
        let stages = [stage(100, 10, 1e6, 0.0), stage(50, 60, 3e6, 0.0)];
        let begun = Micros::from_secs(10);
        let eta = eta(&stages, begun, &[4.0; 8], SPAN).unwrap();
        assert_eq!(eta.left_us, Micros::from_secs(45));
    }

    #[test]
    fn what_varies_or_is_not_known_makes_the_interval_wider() {
        let width = |stages: &[StageWork], busy: &[f64]| {
            let eta = eta(stages, Micros::ZERO, busy, SPAN).unwrap();
            assert!(eta.low_us <= eta.left_us && eta.left_us <= eta.high_us);
            eta.high_us.since(eta.low_us)
        };
        let steady = width(&[stage(500, 1_000, 2e6, 1e5)], &[10.0; 20]);
        assert!(width(&[stage(500, 1_000, 2e6, 1e6)], &[10.0; 20]) > steady);
        assert!(width(&[stage(10, 1_000, 2e6, 1e5)], &[10.0; 20]) > steady);
        let unsteady: Vec<_> = (0..20).map(|i| if i % 2 == 0 { 5.0 } else { 15.0 }).collect();
        assert!(width(&[stage(500, 1_000, 2e6, 1e5)], &unsteady) > steady);
        let unseen = [stage(500, 0, 2e6, 1e5), stage(0, 1_000, 0.0, 0.0)];
        assert!(width(&unseen, &[10.0; 20]) > steady);
    }

    #[test]
    fn nine_of_ten_runs_end_within_the_interval() {
        let mut rng = 7_u64;
        let mut random = || {
            rng =
                rng.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (rng >> 33) as f64 / (1_u64 << 31) as f64
        };
        let mut within = 0;
        for _ in 0..400 {
            // Exponential times on one lane: the hardest case for so few calls.
            let mut time = || -(1.0 - random()).ln() * 1e6;
            let seen: Vec<f64> = (0..60).map(|_| time()).collect();
            let truth: f64 = (0..60).map(|_| time()).sum();
            let stage = StageWork {
                left: 60,
                ended: 60,
                attempts: 60,
                busy: seen.iter().sum(),
                squares: seen.iter().map(|t| t * t).sum(),
            };
            let eta = eta(&[stage], Micros::ZERO, &[1.0; 10], SPAN).unwrap();
            let truth = Micros(truth as u64);
            within += u32::from(eta.low_us <= truth && truth <= eta.high_us);
        }
        assert!((340..=385).contains(&within), "{within} of 400");
    }

    #[test]
    fn at_the_beginning_nothing_is_said() {
        assert_eq!(eta(&[stage(4, 10, 1e6, 0.0)], Micros::ZERO, &[1.0], SPAN), None);
        assert_eq!(eta(&[stage(9, 10, 1e6, 0.0)], Micros::ZERO, &[], SPAN), None);
    }
}
