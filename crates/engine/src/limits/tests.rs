//! Limits over time, on a paused clock.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::{advance, sleep};

use super::*;

fn told(limit: u64, remaining: u64) -> Told {
    let requests = ToldLimit { limit, remaining: Some(remaining), reset: None };
    Told { requests: Some(requests), tokens: None }
}

/// Asks until it is its turn and says when that was, in milliseconds.
async fn turn(limiter: &RateLimiter, tokens: u64) -> (u64, Ticket) {
    loop {
        match limiter.ask(tokens) {
            Turn::Now(ticket) => return (limiter.now().0 / 1_000, ticket),
            Turn::In(wait) => sleep(Duration::from_micros(wait.0)).await,
            Turn::TooLarge(limit) => panic!("more than {limit}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_s_worth_goes_at_once_and_the_rest_evenly() {
    let limiter = RateLimiter::new(Some(600), None);
    let mut at = Vec::new();
    for _ in 0..15 {
        at.push(turn(&limiter, 0).await.0);
    }
    assert_eq!(&at[..10], [0; 10]);
    assert_eq!(&at[10..], [100, 200, 300, 400, 500]);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_used_can_be_taken_again() {
    let limiter = RateLimiter::new(None, Some(6_000));
    let (_, ticket) = turn(&limiter, 3_100).await;
    // 100 were there, 3,000 are owed: 30 s at 100 a second.
    assert!(matches!(limiter.ask(100), Turn::In(wait) if wait > Micros::from_secs(29)));
    limiter.used(ticket, 100);
    advance(Duration::from_secs(1)).await;
    assert_eq!(turn(&limiter, 100).await.0, 1_000);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_never_sent_counts_for_nothing() {
    let limiter = RateLimiter::new(Some(1), None);
    let (_, ticket) = turn(&limiter, 0).await;
    assert!(matches!(limiter.ask(0), Turn::In(_)));
    limiter.unsent(ticket);
    assert!(matches!(limiter.ask(0), Turn::Now(_)));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_minute_s_worth_is_refused_at_once() {
    let limiter = RateLimiter::new(None, Some(1_000));
    assert_eq!(limiter.ask(1_001), Turn::TooLarge(1_000));
    assert!(matches!(limiter.ask(1_000), Turn::Now(_)));
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_provider_asks_for_is_kept_up_to_a_minute() {
    let limiter = RateLimiter::new(None, None);
    limiter.hold(Micros::from_secs(2));
    assert_eq!(limiter.ask(5), Turn::In(Micros::from_secs(2)));
    limiter.hold(Micros::from_secs(365 * 86_400));
    assert_eq!(limiter.ask(5), Turn::In(Micros::from_secs(60)));
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_one_goes_first_and_the_rest_evenly() {
    let limiter = RateLimiter::new(Some(600), None);
    turn(&limiter, 0).await;
    // What was left of the second's worth is not there: the provider has just said so.
    limiter.hold(Micros::from_secs(5));
    let mut at = Vec::new();
    for _ in 0..4 {
        at.push(turn(&limiter, 0).await.0);
    }
    assert_eq!(at, [5_000, 5_100, 5_200, 5_300]);
    limiter.hold(Micros::ZERO);
    assert_eq!(turn(&limiter, 0).await.0, 5_400);
}

#[tokio::test(start_paused = true)]
async fn after_a_refusal_tokens_come_back_evenly_too() {
    let limiter = RateLimiter::new(None, Some(6_000));
    limiter.hold(Micros::from_secs(1));
    assert_eq!(turn(&limiter, 50).await.0, 1_500);
    assert_eq!(turn(&limiter, 50).await.0, 2_000);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_nobody_configured_is_learnt() {
    let limiter = RateLimiter::new(None, None);
    limiter.observe(&told(60, 59));
    assert_eq!(limiter.limits(), (Some(60), None));
    assert_eq!(turn(&limiter, 0).await.0, 0);
    assert_eq!(turn(&limiter, 0).await.0, 1_000);
}

#[tokio::test(start_paused = true)]
async fn what_is_told_tightens_a_configured_limit_and_never_raises_it() {
    let limiter = RateLimiter::new(Some(100), None);
    limiter.observe(&told(60, 60));
    assert_eq!(limiter.limits().0, Some(60));
    limiter.observe(&told(500, 500));
    assert_eq!(limiter.limits().0, Some(100));
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_told_once_does_not_hold_for_ever() {
    let limiter = RateLimiter::new(None, None);
    limiter.observe(&told(1, 1));
    turn(&limiter, 0).await;
    assert!(matches!(limiter.ask(0), Turn::In(wait) if wait > Micros::from_secs(59)));
    limiter.observe(&told(600, 599));
    assert_eq!(limiter.limits().0, Some(600));
    assert!(turn(&limiter, 0).await.0 < 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_was_only_told_refuses_nothing_for_good() {
    let limiter = RateLimiter::new(None, None);
    let tokens = Some(ToldLimit { limit: 10, remaining: Some(10), reset: None });
    limiter.observe(&Told { requests: None, tokens });
    // Far more than the ten of a minute: it goes, and pays for one minute.
    assert_eq!(turn(&limiter, 5_000).await.0, 0);
    assert_eq!(turn(&limiter, 5_000).await.0, 60_000);
}

#[tokio::test(start_paused = true)]
async fn an_absurd_use_is_paid_for_with_a_minute_at_the_most() {
    let limiter = RateLimiter::new(None, Some(6_000));
    let (_, first) = turn(&limiter, 100).await;
    advance(Duration::from_secs(1)).await;
    let (_, second) = turn(&limiter, 100).await;
    limiter.used(first, u64::MAX);
    limiter.used(second, u64::MAX);
    assert!(turn(&limiter, 100).await.0 <= 1_000 + 62_000);
}

#[tokio::test(start_paused = true)]
async fn the_highest_limits_work_like_any_other() {
    let limiter = RateLimiter::new(Some(u32::MAX), Some(u32::MAX));
    let most = u64::from(u32::MAX);
    assert_eq!(limiter.ask(most + 1), Turn::TooLarge(most));
    assert_eq!(turn(&limiter, most).await.0, 0);
    let absurd = 1_000_000_000_000;
    limiter.observe(&told(absurd, absurd));
    assert_eq!(limiter.limits().0, Some(most));
}

#[tokio::test(start_paused = true)]
async fn what_others_use_of_the_same_limit_counts() {
    let limiter = RateLimiter::new(Some(600), None);
    limiter.observe(&told(600, 2));
    assert_eq!(turn(&limiter, 0).await.0, 0);
    assert_eq!(turn(&limiter, 0).await.0, 0);
    // Nothing remains until a minute after that was heard.
    assert_eq!(turn(&limiter, 0).await.0, 60_000);
}

#[tokio::test(start_paused = true)]
async fn it_counts_until_the_provider_says_that_it_does_no_more() {
    for (reset, then) in [(2_000, 2_000), (3_600_000, 60_000)] {
        let limiter = RateLimiter::new(Some(600), None);
        let reset = Some(Micros::from_millis(reset));
        let requests = Some(ToldLimit { limit: 600, remaining: Some(1), reset });
        limiter.observe(&Told { requests, tokens: None });
        assert_eq!(turn(&limiter, 0).await.0, 0);
        assert_eq!(turn(&limiter, 0).await.0, then);
        // What was taken here still counts for its minute, and there is room beside it.
        assert_eq!(turn(&limiter, 0).await.0, then);
    }
}

proptest! {
    #[test]
    fn no_minute_holds_more_than_the_limits(
        rpm in 1u32..200,
        tpm in 500u32..20_000,
        calls in prop::collection::vec((1u64..500, 0u64..2_000), 1..120),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let starts = runtime.block_on(async {
            let limiter = RateLimiter::new(Some(rpm), Some(tpm));
            let mut starts = Vec::new();
            for &(tokens, pause) in &calls {
                let (_, ticket) = turn(&limiter, tokens).await;
                starts.push((limiter.now(), tokens));
                // Some settle for less, which may not let in more than the limit.
                if tokens % 3 == 0 {
                    limiter.used(ticket, tokens);
                }
                sleep(Duration::from_millis(pause)).await;
            }
            starts
        });
        for (i, &(from, _)) in starts.iter().enumerate() {
            let minute = || starts[i..].iter().take_while(|(at, _)| *at < from + Micros::from_secs(60));
            prop_assert!(minute().count() as u64 <= u64::from(rpm));
            prop_assert!(minute().map(|s| s.1).sum::<u64>() <= u64::from(tpm));
        }
    }
}
