//! Adaptive concurrency: how many lanes to use where nobody says what the provider can take.
//!
//! Additive increase, multiplicative decrease (AIMD; D.-M. Chiu, R. Jain, "Analysis of the increase and
//! decrease algorithms for congestion avoidance in computer networks", 1989). The limit doubles until
//! the first cut and grows by one from then on, and only after a round, as many answers as lanes, in
//! which every lane was busy. A refusal cuts it once for each burst; where it was cut is remembered as
//! a ceiling, below which it stays until the memory is old, and is then tried again.
//!
//! Providers that queue instead of refusing are seen by the time to first token: it says nothing of the
//! length of an answer. It is divided by the prompt's length, and a round in which its mean is surely
//! higher than in the best round is a cut. Pure: time is handed in.

use lanes_model::{LimitReason, Micros};

/// Where it begins, if there are more lanes.
const START: u32 = 8;
/// What a refusal leaves of it.
const AFTER_REFUSAL: f64 = 0.7;
/// What slower first tokens leave of it.
const AFTER_SLOWER: f64 = 0.8;
/// How long a ceiling is remembered.
const CEILING_AGE: Micros = Micros::from_secs(30);
/// How long the best round is remembered.
const BEST_AGE: Micros = Micros::from_secs(120);
/// First tokens count as slower when their mean is surely so many times the best.
const SLOWER: f64 = 1.5;
/// The one-sided 95 % quantile of the normal distribution.
const SURELY: f64 = 1.645;
/// The tokens that every request costs besides those of its prompt.
const EMPTY_PROMPT: f64 = 200.0;

/// Mean and spread of a round's times to first token (Welford's algorithm).
#[derive(Debug, Clone, Copy, Default)]
struct Round {
    n: f64,
    mean: f64,
    squares: f64,
    at: Micros,
}

impl Round {
    fn add(&mut self, x: f64) {
        self.n += 1.0;
        let off = x - self.mean;
        self.mean += off / self.n;
        self.squares += off * (x - self.mean);
    }

    /// The variance of the mean.
    fn uncertainty(&self) -> f64 {
        if self.n < 2.0 { 0.0 } else { self.squares / (self.n - 1.0) / self.n }
    }

    /// Whether this one is surely slower than `best`.
    fn is_slower_than(&self, best: &Round) -> bool {
        let more = self.mean - SLOWER * best.mean;
        let uncertainty = self.uncertainty() + SLOWER * SLOWER * best.uncertainty();
        self.n >= 4.0 && best.n >= 4.0 && more > SURELY * uncertainty.sqrt()
    }
}

/// The limit of one pass.
#[derive(Debug)]
pub(crate) struct Adaptive {
    limit: u32,
    most: u32,
    doubling: bool,
    ceiling: Option<(u32, Micros)>,
    /// Answers to come in this round.
    left: u32,
    saturated: bool,
    /// What began before says nothing of the limit as it is now.
    since: Micros,
    round: Round,
    best: Option<Round>,
}

/// A new limit, and why.
pub(crate) type Change = Option<(u32, LimitReason)>;

impl Adaptive {
    /// A limit of at most `most` lanes that goes on from `from`, or begins.
    pub(crate) fn new(most: u32, from: Option<u32>) -> Self {
        let limit = from.unwrap_or(START).clamp(1, most.max(1));
        Self {
            limit,
            most: most.max(1),
            doubling: from.is_none(),
            ceiling: None,
            left: limit,
            saturated: true,
            since: Micros::ZERO,
            round: Round::default(),
            best: None,
        }
    }

    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// An answer came to an attempt that began at `sent`, its first text after `ttft`; `busy` says
    /// whether every lane was in use and calls were waiting.
    pub(crate) fn answered(
        &mut self,
        now: Micros,
        sent: Micros,
        ttft: Micros,
        prompt_tokens: u64,
        busy: bool,
    ) -> Change {
        if sent < self.since {
            return None;
        }
        self.round.add(ttft.0 as f64 / (prompt_tokens as f64 + EMPTY_PROMPT));
        self.saturated &= busy;
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            return None;
        }
        let round = Round { at: now, ..self.round };
        self.best = self.best.filter(|best| now.since(best.at) < BEST_AGE);
        if self.best.is_some_and(|best| round.is_slower_than(&best)) {
            return self.cut(now, AFTER_SLOWER, LimitReason::Slower);
        }
        if self.best.is_none_or(|best| round.n >= best.n.min(4.0) && round.mean < best.mean) {
            self.best = Some(round);
        }
        let saturated = self.saturated;
        self.begin_round();
        if saturated { self.grow(now) } else { None }
    }

    /// The provider refused an attempt that began at `sent`.
    pub(crate) fn refused(&mut self, now: Micros, sent: Micros) -> Change {
        if sent < self.since {
            return None;
        }
        self.cut(now, AFTER_REFUSAL, LimitReason::RateLimited)
    }

    /// The user wants at most so many.
    pub(crate) fn set_most(&mut self, now: Micros, most: u32) {
        self.most = most.max(1);
        self.limit = self.most;
        self.since = now;
        self.begin_round();
    }

    fn cut(&mut self, now: Micros, share: f64, why: LimitReason) -> Change {
        self.doubling = false;
        self.ceiling = Some((self.limit, now));
        let cut = ((f64::from(self.limit) * share) as u32).clamp(1, self.limit);
        self.change(now, cut, why)
    }

    fn grow(&mut self, now: Micros) -> Change {
        let wanted = if self.doubling { self.limit * 2 } else { self.limit + 1 }.min(self.most);
        let (next, why) = match self.ceiling {
            Some((ceiling, at)) if wanted >= ceiling && now.since(at) < CEILING_AGE => {
                ((ceiling - 1).max(self.limit), LimitReason::Grew)
            }
            Some((ceiling, _)) if wanted >= ceiling => {
                self.ceiling = None;
                (wanted, LimitReason::Probe)
            }
            _ => (wanted, LimitReason::Grew),
        };
        self.change(now, next, why)
    }

    fn change(&mut self, now: Micros, limit: u32, why: LimitReason) -> Change {
        let changed = limit != self.limit;
        self.limit = limit;
        self.since = if changed { now } else { self.since };
        if why == LimitReason::RateLimited {
            // One burst, one cut, even where there is nothing left to cut.
            self.since = now;
        }
        self.begin_round();
        changed.then_some((limit, why))
    }

    fn begin_round(&mut self) {
        self.left = self.limit;
        self.saturated = true;
        self.round = Round::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LimitReason::{Grew, Probe, RateLimited, Slower};

    const fn s(n: u64) -> Micros {
        Micros::from_secs(n)
    }

    /// A round of answers that began and came at a time.
    fn round(a: &mut Adaptive, at: Micros, ttft: u64, busy: bool) -> Change {
        (0..a.limit()).map(|_| a.answered(at, at, Micros(ttft), 100, busy)).find(Option::is_some)?
    }

    #[test]
    fn it_doubles_after_saturated_rounds_until_the_first_cut_and_then_grows_by_one() {
        let mut a = Adaptive::new(100, None);
        assert_eq!(a.limit(), 8);
        assert_eq!(round(&mut a, s(1), 100, false), None);
        assert_eq!(round(&mut a, s(1), 100, true), Some((16, Grew)));
        assert_eq!(round(&mut a, s(2), 100, true), Some((32, Grew)));
        assert_eq!(a.refused(s(3), s(2)), Some((22, RateLimited)));
        assert_eq!(round(&mut a, s(4), 100, true), Some((23, Grew)));
    }

    #[test]
    fn a_burst_of_refusals_cuts_once() {
        let mut a = Adaptive::new(100, Some(10));
        assert_eq!(a.refused(s(1), s(0)), Some((7, RateLimited)));
        assert_eq!(a.refused(s(1), s(0)), None);
        assert_eq!(a.refused(s(2), s(1)), Some((4, RateLimited)));
        for i in 3..9 {
            a.refused(s(i), s(i - 1));
        }
        assert_eq!(a.limit(), 1);
    }

    #[test]
    fn the_ceiling_is_not_reached_again_before_it_is_old() {
        let mut a = Adaptive::new(100, Some(10));
        a.refused(s(0), s(0));
        let mut seen = Vec::new();
        for i in 1..=5 {
            seen.extend(round(&mut a, s(i), 100, true));
        }
        assert_eq!(seen, [(8, Grew), (9, Grew)]);
        assert_eq!(round(&mut a, s(31), 100, true), Some((10, Probe)));
        assert_eq!(round(&mut a, s(32), 100, true), Some((11, Grew)));
    }

    #[test]
    fn first_tokens_that_surely_come_later_are_a_cut() {
        let mut a = Adaptive::new(100, None);
        assert_eq!(round(&mut a, s(1), 1_000, true), Some((16, Grew)));
        assert_eq!(round(&mut a, s(2), 1_200, true), Some((32, Grew)));
        assert_eq!(round(&mut a, s(3), 2_400, true), Some((25, Slower)));
    }

    #[test]
    fn longer_prompts_and_a_single_slow_answer_are_none() {
        let mut a = Adaptive::new(100, Some(8));
        assert_eq!(round(&mut a, s(1), 1_000, true), Some((9, Grew)));
        for i in 0..9 {
            // Ten times the prompt, and nearly ten times the time.
            assert!(
                a.answered(s(2), s(2), Micros(6_000), 1_800, true).is_none_or(|c| c.1 == Grew),
                "{i}"
            );
        }
        assert_eq!(a.limit(), 10);
        for i in 0..10 {
            let ttft = if i == 0 { 9_000 } else { 1_000 };
            assert!(a.answered(s(3), s(3), Micros(ttft), 100, true).is_none_or(|c| c.1 == Grew));
        }
        assert_eq!(a.limit(), 11);
    }

    #[test]
    fn it_never_leaves_its_bounds() {
        let mut rng = fastrand::Rng::with_seed(1);
        let mut a = Adaptive::new(20, None);
        for i in 0..20_000 {
            let at = Micros::from_millis(i * 10);
            let change = match rng.u8(..40) {
                0 => a.refused(at, at),
                _ => a.answered(at, at, Micros(rng.u64(1_000..2_000)), 100, rng.u8(..10) > 0),
            };
            assert!(change.is_none_or(|c| c.0 == a.limit()));
            assert!((1..=20).contains(&a.limit()));
        }
    }
}
