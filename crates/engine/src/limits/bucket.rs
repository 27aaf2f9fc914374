//! So much a minute, evenly: what has been taken in the last minute never exceeds the limit, and it
//! is taken at the limit's own pace rather than all at once.
//!
//! Two rules together. The window remembers what was taken in the last 60 s, so that the limit holds
//! in every minute wherever it begins. The level is a bucket that holds one second's worth and fills
//! at the limit's pace, so that a minute does not begin with a burst. Pure: time is handed in.

use std::collections::VecDeque;

use lanes_model::Micros;

const MINUTE: Micros = Micros::from_secs(60);
/// What a provider says is remaining is a little behind: a difference of less than this share of the
/// limit is no news.
const TOLERANCE: f64 = 0.05;

/// Names something taken, so that it can be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reservation(u64);

#[derive(Debug)]
struct Taken {
    at: Micros,
    amount: u64,
}

/// One limit.
#[derive(Debug)]
pub(super) struct Bucket {
    limit: u64,
    /// The limit that was configured: nothing that is told raises it.
    configured: Option<u64>,
    /// What can be taken at once; below zero while something large is paid off.
    level: f64,
    filled_at: Micros,
    window: VecDeque<Taken>,
    /// The number of the first entry of the window.
    first: u64,
    /// The sum of the window.
    sum: u64,
    /// What others have used of the same limit, and until when it counts.
    others: Option<(u64, Micros)>,
}

impl Bucket {
    /// A limit a minute that was configured, of which nothing has been taken.
    pub(super) fn configured(limit: u64) -> Self {
        Self::new(limit, Some(limit))
    }

    /// A limit a minute that the provider has told, of which nothing has been taken.
    pub(super) fn told(limit: u64) -> Self {
        Self::new(limit, None)
    }

    fn new(limit: u64, configured: Option<u64>) -> Self {
        let limit = limit.max(1);
        let mut bucket = Self {
            limit,
            configured,
            level: 0.0,
            filled_at: Micros::ZERO,
            window: VecDeque::new(),
            first: 0,
            sum: 0,
            others: None,
        };
        bucket.level = bucket.most();
        bucket
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// The limit, when so much can never be taken. Only one that was configured refuses for good:
    /// after a refusal nothing is sent that could tell of a higher limit.
    pub(super) fn refuses(&self, amount: u64) -> Option<u64> {
        self.configured.filter(|limit| amount > *limit)
    }

    /// What is taken for so much: a minute's worth at the most.
    pub(super) fn share(&self, amount: u64) -> u64 {
        amount.min(self.limit)
    }

    /// The pace, per microsecond.
    fn pace(&self) -> f64 {
        self.limit as f64 / MINUTE.0 as f64
    }

    /// What the level can reach: a second's worth, and one at the least.
    fn most(&self) -> f64 {
        (self.pace() * 1e6).max(1.0)
    }

    fn refresh(&mut self, now: Micros) {
        let gone = now.since(self.filled_at).0 as f64;
        self.level = (self.level + gone * self.pace()).min(self.most());
        self.filled_at = self.filled_at.max(now);
        while let Some(taken) = self.window.front()
            && taken.at + MINUTE <= now
        {
            self.sum -= taken.amount;
            self.window.pop_front();
            self.first += 1;
        }
        self.others = self.others.filter(|(_, until)| *until > now);
    }

    /// What is left of this minute.
    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used())
    }

    /// What was taken here and by others.
    fn used(&self) -> u64 {
        self.sum + self.others.map_or(0, |(amount, _)| amount)
    }

    /// How long until `amount`, at most the limit, may be taken; zero when it may be now.
    pub(super) fn wait(&mut self, amount: u64, now: Micros) -> Micros {
        self.refresh(now);
        // What is more than the level can reach is taken when it is full, and paid off afterwards.
        let lacking = (amount as f64).min(self.most()) - self.level;
        // A thousandth of a microsecond is the rounding of the level, not a wait.
        let even = (lacking / self.pace() - 1e-3).ceil().max(0.0);
        let even = if lacking > 1e-9 { Micros(even as u64) } else { Micros::ZERO };
        even.max(self.window_wait(amount, now))
    }

    /// How long until the window has room.
    fn window_wait(&self, amount: u64, now: Micros) -> Micros {
        let mut over = (self.used() + amount).saturating_sub(self.limit);
        if over == 0 {
            return Micros::ZERO;
        }
        let mut others = self.others;
        for taken in &self.window {
            let end = taken.at + MINUTE;
            if let Some((amount, until)) = others.take_if(|(_, until)| *until <= end) {
                over = over.saturating_sub(amount);
                if over == 0 {
                    return until.since(now);
                }
            }
            over = over.saturating_sub(taken.amount);
            if over == 0 {
                return end.since(now);
            }
        }
        others.map_or(Micros::ZERO, |(_, until)| until.since(now))
    }

    /// Takes `amount`, which [`Self::wait`] has just allowed.
    pub(super) fn take(&mut self, amount: u64, now: Micros) -> Reservation {
        self.level -= amount as f64;
        self.sum += amount;
        self.window.push_back(Taken { at: now, amount });
        Reservation(self.first + self.window.len() as u64 - 1)
    }

    /// What was taken turned out to be so much. What is more than a minute old no longer counts, and
    /// no more than a minute's worth is ever owed, whatever a provider says was used.
    pub(super) fn settle(&mut self, reservation: Reservation, amount: u64) {
        let Some(index) = reservation.0.checked_sub(self.first) else { return };
        let place = usize::try_from(index).ok().and_then(|i| self.window.get_mut(i));
        let Some(taken) = place else { return };
        let amount = amount.min(self.limit.max(taken.amount));
        let before = std::mem::replace(&mut taken.amount, amount);
        self.sum = self.sum - before + amount;
        let level = self.level + before as f64 - amount as f64;
        self.level = level.min(self.most()).max(-(self.limit as f64));
    }

    /// The provider lets nothing in until then, when so much is left; more comes at the limit's pace.
    pub(super) fn spend(&mut self, left: f64, now: Micros, until: Micros) {
        self.refresh(now);
        self.level = self.level.min(left);
        self.filled_at = self.filled_at.max(until);
    }

    /// The provider says that the limit is this. What it said last counts, so that nothing it said
    /// once holds for ever.
    pub(super) fn correct(&mut self, limit: u64) {
        self.limit = limit.min(self.configured.unwrap_or(u64::MAX)).max(1);
        self.level = self.level.min(self.most()).max(-(self.limit as f64));
    }

    /// The provider says that so much remains. When that is clearly less than what is left here,
    /// somebody else uses the same limit: the difference counts as taken until the limit is `reset`,
    /// for a minute when that was not said.
    pub(super) fn remaining(&mut self, remaining: u64, now: Micros, reset: Option<Micros>) {
        self.refresh(now);
        let more = self.left().saturating_sub(remaining);
        if more as f64 > self.limit as f64 * TOLERANCE {
            let others = self.others.map_or(0, |(amount, _)| amount);
            self.others = Some((others + more, now + reset.unwrap_or(MINUTE).min(MINUTE)));
        }
    }
}
