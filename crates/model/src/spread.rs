//! The longest of several uncertain times. Its expected value lies above the longest expected time,
//! the more so the more of them there are: six calls of about 2 s each do not end together at 2 s.

/// A time with its variance, in seconds and seconds squared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Uncertain {
    /// Expected value, s.
    pub(crate) mean: f64,
    /// Variance, s².
    pub(crate) variance: f64,
}

/// The longest of these, taken as independent and normal. Two at a time, the result being taken as
/// normal again: C. E. Clark, "The greatest of a finite set of random variables", Operations
/// Research 9 (1961), equations 2 to 5.
pub(crate) fn longest(times: impl IntoIterator<Item = Uncertain>) -> Option<Uncertain> {
    times.into_iter().reduce(|x, y| {
        let a = (x.variance + y.variance).sqrt();
        if a <= f64::EPSILON {
            return if x.mean >= y.mean { x } else { y };
        }
        let alpha = (x.mean - y.mean) / a;
        let (below, above, density) = (cdf(-alpha), cdf(alpha), density(alpha));
        let mean = x.mean * above + y.mean * below + a * density;
        let square = (x.mean.powi(2) + x.variance) * above
            + (y.mean.powi(2) + y.variance) * below
            + (x.mean + y.mean) * a * density;
        Uncertain { mean, variance: (square - mean.powi(2)).max(0.0) }
    })
}

fn density(x: f64) -> f64 {
    (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The standard normal distribution, within 10⁻⁷: Abramowitz and Stegun, Handbook of Mathematical
/// Functions (1964), 26.2.17.
fn cdf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = density(x) * series;
    if x >= 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(mean: f64, deviation: f64) -> Uncertain {
        Uncertain { mean, variance: deviation * deviation }
    }

    #[test]
    fn equal_times_are_expected_to_end_late_together() {
        // Expected maxima of standard normals: H. L. Harter, Biometrika 48 (1961), table 1.
        for (n, above) in [(2, 0.564_19), (3, 0.846_28), (6, 1.267_21), (10, 1.538_75)] {
            let found = longest(std::iter::repeat_n(of(10.0, 1.0), n)).unwrap();
            assert!((found.mean - 10.0 - above).abs() < 0.03, "{n}: {}", found.mean);
        }
    }

    #[test]
    fn what_is_certain_stays_as_it_is() {
        assert_eq!(longest([of(2.0, 0.0), of(3.0, 0.0), of(1.0, 0.0)]), Some(of(3.0, 0.0)));
        assert_eq!(longest([]), None);
        let far = longest([of(2.0, 0.1), of(9.0, 0.1)]).unwrap();
        assert!((far.mean - 9.0).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn the_longest_is_expected_no_sooner_than_any(
            times in prop::collection::vec((0.0..100.0, 0.0..20.0), 1..12)
        ) {
            let found = longest(times.iter().map(|&(m, d)| of(m, d))).unwrap();
            let most = times.iter().map(|t| t.0).fold(0.0, f64::max);
            prop_assert!(found.mean >= most - 1e-4, "{} < {most}", found.mean);
            prop_assert!(found.mean <= most + 20.0 * (times.len() as f64).sqrt() + 1e-4);
        }
    }
}
