//! Runs that were held back, hedged or limited, and what is said of them.

use super::super::explain_ledger;
use super::*;
use crate::testing::{self, Script, Try};
use crate::{Hold, LimitChange, Mode, RouteId, RouteState, UsdMicros};

/// Two lanes that were busy for 2 s each, after 2 s in which something held them back.
fn held(why: HoldReason) -> RunState {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[2_000, 2_000]));
    let pass = &mut state.passes[0];
    for call in &mut pass.calls {
        call.end = Some(Micros::from_secs(4));
        for a in &mut call.attempts {
            a.start = Micros::from_secs(2);
            a.first_token = Some(Micros::from_secs(3));
            a.end = Some(Micros::from_secs(4));
        }
    }
    pass.end = Some(Micros::from_secs(4));
    let message = String::new();
    pass.holds.push(Hold { from: Micros::ZERO, until: Micros::from_secs(2), why, message });
    state.latest = Micros::from_secs(4);
    state
}

#[test]
fn time_that_other_runs_took_is_a_share_of_the_lane_time() {
    let mut state = held(HoldReason::Queue);
    assert_eq!(
        explain_ledger(&state)[0],
        "50\u{2009}% of the lane time waited for a slot that other runs used: more requests at \
         once with the provider, or those runs at another time, would save it."
    );
    state.priority = Priority::Batch;
    assert!(explain_ledger(&state)[0].contains("with priority interactive it would have gone"));
}

#[test]
fn time_without_any_provider_names_the_breaker_and_what_would_have_helped() {
    let mut state = held(HoldReason::Breaker);
    state.routes.push(RouteState {
        route: RouteId(0),
        health: Health::Closed,
        until: None,
        message: String::new(),
        opened: 1,
    });
    assert_eq!(
        explain_ledger(&state)[0],
        "2.0 s passed while no provider answered (breaker of Simulated open): a fallback would \
         have gone on."
    );
}

#[test]
fn a_pause_is_nobodys_fault_but_is_told() {
    let sentences = explain_ledger(&held(HoldReason::Pause));
    assert_eq!(sentences[0], "2.0 s passed while it was paused by hand.");
}

#[test]
fn the_rate_limit_keeps_its_own_sentence() {
    let sentences = explain_ledger(&held(HoldReason::RateLimit));
    assert!(
        sentences[0].contains("4.00 lane-seconds waiting for the provider's rate limit"),
        "{sentences:?}"
    );
}

#[test]
fn failed_attempts_are_counted_and_their_cause_is_named() {
    let failing = Try { ttft: 3_000_000, generating: 0, fails: Some(500_000) };
    let fine = Try { ttft: 500_000, generating: 500_000, fails: None };
    let calls = vec![vec![failing, fine], vec![fine]];
    let state = testing::run(&Script { calls, ..Script::plain(Mode::Parallel, 1, &[]) });
    assert_eq!(
        explain_ledger(&state)[0],
        "Parallel spends 3.00 s on failed attempts and the waits after them: 1 of 3 attempts \
         failed, all of them: server error; a fallback would take over while it lasts."
    );
}

#[test]
fn a_second_attempt_says_whether_it_helped_and_what_the_loser_cost() {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 2, &[2_000, 2_000]));
    let call = &mut state.passes[0].calls[0];
    let mut slow = call.attempts[0].clone();
    slow.result = AttemptResult::Cancelled;
    slow.cost_usd_micros = Some(UsdMicros(42));
    call.attempts[0].hedge = true;
    call.attempts.insert(0, slow);
    let sentences = explain_ledger(&state);
    let cost = format::cost(UsdMicros(42));
    let expected = format!(
        "1 slow call got a second attempt, of which 1 answered first; the answers that came too \
         late cost {cost} (modelled)."
    );
    assert!(sentences.contains(&expected), "{sentences:?}");
}

fn limited(changes: &[(u64, u32, LimitReason)]) -> RunState {
    let mut state = testing::run(&Script::plain(Mode::Parallel, 4, &[1_000; 8]));
    let change = |&(s, limit, why)| LimitChange { at: Micros::from_secs(s), limit, why };
    state.passes[0].limits = changes.iter().map(change).collect();
    state
}

#[test]
fn a_limit_that_was_cut_says_where_it_settled() {
    use LimitReason::{RateLimited, Start};
    let state = limited(&[(0, 4, Start), (1, 3, RateLimited)]);
    assert_eq!(
        explain_ledger(&state).last().map(String::as_str),
        Some(
            "The limit was cut once; it settled at about 3 lanes: concurrency 3 would finish \
             at about 3.0 s."
        )
    );
    let state = limited(&[(0, 8, Start), (0, 4, RateLimited)]);
    assert!(explain_ledger(&state).last().unwrap().ends_with("would have done the same."));
}

#[test]
fn a_limit_that_only_grew_began_too_low() {
    let state = limited(&[(0, 2, LimitReason::Start), (1, 4, LimitReason::Grew)]);
    assert_eq!(
        explain_ledger(&state).last().map(String::as_str),
        Some(
            "The limit grew from 2 to 4 lanes and was never cut: concurrency 4 from the start \
             would finish at about 2.0 s."
        )
    );
}

#[test]
fn lanes_set_by_hand_are_told_as_that() {
    let state = limited(&[(0, 4, LimitReason::Start), (1, 2, LimitReason::User)]);
    assert_eq!(
        explain_ledger(&state).last().map(String::as_str),
        Some("The number of lanes was set by hand once: 2 at the end.")
    );
}
