//! How figures are written for people: one rule for each kind, used by every face.
//!
//! Functions take raw values and round once. A value that is missing is [`MISSING`], never zero.
//! Percent signs stand behind a thin space (U+2009).

use std::fmt;

use crate::{Ledger, LedgerState, Micros, UsdMicros};

/// Stands for a figure that there is not.
pub const MISSING: &str = "–";

const THIN_SPACE: char = '\u{2009}';

/// What stands behind a number of percent.
pub(crate) const PERCENT: &str = "\u{2009}%";

/// A figure in two parts, because the unit is drawn smaller. In one piece through `Display`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The number; of a figure in two units all but the last unit, as in "4 m 52".
    pub value: String,
    /// The last unit; empty when there is none.
    pub unit: &'static str,
}

impl Figure {
    fn new(value: impl Into<String>, unit: &'static str) -> Self {
        Self { value: value.into(), unit }
    }

    /// An en dash without a unit.
    #[must_use]
    pub fn missing() -> Self {
        Self::new(MISSING, "")
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unit {
            "" => f.write_str(&self.value),
            "%" => write!(f, "{}{THIN_SPACE}%", self.value),
            unit => write!(f, "{} {unit}", self.value),
        }
    }
}

/// The figure as text, or an en dash.
#[must_use]
pub fn or_missing<T>(value: Option<T>, format: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| MISSING.to_owned(), format)
}

/// A number that is not below zero with that many decimals, halves rounded up. Whole numbers do it:
/// what the core library prints fractions with is a hundredth of the page's WebAssembly.
#[must_use]
pub fn fixed(x: f64, decimals: u32) -> String {
    let unit = 10u64.pow(decimals.min(6));
    let n = (x * unit as f64).round() as u64;
    match decimals {
        0 => n.to_string(),
        _ => format!("{}.{:0width$}", n / unit, n % unit, width = decimals as usize),
    }
}

/// `n` units of `quantum` µs, rounded to the nearest.
const fn quanta(us: u64, quantum: u64) -> u64 {
    us / quantum + if us % quantum >= quantum.div_ceil(2) { 1 } else { 0 }
}

/// Seconds with that many decimals (at most 6), or `None` when that rounds to `limit` seconds or
/// more.
fn decimal(us: u64, decimals: u32, limit: u64) -> Option<String> {
    let per_second = 10u64.pow(decimals.min(6));
    let n = quanta(us, 1_000_000 / per_second);
    (n < limit * per_second).then(|| {
        let (whole, part) = (n / per_second, n % per_second);
        match decimals {
            0 => whole.to_string(),
            _ => format!("{whole}.{part:0width$}", width = decimals as usize),
        }
    })
}

fn time(us: u64, under_ten: u32, under_sixty: u32) -> Figure {
    match decimal(us, under_ten, 10).or_else(|| decimal(us, under_sixty, 60)) {
        Some(text) => Figure::new(text, "s"),
        None => two_units(us),
    }
}

/// Minutes and seconds, or hours and minutes.
fn two_units(us: u64) -> Figure {
    let seconds = quanta(us, 1_000_000);
    if seconds < 3_600 {
        return Figure::new(format!("{} m {:02}", seconds / 60, seconds % 60), "s");
    }
    let minutes = quanta(us, 60_000_000);
    Figure::new(format!("{} h {:02}", minutes / 60, minutes % 60), "m")
}

/// A time: "2.46 s", "12.0 s", "4 m 52 s", "1 h 04 m".
#[must_use]
pub fn seconds_figure(t: Micros) -> Figure {
    time(t.0, 2, 1)
}

/// [`seconds_figure`] in one piece.
#[must_use]
pub fn seconds(t: Micros) -> String {
    seconds_figure(t).to_string()
}

/// A time in a headline: one decimal, "2.5 s".
#[must_use]
pub fn seconds_headline(t: Micros) -> String {
    time(t.0, 1, 1).to_string()
}

/// A time in a table: two decimals up to a minute, "12.00 s".
#[must_use]
pub fn seconds_table(t: Micros) -> String {
    time(t.0, 2, 2).to_string()
}

/// An estimated time, two digits: "≈ 2.6 s", "≈ 12 s", "≈ 4 m 50 s", "≈ 17 m".
#[must_use]
pub fn seconds_estimate(t: Micros) -> String {
    approx(&estimate_figure(t).to_string())
}

/// [`seconds_estimate`] in two parts and without the sign.
#[must_use]
pub fn estimate_figure(t: Micros) -> Figure {
    let us = t.0;
    let short = decimal(us, 2, 1).or_else(|| decimal(us, 1, 10)).or_else(|| decimal(us, 0, 60));
    if let Some(text) = short {
        return Figure::new(text, "s");
    }
    let tens = quanta(us, 10_000_000);
    if tens < 60 {
        return Figure::new(format!("{} m {:02}", tens / 6, tens % 6 * 10), "s");
    }
    let minutes = quanta(us, 60_000_000);
    if minutes < 60 {
        return Figure::new(minutes.to_string(), "m");
    }
    let tens = quanta(us, 600_000_000);
    if tens < 60 {
        return Figure::new(format!("{} h {:02}", tens / 6, tens % 6 * 10), "m");
    }
    Figure::new(quanta(us, 3_600_000_000).to_string(), "h")
}

/// Marks a figure as an estimate.
#[must_use]
pub fn approx(figure: &str) -> String {
    format!("≈ {figure}")
}

/// A speedup: "4.8×".
#[must_use]
pub fn speedup(factor: f64) -> String {
    if factor.is_finite() { fixed(factor, 1) + "×" } else { MISSING.to_owned() }
}

/// A share, 1.0 being the whole: "79 %".
#[must_use]
pub fn percent_figure(share: f64) -> Figure {
    if !share.is_finite() {
        return Figure::missing();
    }
    let whole = (share * 100.0).round();
    // The minus sign is a real one.
    let text = (whole.abs() as u64).to_string();
    Figure::new(if whole < 0.0 { format!("−{text}") } else { text }, "%")
}

/// [`percent_figure`] in one piece.
#[must_use]
pub fn percent(share: f64) -> String {
    percent_figure(share).to_string()
}

/// A cost: "$0.0012", "$8.31", "$1,204".
#[must_use]
pub fn cost(c: UsdMicros) -> String {
    money(c.0, 4)
}

/// A cost in a table: five decimals below a cent, "$0.00021".
#[must_use]
pub fn cost_table(c: UsdMicros) -> String {
    money(c.0, 5)
}

fn money(usd_micros: u64, under_a_cent: u32) -> String {
    let per_dollar = 10u64.pow(under_a_cent.min(6));
    let fine = quanta(usd_micros, 1_000_000 / per_dollar);
    if fine < per_dollar / 100 {
        return format!("$0.{fine:0width$}", width = under_a_cent as usize);
    }
    let cents = quanta(usd_micros, 10_000);
    if cents < 10_000 {
        return format!("${}.{:02}", cents / 100, cents % 100);
    }
    format!("${}", count(quanta(usd_micros, 1_000_000)))
}

/// A number with groups of three: "10,000".
#[must_use]
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in a meter: in thousands from 100,000 on, "870k".
#[must_use]
pub fn count_meter(n: u64) -> String {
    if n < 100_000 { count(n) } else { format!("{}k", count(quanta(n, 1_000))) }
}

/// A number with its noun, "1 call" or "6 calls". The noun takes a plain s.
#[must_use]
pub fn plural(n: u64, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {noun}{s}", count(n))
}

/// A size: "812 B", "1.4 KB", "20 MB", in steps of 1,000.
#[must_use]
pub fn bytes(n: u64) -> String {
    if n < 1_000 {
        return format!("{n} B");
    }
    let mut unit = 1_000;
    for name in ["KB", "MB", "GB"] {
        let tenths = quanta(n, unit / 10);
        if tenths < 100 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        let whole = quanta(n, unit);
        if whole < 1_000 || name == "GB" {
            return format!("{} {name}", count(whole));
        }
        unit *= 1_000;
    }
    MISSING.to_owned()
}

/// The step in which the figures of a ledger with that total are shown, µs: one for all of them, so
/// that they add up.
const fn ledger_step(total: Micros) -> u64 {
    match total.0 {
        0..59_995_000 => 10_000,
        59_995_000..3_599_500_000 => 1_000_000,
        _ => 60_000_000,
    }
}

fn ledger_text(steps: u64, step: u64) -> String {
    match step {
        10_000 => format!("{}.{:02} s", steps / 100, steps % 100),
        1_000_000 if steps < 60 => format!("{steps} s"),
        1_000_000 => format!("{} m {:02} s", steps / 60, steps % 60),
        _ if steps < 60 => format!("{steps} m"),
        _ => format!("{} h {:02} m", count(steps / 60), steps % 60),
    }
}

/// The total of a ledger in the form that fits [`ledger_display`].
#[must_use]
pub fn ledger_total(ledger: &Ledger) -> String {
    let step = ledger_step(ledger.total());
    ledger_text(quanta(ledger.total().0, step), step)
}

/// Every state of a ledger with its lane time and its share, in the order people see them. What
/// rounding leaves over goes to the largest state, so the figures shown add up to the total shown
/// and the shares to 100 %. A state without time is "0".
#[must_use]
pub fn ledger_display(ledger: &Ledger) -> Vec<(LedgerState, String, String)> {
    let total = ledger.total().0;
    let step = ledger_step(Micros(total));
    let raw = LedgerState::ALL.map(|state| ledger.get(state).0);
    let times = balance(raw, raw.map(|us| quanta(us, step)), quanta(total, step));
    let share = |us: u64| {
        let scaled = (u128::from(us) * 200 + u128::from(total)) / (u128::from(total).max(1) * 2);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    };
    let shares = balance(raw, raw.map(share), if total == 0 { 0 } else { 100 });
    let rows = raw.into_iter().zip(times).zip(shares);
    LedgerState::ALL
        .into_iter()
        .zip(rows)
        .map(|(state, ((us, steps), percent))| {
            let time = if us == 0 { "0".to_owned() } else { ledger_text(steps, step) };
            (state, time, Figure::new(percent.to_string(), "%").to_string())
        })
        .collect()
}

/// Changes the rounded values so that they sum to `total`: the difference goes to the largest raw
/// value, and what that cannot give up, to the next.
fn balance<const N: usize>(raw: [u64; N], mut rounded: [u64; N], total: u64) -> [u64; N] {
    let sum = rounded.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..N).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(raw[i]));
    if let Some(&largest) = order.first() {
        rounded[largest] += total.saturating_sub(sum);
    }
    let mut excess = sum.saturating_sub(total);
    for i in order {
        let given = excess.min(rounded[i]);
        rounded[i] -= given;
        excess -= given;
    }
    rounded
}

#[cfg(test)]
mod tests;
