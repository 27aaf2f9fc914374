//! When a run started, in the words of a list: "Today 10:42", "Yesterday 17:26", "19 Nov 14:15".
//!
//! Pure, on RFC 3339 instants in UTC, so that server and browser write the same.

/// The day and the time of `instant`, seen from `now`. Text that is no instant stays as it is.
pub fn started(instant: &str, now: &str) -> String {
    let Some((date, time)) = parse(instant) else { return instant.to_owned() };
    let today = parse(now).map(|(date, _)| date);
    match today.map(|today| today.days() - date.days()) {
        Some(0) => format!("Today {time}"),
        Some(1) => format!("Yesterday {time}"),
        _ => {
            let month = MONTHS.get(date.month as usize - 1).copied().unwrap_or_default();
            let day = date.day;
            // Of another year the year says more than the time.
            match today.is_some_and(|today| today.year == date.year) {
                true => format!("{day} {month} {time}"),
                false => format!("{day} {month} {}", date.year),
            }
        }
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[derive(Clone, Copy)]
struct Date {
    year: i64,
    month: u32,
    day: u32,
}

impl Date {
    /// Days since a fixed day. Years begin in March here, so that the odd day is the last; then
    /// month `m` begins on day (153 m + 2) ÷ 5 of the year (the Gregorian calendar, for year 0 on).
    fn days(self) -> i64 {
        let (year, month) = match self.month {
            1 | 2 => (self.year - 1, i64::from(self.month) + 9),
            m => (self.year, i64::from(m) - 3),
        };
        365 * year + year.div_euclid(4) - year.div_euclid(100)
            + year.div_euclid(400)
            + (153 * month + 2) / 5
            + i64::from(self.day)
    }
}

/// The date, and the time as "10:42".
fn parse(instant: &str) -> Option<(Date, &str)> {
    let (date, time) = instant.split_once('T')?;
    let mut parts = date.split('-');
    let year = parts.next()?.parse().ok()?;
    let month = parts.next()?.parse().ok().filter(|m| (1..=12).contains(m))?;
    let day = parts.next()?.parse().ok().filter(|d| (1..=31).contains(d))?;
    Some((Date { year, month, day }, time.get(..5)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-21T10:50:07.123456Z";

    #[test]
    fn days_near_now_have_names() {
        assert_eq!(started("2026-11-21T10:42:59Z", NOW), "Today 10:42");
        assert_eq!(started("2026-11-21T00:00:00Z", NOW), "Today 00:00");
        assert_eq!(started("2026-11-20T23:59:59.9Z", NOW), "Yesterday 23:59");
        assert_eq!(started("2026-11-19T14:15:00Z", NOW), "19 Nov 14:15");
        assert_eq!(started("2025-11-21T14:15:00Z", NOW), "21 Nov 2025");
    }

    #[test]
    fn yesterday_reaches_over_months_years_and_leap_days() {
        for (day, next) in [
            ("2026-10-31", "2026-11-01"),
            ("2025-12-31", "2026-01-01"),
            ("2024-02-29", "2024-03-01"),
            ("2026-02-28", "2026-03-01"),
            ("1999-12-31", "2000-01-01"),
        ] {
            let text = started(&format!("{day}T08:00:00Z"), &format!("{next}T09:00:00Z"));
            assert_eq!(text, "Yesterday 08:00", "{day}");
        }
        assert_eq!(started("2024-02-28T08:00:00Z", "2024-03-01T09:00:00Z"), "28 Feb 08:00");
    }

    #[test]
    fn what_is_no_instant_stays_as_it_is() {
        for text in ["", "soon", "2026-13-01T10:00:00Z", "2026-11-21T1"] {
            assert_eq!(started(text, NOW), text);
        }
        assert_eq!(started("2026-11-21T10:42:00Z", ""), "21 Nov 2026");
    }
}
