//! Tests of `latency.rs`: the syntax, and the statistics of draws, without waiting for any.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::draw::ContentHash;

fn identity(content: u32, occurrence: u32) -> Identity {
    let content = ContentHash::new().with(&content.to_string()).finish();
    Identity { seed: 3, content, occurrence }
}

fn mean_and_cv(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt() / mean)
}

fn wholes(profile: &str, tokens: u32) -> Vec<f64> {
    let profile: LatencyProfile = profile.parse().unwrap();
    (0..20_000).map(|n| profile.schedule(identity(n, 0)).end(tokens).as_secs_f64()).collect()
}

#[test]
fn every_form_is_read_and_written_back() {
    for text in [
        "demo",
        "none",
        "fixed:2s",
        "fixed:200ms",
        "lognormal:mean=200ms,cv=0.6",
        "rate:ttft=400ms,tps=60,cv=0.3",
    ] {
        assert_eq!(text.parse::<LatencyProfile>().unwrap().to_string(), text);
    }
    assert_eq!("200ms".parse(), Ok(LatencyProfile::Fixed(Duration::from_millis(200))));
    assert_eq!("1.5s".parse(), Ok(LatencyProfile::Fixed(Duration::from_millis(1500))));
}

#[test]
fn what_is_not_a_profile_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "unknown latency profile"),
        ("fast", "fast"),
        ("demo:1s", "demo:1s"),
        ("2", "not a duration"),
        ("fixed:", "not a duration"),
        ("fixed:-1s", "not a duration"),
        ("fixed:2h", "not a duration"),
        ("fixed:1e9s", "at most an hour"),
        ("fixed:nans", "not a duration"),
        ("lognormal:cv=1", "mean="),
        ("lognormal:mean=1s,cv=-1", "cv"),
        ("lognormal:mean=1s,cv=NaN", "cv"),
        ("lognormal:mean=1s,size=3", "size"),
        ("rate:ttft=1s", "tps="),
        ("rate:ttft=1s,tps=0", "tps"),
        ("rate:ttft=1s,tps=inf", "tps"),
    ] {
        let message = text.parse::<LatencyProfile>().unwrap_err().to_string();
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn a_demo_answer_takes_two_seconds_with_the_stated_variation() {
    let (mean, cv) = mean_and_cv(&wholes("demo", 100));
    assert!((mean - 2.0).abs() < 0.02, "mean {mean}");
    assert!((cv - 0.18).abs() < 0.01, "cv {cv}");
}

#[test]
fn a_demo_first_token_is_a_part_of_the_whole() {
    let mut firsts = Vec::new();
    for n in 0..20_000 {
        let schedule = LatencyProfile::Demo.schedule(identity(n, 0));
        assert!(schedule.first_token() <= schedule.end(10).mul_f64(0.4501));
        firsts.push(schedule.first_token().as_secs_f64());
    }
    let (mean, cv) = mean_and_cv(&firsts);
    assert!((mean - 0.42).abs() < 0.01, "mean {mean}");
    assert!((cv - 0.2).abs() < 0.015, "cv {cv}");
}

#[test]
fn six_demo_answers_take_twelve_seconds_in_turn_and_two_and_a_half_at_once() {
    let wholes = wholes("demo", 50);
    let groups: Vec<&[f64]> = wholes.chunks_exact(6).collect();
    let count = groups.len() as f64;
    let in_turn = groups.iter().map(|g| g.iter().sum::<f64>()).sum::<f64>() / count;
    let at_once = groups.iter().map(|g| g.iter().copied().fold(0.0, f64::max)).sum::<f64>() / count;
    assert!((in_turn - 12.0).abs() < 0.2, "in turn {in_turn}");
    assert!((at_once - 2.5).abs() < 0.1, "at once {at_once}");
}

#[test]
fn a_log_normal_answer_has_the_stated_mean_and_variation() {
    let (mean, cv) = mean_and_cv(&wholes("lognormal:mean=200ms,cv=0.6", 7));
    assert!((mean - 0.2).abs() < 0.005, "mean {mean}");
    assert!((cv - 0.6).abs() < 0.04, "cv {cv}");
}

#[test]
fn a_rate_without_variation_gives_exact_times() {
    let profile: LatencyProfile = "rate:ttft=400ms,tps=50,cv=0".parse().unwrap();
    let schedule = profile.schedule(identity(1, 0));
    assert_eq!(schedule.first_token(), Duration::from_millis(400));
    assert_eq!(schedule.end(100), Duration::from_millis(2_400));
    assert_eq!(schedule.due(50, 100), Duration::from_millis(1_400));
}

#[test]
fn a_fixed_answer_ends_exactly_then_with_a_fifth_before_the_first_token() {
    let schedule = LatencyProfile::Fixed(Duration::from_secs(2)).schedule(identity(9, 4));
    assert_eq!(schedule.first_token(), Duration::from_millis(400));
    assert_eq!(schedule.end(1), Duration::from_secs(2));
    assert_eq!(schedule.end(1_000), Duration::from_secs(2));
}

proptest! {
    #[test]
    fn tokens_are_due_in_order_between_first_and_end(
        content: u32, occurrence in 0_u32..5, tokens in 1_u32..300, kind in 0_usize..4,
    ) {
        let text = ["demo", "none", "lognormal:mean=1s,cv=2", "rate:ttft=1s,tps=5,cv=3"][kind];
        let schedule = text.parse::<LatencyProfile>().unwrap().schedule(identity(content, occurrence));
        let mut before = schedule.first_token();
        for index in 0..tokens {
            let due = schedule.due(index, tokens);
            prop_assert!(before <= due && due <= schedule.end(tokens).max(schedule.first_token()));
            before = due;
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        let _ = text.parse::<LatencyProfile>();
    }
}
