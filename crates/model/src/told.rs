//! What a provider says of its limits, as far as it can be believed.

use crate::Micros;

/// One limit as a provider states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToldLimit {
    /// So much a minute; above zero.
    pub limit: u64,
    /// What is left of it now; at most the limit. `None` when it was not said or made no sense.
    pub remaining: Option<u64>,
    /// How long until nothing of it is used any more. `None` when it was not said or made no sense.
    pub reset: Option<Micros>,
}

impl ToldLimit {
    /// From the two headers as they came. `None` when the limit is not a number above zero, or is
    /// absurd; a remainder that is no number, or is more than the limit, is left out. When it resets
    /// stands in a third one.
    #[must_use]
    pub fn read(limit: Option<&str>, remaining: Option<&str>) -> Option<Self> {
        const ABSURD: u64 = 1_000_000_000_000;
        let number = |text: Option<&str>| text.and_then(|t| t.trim().parse::<u64>().ok());
        let limit = number(limit).filter(|l| (1..=ABSURD).contains(l))?;
        let remaining = number(remaining).filter(|&r| r <= limit);
        Some(Self { limit, remaining, reset: None })
    }
}

/// Both limits as a provider states them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Requests a minute.
    pub requests: Option<ToldLimit>,
    /// Tokens a minute.
    pub tokens: Option<ToldLimit>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sense_is_taken_and_nonsense_left() {
        let read = |limit, remaining| ToldLimit::read(Some(limit), remaining);
        let told = |limit, remaining| Some(ToldLimit { limit, remaining, reset: None });
        assert_eq!(read("500", Some(" 499 ")), told(500, Some(499)));
        assert_eq!(read("500", Some("501")), told(500, None));
        assert_eq!(read("500", Some("-1")), told(500, None));
        assert_eq!(read("500", None), told(500, None));
        for lie in ["0", "-5", "many", "", "1e3", "99999999999999999999", "2000000000000"] {
            assert_eq!(read(lie, Some("1")), None, "{lie}");
        }
        assert_eq!(ToldLimit::read(None, Some("1")), None);
    }
}
