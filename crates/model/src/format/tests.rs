//! Every example of the rules for figures, and what holds for all values.

use proptest::prelude::*;

use super::*;

fn s(seconds: f64) -> Micros {
    Micros((seconds * 1e6).round() as u64)
}

#[test]
fn a_time_has_two_decimals_then_one_then_two_units() {
    let cases = [
        (0.0, "0.00 s"),
        (2.46, "2.46 s"),
        (9.994, "9.99 s"),
        (9.999, "10.0 s"),
        (12.0, "12.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 m 00 s"),
        (60.4, "1 m 00 s"),
        (292.0, "4 m 52 s"),
        (3_599.4, "59 m 59 s"),
        (3_599.6, "1 h 00 m"),
        (3_840.0, "1 h 04 m"),
    ];
    for (t, text) in cases {
        assert_eq!(seconds(s(t)), text, "{t}");
    }
}

#[test]
fn headlines_have_one_decimal_and_tables_two() {
    assert_eq!(seconds_headline(s(2.46)), "2.5 s");
    assert_eq!(seconds_headline(s(9.96)), "10.0 s");
    assert_eq!(seconds_headline(s(12.0)), "12.0 s");
    assert_eq!(seconds_table(s(12.0)), "12.00 s");
    assert_eq!(seconds_table(s(59.996)), "1 m 00 s");
}

#[test]
fn an_estimate_has_a_sign_and_two_digits() {
    let cases = [
        (0.261, "≈ 0.26 s"),
        (0.996, "≈ 1.0 s"),
        (2.58, "≈ 2.6 s"),
        (9.96, "≈ 10 s"),
        (12.1, "≈ 12 s"),
        (59.7, "≈ 1 m 00 s"),
        (292.0, "≈ 4 m 50 s"),
        (1_030.0, "≈ 17 m"),
        (3_580.0, "≈ 1 h 00 m"),
        (4_100.0, "≈ 1 h 10 m"),
        (43_000.0, "≈ 12 h"),
    ];
    for (t, text) in cases {
        assert_eq!(seconds_estimate(s(t)), text, "{t}");
    }
}

#[test]
fn a_figure_comes_apart_before_its_last_unit() {
    assert_eq!(seconds_figure(s(2.5)), Figure { value: "2.50".into(), unit: "s" });
    assert_eq!(seconds_figure(s(292.0)), Figure { value: "4 m 52".into(), unit: "s" });
    assert_eq!(percent_figure(0.79), Figure { value: "79".into(), unit: "%" });
}

#[test]
fn speedups_and_shares_are_rounded_once() {
    assert_eq!(speedup(4.8), "4.8×");
    assert_eq!(speedup(f64::INFINITY), "–");
    assert_eq!(percent(0.7917), "79\u{2009}%");
    assert_eq!(percent(-0.001), "0\u{2009}%");
    assert_eq!(percent(-0.069), "−7\u{2009}%");
    assert_eq!(percent(f64::NAN), "–");
}

#[test]
fn a_cost_has_as_many_decimals_as_it_needs() {
    let cases = [
        (0, "$0.0000", "$0.00000"),
        (210, "$0.0002", "$0.00021"),
        (1_200, "$0.0012", "$0.00120"),
        (9_960, "$0.01", "$0.00996"),
        (9_999, "$0.01", "$0.01"),
        (8_310_000, "$8.31", "$8.31"),
        (99_996_000, "$100", "$100"),
        (1_204_400_000, "$1,204", "$1,204"),
    ];
    for (usd_micros, text, table) in cases {
        assert_eq!(cost(UsdMicros(usd_micros)), text);
        assert_eq!(cost_table(UsdMicros(usd_micros)), table);
    }
}

#[test]
fn counts_have_groups_and_meters_thousands() {
    assert_eq!(count(0), "0");
    assert_eq!(count(999), "999");
    assert_eq!(count(10_000), "10,000");
    assert_eq!(count(1_234_567), "1,234,567");
    assert_eq!(count_meter(99_999), "99,999");
    assert_eq!(count_meter(870_000), "870k");
    assert_eq!((plural(1, "call"), plural(6, "call")), ("1 call".into(), "6 calls".into()));
}

#[test]
fn sizes_are_in_steps_of_a_thousand() {
    let cases = [
        (812, "812 B"),
        (1_400, "1.4 KB"),
        (9_960, "10 KB"),
        (200_000, "200 KB"),
        (999_700, "1.0 MB"),
        (20_000_000, "20 MB"),
        (3_000_000_000, "3.0 GB"),
    ];
    for (n, text) in cases {
        assert_eq!(bytes(n), text, "{n}");
    }
}

#[test]
fn what_is_missing_is_a_dash_and_never_zero() {
    assert_eq!(or_missing(None, seconds), "–");
    assert_eq!(or_missing(Some(s(2.46)), seconds), "2.46 s");
    assert_eq!(Figure::missing().to_string(), "–");
}

#[test]
fn the_largest_state_takes_what_rounding_leaves() {
    let ledger = Ledger {
        generating_us: 9_004_000,
        ttft_us: 2_294_000,
        engine_us: 64_000,
        ..Ledger::default()
    };
    assert_eq!(ledger_total(&ledger), "11.36 s");
    let rows = ledger_display(&ledger);
    assert_eq!(rows[0], (LedgerState::Generating, "9.01 s".into(), "79\u{2009}%".into()));
    assert_eq!(rows[1].1, "2.29 s");
    assert_eq!(rows[8], (LedgerState::Idle, "0".into(), "0\u{2009}%".into()));
}

#[test]
fn long_ledgers_are_shown_in_whole_seconds() {
    let ledger = Ledger { generating_us: 252_400_000, idle_us: 40_300_000, ..Ledger::default() };
    assert_eq!(ledger_total(&ledger), "4 m 53 s");
    let rows = ledger_display(&ledger);
    assert_eq!((rows[0].1.as_str(), rows[8].1.as_str()), ("4 m 13 s", "40 s"));
}

proptest! {
    #[test]
    fn the_figures_shown_add_up(
        us in prop::array::uniform9(0..2_000_000u64),
        scale in prop::sample::select(vec![1u64, 3, 1_000]),
    ) {
        let us = us.map(|us| us * scale);
        let total: u64 = us.iter().sum();
        let step = ledger_step(Micros(total));
        let shown = balance(us, us.map(|us| quanta(us, step)), quanta(total, step));
        prop_assert_eq!(shown.iter().sum::<u64>(), quanta(total, step));
    }

    #[test]
    fn no_value_is_too_large_to_be_written(us in any::<u64>()) {
        for text in [seconds(Micros(us)), seconds_estimate(Micros(us)), cost(UsdMicros(us))] {
            prop_assert!(!text.is_empty());
        }
        prop_assert!(!bytes(us).is_empty());
    }
}

#[test]
fn fractions_are_written_as_the_core_library_writes_them() {
    for x in [0.0, 0.04, 0.05, 0.96, 1.0, 2.34, 33.333_6, 99.999_9, 12_345.678_9] {
        assert_eq!(fixed(x, 1), format!("{x:.1}"));
        assert_eq!(fixed(x, 3), format!("{x:.3}"));
        assert_eq!(fixed(x, 0), format!("{x:.0}"));
    }
}
