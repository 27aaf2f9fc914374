//! Requests and tokens a minute: what is sent when, and what the log says of the waits.

use std::sync::Arc;

use lanes_engine::routes::Changes;
use lanes_engine::{RunRoutes, Target, TargetLimits};
use lanes_model::FailureKind::{RateLimited, ServerError};
use lanes_model::{
    AttemptState, CallStatus, Ledger, LedgerState, Micros, PassState, Priority, RunState,
    RunStatus, segments,
};
use proptest::prelude::*;

use crate::support::provider::{Script, answers};
use crate::support::{Bench, Step, ms, parallel, paused};

/// A run on so many lanes under limits; each call may use `tokens` and uses 15.
fn bench(lanes: u32, script: Script, rpm: Option<u32>, tpm: Option<u32>, tokens: u64) -> Bench {
    let mut bench = Bench::new(&[parallel(lanes)], false, script);
    *bench.provider.tokens.lock().unwrap() = tokens;
    bench.limiter = routes(&target(rpm, tpm));
    bench
}

fn target(rpm: Option<u32>, tpm: Option<u32>) -> Arc<Target> {
    let limits = TargetLimits { rpm, tpm, ..TargetLimits::default() };
    Arc::new(Target::new(limits, 1, Changes::default()))
}

fn routes(target: &Arc<Target>) -> Arc<RunRoutes> {
    Arc::new(RunRoutes::new(vec![Arc::clone(target)], Priority::Interactive))
}

fn starts(pass: &PassState) -> Vec<Micros> {
    starts_of(pass, |_| true)
}

fn starts_of(pass: &PassState, wanted: impl Fn(&AttemptState) -> bool) -> Vec<Micros> {
    let attempts = pass.calls.iter().flat_map(|c| &c.attempts).filter(|a| wanted(a));
    let mut starts: Vec<_> = attempts.map(|a| a.start).collect();
    starts.sort_unstable();
    starts
}

fn ledger(state: &RunState) -> Ledger {
    Ledger::of(&segments(&state.header.plan, &state.passes[0], state.latest))
}

#[tokio::test(start_paused = true)]
async fn calls_start_at_the_limit_s_pace_and_the_ledger_says_what_the_lanes_waited_for() {
    // Two at once, then two a second.
    let state = bench(4, answers(&[100; 6]), Some(120), None, 0).finish().await;
    assert_eq!(starts(&state.passes[0]), [ms(0), ms(0), ms(500), ms(1_000), ms(1_500), ms(2_000)]);
    let ledger = ledger(&state);
    assert_eq!(ledger.total(), Micros(4 * 2_100_000));
    // While n calls wait, n of the four lanes wait for the limit: 2 × 0.1 s + 4 × 0.4 s of the first
    // half second, then three, two and one lanes for half a second each.
    let waited = 200_000 + 1_600_000 + 1_500_000 + 1_000_000 + 500_000;
    assert_eq!(ledger.get(LedgerState::RateLimitWait), Micros(waited));
    assert_eq!(ledger.get(LedgerState::Engine), Micros::ZERO);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_were_reserved_and_not_used_let_the_next_call_go_sooner() {
    // 100 tokens a second. Each call reserves 1,000 and uses 15.
    let state = bench(2, answers(&[200; 3]), None, Some(6_000), 1_000).finish().await;
    let starts = starts(&state.passes[0]);
    assert_eq!(starts[0], ms(0));
    // Without settling the second would wait 10 s: 900 owed, and 100 to be there.
    assert!(starts[2] < ms(3_000), "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_call_larger_than_a_minute_s_tokens_fails_at_once_and_says_why() {
    let state = bench(2, answers(&[10; 3]), None, Some(500), 501).finish().await;
    assert_eq!(state.status, RunStatus::Failed);
    assert_eq!(state.latest, Micros::ZERO);
    for call in &state.passes[0].calls {
        let failure = call.failure.as_ref().unwrap();
        assert!(failure.message.contains("up to 501 tokens"), "{}", failure.message);
        assert!(call.attempts.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_the_provider_asks_of_one_call_holds_for_all() {
    let mut script = answers(&[100; 4]);
    script[0].insert(0, Step::fail(50, RateLimited).retry_after(ms(3_000)));
    let state = bench(2, script, None, None, 0).finish().await;
    let starts = starts(&state.passes[0]);
    assert_eq!(starts[..2], [ms(0), ms(0)]);
    assert!(starts[2..].iter().all(|&at| at >= ms(3_050)), "{starts:?}");
    assert!(ledger(&state).get(LedgerState::RateLimitWait) > ms(2_900));
    assert!(state.passes[0].calls.iter().all(|c| c.status() == CallStatus::Succeeded));
}

#[tokio::test(start_paused = true)]
async fn runs_that_use_one_provider_share_its_limit() {
    let shared = target(Some(60), None);
    let run = || {
        let mut bench = Bench::new(&[parallel(3)], false, answers(&[10; 3]));
        bench.limiter = routes(&shared);
        bench
    };
    let (one, two) = (run(), run());
    let (one, two) = tokio::join!(one.finish(), two.finish());
    let mut all = [starts(&one.passes[0]), starts(&two.passes[0])].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3, 4, 5].map(|n| ms(n * 1_000)));
}

fn step() -> impl Strategy<Value = Step> {
    (1u64..3_000, 0u32..8, 0u64..5_000).prop_map(|(duration, kind, after)| match kind {
        0 => Step::fail(duration, ServerError),
        1 => Step::fail(duration, RateLimited).retry_after(ms(after)),
        _ => Step::answer(duration),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn under_any_limits_every_call_ends_and_no_minute_holds_more_than_allowed(
        script in prop::collection::vec(prop::collection::vec(step(), 1..3), 1..40),
        lanes in 1u32..20,
        rpm in 5u32..300,
        tpm in 100u32..20_000,
        tokens in 15u64..100,
    ) {
        let bench = bench(lanes, script, Some(rpm), Some(tpm), tokens);
        let state = paused(bench.finish());
        let pass = &state.passes[0];
        prop_assert!(pass.calls.iter().all(|c| c.ended.is_some()));
        prop_assert!(bench.provider.most_flying() <= lanes as usize);
        // Those that were refused used no tokens, each of the others 15 at the least.
        let refused = |a: &AttemptState| {
            a.failure.as_ref().is_some_and(|f| f.kind == RateLimited)
        };
        for (starts, most) in [
            (starts(pass), u64::from(rpm)),
            (starts_of(pass, |a| !refused(a)), u64::from(tpm) / 15),
        ] {
            for (i, &from) in starts.iter().enumerate() {
                let until = from + Micros::from_secs(60);
                let minute = starts[i..].iter().take_while(|&&at| at < until);
                prop_assert!(minute.count() as u64 <= most);
            }
        }
        prop_assert_eq!(ledger(&state).total(), Micros(pass.wall(state.latest).0 * u64::from(lanes)));
        let bound = lanes_model::lower_bound(&state.header.plan, pass, Some(rpm), Some(tpm));
        prop_assert!(bound.is_none_or(|b| b.us <= pass.wall(state.latest)));
    }
}
